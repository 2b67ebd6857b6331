//! What an operator does to a store: backup and checkpoint of a running one; restore, repair and compact of a closed one.
//!
//! A store also gives space back by itself. Bound, which is tested: after a flush, unless a compaction is running, the
//! disk lacks the room for one, or too little was flushed since the last one (see below), the tree's file takes no more
//! of the disk than [`crate::Options::compact_min_bytes`] plus [`crate::Options::compact_percentage`] percent of the
//! bytes of its live rows, counting [`COMPACTED_ROW_OVERHEAD_BYTES`] for each row. Between two compactions at least
//! half as many bytes are flushed as rows are live, so a store that keeps outgrowing the bound writes at most about
//! three times what it would without.
//!
//! The functions on paths take the directory's lock like [`Store::open`] does, so they never work under a running
//! store. Every function takes a progress callback with bytes done and bytes in all (an estimate, 0 when unknown).

mod backup;
mod compact;
mod copy;
mod manifest;
mod repair;
mod restore;
#[cfg(test)]
mod tests;

pub use backup::Backup;
pub use compact::{COMPACTED_FIXED_BYTES, COMPACTED_RATIO_MAX, COMPACTED_ROW_OVERHEAD_BYTES, Compacted, compact};
pub use repair::{Damage, Diagnosis, Repair, diagnose, repair};
pub use restore::{RestoreOptions, RestorePoint, Restored, restore};

/// Counts bytes for a callback.
pub(crate) struct Progress<'a> {
    done: u64,
    total: u64,
    tell: &'a mut dyn FnMut(u64, u64),
}

impl<'a> Progress<'a> {
    fn new(total: u64, tell: &'a mut dyn FnMut(u64, u64)) -> Self {
        Progress { done: 0, total, tell }
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        (self.tell)(self.done, self.total);
    }
}
