//! The durable storage core of Ennead, also usable alone as an embedded library.
//!
//! Named, ordered tables of bytes, changed by atomic [`WriteBatch`]es that go through one log, read by key, by
//! iterator and by [`Snapshot`]. It knows no data model, no network and no runtime.

mod batch;
mod error;
mod latch;
mod options;
mod store;
mod transaction;

pub use batch::{Operation, WriteBatch};
pub use error::{Error, ErrorCode, Result};
pub use latch::{LatchGuard, Latches};
pub use options::{Durability, Options, TableKind};
pub use store::{Commit, Iter, Pressure, Sequence, Snapshot, Statistics, Store, Table, Unchanged};
pub use transaction::{
    LockOptions, OptimisticTransaction, PessimisticTransaction, PessimisticTransactions, TransactionIter,
};
