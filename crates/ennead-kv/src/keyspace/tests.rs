//! Tests of the keyspace as a whole: by hand, against a model, under power cuts, from several threads.

mod concurrency;
mod ends;
mod larger;
mod model;
mod notices;
mod power;
mod waiting;

use crate::probe::Probe;

#[test]
fn sets_gets_and_deletes() {
    let mut probe = Probe::new();
    probe.check(
        "get k -> nil
         set k v -> OK
         get k -> \"v\"
         set k w nx -> nil
         set k w xx get -> \"v\"
         set other 1 xx -> nil
         set k longer ex 10 -> OK
         del k other k -> (1)
         get k -> nil
         set k v ex 0 -> -ERR invalid expire time in 'set' command
         set k v ex a -> -ERR value is not an integer or out of range
         set k v ex 1 px 1 -> -ERR syntax error",
    );
}

#[test]
fn a_reopened_keyspace_has_everything() {
    let mut probe = Probe::new();
    for number in 0..500 {
        probe.run(&format!("set key:{number} value:{number}"));
    }
    probe.run("del key:7");
    let long = vec![b'x'; 200_000];
    probe.words(&[b"set", b"long", &long]);
    probe.reopen();
    for number in (0..500).filter(|number| *number != 7) {
        assert_eq!(probe.run(&format!("get key:{number}")), format!("\"value:{number}\""));
    }
    assert_eq!(probe.run("get key:7"), "nil");
    assert_eq!(probe.run("get long").len(), 200_002);
    assert_eq!(probe.run("del long key:7 key:8"), "(2)");
    probe.reopen();
    assert_eq!(probe.run("get long"), "nil");
}

#[test]
fn a_reloaded_keyspace_reads_the_same_and_notices_what_is_watched() {
    let mut probe = Probe::new();
    for number in 0..300 {
        probe.run(&format!("set key:{number} value:{number} px {}", 1_000 + number * 1_000));
    }
    let long = vec![b'x'; 200_000];
    probe.words(&[b"set", b"long", &long]);
    probe.run("del key:7");
    let watched = probe.keyspace.watch(&probe.call, b"key:8").unwrap();
    probe.run("set key:8 changed");
    let bytes = probe.keyspace.used_bytes();
    probe.store.flush().unwrap();
    probe.keyspace.reload(probe.call.now_ms).unwrap();
    assert_eq!(probe.keyspace.figures().cold_slots, 0);
    assert!(probe.keyspace.used_bytes().abs_diff(bytes) < bytes / 20, "{} for {bytes}", probe.keyspace.used_bytes());
    let transaction = |call| {
        let unchanged =
            probe.keyspace.transaction(&call, false, |transaction| transaction.is_unchanged(&watched, &call));
        unchanged.unwrap().0
    };
    assert!(!transaction(probe.call.clone()));
    probe.check(
        "dbsize -> (300)\n get key:8 -> \"changed\"\n get key:7 -> nil\n ttl key:9 -> (10)\n strlen long -> (200000)",
    );
    probe.call.now_ms += 100_000;
    while probe.keyspace.expire_due(probe.call.now_ms, 1_000).unwrap() {}
    assert_eq!(probe.run("dbsize"), "(202)");
}

#[test]
fn the_average_time_to_live_is_that_of_the_volatile_keys() {
    let mut probe = Probe::new();
    let average = |probe: &Probe| probe.keyspace.average_ttl(0, probe.call.now_ms);
    assert_eq!(average(&probe), 0);
    probe.run("set lasting 1");
    assert_eq!(average(&probe), 0);
    probe.run("set volatile 1 px 5000");
    assert_eq!(average(&probe), 5_000);
    for number in 0..10_000 {
        probe.run(&format!("set key:{number} 1 px {}", 1_000_000 + number % 100 * 1_000));
    }
    let found = average(&probe);
    assert!((1_000_000..1_100_000).contains(&found), "{found}");
    // A transaction holds slots while it asks.
    let call = probe.call.clone();
    let inside = probe.keyspace.transaction(&call, false, |_| Ok(probe.keyspace.average_ttl(0, call.now_ms)));
    assert!(inside.unwrap().0 > 0);
}

#[test]
fn an_exported_key_is_deleted_only_while_it_is_unchanged() {
    let mut probe = Probe::new();
    probe.check("set a 1 px 5000 -> OK\n set b 2 -> OK");
    let call = probe.call.clone();
    let export = |probe: &Probe, key: &[u8]| probe.keyspace.export(&call, key).unwrap();
    assert_eq!(export(&probe, b"missing"), None);
    let (a, b) = (export(&probe, b"a").unwrap(), export(&probe, b"b").unwrap());
    assert_eq!((a.deadline, b.deadline), (call.now_ms + 5_000, 0));
    assert_eq!(probe.run("dump b"), format!("\"{}\"", b.payload.escape_ascii()));
    probe.run("append b more");
    let delete =
        |probe: &Probe, export: &crate::Export| probe.keyspace.delete_unchanged(&call, &export.watched).unwrap().0;
    assert!(delete(&probe, &a) && !delete(&probe, &b));
    assert!(!delete(&probe, &a), "it is gone already");
    let b = export(&probe, b"b").unwrap();
    assert!(delete(&probe, &b));
    assert_eq!(probe.run("dbsize"), "(0)");
}

#[test]
fn a_long_string_ends_where_the_next_object_begins() {
    let mut probe = Probe::new();
    probe.words(&[b"set", b"{t}string", &vec![b'x'; 70_000]]);
    // Its first row's key is shorter than that of a chunk.
    let members: String = (0..60).map(|number| format!(" member-{number}-of-the-set")).collect();
    probe.run(&format!("sadd {{t}}set \"\"{members}"));
    probe.reopen_store();
    probe.check("strlen {t}string -> (70000)\nscard {t}set -> (61)");
}
