//! A random sequence of requests, run on two servers at once, and made shorter once their replies differ.

use std::io;
use std::sync::LazyLock;

use crate::random::Random;
use crate::server::Server;
use crate::wire::{self, Reply, Wire, show};

use super::generator::{self, Words};
use super::rule;

/// Connections of one sequence: the first starts in RESP2, the second in RESP3, the third in RESP2.
const CONNECTIONS: usize = 3;

/// Requests sent on one connection before the first reply is read.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    connection: usize,
    requests: Vec<Words>,
    /// Where the bytes are cut into several sends, as parts of their length in 1/256.
    cuts: Vec<u8>,
}

/// The first replies that differ.
#[derive(Debug)]
pub(super) struct Difference {
    batch: usize,
    request: Words,
    peers: Vec<u8>,
    ours: Vec<u8>,
}

impl Difference {
    /// Differences of one kind are told once: the command and the first bytes of both replies.
    pub(super) fn kind(&self) -> String {
        let name = self.request.first().map(|name| name.to_ascii_lowercase()).unwrap_or_default();
        let start = |reply: &[u8]| show(&reply[..reply.len().min(12)]);
        format!("{} {} {}", show(&name), start(&self.peers), start(&self.ours))
    }
}

/// The sequence that follows from a seed.
pub(super) fn generate(seed: u64) -> Vec<Batch> {
    let mut random = Random::new(seed);
    let count = 20 + random.below(80);
    (0..count).map(|_| batch(&mut random)).collect()
}

fn batch(random: &mut Random) -> Batch {
    let connection = random.below(CONNECTIONS);
    let count = if random.one_in(3) { 1 + random.below(20) } else { 1 };
    let mut requests: Vec<Words> = Vec::new();
    for _ in 0..count {
        let request = generator::request(random);
        if skipped(&request) {
            continue;
        }
        // A scan goes on until it is complete, so it stands alone.
        if is_scan(&request) && count > 1 {
            continue;
        }
        requests.push(request);
    }
    let cuts = if random.one_in(6) { (0..random.below(6)).map(|_| random.next() as u8).collect() } else { Vec::new() };
    Batch { connection, requests, cuts }
}

/// Whether the run is to look past differences of the command.
fn skipped(request: &Words) -> bool {
    static NAMES: LazyLock<String> = LazyLock::new(|| std::env::var("ENNEAD_DIFFERENTIAL_SKIP").unwrap_or_default());
    NAMES.split(',').any(|name| name.as_bytes().eq_ignore_ascii_case(&request[0]) && !name.is_empty())
}

/// Runs a sequence from an empty state and finds the first difference.
pub(super) fn run(peer: &Server, ours: &Server, batches: &[Batch]) -> Option<Difference> {
    reset(peer);
    reset(ours);
    let mut connections: Vec<(Wire, Wire)> =
        (0..CONNECTIONS).map(|number| (open(peer, number), open(ours, number))).collect();
    for (number, batch) in batches.iter().enumerate() {
        let (left, right) = &mut connections[batch.connection];
        let peers = exchange(left, batch);
        let own = exchange(right, batch);
        for ((request, peers), ours) in batch.requests.iter().zip(&peers).zip(&own) {
            if rule::is_stale_error(request, peers, ours) {
                // What follows may differ with right.
                return None;
            }
            if !rule::same(request, peers, ours) {
                return Some(Difference {
                    batch: number,
                    request: request.clone(),
                    peers: peers.clone(),
                    ours: ours.clone(),
                });
            }
        }
        if peers.last().is_some_and(|reply| reply.is_empty()) {
            connections[batch.connection] = (open(peer, batch.connection), open(ours, batch.connection));
        }
    }
    None
}

/// The shortest sequence found that still makes a difference, single requests before batches.
pub(super) fn shrink(
    peer: &Server,
    ours: &Server,
    batches: Vec<Batch>,
    difference: Difference,
) -> (Vec<Batch>, Difference) {
    let mut best = (batches, difference);
    best.0.truncate(best.1.batch + 1);
    let single: Vec<Batch> = best
        .0
        .iter()
        .flat_map(|batch| {
            batch.requests.iter().map(|words| Batch {
                connection: batch.connection,
                requests: vec![words.clone()],
                cuts: Vec::new(),
            })
        })
        .collect();
    try_shorter(peer, ours, single, &mut best);
    let mut step = best.0.len() / 2;
    while step > 0 {
        let mut at = 0;
        while at < best.0.len() {
            let mut candidate = best.0.clone();
            candidate.drain(at..(at + step).min(candidate.len()));
            if !try_shorter(peer, ours, candidate, &mut best) {
                at += step;
            }
        }
        step /= 2;
    }
    best
}

