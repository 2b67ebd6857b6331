//! V0: the contract of the store on plain maps, so that the crates above can be built against it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;

use crate::{Error, Options, Result, TableKind, WriteBatch};

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

/// Figures of a store, for INFO and metrics.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    pub memtable_bytes: u64,
    pub log_bytes: u64,
    pub file_bytes: u64,
    pub flushes: u64,
    pub flush_running: bool,
    pub last_flush_micros: u64,
    pub log_syncs: u64,
    pub log_sync_micros: u64,
    pub log_appends: u64,
    pub committed: Sequence,
    pub written: Sequence,
    pub durable: Sequence,
    pub flushed: Sequence,
    pub poisoned: Option<String>,
}

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Default)]
struct State {
    names: BTreeMap<String, Table>,
    tables: BTreeMap<Table, Rows>,
    tallies: BTreeMap<Table, i64>,
    changes: BTreeMap<(Table, Vec<u8>), Sequence>,
}

struct Inner {
    state: RwLock<State>,
    sequence: AtomicU64,
}

/// A store; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

impl Store {
    /// Opens or creates a store and recovers what its log holds.
    pub fn open(_options: Options) -> Result<Store> {
        Ok(Store(Arc::new(Inner { state: RwLock::default(), sequence: AtomicU64::new(0) })))
    }

    /// The table of this name, created when it is missing.
    pub fn create_table(&self, name: &str, _kind: TableKind) -> Result<Table> {
        let mut state = self.0.state.write();
        if let Some(table) = state.names.get(name) {
            return Ok(*table);
        }
        let table = Table(state.names.len() as u32 + 1);
        state.names.insert(name.to_owned(), table);
        state.tables.insert(table, Rows::new());
        Ok(table)
    }

    pub fn table(&self, name: &str) -> Option<Table> {
        self.0.state.read().names.get(name).copied()
    }

    pub fn drop_table(&self, name: &str) -> Result<()> {
        let mut state = self.0.state.write();
        let table = state.names.remove(name).ok_or_else(|| Error::UnknownTable(name.to_owned()))?;
        state.tables.remove(&table);
        Ok(())
    }

    /// Appends the batch to the log and makes it visible to reads. It is **not durable** when this returns: pass the
    /// sequence to [`Store::hand_over`] or wait for [`Store::durable`]. Does not wait for room: check
    /// [`Store::pressure`] before, or use [`Store::write`].
    ///
    /// # Errors
    /// `Poisoned` after a failed write to disk; nothing was changed then.
    pub fn commit(&self, batch: &WriteBatch) -> Result<Commit> {
        self.commit_if(batch, &[])
    }

    /// Like [`Store::commit`], but only if no key of `unchanged` was changed after its sequence; the check and the
    /// commit are one step for all other commits.
    ///
    /// # Errors
    /// `Conflict` when a key was changed, or when it cannot be told any more because its changes up to a later
    /// sequence have been flushed; nothing was changed then. The rest as for `commit`.
    pub fn commit_if(&self, batch: &WriteBatch, unchanged: &[Unchanged<'_>]) -> Result<Commit> {
        let mut state = self.0.state.write();
        for expected in unchanged {
            let newest = state.changes.get(&(expected.table, expected.key.to_vec())).copied().unwrap_or(0);
            if newest > expected.since {
                return Err(Error::Conflict(format!("a key was changed by sequence {newest}")));
            }
        }
        let sequence = self.committed() + 1;
        let State { tables, changes, .. } = &mut *state;
        for (kind, table, key, value) in &batch.operations {
            let rows = tables.get_mut(table).ok_or_else(|| Error::UnknownTable(format!("{table:?}")))?;
            match kind {
                0 => {
                    changes.insert((*table, key.clone()), sequence);
                    rows.insert(key.clone(), value.clone().unwrap_or_default());
                }
                1 => {
                    changes.insert((*table, key.clone()), sequence);
                    rows.remove(key);
                }
                _ => {
                    let end = value.as_ref().map_or(Bound::Unbounded, |end| Bound::Excluded(end.clone()));
                    let doomed: Vec<_> =
                        rows.range((Bound::Included(key.clone()), end)).map(|(k, _)| k.clone()).collect();
                    for key in doomed {
                        rows.remove(&key);
                        changes.insert((*table, key), sequence);
                    }
                }
            }
        }
        for (table, delta) in &batch.tallies {
            *state.tallies.entry(*table).or_default() += delta;
        }
        Ok(Commit { sequence: self.0.sequence.fetch_add(1, Ordering::SeqCst) + 1 })
    }

    /// Commits and waits: for room under pressure, then for the durability asked for. Blocks the thread.
    pub fn write(&self, batch: &WriteBatch, durability: crate::Durability) -> Result<Commit> {
        self.write_if(batch, durability, &[])
    }

    /// [`Store::write`] on the condition of [`Store::commit_if`].
    pub fn write_if(
        &self,
        batch: &WriteBatch,
        _durability: crate::Durability,
        unchanged: &[Unchanged<'_>],
    ) -> Result<Commit> {
        self.commit_if(batch, unchanged)
    }

    /// The newest sequence that may have changed this key. Exact while the change is not flushed; after that the
    /// flushed sequence, which is never too low. Range deletes count for the keys they covered.
    pub fn latest_sequence(&self, table: Table, key: &[u8]) -> Sequence {
        self.0.state.read().changes.get(&(table, key.to_vec())).copied().unwrap_or(0)
    }

    /// Makes everything up to `sequence` the kernel's (one write for all that is pending). Cheap when it already is.
    pub fn hand_over(&self, _sequence: Sequence) -> Result<()> {
        Ok(())
    }

    /// Asks the log thread for an fsync that covers `sequence`; returns at once. Completion is seen by
    /// [`Store::durable`] and told to [`Store::on_durable`].
    pub fn request_sync(&self, _sequence: Sequence) {}

    /// Registers a function that the log thread calls with the new durable sequence after each fsync, and once with
    /// the last durable sequence when the store is poisoned (check [`Store::poisoned`]). It must not block.
    pub fn on_durable(&self, _notify: Box<dyn Fn(Sequence) + Send + Sync>) {}

    /// Waits until `sequence` is on disk. Blocks the thread.
    pub fn wait_durable(&self, _sequence: Sequence) -> Result<()> {
        Ok(())
    }

    /// The last sequence given out.
    pub fn committed(&self) -> Sequence {
        self.0.sequence.load(Ordering::SeqCst)
    }

    /// Everything up to here is the kernel's.
    pub fn written(&self) -> Sequence {
        self.committed()
    }

    /// Everything up to here is on disk.
    pub fn durable(&self) -> Sequence {
        self.committed()
    }

    /// Why the store refuses writes, if it does.
    pub fn poisoned(&self) -> Option<String> {
        None
    }

    pub fn pressure(&self) -> Pressure {
        Pressure::None
    }

    /// The newest value of a row.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.state.read().tables.get(&table).and_then(|rows| rows.get(key).cloned()))
    }

    /// The sum of all [`WriteBatch::tally`] of a table.
    pub fn tally(&self, table: Table) -> i64 {
        self.0.state.read().tallies.get(&table).copied().unwrap_or(0)
    }

    /// A consistent view of all tables as of now; never blocks writers.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.0.state.read();
        Snapshot { tables: Arc::new(state.tables.clone()), sequence: self.committed() }
    }

