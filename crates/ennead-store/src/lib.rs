//! The durable storage core of Ennead, also usable alone as an embedded library.
//!
//! Named, ordered tables of bytes, changed by atomic [`WriteBatch`]es that go through one log, read by key, by
//! iterator and by [`Snapshot`]. It knows no data model, no network and no runtime.

mod base;
mod batch;
mod bulk;
mod catalogue;
mod clock;
mod compaction;
mod directory;
pub mod disk;
mod error;
mod feed;
mod flush;
mod health;
mod latch;
mod lifetime;
mod log;
pub mod maintenance;
mod memtable;
mod merge;
mod options;
mod pace;
mod prefetch;
mod recovery;
mod rollback;
mod slots;
mod snapshot;
mod store;
mod tables;
mod transaction;

pub use batch::{Operation, WriteBatch};
pub use bulk::{ApproximateSize, Ingested, RangeSize};
pub use clock::{Clock, SystemClock};
pub use error::{Error, ErrorCode, Result};
pub use feed::{Feed, FeedBatch, TableChange};
pub use latch::{LatchGuard, Latches};
#[doc(hidden)]
pub use log::fuzzing;
pub use log::{Log, LogEntry, LogFigures};
pub use merge::{AddI64, Append, MergeOperator};
pub use options::{Durability, Options, TableKind};
pub use prefetch::{prefetch, prefetch_at};
pub use recovery::RecoveryReport;
pub use snapshot::{Iter, RangeIter, Snapshot, prefix_end};
pub use store::ahead::Ahead;
pub use store::{Commit, Pressure, Sequence, Statistics, Store, Table, Unchanged, Unflushed};
pub use tables::TableOptions;
pub use transaction::{
    LockOptions, OptimisticTransaction, PessimisticTransaction, PessimisticTransactions, TransactionIter,
};
