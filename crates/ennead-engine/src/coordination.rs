//! The coordination model, opened over the same store as the keyspace.

use ennead_coord::{Coord, Options};
use ennead_store::Store;

use crate::settings::{COORD_QUOTA, Settings};

/// # Errors
/// As text: a start that fails says it, and ends.
pub(crate) fn open(store: Store, settings: &Settings, seed: u64) -> ennead_kv::Result<Coord> {
    let options = Options { seed, quota_bytes: settings.read(COORD_QUOTA) };
    Coord::open(store, &options).map_err(|error| ennead_kv::Error::Text(format!("ERR {error}").into()))
}
