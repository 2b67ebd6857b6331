//! The log fails under the running daemon: the system is told in the middle of it to let the process write no file
//! beyond a length that the log has passed already, which is what a full disk looks like.
//!
//! What must hold from then on: no write is acknowledged that is not in the log, writes are refused with the reason,
//! reads of what is there go on, health, metrics and INFO say so, the process ends when it is told to, and a restart
//! finds every acknowledged write and nothing half.

use std::collections::BTreeMap;
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::daemon::process::Daemon;
use crate::wait;
use crate::wire::{Reply, Wire, request, show};

/// What is written before the failure: beyond [`FILE_BYTES_MAX`] in the first log segment, in fewer syncs than make the
/// log fill a second one, into whose beginning it could go on writing below that limit.
const KEYS: usize = 40;
const VALUE_BYTES: usize = 5000;
/// Enough for the file that the daemon's own messages go to.
const FILE_BYTES_MAX: u64 = 64 << 10;

#[test]
fn a_failing_log_under_always_acknowledges_nothing_more() {
    fail_the_log("always");
}

#[test]
fn a_failing_log_under_everysec_acknowledges_nothing_more() {
    fail_the_log("everysec");
}

/// The daemon with the signal of that limit ignored, so that the write fails instead of ending the process.
fn start(durability: &str) -> Daemon {
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_ennead")]);
    Daemon::start_as(command, tempfile::tempdir().unwrap(), &["--durability", durability])
}

fn fail_the_log(durability: &str) {
    let mut daemon = start(durability);
    let mut wire = daemon.wire();
    let mut acknowledged: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    for number in 0..KEYS {
        let (key, value) = (format!("key:{number}").into_bytes(), vec![b'a' + (number % 26) as u8; VALUE_BYTES]);
        assert_eq!(wire.call(&[b"SET", &key, &value]).unwrap(), Reply::Simple(b"OK".to_vec()));
        acknowledged.insert(key, value);
    }
    let reader = daemon.wire();
    let process = Pid::from_raw(daemon.child.id() as i32).unwrap();
    let limit = Rlimit { current: Some(FILE_BYTES_MAX), maximum: Some(FILE_BYTES_MAX) };
    prlimit(Some(process), Resource::Fsize, limit).unwrap();

    nothing_is_acknowledged(&daemon);
    wait::until("the failure to be noticed", || (daemon.http("GET /readyz HTTP/1.1").0 == 503).then_some(()));
    writes_are_refused(&daemon);
    reads_go_on(reader, &acknowledged);
    it_is_said(&daemon);

    daemon.signal("TERM");
    let status = daemon.wait();
    assert_eq!(status.code(), Some(1), "{status}: {}", daemon.log());
    assert!(daemon.log().contains("the data could not be flushed at the end"), "{}", daemon.log());

    let daemon = daemon.restart();
    let mut wire = daemon.wire();
    for (key, value) in &acknowledged {
        let reply = wire.call(&[b"GET", key]).unwrap();
        // The log may have taken what was in flight: nobody was told either way.
        let in_flight = key == b"key:0" && reply == Reply::Bulk(b"lost".to_vec());
        assert!(in_flight || reply == Reply::Bulk(value.clone()), "{durability}: {} is {reply:?}", show(key));
    }
    both_or_none(&mut wire, durability);
    let keys = wire.call(&[b"DBSIZE"]).unwrap();
    let listed = match wire.call(&[b"KEYS", b"*"]).unwrap() {
        Reply::List(listed) => listed.len() as i64,
        other => panic!("KEYS gives a list: {other:?}"),
    };
    assert_eq!(keys, Reply::Integer(listed), "{durability}: DBSIZE and the keys there are");
    assert_eq!(wire.call(&[b"SET", b"key:0", b"again"]).unwrap(), Reply::Simple(b"OK".to_vec()));
}

