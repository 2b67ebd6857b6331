//! Runs `tests/python` (redis-py, redis-cli, redis-benchmark) against the daemon of this build, with the interpreter that
//! `ENNEAD_PYTHON` names: `make test` creates a virtual environment from `tests/python/requirements.txt` and sets it.

use std::path::Path;
use std::process::Command;

#[test]
fn python_clients_pass() {
    let Some(python) = std::env::var_os("ENNEAD_PYTHON") else {
        let required = ["CI", "ENNEAD_REQUIRE_PEERS"].iter().any(|name| std::env::var_os(name).is_some());
        assert!(!required, "ENNEAD_PYTHON is not set, and this run requires it");
        eprintln!("\n*** NOT TESTED: redis-py, redis-cli and redis-benchmark, since ENNEAD_PYTHON is not set ***\n");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python");
    let output = Command::new(python)
        .args(["-B", "-m", "pytest", "-q", "--tb=short"])
        .current_dir(folder)
        .env("ENNEAD_BINARY", env!("CARGO_BIN_EXE_ennead"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    eprintln!("{}", text.lines().last().unwrap_or_default());
}
