use std::thread;

use crate::probe::{Probe, Text, execute, with_args};
use crate::{Call, Effect, Error, Keyspace, Result};

/// Runs the lines as one transaction; the replies, an error among them as its text.
fn run(keyspace: &Keyspace, call: &Call, lines: &[&str], fail: bool) -> Result<(Vec<String>, Effect)> {
    keyspace.transaction(call, false, |transaction| {
        let mut replies = Vec::new();
        for line in lines {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let mut text = Text::default();
            let ran = with_args(&words, |command, args| transaction.execute(command, call, args, &mut text));
            replies.push(match ran {
                Ok(()) => text.out.trim_end().to_owned(),
                Err(error) => format!("-{error}"),
            });
        }
        if fail { Err(Error::text("ERR on purpose")) } else { Ok(replies) }
    })
}

#[test]
fn commands_see_each_other_and_become_one_batch() {
    let mut probe = Probe::new();
    probe.run("set gone 1");
    let before = probe.store.committed();
    let lines = ["set a 1", "incr a", "incr gone", "del gone", "get gone", "rename a b", "mget a b", "lcs b b len"];
    let (replies, effect) = run(&probe.keyspace, &probe.call, &lines, false).unwrap();
    assert_eq!(replies, ["OK", "(2)", "(2)", "(1)", "nil", "OK", "[nil \"2\"]", "(1)"]);
    assert_eq!(effect.wrote, Some(before + 1));
    probe.reopen_store();
    probe.check("get b -> \"2\"\n exists a gone -> (0)\n dbsize -> (1)");
}

#[test]
fn an_error_stops_nothing() {
    let mut probe = Probe::new();
    let lines = ["set a x", "incr a", "set b 1"];
    let (replies, _) = run(&probe.keyspace, &probe.call, &lines, false).unwrap();
    assert_eq!(replies, ["OK", "-ERR value is not an integer or out of range", "OK"]);
    probe.check("get a -> \"x\"\n get b -> \"1\"");
}

#[test]
fn what_fails_leaves_nothing() {
    let mut probe = Probe::new();
    probe.run("set a old");
    probe.run("set volatile old ex 100");
    let before = probe.store.committed();
    let lines = ["set a new", "set b new", "del volatile", "get a"];
    assert!(run(&probe.keyspace, &probe.call, &lines, true).is_err());
    assert_eq!(probe.store.committed(), before);
    probe.check("get a -> \"old\"\n get b -> nil\n ttl volatile -> (100)\n dbsize -> (2)");
}

#[test]
fn a_commit_that_the_store_refuses_leaves_nothing() {
    let mut probe = Probe::new();
    probe.run("set a old");
    probe.store.close().unwrap();
    let refused = run(&probe.keyspace, &probe.call, &["set a new", "set b new"], false);
    assert!(matches!(refused, Err(Error::Store(_))), "{refused:?}");
    assert_eq!(probe.keyspace.len(0).unwrap(), 1);
}

#[test]
fn a_long_string_that_comes_and_goes_leaves_no_chunks() {
    let mut probe = Probe::new();
    let long = "x".repeat(200_000);
    probe.run(&format!("set b {long}"));
    let set = format!("set a {long}");
    run(&probe.keyspace, &probe.call, &[&set, "append a y", "del a", "setrange b 150000 zz", "del b"], false).unwrap();
    let chunks = probe.store.table("kv.0.chunks").unwrap();
    let snapshot = probe.store.snapshot();
    let mut rows = snapshot.iter(chunks, &[], None);
    rows.seek_to_first();
    assert!(!rows.valid());
    drop((rows, snapshot));
    run(&probe.keyspace, &probe.call, &["del a", &set, "setrange a 0 y"], false).unwrap();
    probe.reopen_store();
    assert_eq!(probe.run("get a"), format!("\"y{}\"", &long[1..]));
}

#[test]
fn a_slot_on_disk_is_read_once_and_stays_deleted() {
    let mut probe = Probe::new();
    probe.run("mset {s}a 1 {s}b 2");
    probe.reopen();
    let lines = ["del {s}a", "get {s}a", "set {s}a 3", "del {s}a", "get {s}a", "incr {s}b"];
    let (replies, _) = run(&probe.keyspace, &probe.call, &lines, false).unwrap();
    assert_eq!(replies, ["(1)", "nil", "OK", "(1)", "nil", "(3)"]);
    probe.reopen();
    probe.check("get {s}a -> nil\n get {s}b -> \"3\"\n dbsize -> (1)");
}

