//! The examples of README.md: the daemon is started as they expect, and they are run as they stand there.
//!
//! A `console` block holds commands after `$ ` with the output that follows them; a `python` block must run through.
//! Only addresses are exchanged, since tests do not take the default ports.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::daemon::process::Daemon;
use crate::etcd::keeper::etcd_program;
use crate::server::installed;

struct Block {
    kind: String,
    text: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some(Block { kind: kind.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text += line;
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// An interpreter that can import redis; None, said loudly, when there is none and nothing requires it.
fn python() -> Option<OsString> {
    let python = std::env::var_os("ENNEAD_PYTHON").unwrap_or_else(|| "python3".into());
    let run = Command::new(&python).args(["-c", "import redis"]).stderr(Stdio::null()).status();
    if run.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    assert!(std::env::var_os("CI").is_none(), "redis-py is not installed, and this run requires it");
    eprintln!("\n*** NOT TESTED: redis-py is not installed, so the README's Python was not run ***\n");
    None
}

/// A command with the programs and addresses of this run; None when one of its programs is not here.
fn localized(command: &str, daemon: &Daemon) -> Option<String> {
    let command = match command.split(' ').next()? {
        "etcdctl" => {
            let program = etcd_program("etcdctl")?.display().to_string();
            command.replace("etcdctl", &format!("{program} --endpoints {}", daemon.address("grpc")))
        }
        "redis-cli" => command.replace("redis-cli", &format!("redis-cli -p {}", daemon.address("resp").port())),
        _ => command.to_owned(),
    };
    Some(command.replace("127.0.0.1:9200", &daemon.address("http").to_string()))
}

fn run_console(text: &str, daemon: &Daemon) {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let shown = line.strip_prefix("$ ").unwrap_or_else(|| panic!("output without a command: {line}"));
        let mut expected = String::new();
        while let Some(output) = lines.next_if(|line| !line.starts_with("$ ")) {
            expected += output;
            expected.push('\n');
        }
        let Some(command) = localized(shown, daemon) else { return };
        let output = Command::new("sh").args(["-c", &command]).stdin(Stdio::null()).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{shown}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(printed.trim_end(), expected.trim_end(), "{shown}");
    }
}

#[test]
fn examples_of_the_readme_do_what_they_say() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let blocks = blocks(&text);
    let count = |kind: &str| blocks.iter().filter(|block| block.kind == kind).count();
    assert!(count("console") >= 1 && count("python") >= 1, "the README has lost its examples");
    let daemon = Daemon::start(&[]);
    for block in blocks {
        match block.kind.as_str() {
            "console" if installed("redis-cli").is_some() && installed("curl").is_some() => {
                run_console(&block.text, &daemon);
            }
            "python" => {
                let Some(python) = python() else { continue };
                let text = block.text.replace("port=6379", &format!("port={}", daemon.address("resp").port()));
                let output = Command::new(python).args(["-c", &text]).output().unwrap();
                assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
            }
            _ => {}
        }
    }
}
