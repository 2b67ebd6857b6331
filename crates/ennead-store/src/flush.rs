//! Moves memtables into the B-tree: when, and how far writers are held back meanwhile.
//!
//! One flush at a time; whoever holds [`Flusher::tree`] is the only writer of the B-tree. At most one frozen and one
//! active memtable exist. A flush holds the commit lock only to swap memtables, so neither readers nor commits wait for
//! it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::base::{Base, BaseState};
use crate::catalogue::CatalogueImage;
use crate::compaction::Compaction;
use crate::memtable::Memtable;
use crate::pace::{self, Course, Haste, Pacing};
use crate::snapshot::Layers;
use crate::store::{Pressure, Sequence, Shared};
use crate::{Error, Result};

/// While a flush runs, the next memtable may be filled to the first of these parts at once, and to the second by the time
/// that the flush should end. Whoever is ahead of the line between them waits until it gets there: all writers together
/// are slowed down to what can be flushed, however many they are. Nobody waits while it is
/// not half full.
const MAY_FILL: (f64, f64) = (0.3, 0.95);
/// How long a flush is expected to take, at least, microseconds. Little, for the sake of small memtables.
const WORK_MICROS_MIN: u64 = 10_000;
/// What is worth a timer, and the longest that one write is held back while there is room, microseconds.
const SLOW_MICROS: (f64, f64) = (1000.0, 4000.0);

/// How often who waits for a flush looks by himself: the store may be poisoned by something else.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How soon a flush is tried again that a log without its quorum held up.
const RETRY_AFTER: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct Asked {
    /// Flush everything up to here.
    sequence: Sequence,
    stopped: bool,
}

/// A frozen memtable and what is stored with it.
struct Frozen {
    memtable: Arc<Memtable>,
    last: Sequence,
    catalogue: CatalogueImage,
}

/// The state of flushing.
pub(crate) struct Flusher {
    /// The B-tree, for its one writer; nothing after the store is closed.
    pub(crate) tree: Mutex<Option<Base>>,
    /// Trees that a compaction has replaced, for those who still read them.
    retired: Mutex<Vec<Base>>,
    /// Locked after the tree.
    pub(crate) compaction: Mutex<Compaction>,
    pub(crate) compactions: AtomicU64,
    pub(crate) compacting: AtomicBool,
    pub(crate) compacting_by_itself: AtomicBool,
    frozen: Mutex<Option<Frozen>>,
    asked: Mutex<Asked>,
    wake: Condvar,
    finished: Condvar,
    /// Who waits for a flush, which does not rest meanwhile.
    haste: Arc<Haste>,
    /// When the memtable was frozen.
    frozen_at: Mutex<Instant>,
    /// How long the last flush worked, without its rests.
    work_micros: AtomicU64,
    pub(crate) running: AtomicBool,
    pub(crate) flushes: AtomicU64,
    pub(crate) last_micros: AtomicU64,
}

impl Flusher {
    pub(crate) fn new(tree: Base) -> Flusher {
        Flusher {
            tree: Mutex::new(Some(tree)),
            retired: Mutex::default(),
            compaction: Mutex::default(),
            compactions: AtomicU64::new(0),
            compacting: AtomicBool::new(false),
            compacting_by_itself: AtomicBool::new(false),
            frozen: Mutex::default(),
            asked: Mutex::default(),
            wake: Condvar::new(),
            finished: Condvar::new(),
            haste: Arc::default(),
            frozen_at: Mutex::new(Instant::now()),
            work_micros: AtomicU64::new(0),
            running: AtomicBool::new(false),
            flushes: AtomicU64::new(0),
            last_micros: AtomicU64::new(0),
        }
    }

    /// Keeps a replaced tree until its last reader has gone, then closes it; by a thread, since the file system takes its
    /// time to remove a large file.
    pub(crate) fn retire(&self, tree: Option<Base>, threaded: bool) {
        let mut retired = self.retired.lock();
        retired.extend(tree);
        let unread: Vec<Base> = retired.extract_if(.., |tree| !tree.is_read()).collect();
        drop(retired);
        if threaded && !unread.is_empty() {
            // Where there is no thread to be had, this one does it, by dropping what it was given.
            drop(std::thread::Builder::new().name("ennead-retire".into()).spawn(move || drop(unread)));
        }
    }

    /// Asks for a flush of everything up to `sequence`.
    pub(crate) fn ask(&self, sequence: Sequence) {
        let mut asked = self.asked.lock();
        asked.sequence = asked.sequence.max(sequence);
        self.wake.notify_one();
    }

