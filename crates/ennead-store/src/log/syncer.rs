//! Who makes the log durable, and when: on request, every second while something is written, and never for nobody.
//!
//! One fsync serves all who asked before it began. A waiting writer does it itself when nobody else is at it, which
//! spares it two switches of threads; requests without a waiting thread are served by the log thread.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, RwLock};

use super::Log;
use crate::health::Health;
use crate::store::Sequence;
use crate::{Error, Result};

/// How long written bytes may wait for their fsync when nobody asks for it.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How long appended bytes may wait in memory when nobody hands them over.
const HAND_OVER_EVERY: Duration = Duration::from_millis(100);

/// Rollbacks that are remembered; a wait that outlives more of them is told that its batch is gone.
const ROLLBACKS_KEPT: usize = 64;

type Listener = Arc<dyn Fn(Sequence) + Send + Sync>;

#[derive(Debug, Default)]
struct Asked {
    sequence: Sequence,
    stopped: bool,
}

/// Makes a log durable for those who wait for it.
pub(crate) struct Syncer {
    log: Arc<dyn Log>,
    health: Arc<Health>,
    asked: Mutex<Asked>,
    wake: Condvar,
    /// The log thread waits without a time limit; the next append has to wake it.
    dormant: AtomicBool,
    /// Held by whoever syncs.
    turn: Mutex<()>,
    finished: Mutex<()>,
    advanced: Condvar,
    waiting: AtomicU64,
    /// How often something was taken back.
    rollbacks: AtomicU64,
    /// The newest of them: their numbers, and what each went back to.
    rolled_back: Mutex<VecDeque<(u64, Sequence)>>,
    listeners: RwLock<Vec<Listener>>,
    /// Whether there is a log thread; without one a request is served by its caller.
    threaded: bool,
}

impl Syncer {
    pub(crate) fn new(log: Arc<dyn Log>, health: Arc<Health>, threaded: bool) -> Syncer {
        Syncer {
            log,
            health,
            asked: Mutex::default(),
            wake: Condvar::new(),
            dormant: AtomicBool::new(false),
            turn: Mutex::default(),
            finished: Mutex::default(),
            advanced: Condvar::new(),
            waiting: AtomicU64::new(0),
            rollbacks: AtomicU64::new(0),
            rolled_back: Mutex::default(),
            listeners: RwLock::default(),
            threaded,
        }
    }

