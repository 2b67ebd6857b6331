//! Random requests on sorted sets.

use super::{FLOATS, INDEXES, INTEGERS, Words, key_of, pick, value};
use crate::random::Random;

const KEYS: &[&str] = &["z1", "z2", "z3", "{t}z"];
/// Also as sources of unions and the like.
const SOURCES: &[&str] = &["z1", "z2", "z3", "s1", "s2"];
/// Its members all have the score 0, since by name means nothing where they differ; no other command touches it.
const SAME_SCORES: &str = "zl";
const COUNTS: &[&str] = &["0", "1", "2", "-1", "-4", "100", "x", "-9223372036854775808"];
const BOUNDS: &[&str] = &[
    "-inf", "+inf", "0", "(0", "1", "(1", "2.5", "(-1.5", "5", "10", "(10", "1e400", "", "(", " 1", "1 ", "nan", "x",
    "0x1p1",
];
const NAMES: &[&str] = &["-", "+", "[a", "(a", "[b", "(c", "[d", "[", "(", "a", "", "[zz", "-x", "(member:2"];

pub(super) fn request(random: &mut Random) -> Words {
    match random.below(20) {
        0..=5 => add(random),
        6..=9 => member_by_member(random),
        10..=12 => range(random),
        13..=14 => by_name(random),
        15..=17 => combine(random),
        _ => pop(random),
    }
}

fn add(random: &mut Random) -> Words {
    let mut words = vec![Vec::from("ZADD"), key_of(random, KEYS)];
    for _ in 0..[0, 0, 0, 1, 1, 2][random.below(6)] {
        words.push(pick(random, &["NX", "XX", "GT", "LT", "CH", "INCR", "incr", "ch", "bogus"]));
    }
    let many = match random.below(12) {
        0 => 150,
        1 => 40,
        _ => 4,
    };
    for _ in 0..1 + random.below(many) {
        words.extend([score(random), member(random)]);
    }
    words
}

fn member_by_member(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "ZINCRBY",
        "ZREM",
        "ZSCORE",
        "ZMSCORE",
        "ZCARD",
        "ZRANK",
        "ZREVRANK",
        "ZRANDMEMBER",
        "ZSCAN",
        "ZCOUNT",
        "ZREMRANGEBYSCORE",
        "ZREMRANGEBYRANK",
    ]);
    let mut words = vec![Vec::from(name), key_of(random, KEYS)];
    match name {
        "ZINCRBY" => words.extend([score(random), member(random)]),
        "ZREM" | "ZMSCORE" => (0..1 + random.below(4)).for_each(|_| words.push(member(random))),
        "ZSCORE" | "ZRANK" | "ZREVRANK" => words.push(member(random)),
        "ZRANDMEMBER" if random.one_in(2) => {
            words.push(pick(random, COUNTS));
            if random.one_in(2) {
                words.push(pick(random, &["WITHSCORES", "withscores", "bogus"]));
            }
        }
        "ZSCAN" => super::scan_options(random, &mut words),
        "ZCOUNT" | "ZREMRANGEBYSCORE" => words.extend([pick(random, BOUNDS), pick(random, BOUNDS)]),
        "ZREMRANGEBYRANK" => words.extend([pick(random, INDEXES), pick(random, INDEXES)]),
        _ => {}
    }
    words
}

fn range(random: &mut Random) -> Words {
    let name = *random.pick(&["ZRANGE", "ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE", "ZRANGESTORE"]);
    let mut words = vec![Vec::from(name)];
    if name == "ZRANGESTORE" {
        words.push(key_of(random, KEYS));
    }
    words.push(key_of(random, KEYS));
    let by_score = name.ends_with("BYSCORE") || !name.ends_with("VRANGE") && random.one_in(2);
    let ends = if by_score { BOUNDS } else { INDEXES };
    words.extend([pick(random, ends), pick(random, ends)]);
    if by_score && !name.ends_with("BYSCORE") {
        words.push(pick(random, &["BYSCORE", "byscore"]));
    }
    for _ in 0..random.below(4) {
        let option =
            *random.pick(&["REV", "LIMIT", "WITHSCORES", "WITHSCORES", "withscores", "rev", "BYSCORE", "bogus"]);
        words.push(option.into());
        if option == "LIMIT" {
            let few = &["0", "1", "2", "5", "-1", "100"];
            words
                .extend([pick(random, few), if random.one_in(8) { pick(random, INTEGERS) } else { pick(random, few) }]);
        }
    }
    words
}

