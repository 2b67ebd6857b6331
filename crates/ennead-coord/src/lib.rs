//! The coordination model of Ennead: etcd's keyspace, in which every transaction is a revision that can be read, compared
//! with and watched from, until it is compacted away.
//!
//! Requests and answers are the messages of etcd's API ([`api`]). Writes are answered once they are on disk, whatever the
//! store's setting, and nobody reads what is not. It knows no network and no runtime, reads no clock and no random source.

pub mod api;
mod auth;
mod check;
mod compaction;
mod coord;
mod error;
pub mod fence;
mod index;
mod lease;
mod line;
mod publication;
mod record;
mod relay;
mod retention;
mod revision;
mod rows;
mod snapshot;
mod space;
mod span;
mod state;
#[cfg(test)]
mod tests;
mod transaction;
mod view;
mod watch;
mod writer;

pub use auth::Claim;
pub use coord::{Coord, ETCD_VERSION, Login, Options, STORAGE_VERSION};
pub use error::{Code, Error, Result};
pub use fence::Fence;
pub use lease::HELD_S;
pub use line::Observation;
pub use publication::Answer;
pub use relay::Relay;
pub use retention::{AutoCompaction, Retention, RetentionMode, go_duration};
pub use watch::{WatchAnswer, WatchStream};
