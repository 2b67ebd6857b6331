//! The store: its public face, and the commit path.
//!
//! A commit takes one short lock, in which it gets its sequence, is copied into the log's buffer and goes into the
//! memtable; no disk, no redb transaction. Invariant: `committed` is published after all rows of the batch are in the
//! memtable, so a reader at that sequence sees all of a batch or nothing.

pub(crate) mod ahead;
mod apply;
mod figures;
mod open;
#[cfg(test)]
mod tests;

pub(crate) use apply::apply;
pub use figures::{Statistics, Unflushed};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::disk::{Disk, DiskFile, DiskLock};
use crate::flush::Flusher;
use crate::health::Health;
use crate::log::Log;
use crate::log::arrivals::Arrivals;
use crate::log::local::LocalLog;
use crate::log::record::{self, RECORD_BYTES_MAX};
use crate::log::syncer::Syncer;
use crate::memtable::Memtable;
use crate::recovery::RecoveryReport;
use crate::snapshot::{Layers, Snapshot};
use crate::{Durability, Error, Options, Result, WriteBatch};

/// Number of a committed batch; starts at 1, no gaps.
pub type Sequence = u64;

/// A handle to a named table; cheap to copy, valid for the life of the store that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Table(pub(crate) u32);

/// What a commit was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    pub sequence: Sequence,
}

/// A key that a conditional commit expects not to have changed after `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unchanged<'a> {
    pub table: Table,
    pub key: &'a [u8],
    pub since: Sequence,
}

/// Whether writers outrun the flusher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressure {
    None,
    /// Wait this long before the next write.
    Slow(Duration),
    /// No room: wait for [`Pressure`] to change, refuse after `stall_timeout`.
    Stopped,
}

/// Bytes of appended records that wait in memory before a commit hands them over itself.
const PENDING_BYTES_MAX: usize = 1 << 20;

/// What only the holder of the commit lock may touch.
pub(crate) struct Committing {
    pub(crate) sequence: Sequence,
    /// The active memtable, as in the layers.
    pub(crate) memtable: Arc<Memtable>,
    /// Somebody was told to ask for a flush of this memtable.
    pub(crate) flush_asked: bool,
    pub(crate) closed: bool,
}

/// What clones of a store and its threads share.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: Arc<Health>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) log: Arc<dyn Log>,
    /// The log, where it is the one on this machine's disk.
    pub(crate) local_log: Option<Arc<LocalLog>>,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) syncer: Syncer,
    pub(crate) flusher: Flusher,
    pub(crate) layers: ArcSwap<Layers>,
    pub(crate) committing: Mutex<Committing>,
    pub(crate) visible: AtomicU64,
    /// The active memtable is at least half full; without it there is no pressure.
    pub(crate) half_full: AtomicBool,
    pub(crate) recovery: RecoveryReport,
    /// The B-tree's file, to ask for its size; another one after a compaction.
    pub(crate) tree_file: Mutex<Arc<dyn DiskFile>>,
    pub(crate) threaded: bool,
}

/// The last owner's end closes the store.
struct Handle {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    lock: Mutex<Option<Box<dyn DiskLock>>>,
    closing: AtomicBool,
}

/// A store; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Handle>);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.shared().options.path).finish_non_exhaustive()
    }
}

impl Shared {
    fn check_room(&self, batch: &WriteBatch, memtable: &Memtable) -> Result<()> {
        if batch.bytes() > RECORD_BYTES_MAX {
            return Err(Error::Invalid(format!(
                "a batch of {} bytes is larger than the limit of {RECORD_BYTES_MAX} bytes",
                batch.bytes()
            )));
        }
        // Whoever does not ask for the pressure first is stopped here, at twice the bound.
        if memtable.weight() >= 2 * self.options.memtable_bytes && self.layers.load().frozen.is_some() {
            return Err(Error::Stalled("both memtables are full and the flush has not ended".into()));
        }
        Ok(())
    }

