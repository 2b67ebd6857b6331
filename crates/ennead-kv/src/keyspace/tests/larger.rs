//! Collections that are larger than memory: members come and go one by one, and as a whole they equal a model.

use std::collections::BTreeMap;

use crate::place::next_random;
use crate::probe::Probe;
use crate::{KvOptions, Policy};

/// Members of the collections of the model; more with `ENNEAD_MODEL_MEMBERS`.
const MEMBERS: u64 = 8_000;
/// Bytes of memory that one member takes, at least.
const MEMBER_BYTES: u64 = 40;

fn tiered(maxmemory: u64) -> Probe {
    Probe::with(KvOptions { policy: Policy::Tier, maxmemory, ..KvOptions::default() })
}

fn fill(probe: &mut Probe, members: u64) {
    for first in (0..members).step_by(500) {
        let of = |text: fn(u64) -> String| (first..members.min(first + 500)).map(text).collect::<String>();
        probe.run(&format!("hset hash{}", of(|n| format!(" f{n} value:{n}"))));
        probe.run(&format!("sadd set{}", of(|n| format!(" m{n}"))));
        probe.run(&format!("zadd zset{}", of(|n| format!(" {n} m{n}"))));
        probe.run(&format!("rpush list{}", of(|n| format!(" e{n}"))));
    }
}

#[test]
fn a_member_of_a_cold_collection_is_read_without_the_others() {
    let mut probe = Probe::new();
    fill(&mut probe, 20_000);
    let warm = probe.keyspace.used_bytes();
    probe.reopen_store();
    let empty = probe.keyspace.used_bytes();
    assert!(warm > empty + 4_000_000);
    probe.check(
        r#"
        hget hash f777 -> "value:777"
        hget hash f777 -> "value:777"
        hget hash none -> nil
        hmget hash f1 none f2 -> ["value:1" nil "value:2"]
        hexists hash f3 -> (1)
        hstrlen hash f3 -> (7)
        hlen hash -> (20000)
        sismember set m5 -> (1)
        smismember set m6 none -> [(1) (0)]
        scard set -> (20000)
        zscore zset m7 -> 7
        zmscore zset m8 none -> [8 nil]
        zcard zset -> (20000)
        llen list -> (20000)
        type hash -> hash
        exists hash set zset list -> (4)
        hset hash f1 other new 1 -> (1)
        hincrby hash new 41 -> (42)
        hdel hash f2 none -> (1)
        hget hash f2 -> nil
        sadd set m1 new -> (1)
        srem set m2 none -> (1)
        zadd zset 0.5 m1 9 new -> (1)
        zincrby zset 2 m3 -> 5
        zrem zset m2 -> (1)
        hlen hash -> (20000)
        scard set -> (20000)
        zcard zset -> (20000)
        expire hash 100 -> (1)
        "#,
    );
    let figures = probe.keyspace.figures();
    assert!(figures.fetched <= 20, "{} members were read", figures.fetched);
    assert!(probe.keyspace.used_bytes() < empty + 20_000);
    // What asks for all of it gets all of it.
    for _ in 0..2 {
        probe.check(
            r#"
            zrank zset m1 -> (1)
            zrange zset 0 3 -> ["m0" "m1" "m4" "m3"]
            zrange zset -1 -1 -> ["m19999"]
            sinter set set2 -> []
            lindex list 12345 -> "e12345"
            hget hash f1 -> "other"
            "#,
        );
        for (command, count) in [("hgetall hash", 40_000), ("smembers set", 20_000), ("lrange list 0 -1", 20_000)] {
            assert_eq!(probe.run(command).split(' ').count(), count, "{command}");
        }
        probe.reopen_store();
    }
}

#[test]
fn what_a_transaction_did_to_a_cold_collection_is_seen_in_it() {
    let mut probe = Probe::new();
    fill(&mut probe, 2_000);
    probe.reopen_store();
    let call = probe.call.clone();
    let keyspace = probe.keyspace.clone();
    let mut replies = Vec::new();
    let lines = [
        "hdel hash f1 f2",
        "hget hash f1",
        "hset hash f2 again",
        "hsetnx hash f1 anew",
        "hlen hash",
        "srem set m1",
        "sismember set m1",
        "sadd set m1",
        "srem set m2",
        "scard set",
        "zrem zset m1 m2",
        "zadd zset 7 m2",
        "zscore zset m1",
        "hdel hash f3",
        "hstrlen hash f3",
        // From here on they are whole.
        "zrank zset m3",
        "zcount zset -inf +inf",
        "hget hash f3",
        "sunionstore copy set",
        "hdel hash f4",
        "hexists hash f4",
    ];
    let run = keyspace.transaction(&call, false, |transaction| {
        for line in lines {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let mut text = crate::probe::Text::default();
            crate::probe::with_args(&words, |command, args| transaction.execute(command, &call, args, &mut text))?;
            replies.push(text.out.trim_end().to_owned());
        }
        Ok(())
    });
    run.unwrap();
    let expected = "(2)|nil|(1)|(1)|(2000)|(1)|(0)|(1)|(1)|(1999)|(2)|(1)|nil|(1)|(0)|(1)|(1999)|nil|(1999)|(1)|(0)";
    assert_eq!(replies.join("|"), expected);
    for _ in 0..2 {
        probe.check(
            r#"
            hmget hash f1 f2 f3 f4 f5 -> ["anew" "again" nil nil "value:5"]
            hlen hash -> (1998)
            zscore zset m2 -> 7
            zcard zset -> (1999)
            sismember set m2 -> (0)
            scard copy -> (1999)
            "#,
        );
        assert_eq!(probe.run("hkeys hash").split(' ').count(), 1998);
        probe.reopen_store();
    }
}

