//! Rows since the last flush, of all tables, each with the rows it replaced.
//!
//! Rows go in under the store's commit lock, in order of sequences; readers take the lock of one shard for one lookup
//! or one short run. A row that a snapshot may ask for is never changed or moved, so a reader at an older sequence walks
//! from the newest row of a key to the first that is not newer than itself; rows above the newest snapshot are
//! overwritten where they are. A memtable is dropped as a whole.

mod ahead;
mod arena;
pub(crate) mod cursor;
mod index;
mod order;
mod ranges;
mod shard;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use foldhash::fast::RandomState;
use parking_lot::RwLock;
use std::hash::BuildHasher;

use crate::slots::Slots;
use crate::store::Sequence;
use crate::{MergeOperator, Options, TableKind};
pub(crate) use ahead::RowAhead;
use arena::NewRow;
pub(crate) use arena::ROW_OVERHEAD_BYTES;
pub(crate) use cursor::{Cursor, Direction};
pub(crate) use ranges::{Covered, RangeDeletes};
use shard::Shard;

/// Lets two threads read while one writes; more shards would make scans dearer.
const ORDERED_SHARDS: usize = 4;
/// One for each first byte, so that the order of shards is the order of their keys.
const HASHED_SHARDS: usize = 256;

/// A memtable is full, whatever it holds, when its log is so many times as long as a memtable may be.
const LOG_SHARE: usize = 4;

/// What a memtable knows of a key at a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found<T> {
    /// A row with a value.
    Value(Sequence, T),
    /// A merge operand for what is below.
    Operand(Sequence, Vec<u8>),
    /// A row that deletes, or a range delete that covers the key.
    Deleted(Sequence),
    /// Nothing: ask what is below.
    Nothing,
}

/// One table's rows in a memtable.
pub(crate) struct TableRows {
    kind: TableKind,
    shards: Box<[RwLock<Shard>]>,
    pub(crate) ranges: RangeDeletes,
    operator: OnceLock<Merging>,
}

impl TableRows {
    /// The merge operator, if an operand was merged here.
    pub(crate) fn operator(&self) -> Option<&Arc<dyn MergeOperator>> {
        self.operator.get().map(|merging| &merging.newest().operator)
    }

    fn new(kind: TableKind) -> TableRows {
        let shards = match kind {
            TableKind::Ordered => (0..ORDERED_SHARDS).map(|_| RwLock::new(Shard::ordered())).collect(),
            TableKind::Hashed => (0..HASHED_SHARDS).map(|_| RwLock::new(Shard::hashed())).collect(),
        };
        TableRows { kind, shards, ranges: RangeDeletes::default(), operator: OnceLock::new() }
    }

    #[inline]
    fn shard_number(&self, hash: u64, key: &[u8]) -> usize {
        match self.kind {
            TableKind::Ordered => (hash >> 32) as usize % ORDERED_SHARDS,
            TableKind::Hashed => key.first().copied().unwrap_or(0) as usize,
        }
    }

    #[inline]
    fn shard(&self, hash: u64, key: &[u8]) -> &RwLock<Shard> {
        &self.shards[self.shard_number(hash, key)]
    }

    /// The row of a key as of `bound`, its value through `map`.
    #[inline]
    fn get<T>(&self, hash: u64, key: &[u8], bound: Sequence, map: impl FnOnce(&[u8]) -> T) -> Found<T> {
        let covered = self.ranges.covering(key, bound);
        let shard = self.shard(hash, key).read();
        match shard.get(hash, key, bound) {
            Some(row) if row.sequence >= covered => match row.value {
                Some(operand) if row.operand => Found::Operand(row.sequence, operand.to_vec()),
                Some(value) => Found::Value(row.sequence, map(value)),
                None => Found::Deleted(row.sequence),
            },
            _ if covered > 0 => Found::Deleted(covered),
            _ => Found::Nothing,
        }
    }
}

/// A merge operator, and the one of the table that was given the number after a rollback.
struct Merging {
    operator: Arc<dyn MergeOperator>,
    later: OnceLock<Box<Merging>>,
}

impl Merging {
    fn new(operator: &Arc<dyn MergeOperator>) -> Merging {
        Merging { operator: operator.clone(), later: OnceLock::new() }
    }

    fn newest(&self) -> &Merging {
        let mut merging = self;
        while let Some(later) = merging.later.get() {
            merging = later;
        }
        merging
    }

    /// The rows that are there from now on are merged by this one. The caller holds the commit lock.
    fn follow(&self, operator: &Arc<dyn MergeOperator>) {
        let newest = self.newest();
        if newest.operator.name() != operator.name() {
            newest.later.get_or_init(|| Box::new(Merging::new(operator)));
        }
    }
}

/// Rows since the last flush.
pub(crate) struct Memtable {
    tables: Slots<TableRows>,
    hasher: RandomState,
    bytes: AtomicUsize,
    /// Bytes of log records that the rows came from.
    logged: AtomicUsize,
    /// Rows up to this sequence stay as they are when their keys are written again.
    kept: AtomicU64,
}

