//! CLIENT PAUSE: for a while nobody's requests run, or nobody's writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

#[derive(Debug, Clone, Copy)]
struct Term {
    until: Instant,
    writes_only: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Pause {
    /// Spares requests the lock while nobody pauses.
    on: AtomicBool,
    term: Mutex<Option<Term>>,
}

impl Pause {
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Starts a pause. One that is on is never made shorter or weaker.
    pub(crate) fn start(&self, until: Instant, writes_only: bool) {
        let mut term = self.term.lock();
        let (until, writes_only) = match *term {
            Some(old) if old.until > Instant::now() => (until.max(old.until), writes_only && old.writes_only),
            _ => (until, writes_only),
        };
        *term = Some(Term { until, writes_only });
        self.on.store(true, Ordering::SeqCst);
    }

    pub(crate) fn end(&self) {
        *self.term.lock() = None;
        self.on.store(false, Ordering::SeqCst);
    }

    /// How long such a request has to wait.
    pub(crate) fn left(&self, write: bool, now: Instant) -> Option<Duration> {
        let mut term = self.term.lock();
        let current = (*term)?;
        if current.until <= now {
            *term = None;
            self.on.store(false, Ordering::SeqCst);
            return None;
        }
        (write || !current.writes_only).then(|| current.until - now)
    }
}
