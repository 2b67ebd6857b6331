//! Settings of a store. Data only: components (disk, clock) enter through the open functions.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::MergeOperator;

/// When a commit counts as acknowledged. See ARCHITECTURE.md for what each loses in a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Durability {
    /// Memory only.
    None,
    /// The bytes are the kernel's; an fsync follows within a second.
    #[default]
    EverySec,
    /// After the fsync of the group.
    Always,
}

/// How a table's unflushed rows are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableKind {
    /// Kept in key order: point reads and range scans are both cheap at any time.
    #[default]
    Ordered,
    /// Kept by hash, sorted when flushed: twice as fast to write; point reads are cheap, an iterator first sorts the
    /// unflushed rows that share the first two key bytes of its range. For models that read from a cache of their own.
    Hashed,
}

/// Settings of [`crate::Store::open`].
#[derive(Debug, Clone)]
pub struct Options {
    /// The data directory; created when it is missing.
    pub path: PathBuf,
    /// Bytes of rows that one memtable holds before it is frozen and flushed. At most two exist at a time.
    pub memtable_bytes: usize,
    /// Page cache of the B-tree, bytes.
    pub cache_bytes: usize,
    /// Size of one log segment, bytes.
    pub segment_bytes: u64,
    /// Log kept for readers of the change feed beyond what recovery needs, bytes. A feed that falls behind it has to begin
    /// again from a snapshot; 0 when nobody reads the feed.
    pub log_retention_bytes: u64,
    /// Where closed log segments are kept for good, linked or copied before the log gives them up; for a restore to a
    /// point in time. Nothing is removed there. Each store, and each restored one, needs a directory of its own.
    pub archive_path: Option<PathBuf>,
    /// Merge operators of the program, beside the built-in [`crate::AddI64`] and [`crate::Append`].
    pub merge_operators: Vec<Arc<dyn MergeOperator>>,
    /// The size of the B-tree's file, in percent of its live rows, at which space is given back in the background: see
    /// [`crate::maintenance`]. 0: only when [`crate::Store::compact`] is called.
    pub compact_percentage: u64,
    /// A file that is not larger than this, and the percentage, is left alone, bytes.
    pub compact_min_bytes: u64,
    /// Keep what [`crate::Store::rollback_after`] may ask for: the rows that unflushed batches have replaced.
    pub rollback: bool,
    /// How long a writer may be held back before its write is refused.
    pub stall_timeout: Duration,
}

impl Options {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Options {
            path: path.into(),
            memtable_bytes: 64 << 20,
            cache_bytes: 64 << 20,
            segment_bytes: 64 << 20,
            log_retention_bytes: 64 << 20,
            archive_path: None,
            merge_operators: Vec::new(),
            compact_percentage: 400,
            compact_min_bytes: 64 << 20,
            rollback: false,
            stall_timeout: Duration::from_secs(10),
        }
    }
}