/// Writes in flight when the log fails: one, many in a pipeline, on many keys and on one, and a transaction. Each ends in an error and never in an
/// acknowledgement, and no reply comes after the end of the connection.
fn nothing_is_acknowledged(daemon: &Daemon) {
    let single = vec![request(&[&b"SET"[..], b"key:0", b"lost"])];
    let pipeline = (0..50).map(|number| request(&[&b"SET"[..], format!("new:{number}").as_bytes(), b"lost"])).collect();
    let on_one_key = vec![request(&[&b"RPUSH"[..], b"list", b"lost"]); 50];
    let transaction = vec![
        request(&[b"MULTI"]),
        request(&[&b"SET"[..], b"first", b"lost"]),
        request(&[&b"SET"[..], b"second", b"lost"]),
        request(&[b"EXEC"]),
    ];
    let begun: &[&[u8]] = &[b"+OK\r\n", b"+QUEUED\r\n", b"+QUEUED\r\n"];
    // All are sent before any answer is read.
    let mut sent: Vec<(Wire, usize, &[&[u8]])> = Vec::new();
    for (requests, harmless) in [(single, &[][..]), (pipeline, &[]), (on_one_key, &[]), (transaction, begun)] {
        let mut wire = daemon.wire();
        wire.send(&requests.concat()).unwrap();
        sent.push((wire, requests.len(), harmless));
    }
    for (mut wire, requests, harmless) in sent {
        let mut replies: Vec<Vec<u8>> = Vec::new();
        while replies.len() < requests
            && let Ok(reply) = wire.reply()
        {
            replies.push(reply);
        }
        let errors = replies.iter().skip_while(|reply| harmless.contains(&reply.as_slice()));
        assert!(errors.clone().next().is_some(), "{requests} writes in flight got no error but {replies:?}");
        for reply in errors {
            assert!(reply.starts_with(b"-MISCONF "), "{}", show(reply));
        }
    }
}

fn writes_are_refused(daemon: &Daemon) {
    let mut wire = daemon.wire();
    for words in
        [&[&b"SET"[..], b"late", b"lost"][..], &[b"DEL", b"key:1"], &[b"EXPIRE", b"key:1", b"1"], &[b"FLUSHALL"]]
    {
        match wire.call(words).unwrap() {
            Reply::Error(text) => assert!(text.starts_with(b"MISCONF ") && text.len() > 20, "{}", show(&text)),
            other => panic!("{} was answered {other:?}", show(&words.join(&b' '))),
        }
    }
    wire.call(&[b"MULTI"]).unwrap();
    wire.call(&[b"INCR", b"late"]).unwrap();
    assert!(matches!(wire.call(&[b"EXEC"]).unwrap(), Reply::Error(text) if text.starts_with(b"MISCONF ")));
    assert_eq!(wire.call(&[b"GET", b"late"]).unwrap(), Reply::Nil);
}

/// Of what was acknowledged before. What a write changed that was in flight is not told to anybody.
fn reads_go_on(mut wire: Wire, acknowledged: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let touched: &[u8] = b"key:0";
    for (key, value) in acknowledged.iter().filter(|(key, _)| *key != touched) {
        assert_eq!(wire.call(&[b"GET", key]).unwrap(), Reply::Bulk(value.clone()), "{}", show(key));
    }
    match wire.call(&[b"GET", touched]).unwrap() {
        Reply::Error(text) => assert!(text.starts_with(b"MISCONF "), "{}", show(&text)),
        reply => assert_eq!(reply, Reply::Bulk(acknowledged[touched].clone())),
    }
}

fn it_is_said(daemon: &Daemon) {
    let (status, body) = daemon.http("GET /readyz HTTP/1.1");
    assert!(status == 503 && body.contains("writes are refused: ") && body.contains("log"), "{status} {body}");
    assert_eq!(daemon.http("GET /healthz HTTP/1.1").0, 200);
    let (_, metrics) = daemon.http("GET /metrics HTTP/1.1");
    assert!(metrics.lines().any(|line| line == "ennead_store_poisoned 1.0"), "{metrics}");
    let Reply::Bulk(info) = daemon.wire().call(&[b"INFO", b"persistence"]).unwrap() else {
        panic!("INFO gives a text")
    };
    let info = String::from_utf8(info).unwrap();
    assert!(info.contains("\r\naof_last_write_status:err\r\n"), "{info}");
    assert!(daemon.log().contains("the store refuses writes after a failed write to disk"), "{}", daemon.log());
}

/// A transaction that was never acknowledged may be there after the restart, but not in parts.
fn both_or_none(wire: &mut Wire, durability: &str) {
    let found = wire.call(&[b"EXISTS", b"first", b"second"]).unwrap();
    assert!([Reply::Integer(0), Reply::Integer(2)].contains(&found), "{durability}: {found:?} of the two keys");
}