fn by_name(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "ZADD",
        "ZADD",
        "ZRANGE",
        "ZRANGEBYLEX",
        "ZREVRANGEBYLEX",
        "ZLEXCOUNT",
        "ZREMRANGEBYLEX",
        "ZREM",
        "ZCARD",
    ]);
    let mut words = vec![Vec::from(name), Vec::from(SAME_SCORES)];
    match name {
        "ZADD" => (0..1 + random.below(4)).for_each(|_| words.extend([b"0".to_vec(), name_member(random)])),
        "ZREM" => words.push(name_member(random)),
        "ZCARD" => {}
        _ => {
            words.extend([pick(random, NAMES), pick(random, NAMES)]);
            if name == "ZRANGE" {
                words.push(pick(random, &["BYLEX", "bylex"]));
            }
            if name.starts_with("ZR") && name.contains("RANGE") && !name.contains("REM") && random.one_in(2) {
                let option = *random.pick(&["LIMIT", "WITHSCORES", "REV"]);
                words.push(option.into());
                if option == "LIMIT" {
                    words.extend([pick(random, COUNTS), pick(random, COUNTS)]);
                }
            }
        }
    }
    words
}

fn combine(random: &mut Random) -> Words {
    let name = *random.pick(&["ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE", "ZINTERCARD"]);
    let mut words = vec![Vec::from(name)];
    if name.ends_with("STORE") {
        words.push(key_of(random, KEYS));
    }
    let keys: Words = (0..1 + random.below(3)).map(|_| key_of(random, SOURCES)).collect();
    let count = keys.len();
    words.push(if random.one_in(8) { pick(random, &["0", "-1", "x", "5", "1"]) } else { count.to_string().into() });
    words.extend(keys);
    for _ in 0..random.below(3) {
        let option = *random.pick(&["WEIGHTS", "AGGREGATE", "WITHSCORES", "LIMIT", "bogus", "aggregate", "withscores"]);
        words.push(option.into());
        match option {
            "WEIGHTS" => (0..count).for_each(|_| words.push(score(random))),
            "AGGREGATE" | "aggregate" => words.push(pick(random, &["SUM", "MIN", "MAX", "min", "bogus"])),
            "LIMIT" => words.push(pick(random, &["0", "1", "2", "-1", "x"])),
            _ => {}
        }
    }
    words
}

fn pop(random: &mut Random) -> Words {
    if random.one_in(2) {
        let mut words = vec![pick(random, &["ZPOPMIN", "ZPOPMAX"]), key_of(random, KEYS)];
        if random.one_in(2) {
            words.push(pick(random, COUNTS));
        }
        return words;
    }
    let keys: Words = (0..1 + random.below(3)).map(|_| key_of(random, KEYS)).collect();
    let count = if random.one_in(8) { pick(random, &["0", "-1", "x", "5"]) } else { keys.len().to_string().into() };
    let mut words = vec![b"ZMPOP".to_vec(), count];
    words.extend(keys);
    words.push(pick(random, &["MIN", "MAX", "min", "bogus"]));
    if random.one_in(2) {
        words.extend([pick(random, &["COUNT", "count", "bogus"]), pick(random, COUNTS)]);
    }
    words
}

fn score(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => pick(random, FLOATS),
        1 => pick(random, INTEGERS),
        2 => format!("{:?}", f64::from_bits(random.next())).into_bytes(),
        3..=5 => format!("{}.{}", random.below(20), random.below(100)).into_bytes(),
        _ => random.below(20).to_string().into_bytes(),
    }
}

fn member(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => pick(random, INTEGERS),
        1 => format!("member:{}", random.below(40)).into_bytes(),
        2 if random.one_in(5) => value(random),
        _ => pick(random, &["a", "b", "c", "d", "e", ""]),
    }
}

fn name_member(random: &mut Random) -> Vec<u8> {
    match random.below(3) {
        0 => format!("member:{}", random.below(5)).into_bytes(),
        _ => pick(random, &["a", "b", "c", "d", "e", "", "aa", "ab"]),
    }
}
