//! Random requests on bits of strings.

use super::{INDEXES, INTEGERS, Words, key_of, pick, value};
use crate::random::Random;

const KEYS: &[&str] = &["m1", "m2", "{t}m"];
/// The last ones that are allowed lie where a string is kept in chunks.
const OFFSETS: &[&str] = &[
    "0",
    "1",
    "2",
    "7",
    "8",
    "31",
    "100",
    "4095",
    "70000",
    "524287",
    "524288",
    "700001",
    "-1",
    "x",
    "#1",
    "4294967296",
    "9223372036854775807",
];

pub(super) fn request(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "SETBIT",
        "SETBIT",
        "GETBIT",
        "GET",
        "SET",
        "BITCOUNT",
        "BITPOS",
        "BITOP",
        "BITFIELD",
        "BITFIELD_RO",
    ]);
    let mut words = vec![Vec::from(name)];
    match name {
        "SETBIT" => {
            words.extend([key_of(random, KEYS), pick(random, OFFSETS), pick(random, &["0", "1", "1", "2", "x"])])
        }
        "GET" => words.push(key_of(random, KEYS)),
        "SET" => words.extend([key_of(random, KEYS), value(random)]),
        "GETBIT" => words.extend([key_of(random, KEYS), pick(random, OFFSETS)]),
        "BITOP" => {
            words.push(pick(random, &["AND", "OR", "XOR", "NOT", "and", "bogus"]));
            (0..1 + random.below(4)).for_each(|_| words.push(key_of(random, KEYS)));
        }
        "BITCOUNT" | "BITPOS" => {
            words.push(key_of(random, KEYS));
            if name == "BITPOS" {
                words.push(pick(random, &["0", "1", "1", "2", "x"]));
            }
            for _ in 0..random.below(3) {
                words.push(pick(random, INDEXES));
            }
            if random.one_in(3) {
                words.push(pick(random, &["BIT", "BYTE", "bit", "bogus"]));
            }
        }
        _ => {
            words.push(key_of(random, KEYS));
            for _ in 0..1 + random.below(4) {
                bitfield_operation(random, name, &mut words);
            }
        }
    }
    words
}

fn bitfield_operation(random: &mut Random, name: &str, words: &mut Words) {
    const TYPES: &[&str] = &["u8", "i8", "u1", "i64", "u63", "i5", "u64", "i0", "u16", "x", "i65"];
    const AT: &[&str] = &["0", "7", "#1", "#0", "100", "-1", "#", "x", "70000"];
    let operation = if name == "BITFIELD_RO" && !random.one_in(8) {
        "GET"
    } else {
        *random.pick(&["GET", "SET", "INCRBY", "OVERFLOW", "get"])
    };
    words.push(operation.into());
    if operation == "OVERFLOW" {
        return words.push(pick(random, &["WRAP", "SAT", "FAIL", "bogus", "sat"]));
    }
    words.extend([pick(random, TYPES), pick(random, AT)]);
    if matches!(operation, "SET" | "INCRBY") {
        words.push(pick(random, INTEGERS));
    }
}
