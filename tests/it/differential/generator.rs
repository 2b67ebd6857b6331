//! Random requests over every command in scope: mostly well formed, some with a word too few, too many or exchanged,
//! numbers at the edges of their types, keys and values of any bytes. Expiry times are far ahead or past, never near:
//! two servers asked one after the other may differ about a moment.

mod acl;

use crate::random::Random;

mod bitmaps;
mod geo;
mod hashes;
mod hyperloglog;
mod keyspace;
mod lists;
mod server;
mod sets;
mod sort;
mod sorted_sets;
mod streams;
mod strings;

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
        // The key "*" in the place of an id would ask for one by the clock.
        if words[0] == b"XADD" {
            words.iter_mut().skip(2).filter(|word| *word == b"*").for_each(|word| word.push(b'*'));
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
        0..=11 => strings::set(random),
        12..=39 => strings::string(random),
        40..=47 => bitmaps::request(random),
        48..=69 => keyspace::generic(random),
        70..=81 => keyspace::expiry(random),
        82..=87 => keyspace::databases(random),
        88..=94 => server::connection(random),
        95 if random.one_in(2) => acl::request(random),
        _ => server::server(random),
    }
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

fn with_option(random: &mut Random, name: &str, options: &[&str]) -> Words {
    let mut words = vec![Vec::from(name)];
    if random.one_in(2) {
        words.push(pick(random, options));
    }
    words
}

fn pick(random: &mut Random, choices: &[&str]) -> Vec<u8> {
    random.pick(choices).as_bytes().to_vec()
}

fn random_case(random: &mut Random, name: &[u8]) -> Vec<u8> {
    name.iter()
        .map(|byte| if random.one_in(2) { byte.to_ascii_lowercase() } else { byte.to_ascii_uppercase() })
        .collect()
}
