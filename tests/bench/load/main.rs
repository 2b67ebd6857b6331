//! The load that redis-benchmark does not make: filling a server with keys of a known size, and requests at a fixed
//! rate whose latency is counted from the moment they were due, so that a stall of the server is seen by every request
//! it delays. Driven by `tests/bench/redis.py` and `tests/bench/etcd.py`.
//!
//! ```text
//! load fill PORT KEYS VALUE_BYTES           SET key:%012d for numbers below KEYS; prints seconds
//! load rate PORT RATE SECONDS CONNECTIONS KEYS VALUE_BYTES
//!                                           SET of random keys; prints count p50 p99 p99.9 max in microseconds
//! load peak PORT SECONDS CONNECTIONS KEYS VALUE_BYTES
//!                                           SET as fast as the connections allow; prints requests a second
//! load published PORT SUBSCRIBERS PUBLISHERS MESSAGES_EACH VALUE_BYTES
//!                                           PUBLISH to subscribers of one channel; prints seconds until all are told
//! load watchers PORT CONNECTIONS WATCHERS_EACH EVENTS KEY_IN_HEX
//!                                           Watches of etcd's API; prints `ready`, then events and seconds
//! load stops PATH MEGABYTES                 No server: writes a file and syncs it while a thread for each processor only
//!                                           reads the clock; prints the longest time between two readings, and the sum
//!                                           of those over 5 ms for one thread, in microseconds. A virtual machine may
//!                                           be stopped by its host for what it writes; nobody in it answers meanwhile
//! ```

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "it prints its result")]

mod published;
mod watchers;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |at: usize| words[at].parse::<u64>().unwrap_or_else(|_| panic!("{} is not a number", words[at]));
    match words.first() {
        Some(&"fill") if words.len() == 4 => fill(number(1), number(2), number(3)),
        Some(&"rate") if words.len() == 7 => {
            rate(number(1), number(2), number(3), number(4), number(5), number(6));
        }
        Some(&"peak") if words.len() == 6 => peak(number(1), number(2), number(3), number(4), number(5)),
        Some(&"published") if words.len() == 6 => {
            published::published(number(1), number(2), number(3), number(4), number(5));
        }
        Some(&"watchers") if words.len() == 6 => {
            watchers::watchers(number(1), number(2), number(3), number(4), words[5])
        }
        Some(&"stops") if words.len() == 3 => stops(words[1], number(2)),
        _ => panic!("see the head of tests/bench/load/main.rs for the arguments"),
    }
}

fn connect(port: u64) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port as u16)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn set(bytes: &mut Vec<u8>, key: u64, value: &[u8]) {
    write!(bytes, "*3\r\n$3\r\nSET\r\n$16\r\nkey:{key:012}\r\n${}\r\n", value.len()).unwrap();
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}

/// Reads so many `+OK`; panics at anything else.
fn expect_ok(stream: &mut TcpStream, count: usize, buffer: &mut Vec<u8>) {
    buffer.resize(count * 5, 0);
    stream.read_exact(buffer).unwrap();
    assert!(buffer.chunks(5).all(|reply| reply == b"+OK\r\n"), "{}", buffer[..buffer.len().min(200)].escape_ascii());
}

fn fill(port: u64, keys: u64, value_bytes: u64) {
    const PIPELINE: u64 = 500;
    let start = Instant::now();
    let value = vec![b'v'; value_bytes as usize];
    let mut stream = connect(port);
    let (mut bytes, mut replies) = (Vec::new(), Vec::new());
    let mut from = 0;
    while from < keys {
        let to = (from + PIPELINE).min(keys);
        bytes.clear();
        for key in from..to {
            set(&mut bytes, key, &value);
        }
        stream.write_all(&bytes).unwrap();
        expect_ok(&mut stream, (to - from) as usize, &mut replies);
        from = to;
    }
    println!("{:.3}", start.elapsed().as_secs_f64());
}

