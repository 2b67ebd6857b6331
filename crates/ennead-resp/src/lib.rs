//! The RESP listener: the protocol of Redis, versions 2 and 3, over TCP and TLS.
//!
//! [`request`] and [`reply`] are the codec, pure functions over bytes. [`serve`] runs it on worker threads, each with an
//! event loop of its own: a worker executes what its ready connections sent, hands the log to the kernel once, and only
//! then writes the replies. This crate decides nothing about commands; the engine does.

mod accept;
mod ahead;
mod connection;
mod idle;
pub mod migration;
mod options;
pub mod reply;
pub mod request;
mod socket;
mod spread;
mod worker;

pub use accept::{Listener, ServeError, serve};
pub use options::Options;
