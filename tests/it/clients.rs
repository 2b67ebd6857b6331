//! Runs the tests that are written for clients of other languages against the daemon of this build.
//! `make test` installs what they need and says where it is: `tests/python` (redis-py, Celery, redis-cli, redis-benchmark, etcd3)
//! with the interpreter `ENNEAD_PYTHON`, `tests/node` (ioredis, BullMQ) with the packages in `ENNEAD_NODE_MODULES`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::process::Daemon;

#[test]
fn python_clients_pass() {
    let clients = "redis-py, Celery, redis-cli, redis-benchmark and etcd3";
    let Some(python) = installed("ENNEAD_PYTHON", clients, &["CI", "ENNEAD_REQUIRE_PEERS"]) else { return };
    let text = passing(
        Command::new(python)
            .args(["-B", "-m", "pytest", "-q", "--tb=short"])
            .current_dir(folder("python"))
            .env("ENNEAD_BINARY", env!("CARGO_BIN_EXE_ennead")),
    );
    eprintln!("{}", text.lines().last().unwrap_or_default());
}

#[test]
fn node_clients_pass() {
    // Not every machine has a Node that is new enough for them, nor a package of one.
    let Some(modules) = installed("ENNEAD_NODE_MODULES", "ioredis and BullMQ", &["ENNEAD_REQUIRE_PEERS"]) else {
        return;
    };
    for file in ["ioredis.test.js", "bullmq.test.js"] {
        let daemon = Daemon::start(&[]);
        let text = passing(
            Command::new("node")
                .args(["--test", "--test-reporter=tap", file])
                .current_dir(folder("node"))
                .env("ENNEAD_PORT", daemon.address("resp").port().to_string())
                .env("NODE_PATH", &modules),
        );
        let passed = text.lines().find(|line| line.starts_with("# pass ")).unwrap_or_default();
        // A runner that finds no test is content.
        assert!(!matches!(passed, "" | "# pass 0"), "{text}");
        // What BullMQ finds wrong with a server is only a warning to it.
        assert!(!text.contains("IMPORTANT!"), "{text}");
        eprintln!("{file}: {passed}");
    }
}

/// What the variable names; none, said loudly, when it is not set and no other variable requires it.
fn installed(variable: &str, clients: &str, required_by: &[&str]) -> Option<OsString> {
    let found = std::env::var_os(variable);
    if found.is_none() {
        let required = required_by.iter().any(|name| std::env::var_os(name).is_some());
        assert!(!required, "{variable} is not set, and this run requires it");
        eprintln!("\n*** NOT TESTED: {clients}, since {variable} is not set ***\n");
    }
    found
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests").join(name)
}

/// What a command that must succeed prints.
fn passing(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    text.into_owned()
}
