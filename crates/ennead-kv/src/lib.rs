//! The Redis model: keys and their values, kept in memory as native objects while they are warm, as rows of the store
//! always. It never reads the clock, a socket or a random source: they come in with the call.

mod access;
mod args;
mod bits;
mod command;
mod commands;
mod context;
mod counters;
mod database;
mod disposal;
mod encoding;
mod entry;
mod error;
mod fence;
mod geo;
pub mod glob;
mod hyperloglog;
mod keyspace;
mod listpack;
mod notice;
mod number;
mod object;
mod options;
mod packed;
mod place;
#[cfg(test)]
mod probe;
pub mod rdb;
mod reply;
mod row;
mod sequence;
mod slot;

pub use args::Args;
pub use command::{Access, Category, Command, Flag, Group, KeySpec, Spec};
pub use commands::{command, commands};
pub use context::Context;
pub use encoding::{Threshold, Thresholds};
pub use error::{Error, Result};
pub use fence::Fence;
pub use keyspace::{
    Call, DatabaseFigures, Effect, Ended, Export, Figures, Inspection, Keeping, Keyspace, Ran, Run, Transaction,
    Unblocker, Waiting, Wake, Watched,
};
pub use notice::{EventClass, Notice, Notices, Witness};
pub use number::double::with_double_text;
pub use options::{KvOptions, Policy, Settings};
pub use place::{SLOTS, key_slot};
pub use rdb::{FunctionsRefusal, dump_functions, restore_functions};
pub use reply::{Recorded, Reply};