    /// The sequence up to which a flush is asked for.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> Sequence {
        self.asked.lock().sequence
    }

    pub(crate) fn stop(&self) {
        self.haste.hurry_forever();
        self.asked.lock().stopped = true;
        self.wake.notify_one();
        self.finished.notify_all();
    }

    /// A frozen memtable ends at `sequence` now, with the catalogue as it was then, and nobody asks for more.
    pub(crate) fn roll_back(&self, sequence: Sequence, catalogue: impl FnOnce() -> CatalogueImage) {
        {
            let mut asked = self.asked.lock();
            asked.sequence = asked.sequence.min(sequence);
            self.finished.notify_all();
        }
        if let Some(frozen) = self.frozen.lock().as_mut().filter(|frozen| frozen.last > sequence) {
            frozen.last = sequence;
            frozen.catalogue = catalogue();
        }
    }

    /// Whether a write has to wait when the next memtable is filled to this part.
    fn hold_back(&self, filled: f64) -> Pressure {
        let work = self.work_micros.load(Ordering::Relaxed).max(WORK_MICROS_MIN) as f64;
        let elapsed = self.frozen_at.lock().elapsed();
        hold_back(filled, elapsed, work)
    }

    /// Waits for the end of a flush, at most until `until`. False when the time is over.
    pub(crate) fn wait_until(&self, until: Instant, done: impl Fn() -> bool) -> bool {
        let mut asked = self.asked.lock();
        while !done() && !asked.stopped {
            let look = until.min(Instant::now() + LOOK_AGAIN);
            if self.finished.wait_until(&mut asked, look).timed_out() && look == until {
                return done();
            }
        }
        true
    }
}

/// Whether a write has to wait, so long after the memtable was frozen, when a flush takes `work` microseconds.
fn hold_back(filled: f64, elapsed: Duration, work: f64) -> Pressure {
    let (from, to) = MAY_FILL;
    let micros_a_part = work / (to - from);
    let may_be_filled = (from + elapsed.as_micros() as f64 / micros_a_part).min(to);
    let wait = (filled - may_be_filled) * micros_a_part;
    let (least, most) = SLOW_MICROS;
    if wait < least { Pressure::None } else { Pressure::Slow(Duration::from_micros(wait.min(most) as u64)) }
}

impl Shared {
    /// The body of the flush thread. A compaction that goes on by itself gets the time between flushes.
    pub(crate) fn run_flusher(&self) {
        pace::step_back();
        loop {
            let flush = {
                let mut asked = self.flusher.asked.lock();
                loop {
                    if asked.stopped {
                        return;
                    }
                    let healthy = self.health.check().is_ok();
                    if healthy && asked.sequence > self.layers.load().flushed {
                        break true;
                    }
                    if healthy && self.is_compacting_by_itself() {
                        break false;
                    }
                    self.flusher.wake.wait(&mut asked);
                }
            };
            // The first failure of a disk is kept by the health; the thread then waits to be stopped.
            if flush {
                if self.flush_once().is_err() {
                    let mut asked = self.flusher.asked.lock();
                    if !asked.stopped {
                        self.flusher.wake.wait_for(&mut asked, RETRY_AFTER);
                    }
                }
            } else {
                let _pacing = self.pace(0);
                drop(self.compact_more());
            }
        }
    }

    /// Puts the flush thread on a course for these bytes of rows.
    fn pace(&self, total_bytes: usize) -> Pacing {
        let active = self.layers.load().active.clone();
        let haste = self.flusher.haste.clone();
        pace::begin(Course { active, limit_bytes: self.options.memtable_bytes, total_bytes, haste })
    }

    /// Freezes the memtable, unless one is frozen, and merges the frozen one.
    pub(crate) fn flush_once(&self) -> Result<()> {
        let result = self.flush_frozen();
        if !self.threaded && self.is_compacting_by_itself() {
            // A failure ends the compaction only.
            drop(self.compact_more());
        }
        result
    }