    /// Freezes the memtable and waits until it is in the B-tree. Blocks the thread.
    pub fn flush(&self) -> Result<()> {
        Ok(())
    }

    pub fn statistics(&self) -> Statistics {
        Statistics { committed: self.committed(), ..Statistics::default() }
    }

    /// Writes a consistent copy of the store, openable by [`Store::open`], into a new directory. Blocks the thread.
    pub fn backup(&self, _directory: &std::path::Path) -> Result<()> {
        Err(Error::Invalid("backup is not there yet".into()))
    }

    /// Flushes the log to disk and releases the directory. Dropping the last clone does the same.
    pub fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// A consistent view at one sequence.
#[derive(Clone)]
pub struct Snapshot {
    tables: Arc<BTreeMap<Table, Rows>>,
    sequence: Sequence,
}

impl Snapshot {
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.tables.get(&table).and_then(|rows| rows.get(key).cloned()))
    }
    /// An iterator over `start <= key < end`, not positioned yet: call a `seek` first.
    pub fn iter(&self, table: Table, start: &[u8], end: Option<&[u8]>) -> Iter {
        let forward = end.is_none_or(|end| start < end);
        let end = end.map_or(Bound::Unbounded, |end| Bound::Excluded(end.to_vec()));
        let rows = self
            .tables
            .get(&table)
            .filter(|_| forward)
            .map(|rows| {
                rows.range((Bound::Included(start.to_vec()), end)).map(|(k, v)| (k.clone(), v.clone())).collect()
            })
            .unwrap_or_default();
        Iter { rows, at: None }
    }
}

/// A cursor over one table of a snapshot, in both directions. Not valid until a `seek`; `valid` turns false past either
/// end. The first error ends it and is kept in [`Iter::status`].
pub struct Iter {
    rows: Vec<(Vec<u8>, Vec<u8>)>,
    at: Option<usize>,
}

impl Iter {
    pub fn seek_to_first(&mut self) {
        self.at = (!self.rows.is_empty()).then_some(0);
    }
    pub fn seek_to_last(&mut self) {
        self.at = self.rows.len().checked_sub(1);
    }
    /// To the first row with `key >= target`.
    pub fn seek(&mut self, target: &[u8]) {
        let at = self.rows.partition_point(|(key, _)| key.as_slice() < target);
        self.at = (at < self.rows.len()).then_some(at);
    }
    /// To the last row with `key <= target`.
    pub fn seek_for_prev(&mut self, target: &[u8]) {
        self.at = self.rows.partition_point(|(key, _)| key.as_slice() <= target).checked_sub(1);
    }
    pub fn next(&mut self) {
        self.at = self.at.map(|at| at + 1).filter(|at| *at < self.rows.len());
    }
    pub fn prev(&mut self) {
        self.at = self.at.and_then(|at| at.checked_sub(1));
    }
    pub fn valid(&self) -> bool {
        self.at.is_some()
    }
    /// The current key; empty when not valid.
    pub fn key(&self) -> &[u8] {
        self.at.map_or(&[], |at| &self.rows[at].0)
    }
    /// The current value; empty when not valid.
    pub fn value(&self) -> &[u8] {
        self.at.map_or(&[], |at| &self.rows[at].1)
    }
    pub fn status(&self) -> Result<()> {
        Ok(())
    }
}