#[test]
fn walks_see_what_the_transaction_did() {
    let mut probe = Probe::new();
    probe.run("mset {s}a 1 {s}b 2 c 3 d 4");
    probe.reopen();
    let lines = ["del {s}a d", "set {s}n 5", "dbsize", "keys {*", "scan 0 count 100 match c", "set d 4", "dbsize"];
    let (replies, _) = run(&probe.keyspace, &probe.call, &lines, false).unwrap();
    assert_eq!((replies[2].as_str(), replies[6].as_str()), ("(3)", "(4)"));
    let keys = &replies[3];
    assert!(keys.contains("{s}b") && keys.contains("{s}n") && !keys.contains("{s}a"), "{keys}");
    assert!(replies[4].contains("\"c\""), "{}", replies[4]);
    assert_eq!(probe.run("keys *").matches('"').count(), 8);
    probe.check("dbsize -> (4)\n get d -> \"4\"");
    probe.reopen();
    probe.check("dbsize -> (4)\n get d -> \"4\"\n get {s}a -> nil\n get {s}n -> \"5\"");
    let lines = ["del c d", "dbsize", "keys *", "flushall", "dbsize"];
    assert!(run(&probe.keyspace, &probe.call, &lines, true).is_err());
    assert_eq!(probe.run("keys *").matches('"').count(), 8);
    probe.check("dbsize -> (4)\n get c -> \"3\"");
}

#[test]
fn databases_are_emptied_with_the_rest() {
    for (flush, reopened) in [("flushdb", false), ("flushdb", true), ("flushall", false), ("flushall", true)] {
        let mut probe = Probe::new();
        let long = "x".repeat(100_000);
        for number in 0..300 {
            probe.run(&format!("set old:{number} 1 ex 100"));
        }
        probe.run(&format!("set long {long}"));
        if reopened {
            probe.reopen();
        }
        let set = format!("set staged {long}");
        let lines = [&set, "set old:1 2", flush, "dbsize", "get old:1", "set new 1", "keys *", "dbsize"];
        let (replies, effect) = run(&probe.keyspace, &probe.call, &lines, false).unwrap();
        assert_eq!(replies[2..], ["OK", "(0)", "nil", "OK", "[\"new\"]", "(1)"]);
        assert!(effect.wrote.is_some());
        for _ in 0..2 {
            probe.check("dbsize -> (1)\n keys * -> [\"new\"]\n get old:7 -> nil\n get staged -> nil");
            assert_eq!(probe.keyspace.figures().databases[0].volatile, 0);
            probe.reopen_store();
        }
        let chunks = probe.store.table("kv.0.chunks").unwrap();
        let snapshot = probe.store.snapshot();
        let mut rows = snapshot.iter(chunks, &[], None);
        rows.seek_to_first();
        assert!(!rows.valid());
    }
}

#[test]
fn transactions_beside_commands_tear_nothing() {
    let mut probe = Probe::new();
    probe.run("mset a 0 b 0");
    let (keyspace, call) = (&probe.keyspace, &probe.call);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..300 {
                    let (replies, _) = run(keyspace, call, &["incr a", "incr b"], false).unwrap();
                    assert_eq!(replies[0], replies[1]);
                    let mut text = Text::default();
                    crate::probe::execute(keyspace, call, &[b"mget", b"a", b"b"], &mut text).unwrap();
                    let values: Vec<&str> = text.out.split('"').collect();
                    assert_eq!(values[1], values[3]);
                }
            });
        }
    });
    probe.check("get a -> \"900\"\n get b -> \"900\"");
}

/// Watches `k`, runs the lines, and says whether it is unchanged.
#[track_caller]
fn watch(probe: &mut Probe, first: &str, then: &[&str]) -> bool {
    probe.run("flushall");
    probe.run(first);
    let watched = probe.keyspace.watch(&probe.call, b"k").unwrap();
    for line in then {
        assert!(!probe.run(line).starts_with('-'), "{line}");
    }
    probe.keyspace.transaction(&probe.call, false, |tx| tx.is_unchanged(&watched, &probe.call)).unwrap().0
}

