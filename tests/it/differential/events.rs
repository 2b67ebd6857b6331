//! What keyspace notifications say: the same random requests go to two servers, and a subscriber of each hears the same
//! events in the same order.

use crate::random::Random;
use crate::server::Server;
use crate::wire::{Wire, request, show};

use super::generator::{self, Words};
use super::rule;

/// Commands that are left out: they wait, close, change how events are told, choose by chance, meet keys that are due as
/// each server likes, look at their other words before the key, or make a consumer before they know whether it gets anything,
/// as Redis did not yet in 7.0.
const NOT_SENT: &[&str] = &[
    "acl",
    "auth",
    "bitcount",
    "bitpos",
    "client",
    "config",
    "debug",
    "hello",
    "keys",
    "memory",
    "migrate",
    "psubscribe",
    "quit",
    "randomkey",
    "reset",
    "scan",
    "select",
    "shutdown",
    "spop",
    "ssubscribe",
    "subscribe",
    "swapdb",
    "xautoclaim",
    "xclaim",
    "xreadgroup",
];
/// The channel that says which request the events before it belong to.
const MARK: &[u8] = b"__key:mark";

/// The requests that follow from a seed.
pub(super) fn requests(seed: u64) -> Vec<Words> {
    let mut random = Random::new(seed);
    let count = 100 + random.below(200);
    std::iter::repeat_with(|| generator::request(&mut random))
        .filter(|words| {
            let name = String::from_utf8_lossy(&words[0]).to_ascii_lowercase();
            !NOT_SENT.contains(&name.as_str())
        })
        .take(count)
        .collect()
}

/// What a request leads to.
struct Heard {
    reply: Vec<u8>,
    messages: Vec<String>,
}

fn hear(server: &Server, requests: &[Words]) -> Vec<Heard> {
    let mut marker = server.connect();
    for words in [
        &[&b"FLUSHALL"[..]][..],
        &[b"CONFIG", b"SET", b"notify-keyspace-events", b"KEAnm"],
        &[b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0"],
    ] {
        marker.call(words).unwrap();
    }
    let mut listener = server.connect();
    listener.call(&[b"PSUBSCRIBE", b"__key*"]).unwrap();
    let mut wire = server.connect();
    let mut heard = Vec::new();
    for words in requests {
        wire.send(&request(words)).unwrap();
        let reply = wire.reply().unwrap();
        marker.call(&[b"PUBLISH", MARK, b""]).unwrap();
        heard.push(Heard { reply, messages: messages(&mut listener) });
    }
    heard
}

/// What came before the next mark.
fn messages(listener: &mut Wire) -> Vec<String> {
    let mut messages = Vec::new();
    loop {
        let message = listener.reply().unwrap();
        if message.windows(MARK.len()).any(|window| window == MARK) {
            return messages;
        }
        messages.push(show(&message));
    }
}

/// The first request whose events differ, with those before it.
pub(super) fn difference(peer: &Server, ours: &Server, requests: &[Words]) -> Option<String> {
    let (peers, own) = (hear(peer, requests), hear(ours, requests));
    let stale = |at: usize| rule::is_stale_error(&requests[at], &peers[at].reply, &own[at].reply);
    let differs = |at: usize| !same(&requests[at], &peers[at].messages, &own[at].messages);
    // What follows an error that Redis took from another request may differ with right.
    let at = (0..requests.len()).find(|at| stale(*at) || differs(*at)).filter(|at| !stale(*at))?;
    let shown: Vec<String> = requests[..=at].iter().map(|words| format!("  {}", show(&words.join(&b' ')))).collect();
    Some(format!("{}\n  redis:  {:#?}\n  ennead: {:#?}\n", shown.join("\n"), peers[at].messages, own[at].messages))
}

/// SORT looks at keys in the order of a hash table, if it sorts a set or a sorted set.
fn same(words: &Words, peers: &[String], own: &[String]) -> bool {
    let in_order = |messages: &[String]| {
        let mut messages = messages.to_vec();
        messages.sort();
        messages
    };
    let sorts = words[0].to_ascii_lowercase().starts_with(b"sort");
    if sorts { in_order(peers) == in_order(own) } else { peers == own }
}

/// A shorter run of requests that differs as well.
pub(super) fn shrink(peer: &Server, ours: &Server, mut requests: Vec<Words>) -> Vec<Words> {
    let mut step = requests.len() / 2;
    while step > 0 {
        let mut at = 0;
        while at < requests.len() {
            let mut candidate = requests.clone();
            candidate.drain(at..(at + step).min(candidate.len()));
            if difference(peer, ours, &candidate).is_some() {
                requests = candidate;
            } else {
                at += step;
            }
        }
        step /= 2;
    }
    requests
}
