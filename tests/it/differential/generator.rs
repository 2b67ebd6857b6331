//! Random requests over every command in scope: mostly well formed, some with a word too few, too many or exchanged,
//! numbers at the edges of their types, keys and values of any bytes. Expiry times are far ahead or past, never near:
//! two servers asked one after the other may differ about a moment.

mod acl;

use crate::random::Random;

mod bitmaps;
mod geo;
mod hashes;
mod hyperloglog;
mod lists;
mod sets;
mod sort;
mod sorted_sets;
mod streams;

/// The words of one request.
pub(crate) type Words = Vec<Vec<u8>>;

/// Far ahead for both servers: the year 2100, in seconds.
const FAR: u64 = 4_102_444_800;

const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "10",
    "-10",
    "100",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "4294967296",
    "2147483648",
    "01",
    "+1",
    " 1",
    "1 ",
    "",
    "-",
    "-0",
    "1.5",
    "0x10",
    "abc",
    "1e3",
];
const FLOATS: &[&str] = &[
    "0.1",
    "3.0",
    "-1.5",
    "1e3",
    "5.0e-4",
    "10.50",
    "0.2",
    "-0.1",
    "1e-10",
    "3.14159265358979",
    "inf",
    "-inf",
    "nan",
    "1e400",
    " 1.0",
    "1.0 ",
    "abc",
    "",
    "0x1p3",
    "1",
    "17179869184.5",
    "-0",
    "1e17",
    "1e300",
];
const INDEXES: &[&str] =
    &["0", "1", "-1", "2", "3", "-3", "5", "-100", "100", "9223372036854775807", "-9223372036854775808", "x"];
const OFFSETS: &[&str] =
    &["0", "1", "2", "7", "8", "31", "100", "4095", "4096", "70000", "-1", "x", "4294967296", "9223372036854775807"];
const PATTERNS: &[&str] =
    &["*", "a*", "?", "[a-c]", "[^a]", "k?y", "\\*", "*\\", "{t}*", "", "[", "*[", "[z-a]*", "*x*y*"];

/// A random rule of ACL SETUSER.
pub(super) fn acl_rule(random: &mut Random) -> Vec<u8> {
    acl::rule(random, false)
}

/// A request of a random command.
pub(crate) fn request(random: &mut Random) -> Words {
    let mut words = well_formed(random);
    // DEBUG SLEEP with another number would be obeyed; CONFIG SET reads numbers more freely than Redis
    // ("-0", "01"); a HELLO that fails has set the name in 7.0 already, in 7.2 not; MIGRATE to another host could find one.
    // SPOP with another number leaves the two with different sets, and pages of a scan are each server's own.
    let whole = [&b"DEBUG"[..], b"CONFIG", b"HELLO", b"MIGRATE", b"SPOP", b"HSCAN", b"SSCAN", b"ZSCAN", b"XSETID"]
        .contains(&words[0].as_slice())
        // Members of this one have one score, or their order by name would not be defined.
        || words.get(1).is_some_and(|key| key == b"zl")
        // What is not sorted, or has no order by what it is sorted by.
        || words[0].starts_with(b"SORT");
    if random.one_in(10) && !whole {
        match random.below(4) {
            0 if words.len() > 1 => {
                words.pop();
            }
            1 => words.push(junk(random, &words[0])),
            2 if words.len() > 1 => {
                let at = 1 + random.below(words.len() - 1);
                words[at] = junk(random, &words[0]);
            }
            _ => {
                let at = 1 + random.below(words.len());
                words.insert(at, junk(random, &words[0]));
            }
        }
        // A lone connection to a server must not be taken along by accident.
        if words[0].eq_ignore_ascii_case(b"client") && words.len() > 1 && !harmless_client_call(&words[1]) {
            words.truncate(1);
        }
    }
    if random.one_in(4) {
        words[0] = random_case(random, &words[0]);
    }
    words
}

fn harmless_client_call(name: &[u8]) -> bool {
    !matches!(name.to_ascii_lowercase().as_slice(), b"kill" | b"pause" | b"reply" | b"tracking" | b"list")
}

fn well_formed(random: &mut Random) -> Words {
    match random.below(245) {
        235..=244 => sort::request(random),
        210..=234 => streams::request(random),
        200..=209 => geo::request(random),
        160..=174 => hyperloglog::request(random),
        175..=199 => sorted_sets::request(random),
        140..=159 => lists::request(random),
        100..=119 => hashes::request(random),
        120..=139 => sets::request(random),
        0..=11 => set(random),
        12..=39 => string(random),
        40..=47 => bitmaps::request(random),
        48..=69 => generic(random),
        70..=81 => expiry(random),
        82..=87 => databases(random),
        88..=94 => connection(random),
        95 if random.one_in(2) => acl::request(random),
        _ => server(random),
    }
}

