//! `ennead export --rdb`: redis-server loads the file and has every key.

use std::path::Path;

use super::content::{assert_same, content, fill};
use crate::daemon::process::ennead;
use crate::server::Server;
use crate::wait;
use crate::wire::Reply;

fn export(data: &Path, file: &Path) -> String {
    let output = ennead().arg("export").arg("--rdb").arg(file).arg("--data").arg(data).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn redis_loads_what_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let expected = {
        let mut server = Server::ennead(folder.path(), &[]);
        let mut wire = server.connect();
        fill(&mut wire);
        // Chunks that were never written are zeros.
        wire.call(&[b"SETRANGE", b"holes", b"1000000", b"end"]).unwrap();
        wire.call(&[b"SET", b"over", b"x", b"PX", b"1"]).unwrap();
        wait::until("the end of a key", || {
            (wire.call(&[b"EXISTS", b"over"]).unwrap() == Reply::Integer(0)).then_some(())
        });
        // The databases keep their numbers when their tables have changed places.
        wire.call(&[b"SWAPDB", b"3", b"5"]).unwrap();
        let expected = content(&mut wire);
        // A kill leaves a log to be replayed.
        server.kill();
        expected
    };
    let file = folder.path().join("dump.rdb");
    let said = export(&folder.path().join("data"), &file);
    assert!(said.contains(&format!("{} keys", expected.len())), "{said}");
    let Some(redis) = Server::redis_in(folder.path(), &[]) else { return };
    assert_same(&content(&mut redis.connect()), &expected);
}

#[test]
fn an_export_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::ennead(folder.path(), &[]);
    let file = folder.path().join("dump.rdb");
    std::fs::write(&file, "what was there").unwrap();
    for data in ["data", "nothing"] {
        let mut command = ennead();
        command.arg("export").arg("--rdb").arg(&file).arg("--data").arg(folder.path().join(data));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{data}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "what was there");
    assert_eq!(server.connect().call(&[b"PING"]).unwrap(), Reply::Simple(b"PONG".to_vec()));
}
