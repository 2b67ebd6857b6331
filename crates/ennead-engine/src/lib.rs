//! The boundary of Ennead: sessions, users, settings, limits and figures over the models, for listeners of any protocol.
//!
//! A listener opens a [`Session`] for each connection, gives it requests as [`Args`] and a sink for replies, and obeys
//! the [`Outcome`]. It needs no other crate of the project. This crate knows no socket, no runtime and no wire format.

mod backup;
mod clients;
mod clock;
mod commands;
mod coordination;
mod copy;
mod engine;
mod errors;
mod fence;
mod figures;
mod herald;
mod host;
mod key_access;
mod keyspace;
mod latency;
pub mod migration;
mod monitors;
mod pause;
mod process;
mod pubsub;
mod quiet;
mod rates;
mod registry;
mod scripting;
mod session;
pub mod settings;
mod slowlog;
mod tracking;
mod upkeep;
mod users;
mod version;

pub use backup::Backups;
pub use clients::{Client, Clients, Identity, Origin};
pub use clock::Clock;
pub use copy::{Content, Made, write_copy};
pub use engine::Engine;
pub use ennead_coord as coord;
pub use ennead_kv::rdb::file as snapshot_file;
pub use ennead_kv::{Args, Category, Error, Flag, Group, KeySpec, Keyspace, Reply, Result, Spec, with_double_text};
pub use ennead_store::{Durability, ErrorCode, Options as StoreOptions, Pressure, Sequence, Statistics, Store};
pub use errors::ErrorCounts;
pub use figures::{BUCKETS, CommandFigures, Counter, Figures, Shard, Totals};
pub use host::{Host, MemoryFigures, ShutdownRequest};
pub use latency::{Event, LatencyMonitor, Sample};
pub use pubsub::{Doorbell, Mailbox, Message, PubSub};
pub use registry::{Command, Lookup, Registry};
pub use session::{Hold, Outcome, Output, Session, Together};
pub use settings::Settings;
pub use slowlog::{SlowEntry, SlowLog};
pub use tracking::{Tracking, TrackingFigures};
pub use users::{Account, DenialCounts, LoginError, Users};
pub use version::{ENNEAD_VERSION, REDIS_VERSION};
