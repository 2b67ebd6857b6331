//! Tests of the keyspace as a whole: by hand, against a model, under power cuts, from several threads.

mod concurrency;
mod model;
mod power;

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
