//! What one server dumps the other restores: every encoding of redis-server, and what the daemon writes.

use super::content::{assert_same, content, fill};
use crate::server::Server;
use crate::wire::{Reply, Wire};

/// Moves all keys of database 0.
fn restore_all(from: &mut Wire, to: &mut Wire) {
    let Reply::List(keys) = from.call(&[b"KEYS", b"*"]).unwrap() else { panic!("KEYS gives a list") };
    for key in keys {
        let Reply::Bulk(key) = key else { panic!("a key: {key:?}") };
        let Reply::Bulk(payload) = from.call(&[b"DUMP", &key]).unwrap() else { panic!("DUMP gives a string") };
        let Reply::Integer(deadline) = from.call(&[b"PEXPIRETIME", &key]).unwrap() else { panic!("PEXPIRETIME") };
        let deadline = deadline.max(0).to_string();
        let reply = to.call(&[b"RESTORE", &key, deadline.as_bytes(), &payload, b"ABSTTL"]).unwrap();
        assert_eq!(reply, Reply::Simple(b"OK".to_vec()), "{}", key.escape_ascii());
    }
}

fn encodings(wire: &mut Wire) -> Vec<(Vec<u8>, Reply)> {
    let Reply::List(keys) = wire.call(&[b"KEYS", b"*"]).unwrap() else { panic!("KEYS gives a list") };
    let mut found = Vec::new();
    for key in keys {
        let Reply::Bulk(key) = key else { panic!("a key: {key:?}") };
        let encoding = wire.call(&[b"OBJECT", b"ENCODING", &key]).unwrap();
        found.push((key, encoding));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[test]
fn payloads_move_both_ways_in_every_encoding() {
    let Some(redis) = Server::redis(&[]) else { return };
    let ours = Server::subject(&[]);
    let (mut redis, mut ours) = (redis.connect(), ours.connect());
    fill(&mut redis);
    redis.call(&[b"SELECT", b"3"]).unwrap();
    redis.call(&[b"FLUSHDB"]).unwrap();
    // 7.0 knows no listpack of a set and no listpack of a whole list; all else must be there, or nothing is shown here.
    let forms: Vec<Reply> = encodings(content_of_zero(&mut redis)).into_iter().map(|(_, form)| form).collect();
    for form in ["int", "embstr", "raw", "listpack", "quicklist", "intset", "hashtable", "skiplist"] {
        assert!(forms.contains(&Reply::Bulk(form.into())), "no {form} in {forms:?}");
    }
    restore_all(&mut redis, &mut ours);
    let expected = content(&mut redis);
    assert_same(&content(&mut ours), &expected);
    redis.call(&[b"FLUSHALL"]).unwrap();
    restore_all(&mut ours, &mut redis);
    assert_same(&content(&mut redis), &expected);
}

/// The same connection, in database 0.
fn content_of_zero(wire: &mut Wire) -> &mut Wire {
    wire.call(&[b"SELECT", b"0"]).unwrap();
    wire
}

/// Payloads that redis-server refuses when it looks closely are refused with the same words, and so is all damage that it
/// would notice only then.
#[test]
fn damaged_payloads_are_refused_with_the_words_of_redis() {
    let Some(redis) = Server::redis(&["--sanitize-dump-payload", "yes"]) else { return };
    let ours = Server::subject(&[]);
    let (mut redis, mut ours) = (redis.connect(), ours.connect());
    fill(&mut redis);
    let seed = crate::random::setting("ENNEAD_SEED").unwrap_or(7);
    let mut random = crate::random::Random::new(seed);
    let keys: [&[u8]; 8] = [
        b"list small",
        b"set small",
        b"intset small",
        b"hash small",
        b"zset small",
        b"infinite",
        b"wide",
        b"compressible",
    ];
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..2000 {
        let key = *random.pick(&keys);
        let Reply::Bulk(mut payload) = redis.call(&[b"DUMP", key]).unwrap() else { panic!("DUMP gives a string") };
        payload.truncate(payload.len() - 8);
        let end = payload.len() - 2;
        for _ in 0..=random.below(2) {
            let at = random.below(end);
            payload[at] = random.next() as u8;
        }
        let checksum = crc64(&payload);
        payload.extend_from_slice(&checksum.to_le_bytes());
        let words: [&[u8]; 5] = [b"RESTORE", b"copy", b"0", &payload, b"REPLACE"];
        let (theirs, mine) = (redis.call(&words).unwrap(), ours.call(&words).unwrap());
        let what = || format!("seed {seed} round {round}: {}", payload.escape_ascii());
        match (&theirs, &mine) {
            (Reply::Simple(_), Reply::Simple(_)) => {
                accepted += 1;
                let read = |wire: &mut Wire| {
                    let all = content(wire);
                    all.into_iter().filter(|((db, key), _)| *db == 0 && key == b"copy").collect()
                };
                // Redis leaves a sorted set in the order of its payload, damaged or not.
                if accepted % 20 == 0 && !key.starts_with(b"zset") && key != b"infinite" {
                    assert_same(&read(&mut ours), &read(&mut redis));
                }
            }
            (Reply::Error(theirs), Reply::Error(mine)) => {
                refused += 1;
                assert_eq!(theirs, mine, "{}", what());
            }
            // We look closer still: what is not as anybody writes it is refused.
            (Reply::Simple(_), Reply::Error(mine)) => assert_eq!(mine, b"ERR Bad data format", "{}", what()),
            _ => panic!("{theirs:?} but {mine:?}: {}", what()),
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
}

/// The checksum of payloads, bit by bit.
fn crc64(bytes: &[u8]) -> u64 {
    let polynomial = 0xad93_d235_94c9_35a9u64.reverse_bits();
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u64::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ polynomial } else { crc >> 1 })
    })
}
