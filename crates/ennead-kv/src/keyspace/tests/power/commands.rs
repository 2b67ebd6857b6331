//! Random commands that change something, when they find what they need.

use ennead_store::disk::simulated::Random;

use super::{DATABASES, KEYS};

fn key(random: &mut Random) -> &'static str {
    KEYS[random.below(KEYS.len() as u64) as usize]
}

fn value(random: &mut Random) -> String {
    let length = match random.below(25) {
        // In chunks of its own.
        0 => 66_000 + random.below(9_000),
        1..=3 => random.below(3_000),
        _ => random.below(40),
    };
    let letter = char::from(b'a' + random.below(26) as u8);
    letter.to_string().repeat(length as usize + 1)
}

/// Words for a collection's members, now and then so many that it becomes a large one at once.
fn members(random: &mut Random, width: usize) -> String {
    let count = if random.once_in(4) { 30 + random.below(30) } else { 1 + random.below(4) };
    let mut words = String::new();
    for _ in 0..count {
        let member = random.below(80);
        words += &match width {
            1 => format!(" member-{member}-of-the-collection"),
            // Places of geo commands, and without the second number scores.
            3 => format!(" {} {} member-{member}-of-the-collection", random.below(80), random.below(80)),
            4 => format!(" {} member-{member}-of-the-collection", random.below(40)),
            _ => format!(" field:{member} {}", "v".repeat(random.below(60) as usize + 1)),
        };
    }
    words
}

/// A command that changes a collection.
fn collection_command(random: &mut Random) -> String {
    let (first, second) = (key(random), key(random));
    match random.below(33) {
        30..=31 => format!("hpexpire {first} {} fields 2 field:{} counter", random.below(2_000), random.below(80)),
        32 => format!("hpersist {first} fields 2 field:{} counter", random.below(80)),
        18..=21 => format!("xadd {first} *{}", members(random, 2)),
        22 => format!("xadd {first} maxlen {} *{}", random.below(20), members(random, 2)),
        23 => format!("xgroup create {first} g 0"),
        24..=25 => format!("xreadgroup group g c{} count {} streams {first} >", random.below(3), 1 + random.below(5)),
        26 => format!("xautoclaim {first} g c{} 0 0 count 3", random.below(3)),
        27 => format!("xtrim {first} maxlen {}", random.below(30)),
        28 => format!("xgroup destroy {first} g"),
        29 => format!("xgroup delconsumer {first} g c{}", random.below(3)),
        10..=11 => format!("rpush {first}{}", members(random, 1)),
        12 => format!("lpush {first}{}", members(random, 1)),
        13 => format!("linsert {first} before member-{}-of-the-collection {second}", random.below(80)),
        14 => format!("lpop {first} {}", 1 + random.below(20)),
        15 => format!("ltrim {first} {} -2", random.below(10)),
        16 => format!("lmove {first} {second} left right"),
        17 => format!("lset {first} {} {second}", random.below(20)),
        0..=2 => format!("hset {first}{}", members(random, 2)),
        3 => format!("hdel {first}{}", members(random, 2)),
        4 => format!("hincrby {first} counter 1"),
        5..=6 => format!("sadd {first}{}", members(random, 1)),
        7 => format!("srem {first}{}", members(random, 1)),
        8 => format!("spop {first} {}", 1 + random.below(10)),
        _ => format!("sunionstore {first} {second} {first}"),
    }
}

/// A command that changes a sorted set.
fn sorted_command(random: &mut Random) -> String {
    let (first, second) = (key(random), key(random));
    let low = random.below(40);
    match random.below(20) {
        0..=5 => format!("zadd {first}{}", members(random, 4)),
        6 => format!("zadd {first} gt ch{}", members(random, 4)),
        7..=8 => format!("geoadd {first}{}", members(random, 3)),
        9 => format!("geosearchstore {first} {second} fromlonlat 40 40 byradius 3000 km"),
        10..=11 => format!("zincrby {first} -1.5 member-{}-of-the-collection", random.below(80)),
        12 => format!("zrem {first}{}", members(random, 1)),
        13 => format!("zpopmin {first} {}", 1 + random.below(20)),
        14 => format!("zpopmax {first}"),
        15 => format!("zremrangebyscore {first} {low} {}", low + random.below(10)),
        16 => format!("zremrangebyrank {first} {low} {}", low + random.below(5)),
        17 => format!("zunionstore {first} 2 {first} {second} weights 1 2 aggregate max"),
        18 => format!("zdiffstore {first} 2 {first} {second}"),
        _ => format!("zrangestore {first} {second} {low} +inf byscore limit 0 10"),
    }
}

/// A command that changes the bits of a string.
fn bits_command(random: &mut Random) -> String {
    let (first, second) = (key(random), key(random));
    match random.below(8) {
        0..=1 => format!("setbit {first} {} {}", random.below(300), random.below(2)),
        2 => format!("bitop xor {first} {first} {second}"),
        3 => format!("bitfield {first} incrby u8 #{} 7 set i5 100 -3", random.below(20)),
        4..=6 => format!("pfadd {first}{}", members(random, 1)),
        _ => format!("pfmerge {first} {second}"),
    }
}

/// A command that changes something, when it finds what it needs.
pub(super) fn command(random: &mut Random) -> String {
    match random.below(16) {
        0..=5 => return collection_command(random),
        6..=8 => return sorted_command(random),
        9 => return bits_command(random),
        _ => {}
    }
    let (first, second) = (key(random), key(random));
    match random.below(40) {
        0..=7 => format!("set {first} {}", value(random)),
        8..=10 => format!("set {first} {} px {}", value(random), 1 + random.below(2_000)),
        11..=13 => format!("append {first} {}", value(random)),
        14..=15 => format!("setrange {first} {} {}", random.below(70_000), value(random)),
        16..=18 => format!("mset {first} {} {second} {}", value(random), value(random)),
        19..=21 => format!("del {first} {second}"),
        22..=23 => "incr number".to_owned(),
        24..=25 => format!("rename {first} {second}"),
        26..=27 => format!("copy {first} {second} db {} replace", random.below(DATABASES as u64)),
        28 => format!("move {first} {}", random.below(DATABASES as u64)),
        29..=31 => format!("pexpire {first} {}", 1 + random.below(2_000)),
        32 => format!("persist {first}"),
        33 => format!("getdel {first}"),
        34 => format!("msetnx {first} {} {second} {}", value(random), value(random)),
        35 => "flushdb".to_owned(),
        36 => "swapdb 0 2".to_owned(),
        37 if random.once_in(3) => "flushall".to_owned(),
        _ => format!("set {first} {} get", value(random)),
    }
}
