//! The same over TLS: from a redis-server that asks for certificates to the daemon, and from there into a file.

use std::path::Path;

use super::content::{assert_same, content, fill};
use crate::daemon::process::{Daemon, ennead, refusal};
use crate::daemon::self_signed;
use crate::server::{Server, free_address};

/// What the program said.
fn run(arguments: &[&str]) -> String {
    let output = ennead().args(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    said
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn redis_is_copied_and_the_copy_exported_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (_, certificate, key) = self_signed(folder.path());
    let encrypted = free_address().port().to_string();
    let Some(source) = Server::redis(&[
        "--tls-port",
        &encrypted,
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &certificate,
        "--repl-diskless-sync-delay",
        "0",
    ]) else {
        return;
    };
    fill(&mut source.connect());
    source
        .connect()
        .call(&[b"FUNCTION", b"LOAD", b"#!lua name=lib\nredis.register_function('f', function() return 7 end)"])
        .unwrap();
    let target = Daemon::start(&["--tls-certificate", &certificate, "--tls-key", &key]);
    let from = format!("rediss://localhost:{encrypted}");
    let to = format!("rediss://localhost:{}", target.address("resp").port());
    let state = text(&folder.path().join("state"));
    let tls = ["--cacert", &certificate, "--cert", &certificate, "--key", &key];
    let import = ["import", &from, "--to", &to, "--state", &state, "--until-caught-up"];
    let said = run(&[&import[..], &tls].concat());
    assert!(said.contains("caught up"), "{said}");

    // redis-server asks for a certificate of its clients.
    let nowhere = text(&folder.path().join("dump.rdb"));
    let export = ["export", "--rdb", &nowhere, "--from", &from];
    let line = refusal(&[&export[..], &tls[..2]].concat());
    assert!(line.contains(&encrypted), "{line}");
    let other = tempfile::tempdir().unwrap();
    let (_, stranger, _) = self_signed(other.path());
    let line = refusal(&[&export[..], &["--cacert", &stranger]].concat());
    assert!(line.contains("TLS: invalid peer certificate"), "{line}");
    run(&[&export[..], &tls].concat());

    let restored = tempfile::tempdir().unwrap();
    let file = text(&restored.path().join("dump.rdb"));
    let said = run(&["export", "--rdb", &file, "--from", &to, "--cacert", &certificate]);
    let expected = content(&mut source.connect());
    assert!(said.contains(&format!("{} keys", expected.len())), "{said}");
    let Some(redis) = Server::redis_in(restored.path(), &[]) else { return };
    assert_same(&content(&mut redis.connect()), &expected);
    assert_eq!(redis.connect().call(&[b"FCALL", b"f", b"0"]).unwrap(), crate::wire::Reply::Integer(7));
}

#[test]
fn flags_of_tls_are_not_ignored() {
    let line = refusal(&["export", "--rdb", "x", "--from", "redis://127.0.0.1:1", "--cacert", "y"]);
    assert!(line.contains("--cacert is for addresses that begin with rediss://"), "{line}");
    let line = refusal(&["export", "--rdb", "x", "--from", "rediss://127.0.0.1:1", "--cacert", "/nowhere"]);
    assert!(line.contains("--cacert /nowhere"), "{line}");
}
