//! The log: every committed batch, in order, before it is in the B-tree.
//!
//! [`Log`] is what the store needs from one; [`local::LocalLog`] is the one on this machine's disk. Invariant: nothing
//! above assumes that an append is durable, or that it stays; what was appended after a sequence can be taken back by
//! [`Log::truncate_after`] until it is flushed.

pub(crate) mod archive;
pub(crate) mod arrivals;
mod cut;
#[doc(hidden)]
pub mod fuzzing;
pub(crate) mod local;
pub(crate) mod reader;
pub(crate) mod record;
mod retention;
pub(crate) mod segment;
pub(crate) mod shelf;
pub(crate) mod syncer;
pub(crate) mod tail;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::store::Sequence;
use crate::{Result, WriteBatch};

/// Figures of a log, since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogFigures {
    /// Bytes written.
    pub bytes: u64,
    /// Groups of batches handed over.
    pub appends: u64,
    pub syncs: u64,
    pub sync_micros: u64,
}

/// A batch in the log.
#[derive(Debug, Clone, Copy)]
pub struct LogEntry<'a> {
    pub sequence: Sequence,
    /// Wall time when it was written or shortly before, milliseconds since 1970 UTC.
    pub time_ms: u64,
    pub batch: &'a WriteBatch,
}

/// An ordered, append-only sequence of batches, numbered from 1 without a gap. [`crate::Store::open`] uses one on this
/// machine's disk; [`crate::Store::open_with_log`] takes any.
///
/// # What an implementation promises
///
/// - **Positions.** `durable() <= written() <= appended()`. They only grow, except in `truncate_after`. What `durable`
///   covers is never lost and never taken back: on one machine after an fsync, in a cluster after the quorum's commit. The
///   store acknowledges, and puts into its B-tree, nothing above it; the store asks for positions often, so they should
///   cost no more than a load.
/// - **Order.** `append` is called by one thread at a time, with sequences that follow each other. Everything else may be
///   called from any thread at any time, also while an `append` runs.
/// - **Failures.** An append cannot fail. What was appended and cannot be made durable is told by an error of `hand_over`
///   and `sync`, and by positions that no longer move; the store stays usable for reads.
/// - **Losing office.** When a log can no longer make its tail durable, it ends every `sync` that waits with an error, and only
///   then somebody calls [`crate::Store::rollback_after`] with `durable()`: a `sync` that still waits would be waited for.
///   The store then calls `truncate_after`, forgets the rows, and the next append has the next sequence again.
/// - **Waking.** Whenever `written` or `durable` has moved, for whatever reason, the function given to `attach` is called,
///   without a lock of the log held.
/// - **Opening.** When it is given to a store, the log has read what it keeps: its positions are true, and everything above
///   the store's B-tree is there for `read`. It keeps everything above the last `release`.
///
/// What a batch holds is opaque to the log: keep [`WriteBatch::to_bytes`], or a clone.
pub trait Log: Send + Sync + 'static {
    /// Takes the batch into memory. Answers the bytes that wait in memory, so that the caller can hand them over when
    /// they are many. Called under the store's commit lock: it must neither block nor call the store.
    fn append(&self, sequence: Sequence, batch: &WriteBatch) -> usize;

    /// Makes everything up to `sequence` survive the death of the process.
    ///
    /// # Durability
    /// Not yet that of a power cut.
    fn hand_over(&self, sequence: Sequence) -> Result<()>;

    /// Makes everything that is appended when it is called durable and answers the last sequence that is. Blocks until
    /// then, or until that has become impossible.
    fn sync(&self) -> Result<Sequence>;

    fn appended(&self) -> Sequence;

    /// Everything up to here survives the death of the process.
    fn written(&self) -> Sequence;

    /// Everything up to here stays for good.
    fn durable(&self) -> Sequence;

    /// Removes the batches above `sequence` after showing each to `undo`, the last first. Nobody appends meanwhile, and
    /// afterwards no position is above `sequence`.
    ///
    /// # Durability
    /// They do not come back after a crash once it has returned.
    fn truncate_after(&self, sequence: Sequence, undo: &mut dyn FnMut(&WriteBatch)) -> Result<()>;

    /// Everything up to `flushed` is in the B-tree: recovery needs it no more.
    fn release(&self, flushed: Sequence);

    /// Shows the written batches from `from` on, in order, until there are no more or `show` answers false.
    ///
    /// # Errors
    /// [`crate::Error::FeedLost`] when it does not reach back that far; any error of `show`.
    fn read(&self, from: Sequence, show: &mut dyn FnMut(LogEntry<'_>) -> Result<bool>) -> Result<()>;

    /// Is told once, by the store that opens it, what to call when a position has moved.
    fn attach(&self, advanced: Arc<dyn Fn() + Send + Sync>);

    /// The store is closed: nothing is appended any more.
    ///
    /// # Durability
    /// Everything is durable when it returns without an error.
    fn close(&self) -> Result<()> {
        self.sync().map(|_| ())
    }

    fn figures(&self) -> LogFigures {
        LogFigures::default()
    }
}
