//! Random requests on sets.

use super::{INTEGERS, Words, key_of, pick, value};
use crate::random::Random;

const KEYS: &[&str] = &["s1", "s2", "s3", "{t}s"];
const COUNTS: &[&str] = &["0", "1", "2", "-1", "-4", "100", "x", "-9223372036854775808"];

pub(super) fn request(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "SADD",
        "SADD",
        "SADD",
        "SREM",
        "SISMEMBER",
        "SMISMEMBER",
        "SCARD",
        "SMEMBERS",
        "SMOVE",
        "SPOP",
        "SRANDMEMBER",
        "SINTER",
        "SUNION",
        "SDIFF",
        "SINTERSTORE",
        "SUNIONSTORE",
        "SDIFFSTORE",
        "SINTERCARD",
        "SSCAN",
    ]);
    let mut words = vec![Vec::from(name)];
    let some_keys = |random: &mut Random| (0..1 + random.below(3)).map(|_| key_of(random, KEYS)).collect::<Words>();
    match name {
        "SINTER" | "SUNION" | "SDIFF" => words.extend(some_keys(random)),
        "SINTERSTORE" | "SUNIONSTORE" | "SDIFFSTORE" => {
            words.push(key_of(random, KEYS));
            words.extend(some_keys(random));
        }
        "SINTERCARD" => {
            let keys = some_keys(random);
            let count = keys.len().to_string();
            words.push(if random.one_in(6) { pick(random, &["0", "-1", "x", "5", "1"]) } else { count.into() });
            words.extend(keys);
            if random.one_in(2) {
                words.push(pick(random, &["LIMIT", "limit", "bogus"]));
                words.push(pick(random, &["0", "1", "2", "-1", "x"]));
            }
        }
        "SMOVE" => words.extend([key_of(random, KEYS), key_of(random, KEYS), member(random)]),
        _ => {
            words.push(key_of(random, KEYS));
            match name {
                "SADD" => {
                    let many = if random.one_in(8) { 150 } else { 5 };
                    let integers = random.one_in(3);
                    for _ in 0..1 + random.below(many) {
                        words.push(if integers { random.below(300).to_string().into() } else { member(random) });
                    }
                }
                "SREM" | "SMISMEMBER" => (0..1 + random.below(4)).for_each(|_| words.push(member(random))),
                "SISMEMBER" => words.push(member(random)),
                // Any other number would leave the servers with different sets.
                "SPOP" => words.push(pick(random, &["0", "100000", "100000", "-1", "x", "1.5"])),
                "SRANDMEMBER" if random.one_in(2) => words.push(pick(random, COUNTS)),
                "SSCAN" => super::scan_options(random, &mut words),
                _ => {}
            }
        }
    }
    words
}

fn member(random: &mut Random) -> Vec<u8> {
    match random.below(5) {
        0 => pick(random, INTEGERS),
        1 => format!("member:{}", random.below(40)).into_bytes(),
        2 if random.one_in(5) => value(random),
        _ => pick(random, &["a", "b", "c", "d", "e", ""]),
    }
}