impl Default for Memtable {
    fn default() -> Self {
        Memtable {
            tables: Slots::default(),
            hasher: RandomState::default(),
            bytes: AtomicUsize::new(0),
            logged: AtomicUsize::new(0),
            kept: AtomicU64::new(0),
        }
    }
}

impl Memtable {
    pub(crate) fn new(options: &Options) -> Memtable {
        let memtable = Memtable::default();
        if options.rollback {
            memtable.keep(Sequence::MAX);
        }
        memtable
    }

    /// Keeps all rows up to `sequence` for those who read as of it. The caller holds the commit lock.
    pub(crate) fn keep(&self, sequence: Sequence) {
        self.kept.fetch_max(sequence, Ordering::Relaxed);
    }

    /// Bytes that the rows and their index hold.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts a record of the log whose rows came in. The caller holds the commit lock.
    #[inline]
    pub(crate) fn note_logged(&self, bytes: usize) {
        self.logged.store(self.logged.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
    }

    /// Bytes of log records that its rows came from.
    pub(crate) fn logged(&self) -> usize {
        self.logged.load(Ordering::Relaxed)
    }

    /// What it weighs against the limit of a memtable, bytes: what it holds, or a share of its log. Overwriting the same
    /// rows adds to the log and not to the memtable, and neither the log nor the time of a start may grow without bound.
    #[inline]
    pub(crate) fn weight(&self) -> usize {
        self.bytes().max(self.logged.load(Ordering::Relaxed) / LOG_SHARE)
    }

    /// Whether writers may have to wait for a flush of the memtable before it; `limit_bytes` is what one may weigh.
    #[inline]
    pub(crate) fn is_half_full(&self, limit_bytes: usize) -> bool {
        self.weight() >= limit_bytes / 2
    }

    pub(crate) fn table(&self, table: u32) -> Option<&TableRows> {
        self.tables.get(table)
    }

    fn rows(&self, table: u32, kind: TableKind) -> Option<&TableRows> {
        if let Some(rows) = self.tables.get(table) {
            return Some(rows);
        }
        self.tables.get_or_make(table, || TableRows::new(kind))
    }

    // Only the holder of the commit lock adds, so a plain load and store do.
    #[inline]
    fn grow(&self, by: usize) {
        self.bytes.store(self.bytes.load(Ordering::Relaxed) + by, Ordering::Relaxed);
    }

    /// Adds a row; no value means a delete.
    #[inline]
    pub(crate) fn insert(&self, table: u32, kind: TableKind, sequence: Sequence, key: &[u8], value: Option<&[u8]>) {
        let Some(rows) = self.rows(table, kind) else { return };
        let hash = self.hasher.hash_one(key);
        let row = NewRow { sequence, key, value, operand: false };
        let added = rows.shard(hash, key).write().insert(hash, self.kept.load(Ordering::Relaxed), row);
        self.grow(added);
    }

    /// Merges an operand into the row, as far as this memtable knows it.
    pub(crate) fn merge(
        &self,
        table: u32,
        kind: TableKind,
        sequence: Sequence,
        key: &[u8],
        operand: &[u8],
        operator: &Arc<dyn MergeOperator>,
    ) {
        let Some(rows) = self.rows(table, kind) else { return };
        rows.operator.get_or_init(|| Merging::new(operator)).follow(operator);
        let hash = self.hasher.hash_one(key);
        let covered = rows.ranges.covering(key, sequence);
        let mut shard = rows.shard(hash, key).write();
        let (value, waits) = match shard.get(hash, key, Sequence::MAX) {
            Some(row) if row.sequence >= covered => match row.value {
                Some(older) if row.operand => (operator.combine(older, operand), true),
                value => (operator.apply(value, operand), false),
            },
            _ if covered > 0 => (operator.apply(None, operand), false),
            _ => (operand.to_vec(), true),
        };
        let row = NewRow { sequence, key, value: Some(&value), operand: waits };
        let added = shard.insert(hash, self.kept.load(Ordering::Relaxed), row);
        drop(shard);
        self.grow(added);
    }

    /// Deletes what is in the range and older than `sequence`. Rows of the same sequence are not touched.
    pub(crate) fn delete_range(
        &self,
        table: u32,
        kind: TableKind,
        sequence: Sequence,
        start: &[u8],
        end: Option<&[u8]>,
    ) {
        let Some(rows) = self.rows(table, kind) else { return };
        self.grow(rows.ranges.insert(start, end, sequence));
    }

    /// The row of a key as of `bound`.
    #[inline]
    pub(crate) fn get<T>(&self, table: u32, key: &[u8], bound: Sequence, map: impl FnOnce(&[u8]) -> T) -> Found<T> {
        match self.tables.get(table) {
            Some(rows) => rows.get(self.hasher.hash_one(key), key, bound, map),
            None => Found::Nothing,
        }
    }

    /// Forgets the rows and range deletes above `sequence`. The caller holds the commit lock.
    pub(crate) fn truncate_after(&self, sequence: Sequence) {
        for (_, rows) in self.tables.iter() {
            rows.ranges.truncate_after(sequence);
            for shard in &rows.shards {
                shard.write().truncate_after(sequence);
            }
        }
    }
}
