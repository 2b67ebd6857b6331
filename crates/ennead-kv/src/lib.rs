//! The Redis model: keys and their values, kept in memory as native objects while they are warm, as rows of the store
//! always. It never reads the clock, a socket or a random source: they come in with the call.

mod args;
mod command;
mod error;
mod reply;

pub use args::Args;
pub use command::{Category, Flag, Group, KeySpec, Spec};
pub use error::{Error, Result};
pub use reply::Reply;