fn set(random: &mut Random) -> Words {
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
fn time_for(random: &mut Random, name: &str) -> Vec<u8> {
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

fn string(random: &mut Random) -> Words {
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

fn generic(random: &mut Random) -> Words {
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

fn expiry(random: &mut Random) -> Words {
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

fn databases(random: &mut Random) -> Words {
    const NUMBERS: &[&str] = &["0", "0", "0", "1", "2", "15", "16", "-1", "x", "99999999999"];
    match random.below(10) {
        0..=3 => vec![b"SELECT".to_vec(), pick(random, NUMBERS)],
        4..=5 => vec![b"SWAPDB".to_vec(), pick(random, NUMBERS), pick(random, NUMBERS)],
        6..=7 => vec![b"DBSIZE".to_vec()],
        8 => with_option(random, "FLUSHDB", &["ASYNC", "SYNC", "bogus"]),
        _ => with_option(random, "FLUSHALL", &["ASYNC", "SYNC", "bogus"]),
    }
}

fn with_option(random: &mut Random, name: &str, options: &[&str]) -> Words {
    let mut words = vec![Vec::from(name)];
    if random.one_in(2) {
        words.push(pick(random, options));
    }
    words
}

fn connection(random: &mut Random) -> Words {
    const CALLS: &[&[&str]] = &[
        &["PING"],
        &["PING", "hello"],
        &["ECHO", "a\r\nb"],
        &["CLIENT", "GETNAME"],
        &["CLIENT", "SETNAME", "somebody"],
        &["CLIENT", "SETNAME", "no body"],
        &["CLIENT", "SETNAME", ""],
        &["CLIENT", "ID"],
        &["CLIENT", "INFO"],
        &["CLIENT", "HELP"],
        &["CLIENT", "NO-EVICT", "ON"],
        &["CLIENT", "NO-EVICT", "maybe"],
        &["CLIENT", "GETREDIR"],
        &["CLIENT", "TRACKINGINFO"],
        &["CLIENT", "UNPAUSE"],
        &["CLIENT", "UNBLOCK", "999999999"],
        &["CLIENT", "UNBLOCK", "x"],
        &["CLIENT", "UNBLOCK", "999999999", "bogus"],
        &["CLIENT", "KILL", "127.0.0.1:1"],
        &["CLIENT", "KILL", "ID", "999999999"],
        &["CLIENT", "KILL", "ID", "x"],
        &["CLIENT", "KILL", "TYPE", "bogus"],
        &["CLIENT", "KILL", "bogus", "value"],
        &["CLIENT", "REPLY", "bogus"],
        &["CLIENT", "CACHING", "YES"],
        &["CLIENT", "LIST", "TYPE", "bogus"],
        &["CLIENT", "LIST", "ID", "999999999"],
        &["CLIENT", "LIST", "ID", "x"],
        &["CLIENT", "bogus"],
        &["CLIENT"],
        &["AUTH", "secret"],
        &["AUTH", "default", "secret"],
        &["AUTH", "a", "b", "c"],
        &["HELLO"],
        &["HELLO", "2"],
        &["HELLO", "3"],
        &["HELLO", "4"],
        &["HELLO", "x"],
        &["HELLO", "3", "SETNAME", "me"],
        &["HELLO", "3", "SETNAME", "m e"],
        &["HELLO", "3", "AUTH", "default", ""],
        &["HELLO", "3", "AUTH", "nobody", "x"],
        &["HELLO", "3", "bogus"],
        &["RESET"],
        &["QUIT"],
        &["NOSUCHCOMMAND"],
        &["nosuchcommand", "with", "some arguments", "and\r\nmore"],
        &[""],
    ];
    let call = random.pick(CALLS);
    call.iter().map(|word| Vec::from(*word)).collect()
}

fn server(random: &mut Random) -> Words {
    const CALLS: &[&[&str]] = &[
        &["TIME"],
        &["LASTSAVE"],
        &["INFO", "keyspace"],
        &["INFO", "nosuchsection"],
        &["CONFIG", "GET", "databases"],
        &["CONFIG", "GET", "slowlog-max-len"],
        &["CONFIG", "GET", "proto-max-bulk-len"],
        &["CONFIG", "GET", "nosuchsetting"],
        &["CONFIG", "SET", "slowlog-max-len", "64"],
        &["CONFIG", "SET", "slowlog-max-len", "many"],
        &["CONFIG", "SET", "slowlog-max-len", "-1"],
        &["CONFIG", "SET", "nosuchsetting", "1"],
        &["CONFIG", "SET", "slowlog-max-len"],
        &["CONFIG", "SET", "databases", "17"],
        &["CONFIG", "SET", "slowlog-max-len", "32", "slowlog-max-len", "64"],
        &["CONFIG", "SET", "slowlog-max-len", "64", "nosuchsetting", "1"],
        &["CONFIG", "SET", "slowlog-max-len", "65", "maxmemory-samples", "0"],
        &["CONFIG", "SET", "slowlog-max-len", "66", "maxmemory-samples", "5"],
        &["CONFIG", "HELP"],
        &["CONFIG", "bogus"],
        &["CONFIG", "RESETSTAT"],
        &["COMMAND", "INFO", "get", "nosuchcommand"],
        &["COMMAND", "INFO", "set"],
        &["COMMAND", "GETKEYS", "GET", "a"],
        &["COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2"],
        &["COMMAND", "GETKEYS", "PING"],
        &["COMMAND", "GETKEYS", "bogus"],
        &["COMMAND", "GETKEYS", "GET"],
        &["COMMAND", "GETKEYSANDFLAGS", "SET", "a", "1"],
        &["COMMAND", "GETKEYSANDFLAGS", "COPY", "a", "b"],
        &["COMMAND", "GETKEYSANDFLAGS", "BITFIELD", "a", "GET", "u8", "0", "OVERFLOW", "SAT"],
        &["COMMAND", "GETKEYSANDFLAGS", "BITFIELD", "a", "GET", "u8", "0", "SET", "u8", "0", "1"],
        &["COMMAND", "GETKEYSANDFLAGS", "BITOP", "AND", "a", "b", "c"],
        &["COMMAND", "GETKEYSANDFLAGS", "PFMERGE", "a", "b", "c"],
        &["COMMAND", "GETKEYSANDFLAGS", "PFADD", "a", "b", "c"],
        &["COMMAND", "GETKEYSANDFLAGS", "PFCOUNT", "a", "b"],
        &["COMMAND", "GETKEYSANDFLAGS", "PFDEBUG", "ENCODING", "a"],
        &["COMMAND", "HELP"],
        &["COMMAND", "bogus"],
        &["COMMAND", "LIST", "FILTERBY", "bogus", "x"],
        &["SLOWLOG", "LEN"],
        &["SLOWLOG", "GET"],
        &["SLOWLOG", "GET", "-2"],
        &["SLOWLOG", "GET", "x"],
        &["SLOWLOG", "RESET"],
        &["SLOWLOG", "HELP"],
        &["SLOWLOG", "bogus"],
        &["LATENCY", "LATEST"],
        &["LATENCY", "RESET"],
        &["LATENCY", "HISTORY", "command"],
        &["LATENCY", "GRAPH", "command"],
        &["LATENCY", "GRAPH"],
        &["LATENCY", "HELP"],
        &["LATENCY", "bogus"],
        &["MEMORY", "HELP"],
        &["MEMORY", "USAGE"],
        &["MEMORY", "bogus"],
        &["DEBUG", "SLEEP", "0"],
        &["DEBUG", "SET-ACTIVE-EXPIRE", "1"],
        &["DEBUG", "OBJECT", "nosuchkey\u{1}"],
        &["LOLWUT", "VERSION", "x"],
        &["PUBLISH", "a", "message"],
        &["SPUBLISH", "a", "message"],
        &["PUBSUB", "CHANNELS"],
        &["PUBSUB", "CHANNELS", "*"],
        &["PUBSUB", "NUMSUB", "a", "b"],
        &["PUBSUB", "NUMPAT"],
        &["PUBSUB", "SHARDCHANNELS"],
        &["PUBSUB", "SHARDNUMSUB", "a"],
        &["PUBSUB", "HELP"],
        &["PUBSUB", "bogus"],
        &["COMMAND", "INFO", "publish", "spublish", "subscribe", "sunsubscribe", "pubsub"],
        &["MODULE", "LIST"],
        &["MODULE", "LIST", "x"],
        &["MODULE", "bogus"],
        &["MODULE"],
        &["COMMAND", "INFO", "migrate", "module"],
        &["COMMAND", "GETKEYS", "MIGRATE", "127.0.0.1", "1", "a", "0", "10"],
        &["COMMAND", "GETKEYS", "MIGRATE", "127.0.0.1", "1", "", "0", "10", "COPY", "KEYS", "a", "b"],
        &["MIGRATE", "127.0.0.1", "1", "nosuchkey\u{2}", "0", "100"],
        &["MIGRATE", "127.0.0.1", "1", "a", "0", "100"],
        &["MIGRATE", "127.0.0.1", "1", "", "0", "100", "COPY", "REPLACE", "AUTH", "x", "KEYS", "a", "b"],
        &["MIGRATE", "127.0.0.1", "1", "", "0", "100", "KEYS"],
        &["MIGRATE", "127.0.0.1", "1", "a", "0", "100", "KEYS", "b"],
        &["MIGRATE", "127.0.0.1", "1", "a", "0", "100", "AUTH"],
        &["MIGRATE", "127.0.0.1", "1", "a", "0", "100", "AUTH2", "x"],
        &["MIGRATE", "127.0.0.1", "1", "a", "0", "100", "bogus"],
        &["MIGRATE", "127.0.0.1", "1", "a", "x", "100"],
        &["MIGRATE", "127.0.0.1", "1", "a", "0", "x"],
        &["MIGRATE", "127.0.0.1", "1", "a", "0"],
    ];
    if random.one_in(8) {
        let mut words = vec![b"MEMORY".to_vec(), b"USAGE".to_vec(), key(random)];
        if random.one_in(3) {
            words.extend([b"SAMPLES".to_vec(), pick(random, &["0", "5", "-1", "x"])]);
        }
        return words;
    }
    let call = random.pick(CALLS);
    call.iter().map(|word| Vec::from(*word)).collect()
}

fn key(random: &mut Random) -> Vec<u8> {
    const KEYS: &[&[u8]] = &[
        b"a",
        b"b",
        b"c",
        b"abc",
        b"key",
        b"{t}1",
        b"{t}2",
        b"{}x",
        b"",
        b"\x00\xff\r\n\x80",
        b"caf\xc3\xa9",
        b"*",
        b"k y",
        b"h1",
        b"h2",
        b"s1",
        b"l1",
        b"l2",
        b"s2",
        b"z1",
        b"z2",
    ];
    if random.one_in(40) { [b'L'; 3000].to_vec() } else { random.pick(KEYS).to_vec() }
}

/// Mostly one of the keys that hold values of one type.
fn key_of(random: &mut Random, own: &[&str]) -> Vec<u8> {
    if random.one_in(10) { key(random) } else { pick(random, own) }
}

/// Cursor and options of HSCAN and its like. A larger collection than COUNT is not met: pages are the server's choice.
fn scan_options(random: &mut Random, words: &mut Words) {
    words.push(pick(random, &["0", "0", "0", "x"]));
    words.extend([b"COUNT".to_vec(), pick(random, &["10000", "10000", "10000", "0", "x"])]);
    if random.one_in(3) {
        words.extend([b"MATCH".to_vec(), pick(random, PATTERNS)]);
    }
    if random.one_in(8) {
        words.push(pick(random, &["bogus", "TYPE"]));
    }
}

fn keys(random: &mut Random, most: usize) -> Words {
    (0..1 + random.below(most)).map(|_| key(random)).collect()
}

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(40) {
        0..=11 => pick(random, INTEGERS),
        12..=17 => pick(random, FLOATS),
        18 => vec![b'x'; 44],
        19 => vec![b'x'; 45],
        20 => {
            let length = random.below(70_000);
            vec![b'a' + random.below(26) as u8; length]
        }
        21 => {
            let length = random.below(200);
            random.bytes(length)
        }
        22 if random.one_in(10) => random.bytes(300_000),
        // What DUMP compresses: few letters, or a piece again and again.
        23..=26 => {
            let (length, letters) = (random.below(2_000), 1 + random.below(5));
            (0..length).map(|_| b'a' + random.below(letters) as u8).collect()
        }
        27 => {
            let length = 1 + random.below(400);
            let piece = random.bytes(length);
            piece.repeat(1 + random.below(60))
        }
        _ => {
            let length = random.below(12);
            (0..length).map(|_| b'a' + random.below(4) as u8).collect()
        }
    }
}

/// Anything but a time near now, where the command of this name would take it for one.
fn junk(random: &mut Random, name: &[u8]) -> Vec<u8> {
    const WITH_TIMES: &[&str] =
        &["SET", "GETEX", "SETEX", "PSETEX", "RESTORE", "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"];
    if WITH_TIMES.iter().any(|other| other.as_bytes() == name) {
        return if random.one_in(2) { key(random) } else { pick(random, &["-5", "", "abc", "1.5", "NX", "KEEPTTL"]) };
    }
    match random.below(3) {
        0 => pick(random, INTEGERS),
        1 => key(random),
        _ => value(random),
    }
}

fn pick(random: &mut Random, choices: &[&str]) -> Vec<u8> {
    random.pick(choices).as_bytes().to_vec()
}

fn random_case(random: &mut Random, name: &[u8]) -> Vec<u8> {
    name.iter()
        .map(|byte| if random.one_in(2) { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() })
        .collect()
}
