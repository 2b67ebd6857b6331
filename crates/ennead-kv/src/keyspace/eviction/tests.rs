use crate::probe::Probe;
use crate::{KvOptions, Policy};

const KEYS: u64 = 2_000;

/// Fills a keyspace with cold and hot keys, every other one of them volatile, until it is well over its limit.
fn overfill(policy: Policy) -> Probe {
    let mut probe = Probe::with(KvOptions { policy, maxmemory_samples: 10, ..KvOptions::default() });
    for number in 0..KEYS {
        let deadline = probe.call.now_ms + 1_000_000 + number * 1_000;
        match number % 2 {
            0 => probe.run(&format!("set cold:{number} {}", "v".repeat(100))),
            _ => probe.run(&format!("set cold:{number} {} pxat {deadline}", "v".repeat(100))),
        };
    }
    probe.call.now_ms += 600_000;
    for number in 0..KEYS / 4 {
        for _ in 0..5 {
            probe.run(&format!("get cold:{number}"));
        }
    }
    let figures = probe.keyspace.figures();
    probe.keyspace.settings().set_maxmemory(figures.used_bytes - KEYS / 4 * 150);
    for _ in 0..20 {
        probe.run("get nothing");
    }
    probe
}

fn left(probe: &mut Probe, wanted: impl Fn(u64) -> bool) -> u64 {
    (0..KEYS).filter(|number| wanted(*number) && probe.run(&format!("exists cold:{number}")) == "(1)").count() as u64
}

#[test]
fn policies_delete_until_there_is_room() {
    for policy in Policy::ALL.into_iter().filter(|policy| !matches!(policy, Policy::NoEviction | Policy::Tier)) {
        let mut probe = overfill(policy);
        let figures = probe.keyspace.figures();
        assert!(figures.used_bytes <= probe.keyspace.settings().maxmemory(), "{policy:?}");
        assert!(figures.evicted > KEYS / 10, "{policy:?}: {}", figures.evicted);
        assert_eq!(figures.databases[0].keys, KEYS - figures.evicted, "{policy:?}");
        let limit = probe.keyspace.settings().maxmemory();
        probe.keyspace.settings().set_maxmemory(0);
        if policy.is_volatile() {
            assert_eq!(left(&mut probe, |number| number % 2 == 0), KEYS / 2, "{policy:?} leaves what has no expiry");
        }
        if matches!(policy, Policy::AllKeysLru | Policy::AllKeysLfu) {
            let (hot, cold) = (left(&mut probe, |n| n < KEYS / 4), left(&mut probe, |n| n >= KEYS * 3 / 4));
            assert!(hot > KEYS / 4 * 9 / 10 && hot > cold, "{policy:?}: {hot} hot and {cold} cold ones left");
        }
        if policy == Policy::VolatileTtl {
            let (soon, late) = (left(&mut probe, |n| n < KEYS / 4), left(&mut probe, |n| n >= KEYS * 3 / 4));
            assert!(soon < late, "{soon} due soon and {late} due later left");
        }
        probe.keyspace.settings().set_maxmemory(limit);
    }
}

#[test]
fn tiering_loses_nothing_and_expires_exactly() {
    let mut probe = overfill(Policy::Tier);
    let figures = probe.keyspace.figures();
    assert!(figures.used_bytes <= probe.keyspace.settings().maxmemory());
    assert!(figures.tiered > KEYS / 10 && figures.evicted == 0);
    assert_eq!(figures.databases[0].keys, KEYS);
    assert_eq!(left(&mut probe, |_| true), KEYS);
    assert!(probe.keyspace.figures().loaded > 0);
    // Nobody asks for the volatile ones, in memory or not.
    probe.call.now_ms += 1_000_000 + KEYS * 1_000;
    while probe.keyspace.expire_due(probe.call.now_ms, 100).unwrap() {}
    let figures = probe.keyspace.figures();
    assert_eq!((figures.databases[0].keys, figures.databases[0].volatile), (KEYS / 2, 0));
}

#[test]
fn without_eviction_commands_that_grow_are_refused() {
    let mut probe = overfill(Policy::NoEviction);
    probe.check(
        "set more v -> -OOM command not allowed when used memory > 'maxmemory'.
         get nothing -> nil
         del cold:1 -> (1)
         append cold:2 x -> -OOM command not allowed when used memory > 'maxmemory'.",
    );
    probe.keyspace.settings().set_maxmemory(0);
    probe.check("set more v -> OK");
}
