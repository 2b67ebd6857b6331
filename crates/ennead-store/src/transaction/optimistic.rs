//! Transactions without locks: reads from one snapshot, conflicts found at commit.

use std::collections::BTreeSet;

use super::{TransactionIter, WriteSet};
use crate::{Commit, Durability, Error, Result, Snapshot, Store, Table, Unchanged};

impl Store {
    /// Starts an optimistic transaction that reads the store as of now.
    pub fn optimistic_transaction(&self) -> OptimisticTransaction {
        OptimisticTransaction {
            store: self.clone(),
            snapshot: self.snapshot(),
            writes: WriteSet::default(),
            read_for_update: BTreeSet::new(),
        }
    }
}

/// A transaction that takes no locks. It reads from the snapshot of its start and its own writes; its commit succeeds
/// only if nobody else changed a key that it wrote or read for update since. Dropping it changes nothing.
///
/// A transaction that stays open while its keys' memtable is flushed may be told `Conflict` although nobody changed
/// them: the store then no longer knows. Running it again is right in both cases.
///
/// ```
/// use ennead_store::{Durability, Error, Options, Store, TableKind, WriteBatch};
/// # let directory = tempfile::tempdir()?;
/// let store = Store::open(Options::new(directory.path()))?;
/// let stock = store.create_table("stock", TableKind::Ordered)?;
/// let mut batch = WriteBatch::new();
/// batch.put(stock, b"apples", b"3");
/// store.write(&batch, Durability::Always)?;
///
/// let mut sale = store.optimistic_transaction();
/// assert_eq!(sale.get_for_update(stock, b"apples")?.as_deref(), Some(&b"3"[..]));
/// sale.put(stock, b"apples", b"2");
///
/// store.write(&batch, Durability::EverySec)?; // somebody else is faster
/// assert!(matches!(sale.commit(Durability::Always), Err(Error::Conflict(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct OptimisticTransaction {
    store: Store,
    snapshot: Snapshot,
    writes: WriteSet,
    read_for_update: BTreeSet<(Table, Vec<u8>)>,
}

impl OptimisticTransaction {
    /// The snapshot that it reads from, without its own writes.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The value as of the start, or the one this transaction wrote.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.writes.get(table, key) {
            Some(written) => Ok(written.clone()),
            None => self.snapshot.get(table, key),
        }
    }

    /// [`Self::get`], and the commit fails if somebody else changes the key until then. The key need not exist.
    pub fn get_for_update(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.read_for_update.insert((table, key.to_vec()));
        self.get(table, key)
    }

    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.writes.set(table, key, Some(value.to_vec()));
    }

    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.writes.set(table, key, None);
    }

    /// An iterator over `start <= key < end` that sees own writes; call a `seek` first. Rows it passes are not
    /// checked at commit: read the ones that matter with [`Self::get_for_update`].
    pub fn iter(&self, table: Table, start: &[u8], end: Option<&[u8]>) -> TransactionIter<'_> {
        TransactionIter::new(self.snapshot.iter(table, start, end), self.writes.tables.get(&table), start, end)
    }

    /// Remembers the writes so far, for [`Self::rollback_to_savepoint`]. Savepoints nest.
    pub fn savepoint(&mut self) {
        self.writes.savepoint();
    }

    /// Takes back the writes since the newest savepoint and forgets it. Keys read for update stay checked.
    ///
    /// # Errors
    /// `Invalid` when there is no savepoint.
    pub fn rollback_to_savepoint(&mut self) -> Result<()> {
        if self.writes.rollback_to_savepoint() { Ok(()) } else { Err(Error::Invalid("there is no savepoint".into())) }
    }

    /// A few bytes that travel with the commit in the log, for readers of the change feed.
    pub fn set_event(&mut self, event: &[u8]) {
        self.writes.event = event.to_vec();
    }

    /// Commits all writes as one batch, or none. One that wrote nothing only checks its reads for update, and gets `None`.
    ///
    /// # Errors
    /// `Conflict` when another writer was faster: start a new transaction. The rest as for [`Store::write`].
    ///
    /// # Durability
    /// As asked for by `durability`.
    pub fn commit(self, durability: Durability) -> Result<Option<Commit>> {
        let since = self.snapshot.sequence();
        let batch = self.writes.batch();
        let read = self.read_for_update.iter().map(|(table, key)| (*table, key));
        let unchanged: Vec<_> =
            self.writes.keys().chain(read).map(|(table, key)| Unchanged { table, key, since }).collect();
        if !batch.is_empty() {
            return self.store.write_if(&batch, durability, &unchanged).map(Some);
        }
        let newest = unchanged.iter().map(|read| self.store.latest_sequence(read.table, read.key)).max();
        match newest.filter(|newest| *newest > since) {
            Some(newest) => Err(Error::Conflict(format!("a key was read for update and changed by sequence {newest}"))),
            None => Ok(None),
        }
    }
}
