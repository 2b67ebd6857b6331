//! Random requests on strings.

use super::*;

pub(super) fn set(random: &mut Random) -> Words {
    let mut words = vec![b"SET".to_vec(), key(random), value(random)];
    for _ in 0..[0, 0, 0, 1, 1, 2, 3][random.below(7)] {
        let option = *random
            .pick(&["NX", "XX", "GET", "KEEPTTL", "EX", "PX", "EXAT", "PXAT", "PERSIST", "nx", "get", "ex", "bogus"]);
        words.push(option.into());
        if matches!(option, "EX" | "PX" | "EXAT" | "PXAT" | "ex") && !random.one_in(12) {
            words.push(time_for(random, option));
        }
    }
    words
}

/// A time that option or command `name` takes: far ahead, past or impossible.
pub(super) fn time_for(random: &mut Random, name: &str) -> Vec<u8> {
    if random.one_in(4) {
        return random
            .pick(&[
                "0",
                "-1",
                "9223372036854775807",
                "-9223372036854775808",
                "9223372036854775",
                "abc",
                "1.5",
                "9223372036854775808",
            ])
            .to_string()
            .into();
    }
    let absolute = name.to_ascii_lowercase().contains("at");
    let milliseconds = name.to_ascii_lowercase().starts_with('p');
    let seconds = 10_000 + random.below(1000) as u64 * 1000;
    // SET and GETEX with a time in the past leave a key that is counted until somebody looks: only EXPIREAT deletes at once.
    let past = name.to_ascii_uppercase().contains("EXPIREAT") && random.one_in(6);
    let time = match (absolute, past) {
        (_, true) => 1_000_000,
        (true, false) => FAR + seconds,
        (false, false) => seconds,
    };
    (if milliseconds { time * 1000 } else { time }).to_string().into()
}

pub(super) fn string(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "GET",
        "GET",
        "GETEX",
        "GETDEL",
        "GETSET",
        "GETRANGE",
        "SUBSTR",
        "SETRANGE",
        "APPEND",
        "STRLEN",
        "INCR",
        "DECR",
        "INCRBY",
        "DECRBY",
        "INCRBYFLOAT",
        "MGET",
        "MSET",
        "MSETNX",
        "SETNX",
        "SETEX",
        "PSETEX",
        "LCS",
    ]);
    let mut words = vec![Vec::from(name)];
    match name {
        "MGET" => words.extend(keys(random, 4)),
        "MSET" | "MSETNX" => {
            for key in keys(random, 4) {
                words.push(key);
                words.push(value(random));
            }
        }
        "LCS" => {
            words.extend([key(random), key(random)]);
            for _ in 0..random.below(4) {
                let option = *random.pick(&["LEN", "IDX", "MINMATCHLEN", "WITHMATCHLEN", "bogus"]);
                words.push(option.into());
                if option == "MINMATCHLEN" {
                    words.push(pick(random, INDEXES));
                }
            }
        }
        _ => {
            words.push(key(random));
            match name {
                "GETEX" => {
                    let option = *random.pick(&["", "EX", "PX", "EXAT", "PXAT", "PERSIST", "KEEPTTL"]);
                    if !option.is_empty() {
                        words.push(option.into());
                    }
                    if option.contains('X') {
                        words.push(time_for(random, option));
                    }
                }
                "GETSET" | "APPEND" | "SETNX" => words.push(value(random)),
                "GETRANGE" | "SUBSTR" => words.extend([pick(random, INDEXES), pick(random, INDEXES)]),
                "SETRANGE" => words.extend([pick(random, OFFSETS), value(random)]),
                "INCRBY" | "DECRBY" => words.push(pick(random, INTEGERS)),
                "INCRBYFLOAT" => {
                    let numbers = if random.one_in(3) { INTEGERS } else { FLOATS };
                    words.push(pick(random, numbers));
                }
                "SETEX" | "PSETEX" => words.extend([time_for(random, name), value(random)]),
                _ => {}
            }
        }
    }
    words
}
