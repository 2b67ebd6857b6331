//! Random requests on HyperLogLogs. GET compares them byte for byte.

use super::{Words, key_of, pick, value};
use crate::random::Random;

const KEYS: &[&str] = &["p1", "p2", "{t}p"];
/// Its registers do not add up. Nothing is added to it: Redis keeps the elements before the one that fails, Ennead none.
const BROKEN: &str = "broken";

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
        "PFCOUNT" | "PFMERGE" => (0..1 + random.below(4)).for_each(|_| words.push(key_to_read(random))),
        "PFDEBUG" => {
            // A reply as long as that to GETREG gets lost when a QUIT follows it: a golden script has it.
            let subcommands = &["DECODE", "DECODE", "ENCODING", "TODENSE", "decode", "bogus"];
            words.extend([pick(random, subcommands), key_to_read(random)]);
        }
        "SET" if random.one_in(5) => {
            let registers = 16_000 + random.below(800);
            words.extend([BROKEN.into(), sparse(random, registers)]);
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

fn key_to_read(random: &mut Random) -> Vec<u8> {
    if random.one_in(12) { BROKEN.into() } else { key_of(random, KEYS) }
}

/// One as a client could have kept it, or made it.
fn sketch(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        // Any registers, so that the estimate meets values that no hash gives.
        0 => [header(random, 0), random.bytes(12_288)].concat(),
        1 => [header(random, 0), vec![random.next() as u8; 12_288]].concat(),
        2 => [header(random, 1), b"\x7f\xff".to_vec()].concat(),
        // Of the wrong length for the dense form, or of none.
        3 => {
            let form = *random.pick(&[0, 2]);
            [header(random, form), runs(random, 100)].concat()
        }
        _ => sparse(random, 16_384),
    }
}

fn sparse(random: &mut Random, registers: usize) -> Vec<u8> {
    [header(random, 1), runs(random, registers)].concat()
}

fn header(random: &mut Random, form: u8) -> Vec<u8> {
    let stale = if random.one_in(2) { 0x80 } else { 0 };
    [b"HYLL".as_slice(), &[form], &[0; 10], &[stale]].concat()
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
