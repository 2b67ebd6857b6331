//! The log: every committed batch, in order, before it is in the B-tree.
//!
//! [`Log`] is what the store needs from one; [`local::LocalLog`] is the one on this machine's disk. Invariant: nothing
//! above assumes that an append is durable, or that it stays; what was appended after a sequence can be taken back by
//! [`Log::truncate_after`] until it is flushed.

pub(crate) mod archive;
pub(crate) mod arrivals;
#[doc(hidden)]
pub mod fuzzing;
pub(crate) mod local;
pub(crate) mod reader;
pub(crate) mod record;
pub(crate) mod segment;
pub(crate) mod shelf;
pub(crate) mod syncer;
#[cfg(test)]
mod tests;

use crate::store::Sequence;
use crate::{Result, WriteBatch};
use record::Record;

/// Figures of a log.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LogFigures {
    pub(crate) bytes: u64,
    pub(crate) appends: u64,
    pub(crate) syncs: u64,
    pub(crate) sync_micros: u64,
}

/// An ordered, append-only sequence of batches.
pub(crate) trait Log: Send + Sync {
    /// Encodes the batch into memory. Called in order of sequences, without gaps. Answers the bytes that wait in
    /// memory, so that the caller can hand them over when they are many.
    fn append(&self, sequence: Sequence, batch: &WriteBatch) -> usize;

    /// Makes everything up to `sequence` the kernel's.
    ///
    /// # Durability
    /// Survives the death of the process, not a power cut.
    fn hand_over(&self, sequence: Sequence) -> Result<()>;

    /// Makes everything appended so far durable and answers the last sequence of it. Blocks.
    fn sync(&self) -> Result<Sequence>;

    fn appended(&self) -> Sequence;

    fn written(&self) -> Sequence;

    fn durable(&self) -> Sequence;

    /// Removes the records above `sequence`, durably, after showing each to `undo`, the last first.
    fn truncate_after(&self, sequence: Sequence, undo: &mut dyn FnMut(&Record<'_>)) -> Result<()>;

    /// Everything up to `flushed` is in the B-tree: recovery needs it no more.
    fn release(&self, flushed: Sequence);

    fn figures(&self) -> LogFigures;
}