    pub(crate) fn listen(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    /// Tells that something was appended. Cheap unless the log thread sleeps for good.
    #[inline]
    pub(crate) fn note_append(&self) {
        if self.dormant.load(Ordering::Relaxed) {
            self.dormant.store(false, Ordering::Relaxed);
            let _asked = self.asked.lock();
            self.wake.notify_one();
        }
    }

    /// Asks for an fsync that covers `sequence`; does not wait for it.
    pub(crate) fn request(&self, sequence: Sequence) {
        if self.log.durable() >= sequence {
            return;
        }
        if !self.threaded {
            // The failure is kept by the health; who asks for it learns it there.
            drop(self.sync());
            return;
        }
        let mut asked = self.asked.lock();
        if asked.sequence < sequence {
            asked.sequence = sequence;
            self.wake.notify_one();
        }
    }

    /// What to pass to [`Syncer::wait_since`]; taken before the commit that is waited for.
    pub(crate) fn rollbacks(&self) -> u64 {
        self.rollbacks.load(Ordering::Acquire)
    }

    /// Everything above `sequence` was taken back: nobody waits for it any more.
    pub(crate) fn roll_back(&self, sequence: Sequence) {
        {
            let mut rolled_back = self.rolled_back.lock();
            let number = self.rollbacks.fetch_add(1, Ordering::AcqRel) + 1;
            rolled_back.push_back((number, sequence));
            if rolled_back.len() > ROLLBACKS_KEPT {
                rolled_back.pop_front();
            }
        }
        {
            let mut asked = self.asked.lock();
            asked.sequence = asked.sequence.min(sequence);
        }
        let _finished = self.finished.lock();
        self.advanced.notify_all();
    }

    /// Whether a sequence that was committed after `since` was taken is gone. One whose fate is not known any more is.
    pub(crate) fn is_gone(&self, sequence: Sequence, since: u64) -> bool {
        if self.rollbacks.load(Ordering::Acquire) == since {
            return self.log.appended() < sequence;
        }
        let rolled_back = self.rolled_back.lock();
        let known = rolled_back.front().is_some_and(|(number, _)| *number <= since + 1);
        !known || rolled_back.iter().any(|(number, to)| *number > since && *to < sequence)
    }

    /// Waits until `sequence` is durable. Blocks the thread.
    pub(crate) fn wait(&self, sequence: Sequence) -> Result<()> {
        self.wait_since(sequence, self.rollbacks())
    }

    /// Waits until `sequence`, which was committed after `since` was taken, is durable. Blocks the thread.
    ///
    /// # Errors
    /// `RolledBack` when it was taken back.
    pub(crate) fn wait_since(&self, sequence: Sequence, since: u64) -> Result<()> {
        loop {
            // Before the look at the rollbacks: one in between may take the batch back and let another one with its
            // number become durable.
            let durable = self.log.durable();
            if self.is_gone(sequence, since) {
                return Err(Error::RolledBack(format!("batch {sequence} is not in the log any more")));
            }
            if durable >= sequence {
                return Ok(());
            }
            self.health.check()?;
            if let Some(turn) = self.turn.try_lock() {
                let result = self.log.sync();
                drop(turn);
                self.tell(&result);
                if !self.is_gone(sequence, since) {
                    result?;
                }
                continue;
            }
            // Somebody else's fsync is under way; when it ends, either it served this one too or it is our turn.
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let mut finished = self.finished.lock();
            if self.log.durable() < sequence && self.health.check().is_ok() && self.turn.is_locked() {
                self.advanced.wait_for(&mut finished, Duration::from_millis(50));
            }
            drop(finished);
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Tells everybody that the log has moved of its own accord.
    pub(crate) fn tell_advanced(&self) {
        self.tell(&Ok(self.log.durable()));
    }

    /// Syncs what is appended and tells everybody.
    pub(crate) fn sync(&self) -> Result<Sequence> {
        let result = {
            let _turn = self.turn.lock();
            self.log.sync()
        };
        self.tell(&result);
        result
    }

    fn tell(&self, result: &Result<Sequence>) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            let _finished = self.finished.lock();
            self.advanced.notify_all();
        }
        let durable = result.as_ref().map_or_else(|_| self.log.durable(), |sequence| *sequence);
        self.tell_listeners(durable);
    }

    /// Without their lock: the last owner of the store may end in one of them, which takes all of them away.
    fn tell_listeners(&self, durable: Sequence) {
        let listeners = self.listeners.read().clone();
        for listener in listeners {
            listener(durable);
        }
    }

    /// Wakes those who wait after a failure elsewhere.
    pub(crate) fn tell_poisoned(&self) {
        {
            let _finished = self.finished.lock();
            self.advanced.notify_all();
        }
        let durable = self.log.durable();
        self.tell_listeners(durable);
    }

    pub(crate) fn stop(&self) {
        self.asked.lock().stopped = true;
        self.wake.notify_one();
    }

    /// Forgets the listeners, which may hold what holds this.
    pub(crate) fn forget_listeners(&self) {
        self.listeners.write().clear();
    }

    /// The body of the log thread: until [`Syncer::stop`].
    pub(crate) fn run(&self) {
        let mut last_sync = Instant::now();
        loop {
            let (stopped, requested) = self.sleep();
            if stopped {
                return;
            }
            if self.health.check().is_err() {
                continue;
            }
            let overdue = self.log.written() > self.log.durable() && last_sync.elapsed() >= SYNC_EVERY;
            if requested || overdue {
                if self.sync().is_err() {
                    self.rest();
                }
                last_sync = Instant::now();
            } else if self.log.appended() > self.log.written() {
                if self.log.hand_over(self.log.appended()).is_err() {
                    self.tell_poisoned();
                }
            } else if self.log.written() == self.log.durable() {
                // Time counts from the first write after a pause.
                last_sync = Instant::now();
            }
        }
    }

    /// After a failure that may pass: a log without its quorum is not asked again at once.
    fn rest(&self) {
        let mut asked = self.asked.lock();
        if !asked.stopped {
            self.wake.wait_for(&mut asked, HAND_OVER_EVERY);
        }
    }

    /// Waits for a request, for the next look, or without limit when there is nothing to look after.
    fn sleep(&self) -> (bool, bool) {
        let mut asked = self.asked.lock();
        let poisoned = self.health.check().is_err();
        loop {
            let requested = !poisoned && asked.sequence > self.log.durable();
            if asked.stopped || requested {
                return (asked.stopped, requested);
            }
            self.dormant.store(true, Ordering::SeqCst);
            let idle = poisoned || self.log.appended() == self.log.durable();
            if idle {
                self.wake.wait(&mut asked);
                self.dormant.store(false, Ordering::SeqCst);
            } else {
                self.dormant.store(false, Ordering::SeqCst);
                let timed_out = self.wake.wait_for(&mut asked, HAND_OVER_EVERY).timed_out();
                if timed_out {
                    return (asked.stopped, false);
                }
            }
        }
    }
}
