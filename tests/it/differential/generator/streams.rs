//! Random requests on streams. Ids are given, since those of the clock differ between two servers.

use super::{Words, key_of, pick, value};
use crate::random::Random;

const KEYS: &[&str] = &["x1", "x2", "{t}x"];
const GROUPS: &[&str] = &["g", "g", "h", "none"];
const CONSUMERS: &[&str] = &["ann", "bob", "cat"];
const COUNTS: &[&str] = &["1", "2", "5", "100", "0", "-1", "x"];

/// Names, each as often as it is to come.
const NAMES: &[(&str, usize)] = &[
    ("XADD", 10),
    ("XLEN", 1),
    ("XRANGE", 3),
    ("XREVRANGE", 2),
    ("XDEL", 3),
    ("XTRIM", 2),
    ("XREAD", 3),
    ("XREADGROUP", 6),
    ("XACK", 3),
    ("XPENDING", 3),
    ("XCLAIM", 3),
    ("XAUTOCLAIM", 2),
    ("XGROUP", 5),
    ("XINFO", 4),
    ("XSETID", 1),
];

pub(super) fn request(random: &mut Random) -> Words {
    let names: Vec<&str> = NAMES.iter().flat_map(|(name, often)| vec![*name; *often]).collect();
    let name = *random.pick(&names);
    let mut words = vec![Vec::from(name)];
    match name {
        "XREAD" | "XREADGROUP" => read(random, &mut words, name == "XREADGROUP"),
        "XGROUP" => group(random, &mut words),
        "XINFO" => info(random, &mut words),
        _ => {
            words.push(key_of(random, KEYS));
            with_key(random, &mut words, name);
        }
    }
    words
}

fn with_key(random: &mut Random, words: &mut Words, name: &str) {
    match name {
        "XADD" => add(random, words),
        "XTRIM" => trim(random, words),
        "XRANGE" | "XREVRANGE" => {
            words.extend([end(random), end(random)]);
            if random.one_in(3) {
                words.extend([pick(random, &["COUNT", "count", "bogus"]), pick(random, COUNTS)]);
            }
        }
        "XDEL" => (0..1 + random.below(4)).for_each(|_| words.push(id(random))),
        "XACK" => {
            words.push(pick(random, GROUPS));
            (0..1 + random.below(4)).for_each(|_| words.push(id(random)));
        }
        "XPENDING" => {
            words.push(pick(random, GROUPS));
            if random.one_in(2) {
                if random.one_in(4) {
                    words.extend([b"IDLE".to_vec(), pick(random, &["0", "9999999", "x"])]);
                }
                words.extend([end(random), end(random), pick(random, COUNTS)]);
                if random.one_in(2) {
                    words.push(pick(random, CONSUMERS));
                }
            }
        }
        "XCLAIM" => claim(random, words),
        "XAUTOCLAIM" => {
            words.extend([pick(random, GROUPS), pick(random, CONSUMERS), pick(random, &["0", "9999999", "x"])]);
            words.push(end(random));
            if random.one_in(2) {
                words.extend([b"COUNT".to_vec(), pick(random, &["1", "2", "50", "0", "x"])]);
            }
            if random.one_in(2) {
                words.push(b"JUSTID".to_vec());
            }
        }
        "XSETID" => {
            // 7.0 lets it fall below what was deleted, 7.2 does not: it lies behind everything.
            words.push(b"100-0".to_vec());
            if random.one_in(3) {
                words.extend([b"ENTRIESADDED".to_vec(), pick(random, &["0", "5", "500", "-1", "x"])]);
            }
            if random.one_in(3) {
                words.extend([b"MAXDELETEDID".to_vec(), id(random)]);
            }
        }
        _ => {}
    }
}

fn add(random: &mut Random, words: &mut Words) {
    if random.one_in(8) {
        words.push(b"NOMKSTREAM".to_vec());
    }
    if random.one_in(6) {
        trim(random, words);
    }
    words.push(match random.below(8) {
        0 => pick(random, &["0-0", "x", "5-x", "-", "+", "1-1-1", "18446744073709551616"]),
        1 | 2 => format!("{}-*", random.below(60)).into(),
        _ => format!("{}-{}", random.below(100), random.below(4)).into(),
    });
    for _ in 0..1 + random.below(3) {
        words.extend([pick(random, &["name", "age", "7", ""]), field_value(random)]);
    }
}

