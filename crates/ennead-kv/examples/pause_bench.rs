//! How long a GET waits at most while a collection of a million members is deleted, replaced or flushed by another
//! thread, and how long that takes itself.
//!
//! `cargo run --release -p ennead-kv --example pause_bench -- [MEMBERS] [DIRECTORY]`

#![expect(clippy::print_stdout, reason = "its purpose")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ennead_kv::{Args, Call, Keyspace, KvOptions, Recorded, command};
use ennead_store::{Options, Pressure, Store};

/// As the daemon has.
#[cfg(target_env = "gnu")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

const NOW_MS: u64 = 1_700_000_000_000;
/// Members added by one command.
const BATCH: usize = 500;
const KINDS: [&str; 4] = ["set", "hash", "zset", "list"];
/// What is done to a key; nothing, to know what the machine does of its own.
const WAYS: [&str; 6] = ["nothing", "del", "set", "sunionstore", "pexpire", "flushall"];

fn run(keyspace: &Keyspace, words: &[&[u8]]) -> Outcome {
    let mut buffer = Vec::new();
    let mut spans = Vec::new();
    for word in words {
        spans.push(buffer.len()..buffer.len() + word.len());
        buffer.extend_from_slice(word);
    }
    let name = String::from_utf8_lossy(words[0]).into_owned();
    let command = command(&name).ok_or("no such command")?;
    let call = Call { now_ms: NOW_MS, seed: 7, ..Call::default() };
    keyspace.execute(command, &call, Args::new(&buffer, &spans), &mut Recorded::new(2))?;
    Ok(())
}

fn fill(store: &Store, keyspace: &Keyspace, kind: &str, members: usize) -> Outcome {
    for first in (0..members).step_by(BATCH) {
        let names: Vec<String> = (first..members.min(first + BATCH)).map(|n| format!("member:{n:012}")).collect();
        let command = match kind {
            "set" => "sadd",
            "hash" => "hset",
            "zset" => "zadd",
            _ => "rpush",
        };
        let mut words: Vec<&[u8]> = vec![command.as_bytes(), b"big"];
        for name in &names {
            match kind {
                "hash" => words.extend([name.as_bytes(), b"value"]),
                "zset" => words.extend([&b"1"[..], name.as_bytes()]),
                _ => words.push(name.as_bytes()),
            }
        }
        run(keyspace, &words)?;
        store.hand_over(store.committed())?;
        while let Pressure::Stopped | Pressure::Slow(_) = store.pressure() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// The longest of the GETs made until `stop`, how many took longer than a millisecond, and how many there were.
fn reads(keyspace: &Keyspace, stop: &AtomicBool) -> (Duration, u64, u64) {
    let (mut longest, mut slow, mut count) = (Duration::ZERO, 0, 0);
    while !stop.load(Relaxed) {
        let key = format!("small:{}", count % 1000);
        let start = Instant::now();
        if run(keyspace, &[b"get", key.as_bytes()]).is_err() {
            break;
        }
        let took = start.elapsed();
        longest = longest.max(took);
        slow += u64::from(took > Duration::from_millis(1));
        count += 1;
    }
    (longest, slow, count)
}

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let members: usize = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let directory = arguments.next().map_or_else(|| std::env::temp_dir().join("ennead-pause-bench"), PathBuf::from);
    drop(std::fs::remove_dir_all(&directory));
    let store = Store::open(Options::new(&directory))?;
    let keyspace = Keyspace::open(store.clone(), KvOptions::default())?;
    println!(
        "{members} members; how long it took, the longest GET meanwhile and 300 ms after, GETs over 1 ms of how many"
    );
    for kind in KINDS {
        for way in WAYS {
            fill(&store, &keyspace, kind, members)?;
            for number in 0..1000 {
                run(&keyspace, &[b"set", format!("small:{number}").as_bytes(), b"value"])?;
            }
            std::thread::sleep(Duration::from_millis(500));
            let stop = AtomicBool::new(false);
            let (took, (longest, slow, count)) = std::thread::scope(|scope| -> Outcome<_> {
                let reader = scope.spawn(|| reads(&keyspace, &stop));
                std::thread::sleep(Duration::from_millis(50));
                let start = Instant::now();
                let words: &[&[u8]] = match way {
                    "nothing" => &[b"exists", b"big"],
                    "del" => &[b"del", b"big"],
                    "set" => &[b"set", b"big", b"small"],
                    "sunionstore" => &[b"sunionstore", b"big", b"none"],
                    "pexpire" => &[b"pexpire", b"big", b"-1"],
                    _ => &[b"flushall"],
                };
                let outcome = run(&keyspace, words);
                let took = start.elapsed();
                std::thread::sleep(Duration::from_millis(300));
                stop.store(true, Relaxed);
                outcome?;
                Ok((took, reader.join().unwrap_or_default()))
            })?;
            println!("{kind:>5} {way:<12} {took:>12.1?} {longest:>12.1?} {slow:>4} of {count}");
            run(&keyspace, &[b"del", b"big"])?;
        }
    }
    drop(keyspace);
    store.close()?;
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}
