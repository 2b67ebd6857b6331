//! The script that runs, as others see it: whether to wait for it, and how to end it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// What became of a request to end the running script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    Done,
    /// Nothing runs.
    Idle,
    /// It has written: it cannot be ended half way.
    Wrote,
    /// What runs is of the other kind.
    Other,
}

/// A function that was called.
#[derive(Debug, Clone)]
pub(crate) struct FunctionCall {
    pub(crate) name: String,
    /// Of the request.
    pub(crate) words: Vec<Vec<u8>>,
}

#[derive(Debug)]
pub(crate) struct Running {
    /// None for a script.
    pub(crate) function: Option<FunctionCall>,
    since: Instant,
    wrote: AtomicBool,
    killed: AtomicBool,
}

impl Running {
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Since its begin.
    pub(crate) fn time(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn note_write(&self) {
        self.wrote.store(true, Ordering::Relaxed);
    }

    pub(super) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::Relaxed)
    }

    pub(super) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }
}

/// The place of the one script that runs.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    occupied: AtomicBool,
    running: Mutex<Option<Arc<Running>>>,
}

impl Stage {
    pub(super) fn enter(&self, function: Option<FunctionCall>, since: Instant) -> Arc<Running> {
        let running =
            Arc::new(Running { function, since, wrote: AtomicBool::new(false), killed: AtomicBool::new(false) });
        *self.running.lock() = Some(Arc::clone(&running));
        self.occupied.store(true, Ordering::Relaxed);
        running
    }

    pub(super) fn leave(&self) {
        self.occupied.store(false, Ordering::Relaxed);
        *self.running.lock() = None;
    }

    /// How long the running script has been running; none when there is none.
    #[inline]
    pub(crate) fn busy_for(&self) -> Option<Duration> {
        if self.occupied.load(Ordering::Relaxed) { self.time() } else { None }
    }

    #[cold]
    fn time(&self) -> Option<Duration> {
        self.running.lock().as_ref().map(|running| running.since.elapsed())
    }

    pub(crate) fn running(&self) -> Option<Arc<Running>> {
        self.running.lock().clone()
    }

    /// Has a function end, or a script.
    pub(crate) fn kill(&self, function: bool) -> Kill {
        match &*self.running.lock() {
            None => Kill::Idle,
            Some(running) if running.wrote.load(Ordering::Relaxed) => Kill::Wrote,
            Some(running) if running.function.is_some() != function => Kill::Other,
            Some(running) => {
                running.killed.store(true, Ordering::Relaxed);
                Kill::Done
            }
        }
    }
}
