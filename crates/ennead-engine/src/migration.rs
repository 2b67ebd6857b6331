//! What MIGRATE sends to another server, and what it hears of it. The sending is the host's: this crate knows no socket.

use std::time::Duration;

/// Where to, and how.
#[derive(Debug, Clone)]
pub struct Target {
    pub host: String,
    pub port: u16,
    pub database: i64,
    /// Of each step: connecting, a write, a read.
    pub timeout: Duration,
    /// The words behind AUTH; none to go without.
    pub credentials: Vec<Vec<u8>>,
    /// Whether keys of the same name are replaced.
    pub replace: bool,
}

/// One value to send.
#[derive(Debug)]
pub struct Parcel {
    pub key: Vec<u8>,
    pub payload: Vec<u8>,
    /// What is left of its life, ms; 0 for a value that does not expire.
    pub ttl_ms: u64,
}

/// What became of the parcels.
#[derive(Debug)]
pub struct Report {
    /// Which of them the other server has taken.
    pub taken: Vec<bool>,
    /// The first thing that went wrong, as the client is told.
    pub failure: Option<String>,
}

/// Begins to send; the last argument is called once, with the report, from any thread.
pub type Send = Box<dyn Fn(Target, Vec<Parcel>, Done) -> std::io::Result<()> + std::marker::Send + Sync>;

/// Takes the report.
pub type Done = Box<dyn FnOnce(Report) + std::marker::Send>;
