//! The coordination model, opened over the same store as the keyspace.

use ennead_coord::{Coord, Options};
use ennead_store::Store;

/// # Errors
/// As text: a start that fails says it, and ends.
pub(crate) fn open(store: Store, seed: u64) -> ennead_kv::Result<Coord> {
    Coord::open(store, &Options { seed }).map_err(|error| ennead_kv::Error::Text(format!("ERR {error}").into()))
}
