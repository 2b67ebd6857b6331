//! Random requests on hashes.

use super::{FLOATS, INTEGERS, Words, key_of, pick, value};
use crate::random::Random;

const KEYS: &[&str] = &["h1", "h2", "{t}h"];
const FIELDS: &[&str] = &["f", "g", "1", "", "field", "counter", "long field of some length", "x", "y"];
/// Not the most negative ones: they would be obeyed.
const COUNTS: &[&str] = &["0", "1", "2", "5", "-1", "-4", "100", "x", "-9223372036854775808"];

pub(super) fn request(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "HSET",
        "HSET",
        "HSET",
        "HMSET",
        "HSETNX",
        "HGET",
        "HMGET",
        "HGETALL",
        "HDEL",
        "HDEL",
        "HLEN",
        "HSTRLEN",
        "HEXISTS",
        "HKEYS",
        "HVALS",
        "HINCRBY",
        "HINCRBYFLOAT",
        "HRANDFIELD",
        "HSCAN",
    ]);
    let mut words = vec![Vec::from(name), key_of(random, KEYS)];
    match name {
        "HSET" | "HMSET" => {
            // Now and then beyond what one row holds, and beyond what Redis keeps as a listpack.
            let many = if random.one_in(8) { 40 } else { 4 };
            for _ in 0..1 + random.below(many) {
                words.extend([field(random), value(random)]);
            }
        }
        "HSETNX" => words.extend([field(random), value(random)]),
        "HGET" | "HSTRLEN" | "HEXISTS" => words.push(field(random)),
        "HMGET" | "HDEL" => (0..1 + random.below(4)).for_each(|_| words.push(field(random))),
        "HINCRBY" => words.extend([field(random), pick(random, INTEGERS)]),
        "HINCRBYFLOAT" => {
            words.push(field(random));
            words.push(if random.one_in(3) { pick(random, INTEGERS) } else { pick(random, FLOATS) });
        }
        "HRANDFIELD" if !random.one_in(4) => {
            words.push(pick(random, COUNTS));
            if random.one_in(2) {
                words.push(pick(random, &["WITHVALUES", "withvalues", "bogus"]));
            }
        }
        "HSCAN" => super::scan_options(random, &mut words),
        _ => {}
    }
    words
}

fn field(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => format!("field:{}", random.below(60)).into_bytes(),
        1 if random.one_in(6) => vec![b'F'; 65],
        _ => pick(random, FIELDS),
    }
}
