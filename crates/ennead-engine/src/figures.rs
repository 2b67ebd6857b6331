//! What was done so far, counted cheaply: each worker owns a [`Shard`] that only it writes, with plain stores instead of
//! locked additions; readers add the shards up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// Buckets of a latency histogram: bucket `n` counts calls of less than `2^n` microseconds, the last all others.
pub const BUCKETS: usize = 32;

/// A counter with one writer.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct CommandShard {
    nanos: Counter,
    failed: Counter,
    rejected: Counter,
    buckets: [Counter; BUCKETS],
}

/// The counters of one worker. It may be read from anywhere, but only one thread at a time may count.
#[derive(Debug)]
pub struct Shard {
    commands: Box<[CommandShard]>,
    pub net_input_bytes: Counter,
    pub net_output_bytes: Counter,
    pub reads: Counter,
    pub writes: Counter,
    pub query_buffer_disconnections: Counter,
    pub output_buffer_disconnections: Counter,
    /// What requests took that had the keyspace to themselves, or waited for it.
    pub exclusive_nanos: Counter,
}

impl Shard {
    #[inline]
    pub(crate) fn executed(&self, command: usize, time: Duration, failed: bool) {
        let shard = &self.commands[command];
        let nanos = time.as_nanos() as u64;
        shard.nanos.add(nanos);
        shard.buckets[bucket(nanos)].add(1);
        if failed {
            shard.failed.add(1);
        }
    }

    pub(crate) fn rejected(&self, command: usize) {
        self.commands[command].rejected.add(1);
    }
}

/// The first power of two of microseconds that the time is below.
#[inline]
fn bucket(nanos: u64) -> usize {
    ((64 - (nanos / 1000).leading_zeros()) as usize).min(BUCKETS - 1)
}

/// Sums for one command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommandFigures {
    pub calls: u64,
    pub nanos: u64,
    /// Executed with an error as answer.
    pub failed: u64,
    /// Refused before execution.
    pub rejected: u64,
    pub buckets: [u64; BUCKETS],
}

impl CommandFigures {
    pub fn micros(&self) -> u64 {
        self.nanos / 1000
    }

    /// Microseconds that the given share of calls did not exceed, as the upper bound of a bucket.
    pub fn percentile(&self, share: f64) -> f64 {
        let wanted = (self.calls as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return (1u64 << bucket) as f64;
            }
        }
        0.0
    }

    fn add(&mut self, shard: &CommandShard) {
        self.nanos += shard.nanos.get();
        self.failed += shard.failed.get();
        self.rejected += shard.rejected.get();
        for (sum, counter) in self.buckets.iter_mut().zip(&shard.buckets) {
            *sum += counter.get();
            self.calls += counter.get();
        }
    }

    fn subtract(&mut self, base: &CommandFigures) {
        self.calls = self.calls.saturating_sub(base.calls);
        self.nanos = self.nanos.saturating_sub(base.nanos);
        self.failed = self.failed.saturating_sub(base.failed);
        self.rejected = self.rejected.saturating_sub(base.rejected);
        for (count, base) in self.buckets.iter_mut().zip(&base.buckets) {
            *count = count.saturating_sub(*base);
        }
    }
}

/// Sums over all workers.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// By index of [`crate::Registry::commands`].
    pub commands: Vec<CommandFigures>,
    pub net_input_bytes: u64,
    pub net_output_bytes: u64,
    pub reads: u64,
    pub writes: u64,
    pub query_buffer_disconnections: u64,
    pub output_buffer_disconnections: u64,
}

impl Totals {
    pub fn calls(&self) -> u64 {
        self.commands.iter().map(|figures| figures.calls).sum()
    }
}

/// All shards, and what to subtract since CONFIG RESETSTAT.
#[derive(Debug)]
pub struct Figures {
    /// Threads that have connections of RESP clients at present.
    pub resp_workers: AtomicU64,
    commands: usize,
    shards: Mutex<Vec<Arc<Shard>>>,
    base: Mutex<Totals>,
}

impl Figures {
    pub(crate) fn new(commands: usize) -> Self {
        Figures { resp_workers: AtomicU64::new(0), commands, shards: Mutex::default(), base: Mutex::default() }
    }

    /// A new shard, to be written by one thread at a time.
    pub fn shard(&self) -> Arc<Shard> {
        let shard = Arc::new(Shard {
            commands: (0..self.commands).map(|_| CommandShard::default()).collect(),
            net_input_bytes: Counter::default(),
            net_output_bytes: Counter::default(),
            reads: Counter::default(),
            writes: Counter::default(),
            query_buffer_disconnections: Counter::default(),
            output_buffer_disconnections: Counter::default(),
            exclusive_nanos: Counter::default(),
        });
        self.shards.lock().push(Arc::clone(&shard));
        shard
    }

    /// Since the start or the last reset.
    pub fn totals(&self) -> Totals {
        let mut totals = self.since_start();
        let base = self.base.lock();
        for (figures, base) in totals.commands.iter_mut().zip(&base.commands) {
            figures.subtract(base);
        }
        totals.net_input_bytes -= base.net_input_bytes;
        totals.net_output_bytes -= base.net_output_bytes;
        totals.reads -= base.reads;
        totals.writes -= base.writes;
        totals.query_buffer_disconnections -= base.query_buffer_disconnections;
        totals.output_buffer_disconnections -= base.output_buffer_disconnections;
        totals
    }

    /// Counts from zero from now on.
    pub fn reset(&self) {
        let now = self.since_start();
        *self.base.lock() = now;
    }

    fn since_start(&self) -> Totals {
        let mut totals = Totals { commands: vec![CommandFigures::default(); self.commands], ..Totals::default() };
        for shard in self.shards.lock().iter() {
            for (figures, counters) in totals.commands.iter_mut().zip(&shard.commands) {
                figures.add(counters);
            }
            totals.net_input_bytes += shard.net_input_bytes.get();
            totals.net_output_bytes += shard.net_output_bytes.get();
            totals.reads += shard.reads.get();
            totals.writes += shard.writes.get();
            totals.query_buffer_disconnections += shard.query_buffer_disconnections.get();
            totals.output_buffer_disconnections += shard.output_buffer_disconnections.get();
        }
        totals
    }
}
