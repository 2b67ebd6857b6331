//! How far a store has come: its positions, waiting for them, and its figures.

use std::sync::atomic::Ordering;

use super::{Pressure, Sequence, Store, Table};
use crate::Result;
use crate::recovery::RecoveryReport;

/// Figures of a store, for INFO and metrics.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    pub memtable_bytes: u64,
    pub log_bytes: u64,
    /// Length of the B-tree's file, which grows ahead of what is written, with holes.
    pub file_bytes: u64,
    /// Bytes that it takes on the disk.
    pub file_allocated_bytes: u64,
    pub flushes: u64,
    pub flush_running: bool,
    pub last_flush_micros: u64,
    /// Compactions that ended, well or not, by themselves or on request.
    pub compactions: u64,
    pub compaction_running: bool,
    pub log_syncs: u64,
    pub log_sync_micros: u64,
    pub log_appends: u64,
    pub committed: Sequence,
    pub written: Sequence,
    pub durable: Sequence,
    pub flushed: Sequence,
    pub poisoned: Option<String>,
}

/// What the next flush is going to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unflushed {
    /// Bytes that the memtable holds which takes the writes.
    pub bytes: u64,
    /// Bytes of the log that went into it; begins at 0 again with each memtable.
    pub logged_bytes: u64,
    /// Bytes at which it is flushed by itself.
    pub limit_bytes: u64,
}

impl Store {
    /// About the memtable that takes the writes; cheap.
    pub fn unflushed(&self) -> Unflushed {
        let memtable = &self.shared().layers.load().active;
        Unflushed {
            bytes: memtable.bytes() as u64,
            logged_bytes: memtable.logged() as u64,
            limit_bytes: self.shared().options.memtable_bytes as u64,
        }
    }

    /// Has the flush thread flush the memtable, with its rests, and returns at once. The flush has ended when
    /// [`Store::flushed`] is not below the answer. A store without threads flushes at once.
    ///
    /// # Errors
    /// Those of a flush, of a store without threads; others keep them for themselves, see [`Store::poisoned`].
    pub fn request_flush(&self) -> Result<Sequence> {
        let committed = self.committed();
        if self.shared().threaded {
            self.shared().flusher.ask(committed);
        } else {
            self.shared().flush_to(committed)?;
        }
        Ok(committed)
    }

    /// Everything up to here is in the B-tree.
    pub fn flushed(&self) -> Sequence {
        self.shared().layers.load().flushed
    }

    /// The newest sequence that may have changed this key. Exact while the change is not flushed; after that the
    /// flushed sequence, which is never too low. Range deletes count for the keys they covered.
    pub fn latest_sequence(&self, table: Table, key: &[u8]) -> Sequence {
        let layers = self.shared().layers.load();
        layers.latest(table.0, key).unwrap_or(layers.flushed)
    }

    /// Freezes the memtable and waits until it is in the B-tree. Blocks the thread.
    pub fn flush(&self) -> Result<()> {
        let committed = self.committed();
        self.shared().flush_to(committed)
    }

    /// Makes everything up to `sequence` the kernel's (one write for all that is pending). Cheap when it already is.
    pub fn hand_over(&self, sequence: Sequence) -> Result<()> {
        self.shared().hand_over(sequence)
    }

    /// Asks the log thread for an fsync that covers `sequence`; returns at once. Completion is seen by
    /// [`Store::durable`] and told to [`Store::on_durable`].
    pub fn request_sync(&self, sequence: Sequence) {
        self.shared().syncer.request(sequence);
    }

    /// Registers a function that is called with the new durable sequence after each fsync, by the thread that did it,
    /// and with the last durable sequence after a failure and when the store is poisoned (check [`Store::poisoned`]).
    /// The number may be one that was told before, and after a rollback a lower one. It must not block, and must not own
    /// a clone of this store.
    pub fn on_durable(&self, notify: Box<dyn Fn(Sequence) + Send + Sync>) {
        self.shared().syncer.listen(notify.into());
    }

    /// Waits until `sequence` is on disk. Blocks the thread.
    ///
    /// # Errors
    /// `RolledBack` when it is not in the log, or is taken back meanwhile; `Poisoned` when it will never be on disk.
    pub fn wait_durable(&self, sequence: Sequence) -> Result<()> {
        self.shared().syncer.wait(sequence)
    }

    /// The last sequence given out.
    pub fn committed(&self) -> Sequence {
        self.shared().visible.load(Ordering::Acquire)
    }

    /// Everything up to here is the kernel's.
    pub fn written(&self) -> Sequence {
        self.shared().log.written()
    }

    /// Everything up to here is on disk.
    pub fn durable(&self) -> Sequence {
        self.shared().log.durable()
    }

    /// Why the store refuses writes, if it does.
    pub fn poisoned(&self) -> Option<String> {
        self.shared().health.reason()
    }

    pub fn pressure(&self) -> Pressure {
        self.shared().pressure()
    }

    pub fn statistics(&self) -> Statistics {
        let shared = self.shared();
        let layers = shared.layers.load();
        let log = shared.log.figures();
        let frozen = layers.frozen.as_ref().map_or(0, |memtable| memtable.bytes());
        let tree_file = shared.tree_file.lock().clone();
        let (compactions, compaction_running) = shared.compaction_figures();
        Statistics {
            memtable_bytes: (layers.active.bytes() + frozen) as u64,
            log_bytes: log.bytes,
            file_bytes: tree_file.len().unwrap_or(0),
            file_allocated_bytes: tree_file.allocated_bytes().unwrap_or(0),
            flushes: shared.flusher.flushes.load(Ordering::Relaxed),
            flush_running: shared.flusher.running.load(Ordering::Relaxed),
            last_flush_micros: shared.flusher.last_micros.load(Ordering::Relaxed),
            compactions,
            compaction_running,
            log_syncs: log.syncs,
            log_sync_micros: log.sync_micros,
            log_appends: log.appends,
            committed: self.committed(),
            written: self.written(),
            durable: self.durable(),
            flushed: layers.flushed,
            poisoned: self.poisoned(),
        }
    }

    /// What the start found in the log.
    pub fn recovery(&self) -> &RecoveryReport {
        &self.shared().recovery
    }
}
