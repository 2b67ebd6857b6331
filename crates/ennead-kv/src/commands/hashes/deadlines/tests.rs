use std::collections::BTreeMap;

use super::super::tests::Bytes;
use crate::place::next_random;
use crate::probe::Probe;
use crate::rdb::file::{Contents, Limits, Part, Piece, Reader, export};

/// Fields that the store has, of all hashes with rows of their own.
fn rows(probe: &Probe) -> usize {
    let table = probe.store.table("kv.0.chunks").unwrap();
    let snapshot = probe.store.snapshot();
    let mut rows = snapshot.iter(table, &[], None);
    rows.seek_to_first();
    let mut count = 0;
    while rows.valid() {
        count += 1;
        rows.next();
    }
    count
}

#[test]
fn deadlines_of_fields_answer_as_in_redis() {
    let mut probe = Probe::new();
    probe.check(
        "
        HSET h a 1 b 2 c 3 -> (3)
        HTTL h FIELDS 3 a x b -> [(-1) (-2) (-1)]
        HTTL no FIELDS 2 a b -> [(-2) (-2)]
        HEXPIRE no 10 FIELDS 1 a -> [(-2)]
        HPERSIST no FIELDS 1 a -> [(-2)]
        HEXPIRE h 10 FIELDS 2 a x -> [(1) (-2)]
        OBJECT ENCODING h -> \"listpackex\"
        HTTL h FIELDS 1 a -> [(10)]
        HPTTL h FIELDS 2 a b -> [(10000) (-1)]
        HEXPIRETIME h FIELDS 1 a -> [(1700000010)]
        HPEXPIRETIME h FIELDS 1 a -> [(1700000010000)]
        HPEXPIRE h 1 NX FIELDS 2 a b -> [(0) (1)]
        HPTTL h FIELDS 1 b -> [(1)]
        HTTL h FIELDS 1 b -> [(1)]
        HPEXPIRE h 5000 XX FIELDS 2 b c -> [(1) (0)]
        HPEXPIRE h 5000 GT FIELDS 3 a b c -> [(0) (0) (0)]
        HPEXPIRE h 5001 GT FIELDS 1 b -> [(1)]
        HPEXPIRE h 5001 LT FIELDS 3 a b c -> [(1) (0) (1)]
        HPEXPIREAT h 1700000020000 FIELDS 1 a -> [(1)]
        HEXPIREAT h 1700000030 fields 1 b -> [(1)]
        HPTTL h FIELDS 3 a b c -> [(20000) (30000) (5001)]
        HPERSIST h FIELDS 3 a x c -> [(1) (-2) (1)]
        HPERSIST h FIELDS 1 a -> [(-1)]
        HSET h b 5 -> (0)
        HTTL h FIELDS 1 b -> [(-1)]
        HEXPIREAT h 1700000030 FIELDS 1 b -> [(1)]
        HINCRBY h b 3 -> (8)
        HINCRBYFLOAT h b 0.5 -> \"8.5\"
        HPEXPIRETIME h FIELDS 1 b -> [(1700000030000)]
        HEXPIREAT h 1 FIELDS 2 b x -> [(2) (-2)]
        HGETALL h -> [\"a\" \"1\" \"c\" \"3\"]
        HEXPIRE h 0 FIELDS 2 a c -> [(2) (2)]
        EXISTS h -> (0)
        ",
    );
    assert_eq!(rows(&probe), 0);
}

#[test]
fn what_cannot_be_is_refused_with_redis_words() {
    let mut probe = Probe::new();
    probe.check(
        "
        SET s x -> OK
        HSET h a 1 -> (1)
        HEXPIRE s x FIELDS 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
        HTTL s x 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
        HPERSIST s x 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
        HEXPIRE h x FIELDS 1 a -> -ERR value is not an integer or out of range
        HEXPIRE h -1 FIELDS 1 a -> -ERR invalid expire time, must be >= 0
        HEXPIRE h 70368744177664 FIELDS 1 a -> -ERR invalid expire time in 'hexpire' command
        HEXPIREAT h 9223372036854775 FIELDS 1 a -> -ERR invalid expire time in 'hexpireat' command
        HPEXPIREAT h 70368744177664 FIELDS 1 a -> -ERR invalid expire time in 'hpexpireat' command
        HEXPIRE h 1 XY FIELDS 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
        HEXPIRE h 1 NX XX FIELDS 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
        HTTL h FIELD 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
        HEXPIRE h 1 FIELDS 0 a -> -ERR Parameter `numFields` should be greater than 0
        HEXPIRE h 1 FIELDS x a -> -ERR Parameter `numFields` should be greater than 0
        HTTL h FIELDS 0 a -> -ERR Number of fields must be a positive integer
        HPERSIST h FIELDS 0 a -> -ERR Number of fields must be a positive integer
        HEXPIRE h 1 FIELDS 2 a -> -ERR The `numfields` parameter must match the number of arguments
        HEXPIRE h 1 FIELDS 1 a b -> -ERR The `numfields` parameter must match the number of arguments
        HTTL h FIELDS 2 a -> -ERR The `numfields` parameter must match the number of arguments
        HPERSIST h FIELDS 2 a -> -ERR The `numfields` parameter must match the number of arguments
        HTTL h FIELDS 1 a -> [(-1)]
        HPEXPIREAT h 70368744177663 FIELDS 1 a -> [(1)]
        ",
    );
}

#[test]
fn no_command_meets_a_field_that_is_over() {
    for reopens in [false, true] {
        let mut probe = Probe::new();
        let start = probe.call.now_ms;
        let script = "
            HGETALL h -> [\"b\" \"2\"]
            HLEN h -> (1)
            HGET h a -> nil
            HMGET h a b -> [nil \"2\"]
            HEXISTS h a -> (0)
            HSTRLEN h a -> (0)
            HKEYS h -> [\"b\"]
            HVALS h -> [\"2\"]
            HSCAN h 0 -> [\"0\" [\"b\" \"2\"]]
            HRANDFIELD h -> \"b\"
            HRANDFIELD h 5 -> [\"b\"]
            HTTL h FIELDS 1 a -> [(-2)]
            HPERSIST h FIELDS 1 a -> [(-2)]
            HEXPIRE h 5 FIELDS 1 a -> [(-2)]
            HDEL h a -> (0)
            HINCRBY h a 7 -> (7)
            HSETNX h a 1 -> (0)
            HSETNX h a 1 -> (0)";
        for line in script.lines().filter(|line| !line.trim().is_empty()) {
            probe.call.now_ms = start;
            probe.run("DEL h");
            probe.check("HSET h a 1 b 2 -> (2)\nHPEXPIRE h 100 FIELDS 1 a -> [(1)]\nHGET h a -> \"1\"");
            probe.call.now_ms = start + 99;
            probe.check("HGET h a -> \"1\"");
            if reopens {
                probe.reopen();
            }
            probe.call.now_ms = start + 100;
            probe.check(&line.replace("HSETNX h a 1 -> (0)", "HSETNX h a 1 -> (1)"));
        }
    }
}

#[test]
fn the_last_field_takes_the_key_with_it() {
    let mut probe = Probe::new();
    probe.check("HSET h a 1 b 2 -> (2)\nHPEXPIRE h 100 FIELDS 2 a b -> [(1) (1)]\nDBSIZE -> (1)");
    probe.call.now_ms += 100;
    probe.check("HLEN h -> (0)\nDBSIZE -> (0)\nTYPE h -> none");
    probe.reopen_store();
    probe.check("EXISTS h -> (0)\nDBSIZE -> (0)");
    assert_eq!(rows(&probe), 0);
}

#[test]
fn deadlines_go_where_the_hash_goes() {
    let mut probe = Probe::new();
    probe.check(
        "
        HSET h a 1 b 2 -> (2)
        HPEXPIRE h 100 FIELDS 1 a -> [(1)]
        COPY h copy -> (1)
        RENAME h {x}h -> OK
        ",
    );
    probe.reopen_store();
    probe.check("HPTTL copy FIELDS 2 a b -> [(100) (-1)]\nHPTTL {x}h FIELDS 2 a b -> [(100) (-1)]");
    probe.check("SET copy x -> OK\nDEL copy -> (1)\nHSET copy a 1 -> (1)");
    probe.call.now_ms += 100;
    probe.check("HGETALL {x}h -> [\"b\" \"2\"]\nHGETALL copy -> [\"a\" \"1\"]");
}

#[test]
fn fields_that_are_over_go_in_the_background_in_slices() {
    for reopens in [false, true] {
        let mut probe = Probe::new();
        for number in 0..1000 {
            probe.run(&format!("HSET h {number} x"));
            probe.run(&format!("HPEXPIRE h {} FIELDS 1 {number}", 100 + number / 250));
        }
        probe.check("HSET h stays 1 -> (1)\nHSET small a 1 -> (1)\nHPEXPIRE small 101 FIELDS 1 a -> [(1)]");
        probe.call.now_ms += 101;
        if reopens {
            probe.reopen_store();
            while probe.keyspace.warm(probe.call.now_ms, 1000).unwrap() {}
        }
        assert_eq!(rows(&probe), 1002);
        assert!(probe.keyspace.expire_due(probe.call.now_ms, 100).unwrap());
        let left = rows(&probe);
        assert!((850..920).contains(&left), "{left}");
        while probe.keyspace.expire_due(probe.call.now_ms, 100).unwrap() {}
        assert_eq!(rows(&probe), 501);
        probe.check("EXISTS small -> (0)\nDBSIZE -> (1)\nHLEN h -> (501)");
        probe.call.now_ms += 10;
        while probe.keyspace.expire_due(probe.call.now_ms, 100).unwrap() {}
        assert_eq!(rows(&probe), 1);
        assert!(!probe.keyspace.expire_due(probe.call.now_ms + 1_000_000, 100).unwrap());
    }
}

#[test]
fn fields_of_a_hash_that_is_not_in_memory_go_in_the_background() {
    let mut probe = Probe::new();
    for number in 0..20 {
        probe.run(&format!("HSET h{number} a 1 b 2"));
        probe.run(&format!("HPEXPIRE h{number} 100 FIELDS 1 a"));
    }
    probe.reopen_store();
    // No room: keys stay on disk, and only their times are known.
    probe.keyspace.settings().set_maxmemory(1);
    while probe.keyspace.warm(probe.call.now_ms, 1000).unwrap() {}
    while probe.keyspace.expire_due(probe.call.now_ms, 100).unwrap() {}
    assert_eq!(rows(&probe), 40);
    probe.call.now_ms += 100;
    while probe.keyspace.expire_due(probe.call.now_ms, 100).unwrap() {}
    assert_eq!(rows(&probe), 20);
}

#[test]
fn payloads_have_the_deadlines() {
    let mut probe = Probe::new();
    probe.check("HSET h a 1 b 2 c 3 -> (3)\nHPEXPIRE h 100 FIELDS 1 a -> [(1)]\nHPEXPIRE h 200 FIELDS 1 b -> [(1)]");
    let mut payload = Bytes::default();
    probe.execute(&[b"DUMP", b"h"], &mut payload).unwrap();
    assert_eq!(probe.words(&[b"RESTORE", b"same", b"0", &payload.0]), "OK");
    probe.check("HPTTL same FIELDS 3 a b c -> [(100) (200) (-1)]\nHMGET same a b c -> [\"1\" \"2\" \"3\"]");
    probe.call.now_ms += 150;
    assert_eq!(probe.words(&[b"RESTORE", b"later", b"0", &payload.0]), "OK");
    probe.check("HPTTL later FIELDS 3 a b c -> [(-2) (50) (-1)]\nHLEN later -> (2)");
    probe.reopen_store();
    probe.check("HPTTL later FIELDS 3 a b c -> [(-2) (50) (-1)]");
}

#[test]
fn exported_files_have_the_deadlines() {
    let mut probe = Probe::new();
    probe.check("HSET h a 1 b 2 c 3 -> (3)\nHPEXPIRE h 100 FIELDS 1 a -> [(1)]\nHPEXPIRE h 200 FIELDS 1 b -> [(1)]");
    probe.check("HPERSIST h FIELDS 1 a -> [(1)]\nHPEXPIRE h 300 FIELDS 1 c -> [(1)]\nHSET plain a 1 -> (1)");
    let mut bytes = Vec::new();
    let contents = Contents { notes: &[], libraries: &[], keys: true };
    export(&probe.store, &probe.store.snapshot(), &mut bytes, &contents, probe.call.now_ms, &mut |_, _| {}).unwrap();
    let mut input = bytes.as_slice();
    let mut reader = Reader::new(&mut input, Limits { whole_bytes_max: 1 << 10, piece_bytes: 1 << 10 }).unwrap();
    let mut found = BTreeMap::new();
    while let Some(part) = reader.next().unwrap() {
        if let Part::Piece(Piece::Deadlines(fields)) = part {
            found.extend(fields.into_iter().map(|(field, value, deadline)| (field, (value, deadline))));
        }
    }
    let one = |field: &str, value: &str, deadline| (field.as_bytes().to_vec(), (value.as_bytes().to_vec(), deadline));
    let start = probe.call.now_ms;
    assert_eq!(found, BTreeMap::from([one("a", "1", 0), one("b", "2", start + 200), one("c", "3", start + 300)]));
}

/// Random commands beside a map that knows each field's value and deadline.
#[test]
fn a_model_agrees() {
    for seed in 1..=3 {
        let mut random = seed;
        let mut probe = Probe::new();
        let mut model: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for step in 0..800 {
            let mut below = |count: u64| next_random(&mut random) % count;
            let field = format!("f{}", below(12));
            let now = probe.call.now_ms;
            model.retain(|_, (_, deadline)| *deadline == 0 || *deadline > now);
            match below(9) {
                0 | 1 => {
                    let new = u64::from(model.insert(field.clone(), (step, 0)).is_none());
                    assert_eq!(probe.run(&format!("HSET h {field} {step}")), format!("({new})"));
                }
                2 | 3 => {
                    let after = below(30);
                    let expected = match model.get_mut(&field) {
                        None => -2,
                        Some(_) if after == 0 => {
                            model.remove(&field);
                            2
                        }
                        Some((_, deadline)) => {
                            *deadline = now + after;
                            1
                        }
                    };
                    assert_eq!(probe.run(&format!("HPEXPIRE h {after} FIELDS 1 {field}")), format!("[({expected})]"));
                }
                4 => {
                    let had = u64::from(model.remove(&field).is_some());
                    assert_eq!(probe.run(&format!("HDEL h {field}")), format!("({had})"));
                }
                5 => {
                    let (value, _) = model.entry(field.clone()).or_default();
                    *value += 1;
                    assert_eq!(probe.run(&format!("HINCRBY h {field} 1")), format!("({value})"));
                }
                6 => probe.call.now_ms += below(10),
                7 if below(20) == 0 => probe.reopen_store(),
                7 => drop(probe.keyspace.expire_due(now, 2).unwrap()),
                _ => {
                    if let Some((_, deadline)) = model.get_mut(&field) {
                        *deadline = 0;
                    }
                    probe.run(&format!("HPERSIST h FIELDS 1 {field}"));
                }
            }
            let now = probe.call.now_ms;
            model.retain(|_, (_, deadline)| *deadline == 0 || *deadline > now);
            assert_eq!(probe.run("HLEN h"), format!("({})", model.len()), "step {step}");
            for (field, (value, deadline)) in &model {
                assert_eq!(probe.run(&format!("HGET h {field}")), format!("\"{value}\""));
                let left = if *deadline == 0 { "-1".to_owned() } else { (deadline - now).to_string() };
                assert_eq!(probe.run(&format!("HPTTL h FIELDS 1 {field}")), format!("[({left})]"));
            }
        }
    }
}
