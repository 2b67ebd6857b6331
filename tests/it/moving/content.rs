//! All that a server holds, in one form for all servers.

use std::collections::BTreeMap;

use crate::wire::{Reply, Wire};

const DATABASES: usize = 16;

/// A value, its members in an order that does not depend on the server, and its deadline in Unix ms.
#[derive(Debug, PartialEq)]
pub(super) struct Held {
    kind: Vec<u8>,
    value: Vec<Vec<u8>>,
    deadline: i64,
}

pub(super) type Content = BTreeMap<(usize, Vec<u8>), Held>;

/// Everything in all databases.
pub(super) fn content(wire: &mut Wire) -> Content {
    let mut content = Content::new();
    for db in 0..DATABASES {
        assert_eq!(wire.call(&[b"SELECT", db.to_string().as_bytes()]).unwrap(), Reply::Simple(b"OK".to_vec()));
        let mut keys = flat(wire.call(&[b"KEYS", b"*"]).unwrap());
        keys.sort();
        for key in keys {
            let held = held(wire, &key);
            content.insert((db, key), held);
        }
    }
    wire.call(&[b"SELECT", b"0"]).unwrap();
    content
}

fn held(wire: &mut Wire, key: &[u8]) -> Held {
    let Reply::Simple(kind) = wire.call(&[b"TYPE", key]).unwrap() else { panic!("TYPE answers a simple string") };
    let words: Vec<&[u8]> = match &kind[..] {
        b"string" => vec![b"GET", key],
        b"list" => vec![b"LRANGE", key, b"0", b"-1"],
        b"set" => vec![b"SMEMBERS", key],
        b"hash" => vec![b"HGETALL", key],
        b"zset" => vec![b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
        other => panic!("{}: type {}", key.escape_ascii(), other.escape_ascii()),
    };
    let mut value = flat(wire.call(&words).unwrap());
    match &kind[..] {
        b"set" => value.sort(),
        b"hash" => {
            let mut pairs: Vec<Vec<Vec<u8>>> = value.chunks(2).map(<[Vec<u8>]>::to_vec).collect();
            pairs.sort();
            value = pairs.concat();
        }
        // Redis 7.0 writes more digits than 7.2.
        b"zset" => value.iter_mut().skip(1).step_by(2).for_each(|score| {
            let number: f64 = std::str::from_utf8(score).unwrap().parse().unwrap();
            *score = number.to_string().into_bytes();
        }),
        _ => {}
    }
    let Reply::Integer(deadline) = wire.call(&[b"PEXPIRETIME", key]).unwrap() else { panic!("PEXPIRETIME") };
    Held { kind, value, deadline }
}

fn flat(reply: Reply) -> Vec<Vec<u8>> {
    match reply {
        Reply::List(items) => items.into_iter().flat_map(flat).collect(),
        Reply::Bulk(text) => vec![text],
        Reply::Nil => Vec::new(),
        other => panic!("{other:?}"),
    }
}

/// Panics with the first differences.
pub(super) fn assert_same(found: &Content, expected: &Content) {
    let names = |content: &Content, other: &Content| -> Vec<String> {
        let missing = content.keys().filter(|key| !other.contains_key(*key));
        missing.take(5).map(|(db, key)| format!("{db}: {}", key.escape_ascii())).collect()
    };
    let (missing, surplus) = (names(expected, found), names(found, expected));
    assert!(missing.is_empty() && surplus.is_empty(), "missing {missing:?}, too many {surplus:?}");
    for (key, held) in expected {
        let short = |held: &Held| {
            let texts: Vec<String> = held.value.iter().take(20).map(|item| crate::wire::show(item)).collect();
            format!("{} {} items {texts:?} deadline {}", held.kind.escape_ascii(), held.value.len(), held.deadline)
        };
        let other = &found[key];
        assert!(held == other, "{key:?}: expected {}, found {}", short(held), short(other));
    }
}

/// Fills a server with values of every type, in every encoding that Redis has, with and without deadlines.
pub(super) fn fill(wire: &mut Wire) {
    let mut call = |words: &[&[u8]]| {
        let reply = wire.call(words).unwrap();
        assert!(!matches!(reply, Reply::Error(_)), "{:?}: {reply:?}", words[0].escape_ascii().to_string());
    };
    let long = vec![b'x'; 100_000];
    let noise: Vec<u8> = (0..300_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (key, value) in [
        (&b"int"[..], &b"12345"[..]),
        (b"negative", b"-70000"),
        (b"short", b"hello"),
        (b"empty", b""),
        (b"binary\x00\r\n\xff", b"\x00\r\n\xff"),
        (b"compressible", &long),
        (b"noise", &noise),
    ] {
        call(&[b"SET", key, value]);
    }
    for (name, count) in [("small", 20usize), ("large", 3000)] {
        for number in 0..count {
            let item = match number % 4 {
                0 => format!("{number}"),
                1 => format!("-{}", number as u64 * 1_000_003),
                2 => format!("item {number}"),
                _ => format!("{}{number}", "long ".repeat(12)),
            };
            let item = item.as_bytes();
            let key = |kind: &str| format!("{kind} {name}").into_bytes();
            let integer = (number as i64 * 77 - 300).to_string();
            let score = (number as f64 / 8.0 - 3.0).to_string();
            call(&[b"RPUSH", &key("list"), item]);
            call(&[b"SADD", &key("set"), item]);
            call(&[b"SADD", &key("intset"), integer.as_bytes()]);
            call(&[b"HSET", &key("hash"), item, integer.as_bytes()]);
            call(&[b"ZADD", &key("zset"), score.as_bytes(), item]);
        }
    }
    call(&[b"RPUSH", b"list of large", &long, b"a", &noise]);
    call(&[b"ZADD", b"infinite", b"inf", b"a", b"-inf", b"b", b"1e300", b"c", b"0.1", b"d"]);
    call(&[b"SADD", b"wide", b"9223372036854775807", b"-9223372036854775808"]);
    for (key, deadline) in [(&b"short"[..], &b"4102444800000"[..]), (b"hash large", b"4102444800001")] {
        call(&[b"PEXPIREAT", key, deadline]);
    }
    call(&[b"SELECT", b"3"]);
    call(&[b"HSET", b"elsewhere", b"field", b"value"]);
    call(&[b"SET", b"short", b"another"]);
    call(&[b"SELECT", b"0"]);
}
