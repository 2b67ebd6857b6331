//! What one thread does with the keyspace alone, no network: SET and GET per second, bytes of memory an entry, and the
//! longest pauses while a million keys expire in one second.
//!
//! `cargo run --release -p ennead-kv --example kv_bench -- [KEYS] [DIRECTORY]`; it writes some hundred bytes a key.

#![expect(clippy::print_stdout, reason = "its purpose")]

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ennead_kv::{Args, Call, Command, Keyspace, KvOptions, Reply, command};
use ennead_store::{Options, Pressure, Store};

/// As the daemon has: glibc's stops for tens of milliseconds to put freed memory together.
#[cfg(target_env = "gnu")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A reply that is counted and forgotten.
#[derive(Default)]
struct Count {
    bytes: usize,
}

impl Reply for Count {
    fn protocol(&self) -> u8 {
        2
    }
    fn simple(&mut self, text: &str) {
        self.bytes += text.len();
    }
    fn error(&mut self, text: &str) {
        self.bytes += text.len();
    }
    fn integer(&mut self, _value: i64) {
        self.bytes += 1;
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
    }
    fn null(&mut self) {}
    fn null_array(&mut self) {}
    fn array(&mut self, _len: usize) {}
    fn map(&mut self, _pairs: usize) {}
    fn set(&mut self, _len: usize) {}
    fn attribute(&mut self, _len: usize) {}
    fn push(&mut self, _len: usize) {}
    fn double(&mut self, _value: f64) {}
    fn boolean(&mut self, _value: bool) {}
    fn big_number(&mut self, _digits: &str) {}
    fn verbatim(&mut self, _format: &str, text: &[u8]) {
        self.bulk(text);
    }
}

struct Bench {
    keyspace: Keyspace,
    store: Store,
    keys: u64,
    reply: Count,
    random: u64,
}

const NOW_MS: u64 = 1_700_000_000_000;
const VALUE: &[u8; 64] = &[b'v'; 64];

impl Bench {
    fn run(&mut self, command: &'static Command, words: &[&[u8]], now_ms: u64) -> Outcome {
        let mut buffer = [0; 256];
        let mut spans: [std::ops::Range<usize>; 8] = Default::default();
        let mut at = 0;
        for (word, span) in words.iter().zip(&mut spans) {
            buffer[at..at + word.len()].copy_from_slice(word);
            *span = at..at + word.len();
            at += word.len();
        }
        let args = Args::new(&buffer, &spans[..words.len()]);
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let call = Call { now_ms, seed: self.random, ..Call::default() };
        self.keyspace.execute(command, &call, args, &mut self.reply)?;
        Ok(())
    }

    fn random_key(&mut self) -> [u8; 16] {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        key((self.random >> 20) % self.keys)
    }

    /// As a listener does between turns: what was committed becomes the kernel's, and a writer waits for room.
    fn turn(&mut self, count: u64) -> Outcome {
        if count.is_multiple_of(64) {
            self.store.hand_over(self.store.committed())?;
            while let Pressure::Stopped | Pressure::Slow(_) = self.store.pressure() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(())
    }

    /// Reads random keys as long as `more` says.
    fn reads(&mut self, get: &'static Command, now_ms: u64, more: impl Fn(u64) -> bool) -> Outcome<Reads> {
        let mut reads = Reads::default();
        while more(reads.count) {
            let key = self.random_key();
            let watch = Watch::start();
            self.run(get, &[b"get", &key], now_ms)?;
            let pause = watch.stop();
            reads.longest.extend(pause);
            reads.slow += u64::from(pause.wall > Duration::from_millis(1));
            reads.count += 1;
        }
        Ok(reads)
    }

    fn measure(&mut self, name: &str, count: u64, mut step: impl FnMut(&mut Bench, u64) -> Outcome) -> Outcome {
        /// Short enough to find some during which nobody else had the processor.
        const SLICE: u64 = 500;
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let (mut slice, mut best) = (Instant::now(), Duration::MAX);
        for number in 0..count {
            step(self, number)?;
            self.turn(number)?;
            if number % SLICE == SLICE - 1 {
                best = best.min(slice.elapsed());
                slice = Instant::now();
            }
        }
        let (wall, cpu) = (start.elapsed(), cpu_seconds() - cpu);
        let [each, cpu, best] =
            [wall.as_nanos() as f64 / count as f64, cpu * 1e9 / count as f64, best.as_nanos() as f64 / SLICE as f64];
        println!(
            "{name:<26}{:>9.0}/s; each {each:.0} ns, {cpu:.0} ns of CPU in all threads, {best:.0} ns at best",
            1e9 / each
        );
        Ok(())
    }
}

fn key(number: u64) -> [u8; 16] {
    let mut key = *b"key:000000000000";
    let mut rest = number;
    for digit in key[4..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_ascii_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|word| word.parse::<u64>().ok())
        .sum();
    ticks as f64 / 100.0
}

fn known(name: &str) -> Outcome<&'static Command> {
    command(name).ok_or_else(|| format!("no command {name}").into())
}

fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    let keys = args.next().map_or(Ok(1_000_000), |word| word.parse())?;
    let directory = args
        .next()
        .map_or_else(|| std::env::temp_dir().join(format!("kv-bench-{}", std::process::id())), PathBuf::from);
    let store = Store::open(Options::new(&directory))?;
    let keyspace = Keyspace::open(store.clone(), KvOptions::default())?;
    let mut bench = Bench { keyspace, store, keys, reply: Count::default(), random: 7 };
    let (set, get, incr) = (known("set")?, known("get")?, known("incr")?);
    let before = status("VmRSS");
    bench.measure("SET new", keys, |bench, number| bench.run(set, &[b"set", &key(number), VALUE], NOW_MS))?;
    bench.store.flush()?;
    let used = bench.keyspace.figures().used_bytes;
    println!(
        "bytes an entry: {:.1} by our count, {:.1} resident",
        used as f64 / keys as f64,
        (status("VmRSS") - before) as f64 / keys as f64
    );
    let count = keys.min(2_000_000);
    bench.measure("GET random", count, |bench, _| {
        let key = bench.random_key();
        bench.run(get, &[b"get", &key], NOW_MS)
    })?;
    bench.measure("SET random, same length", count, |bench, _| {
        let key = bench.random_key();
        bench.run(set, &[b"set", &key, VALUE], NOW_MS)
    })?;
    bench.measure("SET 10 k keys", count, |bench, number| {
        bench.run(set, &[b"set", &key(number * 7 % 10_000), VALUE], NOW_MS)
    })?;
    bench.measure("GET 10 k keys", count, |bench, number| {
        bench.run(get, &[b"get", &key(number * 7 % 10_000)], NOW_MS)
    })?;
    bench.measure("GET missing", count, |bench, number| bench.run(get, &[b"get", &key(keys + number)], NOW_MS))?;
    bench.measure("INCR 10 k keys", count, |bench, number| {
        let mut counter = key(number % 10_000);
        counter[0] = b'c';
        bench.run(incr, &[b"incr", &counter], NOW_MS)
    })?;
    expire(&mut bench, set, get)?;
    restart(bench, &directory)?;
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

/// How long something took, and for how long of that its thread had a processor.
#[derive(Debug, Clone, Copy, Default)]
struct Pause {
    wall: Duration,
    cpu: Duration,
}

impl Pause {
    fn extend(&mut self, other: Pause) {
        (self.wall, self.cpu) = (self.wall.max(other.wall), self.cpu.max(other.cpu));
    }
}

impl std::fmt::Display for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2?} (on a processor {:.2?})", self.wall, self.cpu)
    }
}

#[derive(Default)]
struct Reads {
    count: u64,
    /// Longer than a millisecond.
    slow: u64,
    longest: Pause,
}

impl std::fmt::Display for Reads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} GETs, longest {}, {} over 1 ms", self.count, self.longest, self.slow)
    }
}

struct Watch {
    wall: Instant,
    cpu: Duration,
}

impl Watch {
    fn start() -> Watch {
        Watch { wall: Instant::now(), cpu: thread_cpu() }
    }

    fn stop(&self) -> Pause {
        Pause { wall: self.wall.elapsed(), cpu: thread_cpu() - self.cpu }
    }
}

fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A million keys due within one second, deleted by a background thread while a client reads.
fn expire(bench: &mut Bench, set: &'static Command, get: &'static Command) -> Outcome {
    const DUE: u64 = 1_000_000;
    let first_ms = NOW_MS + 3_600_000;
    bench.measure("SET with expiry, new", DUE, |bench, number| {
        let mut volatile = key(number);
        volatile[0] = b'v';
        let deadline = (first_ms + number % 1000).to_string();
        bench.run(set, &[b"set", &volatile, VALUE, b"pxat", deadline.as_bytes()], NOW_MS)
    })?;
    // How long this machine takes a processor away when nothing expires.
    bench.store.flush()?;
    let before = bench.reads(get, first_ms - 1, |reads| reads < 2_000_000)?;
    let keyspace = bench.keyspace.clone();
    let store = bench.store.clone();
    let start = Instant::now();
    // Slices and rests as those of the daemon's expiry thread.
    let expirer = std::thread::spawn(move || -> Result<(Pause, Duration), ennead_kv::Error> {
        let mut longest = Pause::default();
        loop {
            let slice = Watch::start();
            let more = keyspace.expire_due(first_ms + 1000, 128)?;
            longest.extend(slice.stop());
            if !more && keyspace.figures().databases.iter().all(|database| database.volatile == 0) {
                return Ok((longest, start.elapsed()));
            }
            std::thread::sleep(Duration::from_micros(100));
            while store.pressure() != Pressure::None {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let during = bench.reads(get, first_ms + 1000, |_| !expirer.is_finished())?;
    let (slice, all) = expirer.join().map_err(|_| "the expirer panicked")??;
    println!("1 M keys expired in {all:.2?}, longest slice {slice}; {before} before, {during} meanwhile");
    Ok(())
}

fn restart(bench: Bench, directory: &std::path::Path) -> Outcome {
    let Bench { keyspace, store, keys, .. } = bench;
    store.close()?;
    drop((keyspace, store));
    let start = Instant::now();
    let store = Store::open(Options::new(directory))?;
    let keyspace = Keyspace::open(store.clone(), KvOptions::default())?;
    let opened = start.elapsed();
    let mut bench = Bench { keyspace, store, keys, reply: Count::default(), random: 9 };
    let get = known("get")?;
    bench.run(get, &[b"get", &key(keys / 2)], NOW_MS)?;
    println!("opened {} keys in {opened:.2?}, first GET after {:.2?}", bench.keyspace.len(0)?, start.elapsed());
    let start = Instant::now();
    let mut longest = Duration::ZERO;
    loop {
        let slice = Instant::now();
        let more = bench.keyspace.warm(NOW_MS, 1_000)?;
        longest = longest.max(slice.elapsed());
        if !more {
            break;
        }
    }
    println!("warmed in {:.2?}, longest slice {longest:.2?}", start.elapsed());
    Ok(())
}
