use std::time::{Duration, Instant};

use crate::probe::Probe;

/// Adds up to a thousand members at a time to each of four large collections.
fn fill(probe: &mut Probe, members: usize) {
    for first in (0..members).step_by(1000) {
        let names: Vec<String> = (first..members.min(first + 1000)).map(|number| format!("member:{number}")).collect();
        let plain = names.join(" ");
        let pairs: String = names.iter().map(|name| format!(" 1 {name}")).collect();
        probe.run(&format!("sadd set {plain}"));
        probe.run(&format!("rpush list {plain}"));
        probe.run(&format!("zadd zset{pairs}"));
        let fields: String = names.iter().map(|name| format!(" {name} 1")).collect();
        probe.run(&format!("hset hash{fields}"));
    }
}

/// Waits until everything is freed that anybody in the process has handed over.
#[track_caller]
fn settle() {
    let start = Instant::now();
    while super::pending() > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "{} things are never freed", super::pending());
        std::thread::yield_now();
    }
}

#[test]
fn large_values_leave_the_figures_at_once_and_memory_soon() {
    let mut probe = Probe::new();
    probe.run("set other x");
    probe.run("del other");
    let before = probe.keyspace.used_bytes();
    let ways = [
        "del set list zset hash",
        "unlink set list zset hash",
        "mset set a list b zset c hash d",
        "flushdb",
        "flushall async",
        "sinterstore set none",
    ];
    for way in ways {
        fill(&mut probe, 20_000);
        assert!(probe.keyspace.used_bytes() > before + 4_000_000);
        probe.run(way);
        if way.starts_with("sinterstore") {
            probe.check("set s v -> OK\nrename s zset -> OK\ncopy zset list replace -> (1)\npexpire hash -1 -> (1)");
        }
        assert!(probe.keyspace.used_bytes() < before + 10_000, "{way}");
        for key in ["set", "list", "zset", "hash"] {
            probe.run(&format!("del {key}"));
        }
        assert!(probe.keyspace.used_bytes() < before + 10_000, "{way}");
    }
    settle();
    assert_eq!(probe.keyspace.figures().databases.len(), 0);
    probe.reopen_store();
    for key in ["set", "list", "zset", "hash"] {
        assert_eq!(probe.run(&format!("exists {key}")), "(0)");
    }
}

#[test]
fn what_a_transaction_empties_is_freed_as_well() {
    let mut probe = Probe::new();
    fill(&mut probe, 5_000);
    let call = probe.call.clone();
    let keyspace = probe.keyspace.clone();
    let emptied = keyspace.transaction(&call, false, |transaction| {
        crate::probe::with_args(&[b"flushall"], |command, args| {
            transaction.execute(command, &call, args, &mut crate::probe::Text::default())
        })
    });
    emptied.unwrap();
    assert_eq!(probe.run("dbsize"), "(0)");
    settle();
}
