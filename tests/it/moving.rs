//! Keys move between Redis and the daemon: payloads both ways, snapshot files out and in, and a running Redis that is copied
//! and followed while it is written to.

mod content;
mod encrypted;
mod export;
mod import;
mod payload;
mod writer;
