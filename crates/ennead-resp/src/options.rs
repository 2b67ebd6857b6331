//! What the listener reads from the settings, refreshed when one of them changes.

use std::time::Duration;

use ennead_engine::Engine;
use ennead_engine::settings::{
    OUTPUT_NORMAL_HARD, OUTPUT_NORMAL_SOFT, OUTPUT_NORMAL_SOFT_TIME, OUTPUT_PUBSUB_HARD, OUTPUT_PUBSUB_SOFT,
    OUTPUT_PUBSUB_SOFT_TIME, PROTO_MAX_BULK_LEN, QUERY_BUFFER_LIMIT, TCP_KEEPALIVE, TIMEOUT, WORKERS,
};

/// How [`crate::serve`] runs.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Threads that run connections, at most.
    pub workers: usize,
    /// How many of them are given connections at first; the others join in when these are never idle.
    pub workers_at_first: usize,
    /// How long a worker must not have been needed before its connections go to the others.
    pub unneeded_after: Duration,
}

impl Options {
    /// As the settings say: by default one worker for each processor.
    pub fn new(engine: &Engine) -> Options {
        let workers = match engine.settings().read(WORKERS) as usize {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            workers => workers,
        };
        Options { workers, workers_at_first: 1, unneeded_after: Duration::from_secs(5) }
    }
}

/// What one class of clients may leave unread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutputLimits {
    /// Bytes; 0 for none.
    pub(crate) hard: usize,
    pub(crate) soft: usize,
    pub(crate) soft_time: Duration,
}

/// A worker's copy of the settings that it needs for each read or write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    generation: u64,
    pub(crate) bulk_bytes_max: usize,
    pub(crate) query_bytes_max: usize,
    pub(crate) output_normal: OutputLimits,
    pub(crate) output_pubsub: OutputLimits,
    /// Zero for never.
    pub(crate) idle_timeout: Duration,
    /// Zero for none.
    pub(crate) keepalive: Duration,
}

impl Limits {
    pub(crate) fn read(engine: &Engine) -> Limits {
        let settings = engine.settings();
        Limits {
            generation: settings.generation(),
            bulk_bytes_max: settings.read(PROTO_MAX_BULK_LEN) as usize,
            query_bytes_max: settings.read(QUERY_BUFFER_LIMIT) as usize,
            output_normal: OutputLimits {
                hard: settings.read(OUTPUT_NORMAL_HARD) as usize,
                soft: settings.read(OUTPUT_NORMAL_SOFT) as usize,
                soft_time: settings.read(OUTPUT_NORMAL_SOFT_TIME),
            },
            output_pubsub: OutputLimits {
                hard: settings.read(OUTPUT_PUBSUB_HARD) as usize,
                soft: settings.read(OUTPUT_PUBSUB_SOFT) as usize,
                soft_time: settings.read(OUTPUT_PUBSUB_SOFT_TIME),
            },
            idle_timeout: settings.read(TIMEOUT),
            keepalive: settings.read(TCP_KEEPALIVE),
        }
    }

    /// Reads again when something changed.
    pub(crate) fn refresh(&mut self, engine: &Engine) {
        if engine.settings().generation() != self.generation {
            *self = Limits::read(engine);
        }
    }
}
