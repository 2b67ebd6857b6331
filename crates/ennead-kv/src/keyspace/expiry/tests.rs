use super::KEPT_AFTER_MS;
use crate::probe::Probe;

#[test]
fn kept_keys_are_found_when_their_time_is_over_and_go_later() {
    let mut probe = Probe::new();
    let start = probe.call.now_ms;
    let keeping = probe.keyspace.keep_expired();
    probe.call.keep_expired = true;
    probe.check("set a 1 px 10 -> OK\n set b 2 px 10 -> OK\n set c 3 px 10 -> OK");
    probe.call.now_ms = start + 1000;
    assert!(!probe.keyspace.expire_due(probe.call.now_ms, 100).unwrap());
    // A change of the last moment, and a deadline that is over here already.
    probe.check("get a -> \"1\"\n rename a d -> OK\n persist d -> (1)\n dbsize -> (3)");
    probe.check(&format!("pexpireat b {} -> (1)\n exists b -> (1)", start + 500));
    drop(keeping);
    probe.call.keep_expired = false;
    // Who lost its connection may come back; others meet nothing whose time is over.
    assert!(!probe.keyspace.expire_due(probe.call.now_ms + KEPT_AFTER_MS - 1, 100).unwrap());
    probe.check("dbsize -> (3)\n get c -> nil\n dbsize -> (2)\n get d -> \"1\"");
    probe.keyspace.expire_due(probe.call.now_ms + KEPT_AFTER_MS, 100).unwrap();
    probe.check("dbsize -> (1)");
}

#[test]
fn keys_go_at_once_when_nobody_comes_back() {
    let mut probe = Probe::new();
    probe.check("set a 1 px 10 -> OK");
    let keeping = probe.keyspace.keep_expired();
    let now_ms = probe.call.now_ms + 1000;
    probe.keyspace.expire_due(now_ms, 100).unwrap();
    probe.check("dbsize -> (1)");
    keeping.end();
    probe.keyspace.expire_due(now_ms, 100).unwrap();
    probe.check("dbsize -> (0)");
}