/// The next of a stream of numbers (SplitMix64), for keys that repeat in every run.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn rate(port: u64, rate: u64, seconds: u64, connections: u64, keys: u64, value_bytes: u64) {
    let total = rate * seconds / connections;
    let interval = Duration::from_nanos(1_000_000_000 * connections / rate);
    let start = Instant::now() + Duration::from_millis(100);
    let threads: Vec<_> = (0..connections)
        .map(|number| {
            // The connections take turns instead of sending all at once.
            let first = start + interval.mul_f64(number as f64 / connections as f64);
            std::thread::spawn(move || paced(port, first, interval, total, (number, keys, value_bytes)))
        })
        .collect();
    let mut micros: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    micros.sort_unstable();
    let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize];
    println!("{} {} {} {} {}", micros.len(), at(0.5), at(0.99), at(0.999), at(1.0));
}

/// One connection's requests, each due at its own moment; microseconds from due to answered.
fn paced(port: u64, first: Instant, interval: Duration, total: u64, shape: (u64, u64, u64)) -> Vec<u64> {
    let (mut state, keys, value_bytes) = shape;
    let value = vec![b'v'; value_bytes as usize];
    let mut stream = connect(port);
    let (mut bytes, mut replies) = (Vec::new(), Vec::new());
    let mut micros = Vec::with_capacity(total as usize);
    let mut sent = 0;
    while sent < total {
        let due = first + interval.mul_f64(sent as f64);
        if let Some(early) = due.checked_duration_since(Instant::now()) {
            std::thread::sleep(early);
        }
        // What is overdue goes out together: a closed loop would hide how many requests a stall holds up.
        let now = Instant::now();
        let behind = (now.saturating_duration_since(first).as_nanos() / interval.as_nanos().max(1)) as u64 + 1;
        let until = behind.clamp(sent + 1, total).min(sent + 256);
        bytes.clear();
        for _ in sent..until {
            set(&mut bytes, next(&mut state) % keys, &value);
        }
        stream.write_all(&bytes).unwrap();
        expect_ok(&mut stream, (until - sent) as usize, &mut replies);
        let answered = Instant::now();
        micros.extend((sent..until).map(|request| {
            answered.saturating_duration_since(first + interval.mul_f64(request as f64)).as_micros() as u64
        }));
        sent = until;
    }
    micros
}

fn peak(port: u64, seconds: u64, connections: u64, keys: u64, value_bytes: u64) {
    let end = Instant::now() + Duration::from_secs(seconds);
    let threads: Vec<_> = (0..connections)
        .map(|number| {
            std::thread::spawn(move || {
                let value = vec![b'v'; value_bytes as usize];
                let mut stream = connect(port);
                let (mut bytes, mut replies, mut state, mut count) = (Vec::new(), Vec::new(), number, 0u64);
                while Instant::now() < end {
                    bytes.clear();
                    set(&mut bytes, next(&mut state) % keys, &value);
                    stream.write_all(&bytes).unwrap();
                    expect_ok(&mut stream, 1, &mut replies);
                    count += 1;
                }
                count
            })
        })
        .collect();
    let count: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("{}", count / seconds.max(1));
}

fn stops(path: &str, megabytes: u64) {
    let done = AtomicBool::new(false);
    let processors = std::thread::available_parallelism().unwrap().get();
    let found: Vec<(u128, u128)> = std::thread::scope(|scope| {
        let watchers: Vec<_> = (0..processors).map(|_| scope.spawn(|| watch_clock(&done))).collect();
        // Twice, since new blocks and blocks that are there are not the same work.
        for fill in [1, 2] {
            write_and_sync(path, megabytes, fill);
        }
        done.store(true, Ordering::Relaxed);
        watchers.into_iter().map(|watcher| watcher.join().unwrap()).collect()
    });
    std::fs::remove_file(path).unwrap();
    let longest = found.iter().map(|(longest, _)| longest).max().unwrap();
    println!("{longest} {}", found[0].1);
}

fn watch_clock(done: &AtomicBool) -> (u128, u128) {
    let (mut longest, mut sum) = (0, 0);
    let mut last = Instant::now();
    while !done.load(Ordering::Relaxed) {
        let now = Instant::now();
        let micros = (now - last).as_micros();
        longest = longest.max(micros);
        if micros > 5000 {
            sum += micros;
        }
        last = now;
    }
    (longest, sum)
}

fn write_and_sync(path: &str, megabytes: u64, fill: u8) {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).unwrap();
    let block = vec![fill; 1 << 20];
    for _ in 0..megabytes {
        file.write_all(&block).unwrap();
    }
    file.sync_data().unwrap();
}