#[test]
fn a_watched_key_notices_every_change() {
    let mut probe = Probe::new();
    for change in ["set k 2", "set k 1", "del k", "append k x", "expire k 10", "rename k l", "flushdb", "swapdb 0 1"] {
        assert!(!watch(&mut probe, "set k 1", &[change]), "{change}");
    }
    assert!(!watch(&mut probe, "set l 1", &["rename l k"]));
    assert!(!watch(&mut probe, "set k 1", &["del k", "set k 1"]));
    for harmless in ["get k", "set {k}other 1", "set other 1", "del absent", "persist k"] {
        assert!(watch(&mut probe, "set k 1", &[harmless]), "{harmless}");
    }
    assert!(watch(&mut probe, "set other 1", &["del k", "flushall"]), "an absent key stays absent");
}

#[test]
fn a_watched_key_may_expire_or_leave_memory() {
    let mut probe = Probe::new();
    probe.run("set k 1 px 10");
    let watched = probe.keyspace.watch(&probe.call, b"k").unwrap();
    probe.call.now_ms += 11;
    let call = probe.call.clone();
    let unchanged = |probe: &Probe, watched| {
        probe.keyspace.transaction(&call, false, |tx| tx.is_unchanged(watched, &call)).unwrap().0
    };
    assert!(!unchanged(&probe, &watched));
    let absent = probe.keyspace.watch(&probe.call, b"k").unwrap();
    assert!(unchanged(&probe, &absent));
    probe.run("set k 1");
    let present = probe.keyspace.watch(&probe.call, b"k").unwrap();
    probe.reopen();
    assert!(unchanged(&probe, &present), "a key that is read again from the store is the same");
}

#[test]
fn databases_are_exchanged_for_the_commands_behind_and_for_everybody_afterwards() {
    let mut probe = Probe::new();
    probe.check("set a zero -> OK\n set both zero -> OK");
    let second = Call { db: 2, ..probe.call.clone() };
    execute(&probe.keyspace, &second, &[b"set", b"both", b"two"], &mut Text::default()).unwrap();
    let before = probe.store.committed();
    let lines = [
        "swapdb 0 2",
        "get both",
        "set both changed",
        "copy both copied db 2",
        "move both 0",
        "dbsize",
        "keys *",
        "swapdb 0 16",
        "swapdb 1 1",
    ];
    let (replies, effect) = run(&probe.keyspace, &probe.call, &lines, false).unwrap();
    let expected = [
        "OK",
        "\"two\"",
        "OK",
        "(1)",
        "-ERR source and destination objects are the same",
        "(1)",
        "[\"both\"]",
        "-ERR DB index is out of range",
        "OK",
    ];
    assert_eq!(replies, expected);
    assert_eq!(effect.wrote, Some(before + 1));
    for _ in 0..2 {
        probe.check("get both -> \"changed\"\n dbsize -> (1)");
        probe.call.db = 2;
        probe.check("mget a both copied -> [\"zero\" \"zero\" \"changed\"]\n dbsize -> (3)");
        probe.call.db = 0;
        probe.reopen_store();
    }
}

#[test]
fn an_exchange_that_fails_or_is_undone_changes_nothing() {
    let mut probe = Probe::new();
    probe.run("set a zero");
    assert!(run(&probe.keyspace, &probe.call, &["swapdb 0 1", "set b 1"], true).is_err());
    probe.check("mget a b -> [\"zero\" nil]");
    run(&probe.keyspace, &probe.call, &["swapdb 0 1", "swapdb 1 0", "append a !", "swapdb 1 2"], false).unwrap();
    probe.check("get a -> \"zero!\"");
    let watched = probe.keyspace.watch(&probe.call, b"a").unwrap();
    run(&probe.keyspace, &probe.call, &["swapdb 0 1"], false).unwrap();
    let changed =
        probe.keyspace.transaction(&probe.call, false, |transaction| transaction.is_unchanged(&watched, &probe.call));
    assert!(!changed.unwrap().0, "the key is in another database now");
}
