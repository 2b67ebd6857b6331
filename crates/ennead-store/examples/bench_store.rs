//! The store's side of `make bench-store`: RocksDB's `db_bench` workloads with the same keys, values and sync settings.
//!
//! `bench_store BENCHMARK --db DIR [--num N] [--threads N] [--reads N] [--seek-nexts N] [--sync 0|1] [--existing 0|1]`
//! prints one line as db_bench does. Keys are 16 bytes, values 100, drawn at random out of `num`.
#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ennead_store::{Durability, Options, Result, Store, Table, TableKind, WriteBatch};

const KEY_BYTES: usize = 16;
const VALUE_BYTES: usize = 100;

#[derive(Clone)]
struct Plan {
    store: Store,
    table: Table,
    keys: u64,
    threads: u64,
    reads: u64,
    nexts: u64,
    durability: Durability,
}

struct Random(u64);

impl Random {
    /// Each benchmark and thread draws its own keys: reads in the order of the writes would be too easy.
    fn new(benchmark: &str, thread: u64) -> Random {
        let name = benchmark.bytes().fold(thread + 1, |hash, byte| hash.wrapping_mul(0x100_0193) ^ u64::from(byte));
        let mixed = name.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Random((mixed ^ mixed >> 29) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn key(&mut self, keys: u64) -> [u8; KEY_BYTES] {
        let mut key = [b'0'; KEY_BYTES];
        key[..8].copy_from_slice(&(self.next() % keys).to_be_bytes());
        key
    }
}

/// Bytes to cut values from, so that making one costs nothing.
fn value_pool(random: &mut Random) -> Vec<u8> {
    (0..1 << 20).map(|_| random.next() as u8).collect()
}

fn fill(plan: &Plan, mut random: Random, stop: Option<&AtomicBool>) -> Result<u64> {
    let pool = value_pool(&mut random);
    let mut batch = WriteBatch::new();
    let mut done = 0;
    while stop.map_or(done < plan.keys, |stop| !stop.load(Ordering::Relaxed)) {
        let at = done as usize * VALUE_BYTES % (pool.len() - VALUE_BYTES);
        batch.clear();
        batch.put(plan.table, &random.key(plan.keys), &pool[at..at + VALUE_BYTES]);
        plan.store.write(&batch, plan.durability)?;
        done += 1;
    }
    Ok(done)
}

fn read(plan: &Plan, mut random: Random) -> Result<(u64, u64)> {
    let mut found = 0;
    for _ in 0..plan.reads {
        found += u64::from(plan.store.get(plan.table, &random.key(plan.keys))?.is_some());
    }
    Ok((plan.reads, found))
}

fn seek(plan: &Plan, mut random: Random) -> Result<(u64, u64)> {
    let mut bytes = 0;
    let mut found = 0;
    for _ in 0..plan.reads {
        let key = random.key(plan.keys);
        let mut iter = plan.store.snapshot().iter(plan.table, b"", None);
        iter.seek(&key);
        found += u64::from(iter.valid() && iter.key() == key);
        for _ in 0..plan.nexts {
            if !iter.valid() {
                break;
            }
            bytes += iter.value().len() + iter.key().len();
            iter.next();
        }
        iter.status()?;
    }
    std::hint::black_box(bytes);
    Ok((plan.reads, found))
}

/// Runs `body` on each thread with its number; operations, hits, and the time from first to last.
fn timed(threads: u64, body: impl Fn(u64) -> Result<(u64, u64)> + Sync) -> Result<(u64, u64, Duration)> {
    let start = Instant::now();
    let (mut operations, mut found) = (0, 0);
    std::thread::scope(|scope| -> Result<()> {
        let body = &body;
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || body(thread))).collect();
        for worker in workers {
            let (done, hits) = worker
                .join()
                .unwrap_or_else(|_| Err(ennead_store::Error::Invalid("a benchmark thread panicked".into())))?;
            operations += done;
            found += hits;
        }
        Ok(())
    })?;
    Ok((operations, found, start.elapsed()))
}

fn read_while_writing(plan: &Plan) -> Result<(u64, u64, Duration)> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| fill(plan, Random::new("writer", 0), Some(&stop)));
        let figures = timed(plan.threads, |thread| read(plan, Random::new("reader", thread)));
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap_or(Ok(0))?;
        figures
    })
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name =
        arguments.next().ok_or("which benchmark? fillrandom, overwrite, readrandom, seekrandom, readwhilewriting")?;
    let mut options = HashMap::new();
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{option} needs a value"))?;
        options.insert(option, value);
    }
    let mut number = |option: &str, default: u64| -> std::result::Result<u64, std::num::ParseIntError> {
        options.remove(option).map_or(Ok(default), |value| value.parse())
    };
    let (keys, threads, nexts) =
        (number("--num", 1_000_000)?.max(1), number("--threads", 1)?, number("--seek-nexts", 10)?);
    let (reads, cache) = (number("--reads", keys)?, number("--cache-bytes", 64 << 20)?);
    let memtable = number("--memtable-bytes", 64 << 20)?;
    let durability = if number("--sync", 0)? == 1 { Durability::Always } else { Durability::EverySec };
    let existing = number("--existing", 0)? == 1;
    let path = PathBuf::from(options.remove("--db").ok_or("--db is needed")?);
    if let Some(unknown) = options.keys().next() {
        return Err(format!("unknown option {unknown}").into());
    }
    if path.exists() && !existing {
        std::fs::remove_dir_all(&path)?;
    }

    let settings = Options { cache_bytes: cache as usize, memtable_bytes: memtable as usize, ..Options::new(&path) };
    let store = Store::open(settings)?;
    let table = store.create_table("default", TableKind::Ordered)?;
    let plan = Plan { store, table, keys, threads, reads, nexts, durability };
    let (operations, found, elapsed) = match name.as_str() {
        "fillrandom" | "overwrite" => timed(threads, |thread| Ok((fill(&plan, Random::new(&name, thread), None)?, 0)))?,
        "readrandom" => timed(threads, |thread| read(&plan, Random::new(&name, thread)))?,
        "seekrandom" => timed(threads, |thread| seek(&plan, Random::new(&name, thread)))?,
        "readwhilewriting" => read_while_writing(&plan)?,
        _ => return Err(format!("unknown benchmark {name}").into()),
    };
    plan.store.close()?;
    let seconds = elapsed.as_secs_f64();
    let (micros, rate) = (seconds * 1e6 * threads as f64 / operations as f64, operations as f64 / seconds);
    println!(
        "{name} : {micros:.3} micros/op {rate:.0} ops/sec {seconds:.3} seconds {operations} operations; ({found} found)"
    );
    Ok(())
}
