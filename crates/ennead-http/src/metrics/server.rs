//! Connections, memory, log, flush and network.

use std::fmt;

use ennead_engine::{Engine, MemoryFigures, Statistics, Totals};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

pub(super) struct Server {
    engine: Engine,
}

impl Server {
    pub(super) fn new(engine: Engine) -> Self {
        Server { engine }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

/// Everything that the figures below are read from, taken once a scrape.
struct Reading {
    clients: usize,
    uptime_seconds: f64,
    totals: Totals,
    memory: MemoryFigures,
    store: Statistics,
}

type Gauge = (&'static str, &'static str, fn(&Reading) -> f64);
type Counter = (&'static str, &'static str, fn(&Reading) -> u64);

const GAUGES: &[Gauge] = &[
    ("up_seconds", "Time since the start", |reading| reading.uptime_seconds),
    ("connected_clients", "Open RESP connections", |reading| reading.clients as f64),
    ("memory_allocated_bytes", "Given out by the allocator", |reading| reading.memory.allocated as f64),
    ("memory_active_bytes", "Pages of the allocator with data on them", |reading| reading.memory.active as f64),
    ("memory_resident_bytes", "Physical memory of the process", |reading| reading.memory.resident as f64),
    ("store_memtable_bytes", "Rows that are not in the B-tree yet", |reading| reading.store.memtable_bytes as f64),
    ("store_log_bytes", "Log on disk", |reading| reading.store.log_bytes as f64),
    ("store_file_bytes", "B-tree file", |reading| reading.store.file_bytes as f64),
    ("store_file_allocated_bytes", "What the B-tree file takes on the disk", |reading| {
        reading.store.file_allocated_bytes as f64
    }),
    ("store_compaction_running", "1 while the B-tree file is copied to give space back", |reading| {
        f64::from(u8::from(reading.store.compaction_running))
    }),
    ("store_flush_running", "1 while a memtable is written into the B-tree", |reading| {
        f64::from(u8::from(reading.store.flush_running))
    }),
    ("store_last_flush_seconds", "What the last flush took", |reading| reading.store.last_flush_micros as f64 / 1e6),
    ("store_undurable_commits", "Commits that are not on disk yet", |reading| {
        reading.store.committed.saturating_sub(reading.store.durable) as f64
    }),
    ("store_unflushed_commits", "Commits that are not in the B-tree yet", |reading| {
        reading.store.committed.saturating_sub(reading.store.flushed) as f64
    }),
    ("store_poisoned", "1 when writes are refused after a failed write to disk", |reading| {
        f64::from(u8::from(reading.store.poisoned.is_some()))
    }),
];

const COUNTERS: &[Counter] = &[
    ("store_commits", "Batches committed", |reading| reading.store.committed),
    ("store_flushes", "Memtables written into the B-tree", |reading| reading.store.flushes),
    ("store_compactions", "Compactions of the B-tree file that ended, well or not", |reading| {
        reading.store.compactions
    }),
    ("store_log_appends", "Writes of the log", |reading| reading.store.log_appends),
    ("store_log_syncs", "Fsyncs of the log", |reading| reading.store.log_syncs),
    ("store_log_sync_microseconds", "Time spent in fsyncs of the log", |reading| reading.store.log_sync_micros),
    ("network_received_bytes", "Read from RESP clients", |reading| reading.totals.net_input_bytes),
    ("network_sent_bytes", "Written to RESP clients", |reading| reading.totals.net_output_bytes),
];

impl Collector for Server {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let reading = Reading {
            clients: self.engine.clients().len(),
            uptime_seconds: self.engine.uptime().as_secs_f64(),
            totals: self.engine.figures().totals(),
            memory: self.engine.host().map(|host| (host.memory)()).unwrap_or_default(),
            store: self.engine.store().statistics(),
        };
        for (name, help, value) in GAUGES {
            let mut gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            gauge.encode_gauge(&value(&reading))?;
        }
        for (name, help, value) in COUNTERS {
            let mut counter = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            counter.encode_counter::<NoLabelSet, _, u64>(&value(&reading), None)?;
        }
        let mut info = encoder.encode_descriptor("build", "What runs", None, MetricType::Info)?;
        info.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
    }
}
