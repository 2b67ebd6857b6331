//! The outside tests: the built daemon as its users see it, over sockets and signals. One binary, so that it links once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stderr, reason = "what a test found, and seeds to replay it, go to the log of the run")]

mod architecture;
mod backup;
mod clients;
mod coordination;
mod daemon;
mod differential;
mod etcd;
mod failure;
mod generated;
mod grpc;
mod kill;
mod linearizability;
mod migrate;
mod moving;
mod package;
mod random;
mod readme;
mod scripts;
mod server;
mod wait;
mod wire;