fn field_value(random: &mut Random) -> Vec<u8> {
    if random.one_in(4) { value(random) } else { random.below(1000).to_string().into() }
}

fn trim(random: &mut Random, words: &mut Words) {
    let strategy = pick(random, &["MAXLEN", "MINID", "maxlen", "bogus"]);
    let by_id = strategy == b"MINID";
    words.push(strategy);
    if random.one_in(2) {
        words.push(pick(random, &["=", "~"]));
    }
    words.push(if by_id { id(random) } else { pick(random, &["0", "1", "3", "10", "-1", "x"]) });
    if random.one_in(4) {
        words.extend([b"LIMIT".to_vec(), pick(random, COUNTS)]);
    }
}

fn claim(random: &mut Random, words: &mut Words) {
    words.extend([pick(random, GROUPS), pick(random, CONSUMERS), pick(random, &["0", "0", "9999999", "x"])]);
    (0..1 + random.below(3)).for_each(|_| words.push(id(random)));
    for _ in 0..random.below(3) {
        let option = *random.pick(&["IDLE", "TIME", "RETRYCOUNT", "FORCE", "JUSTID", "LASTID", "bogus"]);
        words.push(option.into());
        match option {
            "IDLE" | "TIME" | "RETRYCOUNT" => words.push(pick(random, &["0", "5", "100000", "-1", "x"])),
            "LASTID" => words.push(id(random)),
            _ => {}
        }
    }
}

/// Without BLOCK: a client that waits has nobody to wake it.
fn read(random: &mut Random, words: &mut Words, grouped: bool) {
    if grouped {
        words.extend([b"GROUP".to_vec(), pick(random, GROUPS), pick(random, CONSUMERS)]);
    }
    if random.one_in(2) {
        words.extend([b"COUNT".to_vec(), pick(random, COUNTS)]);
    }
    if random.one_in(6) {
        words.push(b"NOACK".to_vec());
    }
    words.push(b"STREAMS".to_vec());
    let streams = 1 + random.below(3) / 2;
    (0..streams).for_each(|_| words.push(key_of(random, KEYS)));
    for _ in 0..streams {
        words.push(match random.below(6) {
            0 => id(random),
            1 => pick(random, &["$", ">", "x"]),
            _ => pick(random, if grouped { &[">", ">", "0"] } else { &["0", "$", "10"] }),
        });
    }
}

fn group(random: &mut Random, words: &mut Words) {
    let sub = *random.pick(&["CREATE", "CREATE", "SETID", "CREATECONSUMER", "DELCONSUMER", "DESTROY", "HELP", "bogus"]);
    words.push(sub.into());
    if sub == "HELP" {
        return;
    }
    words.extend([key_of(random, KEYS), pick(random, GROUPS)]);
    match sub {
        "CREATE" | "SETID" => {
            words.push(if random.one_in(3) { id(random) } else { pick(random, &["0", "$", "-"]) });
            if sub == "CREATE" && random.one_in(2) {
                words.push(b"MKSTREAM".to_vec());
            }
            if random.one_in(4) {
                words.extend([b"ENTRIESREAD".to_vec(), pick(random, &["0", "3", "-1", "-2", "x"])]);
            }
        }
        "CREATECONSUMER" | "DELCONSUMER" => words.push(pick(random, CONSUMERS)),
        _ => {}
    }
}

fn info(random: &mut Random, words: &mut Words) {
    let sub = *random.pick(&["STREAM", "STREAM", "GROUPS", "GROUPS", "CONSUMERS", "HELP"]);
    words.push(sub.into());
    if sub == "HELP" {
        return;
    }
    words.push(key_of(random, KEYS));
    match sub {
        "CONSUMERS" => words.push(pick(random, GROUPS)),
        "STREAM" if random.one_in(3) => {
            words.push(b"FULL".to_vec());
            if random.one_in(2) {
                words.extend([b"COUNT".to_vec(), pick(random, COUNTS)]);
            }
        }
        _ => {}
    }
}

fn id(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => pick(random, &["0", "0-0", "x", "18446744073709551615-18446744073709551615", "1-"]),
        1 => random.below(100).to_string().into(),
        _ => format!("{}-{}", random.below(100), random.below(4)).into(),
    }
}

/// An end of an interval.
fn end(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 | 1 => pick(random, &["-", "+", "(0-0", "(18446744073709551615-18446744073709551615", "(", "(-"]),
        2 => [&b"("[..], &id(random)].concat(),
        _ => id(random),
    }
}