    fn check_unchanged(&self, unchanged: &[Unchanged<'_>]) -> Result<()> {
        if unchanged.is_empty() {
            return Ok(());
        }
        let layers = self.layers.load();
        for expected in unchanged {
            let newest = layers.latest(expected.table.0, expected.key).unwrap_or(layers.flushed);
            if newest > expected.since {
                return Err(Error::Conflict(format!("a key was changed by sequence {newest}")));
            }
        }
        Ok(())
    }

    pub(crate) fn commit(&self, batch: &WriteBatch, unchanged: &[Unchanged<'_>]) -> Result<Commit> {
        let mut committing = self.committing.lock();
        self.commit_locked(&mut committing, batch, unchanged).map(|(commit, after)| {
            drop(committing);
            self.after_commit(commit, after);
            commit
        })
    }

    /// The commit itself. Nothing has changed when it fails.
    fn commit_locked(
        &self,
        committing: &mut Committing,
        batch: &WriteBatch,
        unchanged: &[Unchanged<'_>],
    ) -> Result<(Commit, After)> {
        self.health.check()?;
        if committing.closed {
            return Err(Error::Invalid("the store is closed".into()));
        }
        let stamped;
        let batch = if self.check_tables(batch)? {
            stamped = self.stamped(batch);
            &stamped
        } else {
            batch
        };
        self.check_room(batch, &committing.memtable)?;
        self.check_unchanged(unchanged)?;
        let sequence = committing.sequence + 1;
        let pending = self.log.append(sequence, batch);
        apply(&committing.memtable, &self.catalogue, sequence, batch.encoded());
        for (table, delta) in batch.tallies() {
            self.catalogue.add_tally(*table, *delta);
        }
        committing.sequence = sequence;
        self.visible.store(sequence, Ordering::Release);
        committing.memtable.note_logged(record::FIXED_BYTES + batch.bytes());
        let full = committing.memtable.weight() >= self.options.memtable_bytes;
        if committing.memtable.is_half_full(self.options.memtable_bytes) && !self.half_full.load(Ordering::Relaxed) {
            self.half_full.store(true, Ordering::Relaxed);
        }
        // Decided here, under the lock that also freezes: a request that came late must not stand for the next memtable.
        let flush = full && !std::mem::replace(&mut committing.flush_asked, full);
        Ok((Commit { sequence }, After { pending, flush }))
    }

    fn after_commit(&self, commit: Commit, after: After) {
        self.syncer.note_append();
        if after.flush {
            self.flusher.ask(commit.sequence);
        }
        if after.pending >= PENDING_BYTES_MAX {
            // A failure poisons the store; whoever waits for this sequence learns it there.
            drop(self.hand_over(commit.sequence));
        }
    }

    pub(crate) fn hand_over(&self, sequence: Sequence) -> Result<()> {
        if self.log.written() >= sequence {
            return Ok(());
        }
        let healthy = self.health.check().is_ok();
        self.log.hand_over(sequence).inspect_err(|_| {
            if healthy {
                self.syncer.tell_poisoned();
            }
        })
    }

    /// Commits a change of the catalogue that `stage` decides on under the commit lock.
    pub(crate) fn commit_catalogue<T>(&self, stage: impl FnOnce(&mut WriteBatch) -> Result<T>) -> Result<T> {
        let mut committing = self.committing.lock();
        let mut batch = WriteBatch::new();
        let value = stage(&mut batch)?;
        if batch.is_empty() {
            return Ok(value);
        }
        let (commit, after) = self.commit_locked(&mut committing, &batch, &[])?;
        drop(committing);
        self.after_commit(commit, after);
        Ok(value)
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        // The lock keeps commits from overwriting, in that moment, what the snapshot is going to ask for.
        let committing = self.committing.lock();
        committing.memtable.keep(committing.sequence);
        let now_ms = if self.catalogue.any_lifetime() { self.clock.now_ms() } else { 0 };
        Snapshot::new(self.layers.load_full(), committing.sequence, now_ms)
    }
}

/// What is left to do after the commit lock is released.
struct After {
    pending: usize,
    flush: bool,
}

impl Store {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Appends the batch to the log and makes it visible to reads. It is **not durable** when this returns: pass the
    /// sequence to [`Store::hand_over`] or wait for [`Store::durable`]. Does not wait for room: check
    /// [`Store::pressure`] before, or use [`Store::write`].
    ///
    /// # Errors
    /// `Poisoned` after a failed write to disk; `Stalled` at twice the bound of memory. Nothing was changed then.
    pub fn commit(&self, batch: &WriteBatch) -> Result<Commit> {
        self.shared().commit(batch, &[])
    }

    /// Like [`Store::commit`], but only if no key of `unchanged` was changed after its sequence; the check and the
    /// commit are one step for all other commits.
    ///
    /// # Errors
    /// `Conflict` when a key was changed, or when it cannot be told any more because its changes up to a later
    /// sequence have been flushed; nothing was changed then. The rest as for `commit`.
    pub fn commit_if(&self, batch: &WriteBatch, unchanged: &[Unchanged<'_>]) -> Result<Commit> {
        self.shared().commit(batch, unchanged)
    }

    /// Commits and waits: for room under pressure, then for the durability asked for. Blocks the thread.
    pub fn write(&self, batch: &WriteBatch, durability: Durability) -> Result<Commit> {
        self.write_if(batch, durability, &[])
    }

    /// [`Store::write`] on the condition of [`Store::commit_if`].
    pub fn write_if(&self, batch: &WriteBatch, durability: Durability, unchanged: &[Unchanged<'_>]) -> Result<Commit> {
        let shared = self.shared();
        shared.wait_for_room()?;
        let rollbacks = shared.syncer.rollbacks();
        let commit = shared.commit(batch, unchanged)?;
        match durability {
            Durability::None => {}
            Durability::EverySec => shared.hand_over(commit.sequence)?,
            Durability::Always => shared.syncer.wait_since(commit.sequence, rollbacks)?,
        }
        Ok(commit)
    }

    /// The newest value of a row. Of a batch that is being committed it shows nothing or all.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get_with(table, key, <[u8]>::to_vec)
    }

    /// [`Store::get`] without a copy: `map` sees the value where it lies. It must not call the store.
    pub fn get_with<T>(&self, table: Table, key: &[u8], map: impl Fn(&[u8]) -> T) -> Result<Option<T>> {
        let shared = self.shared();
        // The sequence first: layers loaded after it hold everything up to it.
        let visible = shared.visible.load(Ordering::Acquire);
        let layers = shared.layers.load();
        let found = match shared.catalogue.lifetime(table.0) {
            None => layers.get_settled(table.0, key, visible, &map)?,
            Some(lifetime) => {
                let lifetime = lifetime.at(shared.clock.now_ms());
                let shown = |stored: &[u8]| lifetime.shown(stored).map(&map);
                layers.get_settled(table.0, key, visible, shown)?.map(Option::flatten)
            }
        };
        if let Some(found) = found {
            return Ok(found);
        }
        // A batch is on its way in, and this key has a part in it: taking a snapshot waits for the whole.
        self.snapshot().get_with(table, key, map)
    }

    /// The sum of all [`WriteBatch::tally`] of a table.
    pub fn tally(&self, table: Table) -> i64 {
        self.shared().catalogue.tally(table.0)
    }

    /// A consistent view of all tables as of now; never blocks writers.
    pub fn snapshot(&self) -> Snapshot {
        self.shared().snapshot()
    }
}