    fn flush_frozen(&self) -> Result<()> {
        let tree = self.flusher.tree.lock();
        let Some(tree) = tree.as_ref() else { return Err(Error::Invalid("the store is closed".into())) };
        self.health.check()?;
        self.freeze();
        let frozen = self.flusher.frozen.lock();
        let Some(Frozen { memtable, last, catalogue }) = frozen.as_ref() else { return Ok(()) };
        self.flusher.running.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        // Who flushes without the thread waits for it.
        let pacing = self.threaded.then(|| self.pace(memtable.bytes()));
        let result = self.merge(tree, memtable, *last, catalogue);
        let work = begun.elapsed().saturating_sub(pacing.map_or(Duration::ZERO, Pacing::end));
        drop(frozen);
        self.flusher.work_micros.store(work.as_micros() as u64, Ordering::Relaxed);
        self.flusher.running.store(false, Ordering::Relaxed);
        self.flusher.last_micros.store(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
        if result.is_ok() {
            self.flusher.flushes.fetch_add(1, Ordering::Relaxed);
            drop(self.flusher.frozen.lock().take());
            self.compact_if_due(tree);
        }
        let asked = self.flusher.asked.lock();
        self.flusher.finished.notify_all();
        drop(asked);
        result
    }

    /// Puts a new memtable before the active one, unless one is frozen already.
    pub(crate) fn freeze(&self) {
        let mut frozen = self.flusher.frozen.lock();
        if frozen.is_some() {
            return;
        }
        let mut committing = self.committing.lock();
        let layers = self.layers.load_full();
        if committing.sequence == layers.flushed {
            return;
        }
        let active = Arc::new(Memtable::new(&self.options));
        let memtable = std::mem::replace(&mut committing.memtable, active.clone());
        self.layers.store(Arc::new(Layers { active, frozen: Some(memtable.clone()), ..Layers::clone(&layers) }));
        committing.flush_asked = false;
        *self.flusher.frozen_at.lock() = Instant::now();
        self.half_full.store(false, Ordering::Relaxed);
        *frozen = Some(Frozen { memtable, last: committing.sequence, catalogue: self.catalogue.image() });
    }

    fn merge(&self, tree: &Base, memtable: &Arc<Memtable>, last: Sequence, catalogue: &CatalogueImage) -> Result<()> {
        // The tree must never know what the log could lose.
        if self.log.durable() < last && self.syncer.sync()? < last {
            return Err(Error::Stalled("the log is not durable as far as it is to be flushed".into()));
        }
        let state = BaseState { flushed: last, catalogue: catalogue.clone() };
        let failed = |error: Error| {
            let error = self.health.poison(error.to_string());
            self.syncer.tell_poisoned();
            error
        };
        let now_ms = self.clock.now_ms();
        let merged = tree.merge(memtable, &state, now_ms).map_err(failed)?;
        self.follow_compaction(memtable, &state, now_ms);
        let base = Arc::new(tree.view().map_err(failed)?);
        let replaced = {
            let _committing = self.committing.lock();
            let layers = self.layers.load_full();
            self.layers.swap(Arc::new(Layers { frozen: None, base, flushed: last, ..Layers::clone(&layers) }))
        };
        // Not under the lock: with the old view its open tables go.
        drop(replaced);
        self.log.release(last);
        self.flusher.retire(None, self.threaded);
        tracing::debug!(
            sequence = last,
            puts = merged.puts,
            deletes = merged.deletes,
            expired = merged.expired,
            "flushed a memtable"
        );
        Ok(())
    }

    /// Waits until everything up to `sequence` is in the B-tree.
    pub(crate) fn flush_to(&self, sequence: Sequence) -> Result<()> {
        // What was rolled back meanwhile is not waited for.
        let left = || self.layers.load().flushed < sequence.min(self.visible.load(Ordering::Acquire));
        let _hurried = self.flusher.haste.hurry();
        while left() {
            self.health.check()?;
            if !self.threaded {
                self.flush_once()?;
                continue;
            }
            self.flusher.ask(sequence);
            let done = || !left() || self.health.check().is_err();
            self.flusher.wait_until(Instant::now() + Duration::from_secs(1), done);
            if self.committing.lock().closed {
                return Err(Error::Invalid("the store is closed".into()));
            }
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn pressure(&self) -> Pressure {
        if !self.half_full.load(Ordering::Relaxed) {
            return Pressure::None;
        }
        self.measure_pressure()
    }

    fn measure_pressure(&self) -> Pressure {
        let layers = self.layers.load();
        let limit = self.options.memtable_bytes as f64;
        let filled = layers.active.weight() as f64 / limit;
        match layers.frozen {
            None if filled < 2.0 => Pressure::None,
            Some(_) if filled < 1.0 => self.flusher.hold_back(filled),
            _ => Pressure::Stopped,
        }
    }

    /// Holds the thread back while writers outrun the flusher.
    pub(crate) fn wait_for_room(&self) -> Result<()> {
        match self.pressure() {
            Pressure::None => return Ok(()),
            Pressure::Slow(delay) => {
                std::thread::sleep(delay);
                return Ok(());
            }
            Pressure::Stopped => {}
        }
        if !self.threaded {
            return self.flush_once();
        }
        let timeout = self.options.stall_timeout;
        let room = || self.pressure() != Pressure::Stopped || self.health.check().is_err();
        if self.flusher.wait_until(Instant::now() + timeout, room) {
            return self.health.check();
        }
        Err(Error::Stalled(format!(
            "the flush of the memtable did not end within {} ms; write slower or raise memtable_bytes",
            timeout.as_millis()
        )))
    }
}
