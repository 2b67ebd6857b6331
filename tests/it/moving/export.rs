//! `ennead export --rdb`: redis-server loads the file and has every key.

use std::path::Path;

use super::content::{assert_same, content, fill};
use crate::daemon::process::{ennead, refusal};
use crate::server::Server;
use crate::wait;
use crate::wire::Reply;

const LIBRARY: &[u8] = b"#!lua name=lib\nredis.register_function('f', function() return 7 end)";

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
        wire.call(&[b"FUNCTION", b"LOAD", LIBRARY]).unwrap();
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
    assert_eq!(redis.connect().call(&[b"FCALL", b"f", b"0"]).unwrap(), Reply::Integer(7));
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

/// While it is written to: what is in the file is the state of one moment.
#[test]
fn a_running_server_is_exported_as_of_one_moment() {
    let server = Server::subject(&[]);
    let mut wire = server.connect();
    fill(&mut wire);
    wire.call(&[b"FUNCTION", b"LOAD", LIBRARY]).unwrap();
    let before = content(&mut wire).len();
    for number in 0..20_000 {
        wire.call(&[b"SET", format!("many:{number}").as_bytes(), &[b'x'; 100]]).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.rdb");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let said = std::thread::scope(|scope| {
        let server = &server;
        scope.spawn(move || {
            let mut wire = server.connect();
            let mut round = 0u32;
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                round += 1;
                let text = round.to_string();
                // Both change at once; they lie far apart in the file.
                wire.call(&[b"MSET", b"first", text.as_bytes(), b"second", text.as_bytes()]).unwrap();
                wire.call(&[b"LPUSH", b"grows", text.as_bytes()]).unwrap();
                wire.call(&[b"INCR", b"counts"]).unwrap();
            }
        });
        wait::until("writes", || (wire.call(&[b"EXISTS", b"counts"]).unwrap() == Reply::Integer(1)).then_some(()));
        let address = format!("redis://{}", server.address);
        let output = ennead().args(["export", "--rdb"]).arg(&file).args(["--from", &address]).output().unwrap();
        drop(stop);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    });
    let Some(redis) = Server::redis_in(folder.path(), &[]) else { return };
    let mut wire = redis.connect();
    let Reply::Integer(keys) = wire.call(&[b"DBSIZE"]).unwrap() else { panic!("a number") };
    assert!(keys > 20_000 && said.contains(" keys, "), "{said}");
    assert!(content(&mut wire).len() >= before + 20_000);
    let get = |wire: &mut crate::wire::Wire, key: &str| wire.call(&[b"GET", key.as_bytes()]).unwrap();
    assert_eq!(get(&mut wire, "first"), get(&mut wire, "second"));
    let Reply::Integer(pushed) = wire.call(&[b"LLEN", b"grows"]).unwrap() else { panic!("a number") };
    let Reply::Bulk(counted) = get(&mut wire, "counts") else { panic!("a text") };
    let counted: i64 = String::from_utf8(counted).unwrap().parse().unwrap();
    assert!((0..=1).contains(&(pushed - counted)), "{pushed} pushed, {counted} counted");
    assert_eq!(wire.call(&[b"FCALL", b"f", b"0"]).unwrap(), Reply::Integer(7));
}

#[test]
fn an_export_from_a_server_needs_the_right_to_sync() {
    let server = Server::subject(&[]);
    let mut wire = server.connect();
    wire.call(&[b"SET", b"a", b"1"]).unwrap();
    wire.call(&[b"ACL", b"SETUSER", b"joe", b"on", b">pw", b"~*", b"+@all", b"-@dangerous"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.rdb").display().to_string();
    let joe = format!("redis://joe:pw@{}", server.address);
    let line = refusal(&["export", "--rdb", &file, "--from", &joe]);
    assert!(line.contains("NOPERM"), "{line}");
    wire.call(&[b"ACL", b"SETUSER", b"joe", b"+psync", b"+replconf"]).unwrap();
    let output = ennead().args(["export", "--rdb", &file, "--from", &joe]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line = refusal(&["export", "--rdb", &file, "--from", &format!("{joe}/3")]);
    assert!(line.contains("a snapshot file has all of them"), "{line}");
}

/// `redis-cli --rdb` asks in the same way, and `--functions-rdb` for functions alone.
#[test]
fn the_client_of_redis_gets_a_copy() {
    let server = Server::subject(&[]);
    let mut wire = server.connect();
    fill(&mut wire);
    wire.call(&[b"FUNCTION", b"LOAD", LIBRARY]).unwrap();
    let expected = content(&mut wire);
    for (flag, all) in [("--rdb", true), ("--functions-rdb", false)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dump.rdb");
        let Ok(output) = std::process::Command::new("redis-cli")
            .args(["-p", &server.address.port().to_string(), flag])
            .arg(&file)
            .output()
        else {
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let Some(redis) = Server::redis_in(folder.path(), &[]) else { return };
        let mut copy = redis.connect();
        if all {
            assert_same(&content(&mut copy), &expected);
        }
        assert_eq!(copy.call(&[b"DBSIZE"]).unwrap() == Reply::Integer(0), !all);
        assert_eq!(copy.call(&[b"FCALL", b"f", b"0"]).unwrap(), Reply::Integer(7));
    }
}
