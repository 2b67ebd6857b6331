//! Gives memory back when next to nothing is written any more: has the memtable flushed, and then its pages returned to
//! the system.
//!
//! A flush costs a page of the B-tree for many of its rows, so a small memtable is flushed dearly for what it gives
//! back. That is why the wait is longer the emptier it is: whoever writes in bursts, or a little all the time, has at
//! most the writes to disk that bursts of full memtables make.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use ennead_store::{Sequence, Store, Unflushed};

use crate::host::Host;
use crate::settings::{QUIET_FLUSH, Settings};

#[cfg(test)]
mod tests;

/// How often it looks for silence, and for the end of a flush.
const LOOK: Duration = Duration::from_secs(1);
const LOOK_FOR_END: Duration = Duration::from_millis(100);
/// Of what went into the memtable, the part that may come in without an end of the silence.
const TRICKLE: u64 = 100;
/// Of a full memtable, the part that is worth a flush.
const WORTH: u64 = 64;

/// The one that looks.
pub(crate) struct Quiet {
    store: Store,
    settings: Arc<Settings>,
    host: Arc<OnceLock<Host>>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Watching(Silence),
    Flushing(Sequence),
    /// The memtable is in the B-tree, and goes as soon as its last reader has gone.
    Flushed,
}

impl Quiet {
    pub(crate) fn new(store: Store, settings: Arc<Settings>, host: Arc<OnceLock<Host>>) -> Quiet {
        Quiet { store, settings, host, stage: Stage::Watching(Silence::new(Instant::now())) }
    }

    /// Looks, and says when to look again.
    pub(crate) fn step(&mut self) -> Duration {
        let now = Instant::now();
        match &mut self.stage {
            Stage::Watching(silence) => {
                if silence.is_over(now, self.store.unflushed(), self.settings.read(QUIET_FLUSH))
                    && let Ok(sequence) = self.store.request_flush()
                {
                    self.stage = Stage::Flushing(sequence);
                    return LOOK_FOR_END;
                }
            }
            // A store that can write no more keeps what it has.
            Stage::Flushing(sequence) if self.store.flushed() < *sequence => return LOOK_FOR_END,
            Stage::Flushing(_) => self.stage = Stage::Flushed,
            Stage::Flushed => {
                if let Some(host) = self.host.get() {
                    (host.purge)();
                }
                self.stage = Stage::Watching(Silence::new(now));
            }
        }
        LOOK
    }
}

/// Since when next to nothing has been written.
#[derive(Debug)]
struct Silence {
    since: Instant,
    /// How much of the log was in the memtable then, bytes.
    logged_bytes: u64,
}

impl Silence {
    fn new(now: Instant) -> Silence {
        Silence { since: now, logged_bytes: 0 }
    }

    /// Whether it has lasted long enough for what the memtable holds; `after` is asked of a full one, none when it is 0.
    fn is_over(&mut self, now: Instant, unflushed: Unflushed, after: Duration) -> bool {
        let Unflushed { bytes, logged_bytes, limit_bytes } = unflushed;
        let written = logged_bytes.checked_sub(self.logged_bytes);
        if written.is_none_or(|written| written > logged_bytes / TRICKLE) || after.is_zero() {
            *self = Silence { since: now, logged_bytes };
            return false;
        }
        if bytes < limit_bytes / WORTH {
            return false;
        }
        let emptiness = (limit_bytes as f64 / bytes.max(1) as f64).max(1.0);
        now.duration_since(self.since).as_secs_f64() >= after.as_secs_f64() * emptiness
    }
}
