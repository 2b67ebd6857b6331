//! Runs every example of this crate; each asserts its own results.

#[path = "../examples/balances.rs"]
mod balances;
#[path = "../examples/basic.rs"]
mod basic;
#[path = "../examples/config.rs"]
mod config;
#[path = "../examples/graph.rs"]
mod graph;
#[path = "../examples/metrics.rs"]
mod metrics;
#[path = "../examples/sessions.rs"]
mod sessions;
#[path = "../examples/transfer.rs"]
mod transfer;

#[test]
fn balances_at_block_height() {
    balances::main().unwrap();
}

#[test]
fn basic_operations() {
    basic::main().unwrap();
}

#[test]
fn configuration_and_feature_flags() {
    config::main().unwrap();
}

#[test]
fn graph_by_prefix() {
    graph::main().unwrap();
}

#[test]
fn metrics_by_time_range() {
    metrics::main().unwrap();
}

#[test]
fn sessions_with_a_time_to_live() {
    sessions::main().unwrap();
}

#[test]
fn transfers_by_transactions() {
    transfer::main().unwrap();
}

#[test]
fn every_example_is_run() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".rs") && name != "bench_store.rs");
    names.sort();
    assert_eq!(names, ["balances.rs", "basic.rs", "config.rs", "graph.rs", "metrics.rs", "sessions.rs", "transfer.rs"]);
}
