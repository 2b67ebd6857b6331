//! Random requests on lists.

use super::{INDEXES, Words, key_of, pick, value};
use crate::random::Random;

const KEYS: &[&str] = &["l1", "l2", "{t}l"];
const SIDES: &[&str] = &["LEFT", "RIGHT", "left", "right", "bogus"];

pub(super) fn request(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "LPUSH",
        "RPUSH",
        "RPUSH",
        "LPUSHX",
        "RPUSHX",
        "LPOP",
        "RPOP",
        "LLEN",
        "LINDEX",
        "LINSERT",
        "LSET",
        "LRANGE",
        "LRANGE",
        "LREM",
        "LTRIM",
        "LPOS",
        "LMOVE",
        "RPOPLPUSH",
        "LMPOP",
    ]);
    let mut words = vec![Vec::from(name)];
    if name == "LMPOP" {
        let keys: Words = (0..1 + random.below(3)).map(|_| key_of(random, KEYS)).collect();
        let count = keys.len().to_string();
        words.push(if random.one_in(6) { pick(random, &["0", "-1", "x", "5", "1"]) } else { count.into() });
        words.extend(keys);
        words.push(pick(random, SIDES));
        if random.one_in(2) {
            words.extend([pick(random, &["COUNT", "count", "bogus"]), pick(random, &["0", "1", "3", "-1", "x"])]);
        }
        return words;
    }
    words.push(key_of(random, KEYS));
    match name {
        "LPUSH" | "RPUSH" => {
            let many = if random.one_in(8) { 150 } else { 5 };
            (0..1 + random.below(many)).for_each(|_| words.push(element(random)));
        }
        "LPUSHX" | "RPUSHX" => (0..1 + random.below(3)).for_each(|_| words.push(element(random))),
        "LPOP" | "RPOP" if random.one_in(3) => words.push(pick(random, &["0", "1", "3", "1000", "-1", "x", "1.5"])),
        "LINDEX" => words.push(pick(random, INDEXES)),
        "LINSERT" => {
            words.push(pick(random, &["BEFORE", "AFTER", "before", "after", "bogus"]));
            words.extend([element(random), element(random)]);
        }
        "LSET" => words.extend([pick(random, INDEXES), element(random)]),
        "LRANGE" => words.extend([pick(random, INDEXES), pick(random, INDEXES)]),
        "LTRIM" => words.extend([pick(random, INDEXES), pick(random, &["-1", "-1", "-2", "50", "3", "x"])]),
        "LREM" => words.extend([pick(random, &["0", "1", "-1", "2", "x"]), element(random)]),
        "LPOS" => {
            words.push(element(random));
            for _ in 0..random.below(3) {
                words.push(pick(random, &["RANK", "COUNT", "MAXLEN", "rank", "bogus"]));
                words.push(pick(random, &["0", "1", "2", "-1", "-2", "x"]));
            }
        }
        "LMOVE" => words.extend([key_of(random, KEYS), pick(random, SIDES), pick(random, SIDES)]),
        "RPOPLPUSH" => words.push(key_of(random, KEYS)),
        _ => {}
    }
    words
}

fn element(random: &mut Random) -> Vec<u8> {
    match random.below(4) {
        0 => value(random),
        1 => random.below(40).to_string().into_bytes(),
        _ => pick(random, &["a", "b", "c", "d", ""]),
    }
}
