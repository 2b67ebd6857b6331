//! How the flush thread leaves the processors and the disk to those who wait for a reply.
//!
//! A flush of a large tree takes seconds of a processor. On a machine without an idle one the scheduler gives them in
//! stretches of several milliseconds, and whoever serves a request waits behind each. So the thread works in slices and
//! rests between them, as far as it will be done before writers need its memtable. What it writes, and when that counts,
//! is the same with and without.
//!
//! It does not sync as it goes: pages are cheapest to write all at once. On a virtual disk, syncs or writeback every few
//! megabytes took twice the time, and more processor time from the machine than they spared.
//!
//! The course is the thread's own, since the work goes through redb; a thread without one does not rest.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::memtable::Memtable;

/// Work between two rests: well below the stretch that a scheduler gives.
const SLICE: Duration = Duration::from_micros(500);
const REST: Duration = Duration::from_micros(1000);

/// A flush should end when the next memtable is full to this part.
const ENDS_AT: f64 = 0.5;
/// How much fuller than on course the memtable may be before the rests are left out.
const TOLERANCE: f64 = 0.05;
/// The part of the work that is done when all rows are in the tree's pages; the rest is the commit.
const ROWS_SHARE: f64 = 0.6;

/// Below whom the kernel puts the thread. Not lower: beside neighbours that take all processors it has to get on.
const NICENESS: i32 = 5;

/// How many wait for the end of a flush: there is no rest meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Haste(AtomicUsize);

impl Haste {
    /// Until the answer is dropped.
    pub(crate) fn hurry(&self) -> Hurried<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Hurried(self)
    }

    /// From now on.
    pub(crate) fn hurry_forever(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Somebody waits.
#[derive(Debug)]
pub(crate) struct Hurried<'a>(&'a Haste);

impl Drop for Hurried<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Bytes of rows between two looks at the clock: some ten microseconds.
const LOOK_BYTES: usize = 4 << 10;

/// What a job has to keep ahead of.
pub(crate) struct Course {
    /// The memtable that fills meanwhile, and what it may weigh.
    pub(crate) active: Arc<Memtable>,
    pub(crate) limit_bytes: usize,
    /// Bytes of rows to be worked off; 0 for a job that nobody waits for.
    pub(crate) total_bytes: usize,
    pub(crate) haste: Arc<Haste>,
}

impl Course {
    /// Whether there is time to rest when so many bytes are worked off.
    fn is_ahead(&self, done_bytes: usize) -> bool {
        let progress = match self.total_bytes {
            0 => 1.0,
            total => (done_bytes as f64 / total as f64).min(1.0) * ROWS_SHARE,
        };
        let filled = self.active.weight() as f64 / self.limit_bytes.max(1) as f64;
        self.haste.0.load(Ordering::Relaxed) == 0 && filled <= progress * ENDS_AT + TOLERANCE
    }
}

struct Running {
    course: Course,
    done_bytes: usize,
    /// What was done when the clock was last looked at.
    looked_at: usize,
    slice_began: Instant,
    rested: Duration,
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// While it lives its thread is on a course.
#[derive(Debug)]
pub(crate) struct Pacing(());

impl Pacing {
    /// How long the thread has rested.
    pub(crate) fn end(self) -> Duration {
        RUNNING.with_borrow(|running| running.as_ref().map_or(Duration::ZERO, |running| running.rested))
    }
}

impl Drop for Pacing {
    fn drop(&mut self) {
        RUNNING.take();
    }
}

/// Puts this thread on a course.
pub(crate) fn begin(course: Course) -> Pacing {
    RUNNING.set(Some(Running {
        course,
        done_bytes: 0,
        looked_at: 0,
        slice_began: Instant::now(),
        rested: Duration::ZERO,
    }));
    Pacing(())
}

/// Called after each small step of work, with the bytes of rows that it got done; rests when the slice is over.
#[inline]
pub(crate) fn breathe(bytes: usize) {
    RUNNING.with_borrow_mut(|running| {
        let Some(running) = running else { return };
        running.done_bytes += bytes;
        if running.done_bytes - running.looked_at < LOOK_BYTES {
            return;
        }
        running.looked_at = running.done_bytes;
        if running.slice_began.elapsed() >= SLICE {
            if running.course.is_ahead(running.done_bytes) {
                let rest = Instant::now();
                std::thread::sleep(REST);
                running.rested += rest.elapsed();
            }
            running.slice_began = Instant::now();
        }
    });
}

/// Puts this thread below those that serve requests.
pub(crate) fn step_back() {
    // Linux counts priorities by thread, others by process. A refusal leaves the thread where it is.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}