#[test]
fn large_collections_leave_memory_and_come_back_equal() {
    let mut probe = tiered(0);
    fill(&mut probe, 10_000);
    let full = probe.keyspace.used_bytes();
    let payloads: Vec<String> =
        ["hash", "set", "zset", "list"].iter().map(|key| probe.run(&format!("dump {key}"))).collect();
    probe.options.maxmemory = full / 2;
    probe.keyspace.settings().set_maxmemory(full / 2);
    let sent_out = |probe: &Probe| probe.keyspace.figures().tiered;
    for number in 0..20 {
        probe.run(&format!("set small:{number} x"));
    }
    assert!(probe.keyspace.used_bytes() <= full / 2 + 10_000 && sent_out(&probe) > 0);
    for (key, payload) in ["hash", "set", "zset", "list"].iter().zip(&payloads) {
        assert!(probe.run(&format!("dump {key}")) == *payload, "{key} came back another");
    }
    probe.reopen_store();
    while probe.keyspace.warm(probe.call.now_ms, 100).unwrap() {}
    assert!(probe.keyspace.used_bytes() <= full / 2 + 10_000);
    for (key, payload) in ["hash", "set", "zset", "list"].iter().zip(&payloads) {
        assert!(probe.run(&format!("dump {key}")) == *payload, "{key} is another after a start");
    }
}

struct Model {
    hash: BTreeMap<u64, u64>,
    set: BTreeMap<u64, ()>,
    zset: BTreeMap<u64, u64>,
}

/// One random step; the request with the reply that the model gives.
fn step(model: &mut Model, members: u64, random: &mut u64) -> (String, String) {
    let mut draw = |below: u64| next_random(random) % below;
    let (member, value, way) = (draw(members), draw(1_000_000), draw(20));
    let quoted = |value: Option<u64>| value.map_or("nil".to_owned(), |value| format!("\"{value}\""));
    match way {
        0..6 => {
            let new = model.hash.insert(member, value).is_none();
            (format!("hset hash field:{member} {value}"), format!("({})", i64::from(new)))
        }
        6 => (format!("hget hash field:{member}"), quoted(model.hash.get(&member).copied())),
        7 => {
            let there = model.hash.remove(&member).is_some();
            (format!("hdel hash field:{member}"), format!("({})", i64::from(there)))
        }
        8 => ("hlen hash".into(), format!("({})", model.hash.len())),
        9..12 => {
            let new = model.set.insert(member, ()).is_none();
            (format!("sadd set member:{member}"), format!("({})", i64::from(new)))
        }
        12 => (format!("sismember set member:{member}"), format!("({})", i64::from(model.set.contains_key(&member)))),
        13 => {
            let there = model.set.remove(&member).is_some();
            (format!("srem set member:{member}"), format!("({})", i64::from(there)))
        }
        14..18 => {
            let new = model.zset.insert(member, value).is_none();
            (format!("zadd zset {value} member:{member}"), format!("({})", i64::from(new)))
        }
        18 => {
            let score = model.zset.get(&member).map_or("nil".to_owned(), |score| score.to_string());
            (format!("zscore zset member:{member}"), score)
        }
        _ => {
            let there = model.zset.remove(&member).is_some();
            (format!("zrem zset member:{member}"), format!("({})", i64::from(there)))
        }
    }
}

#[test]
fn collections_larger_than_memory_equal_a_model() {
    let members = std::env::var("ENNEAD_MODEL_MEMBERS").ok().and_then(|text| text.parse().ok()).unwrap_or(MEMBERS);
    let mut probe = tiered(0);
    probe.run("get nothing");
    let limit = probe.keyspace.used_bytes() + members * MEMBER_BYTES / 2 + 20_000;
    probe.keyspace.settings().set_maxmemory(limit);
    let mut model = Model { hash: BTreeMap::new(), set: BTreeMap::new(), zset: BTreeMap::new() };
    let mut random = 42;
    for number in 0..members * 10 {
        let (request, expected) = step(&mut model, members, &mut random);
        assert_eq!(probe.run(&request), expected, "{request} at step {number}");
        if number % 1024 == 0 {
            probe.store.hand_over(probe.store.committed()).unwrap();
            while probe.store.pressure() != ennead_store::Pressure::None {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            assert!(probe.keyspace.used_bytes() < limit + 100_000);
        }
    }
    let figures = probe.keyspace.figures();
    assert!(figures.tiered > 3 && figures.fetched > members / 10, "{figures:?}");
    probe.keyspace.settings().set_maxmemory(0);
    for _ in 0..2 {
        let words = |text: String| -> Vec<String> {
            text.split(' ').map(|word| word.trim_matches(['[', ']', '"']).to_owned()).collect()
        };
        let mut hash: Vec<(String, String)> =
            words(probe.run("hgetall hash")).chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let mut expected: Vec<(String, String)> =
            model.hash.iter().map(|(field, value)| (format!("field:{field}"), value.to_string())).collect();
        hash.sort();
        expected.sort();
        assert!(hash == expected, "the hash differs");
        let mut set = words(probe.run("smembers set"));
        let mut expected: Vec<String> = model.set.keys().map(|member| format!("member:{member}")).collect();
        set.sort();
        expected.sort();
        assert!(set == expected, "the set differs");
        let mut expected: Vec<(u64, String)> =
            model.zset.iter().map(|(member, score)| (*score, format!("member:{member}"))).collect();
        expected.sort();
        let zset = words(probe.run("zrange zset 0 -1"));
        assert!(zset.iter().eq(expected.iter().map(|(_, member)| member)), "the sorted set differs");
        probe.reopen_store();
    }
}
