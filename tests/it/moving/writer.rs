//! Somebody who writes to a server all the time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use crate::random::Random;
use crate::server::Server;
use crate::wait;
use crate::wire::request;

/// Writes that must have happened before the next thing does.
const WRITES: u64 = 2000;

/// Keys of every type change all the time, in several databases, alone and in transactions.
pub(super) struct Writer {
    stop: AtomicBool,
    pub(super) done: AtomicU64,
}

impl Writer {
    pub(super) fn new() -> Writer {
        Writer { stop: AtomicBool::new(false), done: AtomicU64::new(0) }
    }

    pub(super) fn run(&self, source: &Server, seed: u64) {
        let mut wire = source.connect();
        let mut random = Random::new(seed);
        while !self.stop.load(SeqCst) {
            let pipeline: Vec<Vec<String>> = (0..=random.below(20)).flat_map(|_| commands(&mut random)).collect();
            let bytes: Vec<u8> = pipeline.iter().flat_map(|words| request(words)).collect();
            wire.send(&bytes).unwrap();
            for _ in &pipeline {
                wire.reply().unwrap();
            }
            self.done.fetch_add(pipeline.len() as u64, SeqCst);
        }
    }

    pub(super) fn wait_for_writes(&self) {
        let end = self.done.load(SeqCst) + WRITES;
        wait::until("writes", || (self.done.load(SeqCst) >= end).then_some(()));
    }
}

/// Also when the test fails: the scope of the threads waits for them.
pub(super) struct StopAtEnd<'w>(pub(super) &'w Writer);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, SeqCst);
    }
}

fn commands(random: &mut Random) -> Vec<Vec<String>> {
    if random.one_in(10) {
        let some: Vec<Vec<String>> = (0..=random.below(4)).map(|_| command(random)).collect();
        return [vec![words("MULTI")], some, vec![words("EXEC")]].concat();
    }
    vec![command(random)]
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn command(random: &mut Random) -> Vec<String> {
    let n = random.below(100);
    let m = random.below(1000);
    words(&match random.below(25) {
        0 => format!("SET string:{n} value{m}"),
        1 => format!("INCRBY counter:{n} {m}"),
        2 => format!("APPEND text:{n} more{m}"),
        3 => format!("LPUSH list:{n} {m} item{m}"),
        4 => format!("RPOP list:{n}"),
        5 => format!("SADD set:{n} {m} member{m}"),
        6 => format!("SPOP set:{n}"),
        7 => format!("HSET hash:{n} field{m} {m}"),
        8 => format!("HINCRBYFLOAT hash:{n} sum 0.{m}"),
        9 => format!("ZADD zset:{n} {m} member{m}"),
        10 => format!("ZINCRBY zset:{n} 1.5 member{m}"),
        11 => format!("ZPOPMIN zset:{n}"),
        12 => format!("DEL string:{n} list:{m}"),
        13 => format!("PEXPIRE string:{n} {}", 1 + m % 50),
        14 => format!("EXPIRE hash:{n} 100000"),
        15 => format!("SETEX brief:{n} 100000 {m}"),
        16 => format!("RENAME string:{n} string:{}", m % 100),
        17 => format!("SETRANGE text:{n} {m} x"),
        18 => format!("LMOVE list:{n} list:{} LEFT RIGHT", m % 100),
        19 => format!("SUNIONSTORE set:{n} set:{} set:{}", m % 100, m % 7),
        20 => format!("SELECT {}", random.below(3)),
        21 => format!("COPY zset:{n} copy:{n} REPLACE DB 1"),
        22 => format!("PERSIST hash:{n}"),
        23 => format!("SETBIT bits:{n} {m} 1"),
        _ => format!("PFADD unique:{n} {m}"),
    })
}