fn try_shorter(peer: &Server, ours: &Server, candidate: Vec<Batch>, best: &mut (Vec<Batch>, Difference)) -> bool {
    let Some(difference) = run(peer, ours, &candidate) else { return false };
    *best = (candidate, difference);
    best.0.truncate(best.1.batch + 1);
    true
}

/// The sequence and its difference for a reader.
pub(super) fn describe(batches: &[Batch], difference: &Difference) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for batch in batches {
        for request in &batch.requests {
            let words: Vec<String> = request.iter().map(|word| format!("\"{}\"", show(word))).collect();
            let _ = writeln!(text, "  [{}] {}", batch.connection, words.join(" "));
        }
        if batch.requests.len() > 1 || !batch.cuts.is_empty() {
            let _ = writeln!(text, "      (sent together, cut at {:?})", batch.cuts);
        }
    }
    let words: Vec<String> = difference.request.iter().map(|word| show(word)).collect();
    let _ = writeln!(text, "  request: {}", words.join(" "));
    let _ = writeln!(text, "  redis:   {}", shown_reply(&difference.peers));
    let _ = writeln!(text, "  ennead:  {}", shown_reply(&difference.ours));
    text
}

fn shown_reply(reply: &[u8]) -> String {
    if reply.is_empty() { "(connection closed)".into() } else { show(reply) }
}

fn reset(server: &Server) {
    let mut wire = server.connect();
    for words in [
        &[&b"FLUSHALL"[..]][..],
        &[b"CONFIG", b"SET", b"slowlog-max-len", b"128"],
        &[b"SLOWLOG", b"RESET"],
        &[b"LATENCY", b"RESET"],
        &[b"ACL", b"DELUSER", b"ann", b"bob"],
        &[b"ACL", b"SETUSER", b"ann"],
        &[b"ACL", b"LOG", b"RESET"],
    ] {
        // A server that lacks one of these is found by the sequences.
        wire.call(words).unwrap();
    }
}

fn open(server: &Server, number: usize) -> Wire {
    let mut wire = server.connect();
    if number == 1 {
        wire.call(&[b"HELLO", b"3"]).unwrap();
    }
    wire
}

/// Sends a batch and reads one reply for each request; an empty one where the server has closed the connection.
fn exchange(wire: &mut Wire, batch: &Batch) -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = batch.requests.iter().flat_map(|words| wire::request(words)).collect();
    // A server that closes in the middle makes the send fail; what it had answered is still read.
    let _ = send(wire, &bytes, &batch.cuts);
    let mut replies: Vec<Vec<u8>> = Vec::new();
    for words in &batch.requests {
        let mut reply = match wire.reply() {
            Ok(reply) => reply,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Vec::new(),
            Err(error) => panic!("no reply to {}: {error}", show(&words.join(&b' '))),
        };
        if batch.requests.len() == 1
            && is_scan(words)
            && reply.starts_with(b"*")
            && words.get(1).is_some_and(|cursor| cursor == b"0")
        {
            reply = whole_scan(wire, words, reply);
        }
        replies.push(reply);
    }
    replies
}

fn send(wire: &mut Wire, bytes: &[u8], cuts: &[u8]) -> io::Result<()> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| bytes.len() * usize::from(*cut) / 256).collect();
    places.sort_unstable();
    let mut start = 0;
    for place in places.into_iter().chain([bytes.len()]) {
        wire.send(&bytes[start..place])?;
        start = place;
    }
    Ok(())
}

fn is_scan(words: &Words) -> bool {
    words.first().is_some_and(|name| name.eq_ignore_ascii_case(b"scan"))
}

/// Follows a scan's cursors to the end. Its keys, sorted and each once (a scan may repeat), as the bytes to compare.
fn whole_scan(wire: &mut Wire, words: &Words, first: Vec<u8>) -> Vec<u8> {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let mut reply = wire::parse(&first);
    loop {
        let Reply::List(parts) = &reply else { panic!("not a reply to SCAN: {reply:?}") };
        let [Reply::Bulk(cursor), Reply::List(page)] = parts.as_slice() else {
            panic!("not a reply to SCAN: {reply:?}")
        };
        for key in page {
            let Reply::Bulk(key) = key else { panic!("not a key: {key:?}") };
            keys.push(key.clone());
        }
        if cursor == b"0" {
            break;
        }
        let mut next = words.clone();
        next[1] = cursor.clone();
        wire.send(&wire::request(&next)).unwrap();
        reply = wire::parse(&wire.reply().unwrap());
    }
    keys.sort();
    keys.dedup();
    let mut bytes = b"*scanned\r\n".to_vec();
    for key in keys {
        bytes.extend_from_slice(&key);
        bytes.push(b'\n');
    }
    bytes
}
