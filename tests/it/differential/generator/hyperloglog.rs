//! Random requests on HyperLogLogs. GET compares them byte for byte.

use super::{Words, key_of, pick, value};
use crate::random::Random;

const KEYS: &[&str] = &["p1", "p2", "{t}p"];

pub(super) fn request(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "PFADD", "PFADD", "PFADD", "PFADD", "PFCOUNT", "PFCOUNT", "PFMERGE", "PFDEBUG", "GET", "GET", "GET", "SET",
    ]);
    let mut words = vec![Vec::from(name)];
    match name {
        "PFADD" => {
            words.push(key_of(random, KEYS));
            elements(random, &mut words);
        }
        "PFCOUNT" | "PFMERGE" => (0..1 + random.below(4)).for_each(|_| words.push(key_of(random, KEYS))),
        "PFDEBUG" => {
            let subcommands = &["DECODE", "DECODE", "ENCODING", "GETREG", "TODENSE", "decode", "bogus"];
            words.extend([pick(random, subcommands), key_of(random, KEYS)]);
        }
        "SET" => {
            words.push(key_of(random, KEYS));
            let sketch = if random.one_in(4) { value(random) } else { sketch(random) };
            words.push(sketch);
        }
        _ => words.push(key_of(random, KEYS)),
    }
    words
}

/// None, a few or so many that the sparse form becomes too long.
fn elements(random: &mut Random, words: &mut Words) {
    let count = match random.below(12) {
        0 => 1_000 + random.below(1_500),
        1..=3 => random.below(200),
        _ => random.below(5),
    };
    for _ in 0..count {
        words.push(if random.one_in(50) { value(random) } else { random.below(3_000).to_string().into_bytes() });
    }
}

/// One as a client could have kept it: whole, or not quite.
fn sketch(random: &mut Random) -> Vec<u8> {
    let mut bytes = b"HYLL".to_vec();
    bytes.push(if random.one_in(4) { random.below(4) as u8 } else { 1 });
    bytes.extend([0; 10]);
    bytes.push(if random.one_in(2) { 0x80 } else { 0 });
    // Not one with too few registers: Redis changes a part of it before it says that it is corrupt, Ennead nothing.
    match random.below(5) {
        // Dense: any registers, so that the estimate meets values that no hash gives.
        0 => {
            bytes[4] = 0;
            let registers = random.bytes(12_288);
            bytes.extend(registers);
        }
        1 => {
            bytes[4] = 0;
            let byte = random.next() as u8;
            bytes.extend([byte; 12_288]);
        }
        2 => bytes.extend(runs(random, 16_384)),
        3 => bytes.extend(runs(random, 16_384)),
        _ => bytes.extend(b"\x7f\xff"),
    }
    bytes
}

/// Runs of the sparse form that have so many registers together.
fn runs(random: &mut Random, mut registers: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while registers > 0 {
        let most = [4, 64, 64, 3_000][random.below(4)];
        let len = (1 + random.below(most)).min(registers);
        registers -= len;
        match len {
            1..=4 if most == 4 => bytes.push(0x80 | (random.below(32) as u8) << 2 | (len as u8 - 1)),
            1..=64 => bytes.push(len as u8 - 1),
            _ => bytes.extend((0x4000 | (len as u16 - 1)).to_be_bytes()),
        }
    }
    bytes
}
