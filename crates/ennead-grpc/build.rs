//! Makes the services and the clients of etcd's API over the message types of the model, where the protocol stands.

use std::error::Error;

const PROTOCOL: &str = "../ennead-coord/proto";
const FILES: [&str; 8] = [
    "kv.proto",
    "watch.proto",
    "lease.proto",
    "cluster.proto",
    "maintenance.proto",
    "auth.proto",
    "lock.proto",
    "election.proto",
];
const PACKAGES: [&str; 5] = ["etcdserverpb", "mvccpb", "authpb", "v3lockpb", "v3electionpb"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTOCOL}");
    let descriptors = protox::compile(FILES, [PROTOCOL])?;
    let mut builder = tonic_prost_build::configure().build_client(true).build_transport(false);
    for package in PACKAGES {
        builder = builder.extern_path(format!(".{package}"), format!("::ennead_engine::coord::api::{package}"));
    }
    // The same message, of which what many watches are told is encoded once.
    builder = builder.extern_path(".etcdserverpb.WatchResponse", "::ennead_engine::coord::WatchAnswer");
    builder.compile_fds(descriptors)?;
    Ok(())
}
