//! Random requests on keys of any kind, their expiry, and databases.

use super::strings::time_for;
use super::*;

pub(super) fn generic(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "DEL",
        "DEL",
        "UNLINK",
        "EXISTS",
        "TYPE",
        "KEYS",
        "SCAN",
        "SCAN",
        "RENAME",
        "RENAMENX",
        "COPY",
        "COPY",
        "MOVE",
        "RANDOMKEY",
        "TOUCH",
        "OBJECT",
        "OBJECT",
        "DUMP",
        "RESTORE",
        "PERSIST",
    ]);
    let mut words = vec![Vec::from(name)];
    match name {
        "DEL" | "UNLINK" | "EXISTS" | "TOUCH" => words.extend(keys(random, 4)),
        "TYPE" | "DUMP" | "PERSIST" => words.push(key(random)),
        "KEYS" => words.push(pick(random, PATTERNS)),
        "RENAME" | "RENAMENX" => words.extend([key(random), key(random)]),
        "MOVE" => words.extend([key(random), pick(random, &["0", "1", "2", "15", "16", "-1", "x"])]),
        "COPY" => {
            words.extend([key(random), key(random)]);
            for _ in 0..random.below(3) {
                let option = *random.pick(&["DB", "REPLACE", "replace", "bogus"]);
                words.push(option.into());
                if option == "DB" {
                    words.push(pick(random, &["0", "1", "2", "15", "16", "-1", "x"]));
                }
            }
        }
        "OBJECT" => {
            let sub = *random.pick(&["ENCODING", "ENCODING", "REFCOUNT", "IDLETIME", "FREQ", "HELP", "bogus"]);
            words.push(sub.into());
            if sub != "HELP" {
                words.push(key(random));
            }
        }
        "SCAN" => {
            words.push(pick(random, &["0", "0", "0", "0", "x", "-1", "18446744073709551615", "18446744073709551616"]));
            for _ in 0..random.below(3) {
                let option = *random.pick(&["MATCH", "COUNT", "TYPE", "bogus"]);
                words.push(option.into());
                words.push(match option {
                    "MATCH" => pick(random, PATTERNS),
                    "COUNT" => pick(random, &["1", "5", "1000", "0", "-1", "x"]),
                    "TYPE" => pick(random, &["string", "STRING", "list", "hash"]),
                    _ => value(random),
                });
            }
        }
        "RESTORE" => {
            words.extend([key(random), pick(random, &["0", "0", "100000", "-1", "x"])]);
            words.push(restore_payload(random));
            for _ in 0..random.below(3) {
                let option = *random.pick(&["REPLACE", "ABSTTL", "IDLETIME", "FREQ", "bogus"]);
                words.push(option.into());
                if matches!(option, "IDLETIME" | "FREQ") {
                    words.push(pick(random, &["0", "10", "-1", "256", "x"]));
                }
            }
        }
        _ => {}
    }
    words
}

/// What `DUMP` gives, as Redis 7.0 wrote it, sometimes damaged.
fn restore_payload(random: &mut Random) -> Vec<u8> {
    const HELLO: &[u8] = b"\x00\x05hello\x0a\x00cr\xdfve4 \x0a";
    let mut payload = HELLO.to_vec();
    if random.one_in(2) {
        let at = random.below(payload.len());
        payload[at] ^= 1 << random.below(8);
    }
    payload
}

pub(super) fn expiry(random: &mut Random) -> Words {
    let name = *random.pick(&[
        "EXPIRE",
        "PEXPIRE",
        "EXPIREAT",
        "PEXPIREAT",
        "TTL",
        "PTTL",
        "EXPIRETIME",
        "PEXPIRETIME",
        "PERSIST",
        "TTL",
    ]);
    let mut words = vec![Vec::from(name), key(random)];
    if name.contains("EXPIRE") && !name.contains("TIME") {
        words.push(time_for(random, name));
        for _ in 0..[0, 0, 0, 1, 1, 2][random.below(6)] {
            words.push(pick(random, &["NX", "XX", "GT", "LT", "gt", "bogus"]));
        }
    }
    words
}

pub(super) fn databases(random: &mut Random) -> Words {
    const NUMBERS: &[&str] = &["0", "0", "0", "1", "2", "15", "16", "-1", "x", "99999999999"];
    match random.below(10) {
        0..=3 => vec![b"SELECT".to_vec(), pick(random, NUMBERS)],
        4..=5 => vec![b"SWAPDB".to_vec(), pick(random, NUMBERS), pick(random, NUMBERS)],
        6..=7 => vec![b"DBSIZE".to_vec()],
        8 => with_option(random, "FLUSHDB", &["ASYNC", "SYNC", "bogus"]),
        _ => with_option(random, "FLUSHALL", &["ASYNC", "SYNC", "bogus"]),
    }
}
