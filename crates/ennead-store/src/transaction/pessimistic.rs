//! Transactions that lock what they write or read for update, so that their commit cannot conflict.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::lock::{LockTable, Patience, TransactionId};
use super::{TransactionIter, WriteSet};
use crate::{Commit, Durability, Error, Operation, Result, Sequence, Snapshot, Store, Table, WriteBatch};

/// How transactions wait for locks.
#[derive(Debug, Clone)]
pub struct LockOptions {
    /// How long to wait for the lock of a key.
    pub timeout: Duration,
    /// Answer `Deadlock` at once instead of waiting for the timeout.
    pub detect_deadlocks: bool,
    /// Keys that may be locked at one time, over all transactions.
    pub locks_max: usize,
}

impl Default for LockOptions {
    fn default() -> Self {
        LockOptions { timeout: Duration::from_secs(1), detect_deadlocks: true, locks_max: 1 << 20 }
    }
}

/// Starts locking transactions over one store. Clones share the locks; two values made by [`Self::new`] do not know each
/// other, and neither do writers that use the [`Store`] directly: use [`Self::write`] for plain batches.
///
/// ```
/// use ennead_store::{Durability, LockOptions, Options, PessimisticTransactions, Store, TableKind};
/// # let directory = tempfile::tempdir()?;
/// let store = Store::open(Options::new(directory.path()))?;
/// let accounts = store.create_table("accounts", TableKind::Ordered)?;
/// let transactions = PessimisticTransactions::new(store.clone(), LockOptions::default());
///
/// let mut transfer = transactions.begin();
/// transfer.put(accounts, b"alice", b"90")?;
/// transfer.put(accounts, b"bob", b"110")?;
/// assert_eq!(store.get(accounts, b"bob")?, None);
/// transfer.commit(Durability::Always)?;
/// assert_eq!(store.get(accounts, b"bob")?.as_deref(), Some(&b"110"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PessimisticTransactions {
    store: Store,
    locks: Arc<LockTable>,
    options: LockOptions,
}

impl PessimisticTransactions {
    pub fn new(store: Store, options: LockOptions) -> Self {
        PessimisticTransactions { store, locks: Arc::default(), options }
    }

    pub fn begin(&self) -> PessimisticTransaction {
        PessimisticTransaction {
            store: self.store.clone(),
            locks: Arc::clone(&self.locks),
            options: self.options.clone(),
            id: self.locks.begin(),
            locked: BTreeSet::new(),
            snapshot: None,
            writes: WriteSet::default(),
        }
    }

    /// Writes a plain batch under the locks of its keys.
    ///
    /// # Errors
    /// `Invalid` for a range delete, whose keys cannot be locked; `Timeout` and `Deadlock` as for a transaction.
    pub fn write(&self, batch: &WriteBatch, durability: Durability) -> Result<Commit> {
        let mut keys = BTreeSet::new();
        for operation in batch.operations() {
            match operation {
                Operation::Put { table, key, .. }
                | Operation::Delete { table, key }
                | Operation::Merge { table, key, .. } => keys.insert((table, key)),
                Operation::DeleteRange { .. } => {
                    return Err(Error::Invalid("a range delete cannot be written under key locks".into()));
                }
            };
        }
        let mut holder = self.begin();
        // In key order, so that two such batches never wait for each other.
        for (table, key) in keys {
            holder.lock(table, key)?;
        }
        self.store.write(batch, durability)
    }

    /// How many keys are locked, and how many transactions wait for one.
    pub fn lock_figures(&self) -> (usize, usize) {
        self.locks.sizes()
    }
}

/// A transaction that locks each key it writes or reads for update until it ends. Plain reads see the newest
/// committed values and lock nothing. Dropping it rolls it back.
pub struct PessimisticTransaction {
    store: Store,
    locks: Arc<LockTable>,
    options: LockOptions,
    id: TransactionId,
    locked: BTreeSet<(Table, Vec<u8>)>,
    snapshot: Option<Snapshot>,
    writes: WriteSet,
}

impl PessimisticTransaction {
    /// The number that errors name it by.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Overrides the time to wait for each further lock.
    pub fn set_lock_timeout(&mut self, timeout: Duration) {
        self.options.timeout = timeout;
    }

    /// From now on reads see the store as of this call, and locking a key that was changed after it fails with
    /// `Conflict`: repeatable reads.
    pub fn set_snapshot(&mut self) {
        self.snapshot = Some(self.store.snapshot());
    }

    /// The value this transaction wrote, or the newest committed one (as of the snapshot, when one is set).
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match (self.writes.get(table, key), &self.snapshot) {
            (Some(written), _) => Ok(written.clone()),
            (None, Some(snapshot)) => snapshot.get(table, key),
            (None, None) => self.store.get(table, key),
        }
    }

    /// Locks the key, then reads it. The key need not exist.
    ///
    /// # Errors
    /// `Timeout`, `Deadlock`; `Conflict` when a snapshot is set and the key was changed after it. After `Deadlock` roll
    /// back, so that the others go on.
    pub fn get_for_update(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.lock(table, key)?;
        self.get(table, key)
    }

    /// Locks the key and remembers its new value. Errors as for [`Self::get_for_update`].
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<()> {
        self.lock(table, key)?;
        self.writes.set(table, key, Some(value.to_vec()));
        Ok(())
    }

    /// Locks the key and remembers its deletion. Errors as for [`Self::get_for_update`].
    pub fn delete(&mut self, table: Table, key: &[u8]) -> Result<()> {
        self.lock(table, key)?;
        self.writes.set(table, key, None);
        Ok(())
    }

    /// An iterator over `start <= key < end` that sees own writes; call a `seek` first. Locks nothing.
    pub fn iter(&self, table: Table, start: &[u8], end: Option<&[u8]>) -> TransactionIter<'_> {
        let base = match &self.snapshot {
            Some(snapshot) => snapshot.iter(table, start, end),
            None => self.store.snapshot().iter(table, start, end),
        };
        TransactionIter::new(base, self.writes.tables.get(&table), start, end)
    }

    /// Remembers the writes so far, for [`Self::rollback_to_savepoint`]. Savepoints nest.
    pub fn savepoint(&mut self) {
        self.writes.savepoint();
    }

    /// Takes back the writes since the newest savepoint and forgets it. Locks are kept until the end.
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

    /// Commits all writes as one batch and releases the locks. `None` when it wrote nothing.
    ///
    /// # Durability
    /// As asked for by `durability`. The locks are held until then.
    pub fn commit(self, durability: Durability) -> Result<Option<Commit>> {
        if self.writes.keys().next().is_none() {
            return Ok(None);
        }
        self.store.write(&self.writes.batch(), durability).map(Some)
    }

    /// Forgets all writes and releases the locks; the same as dropping it.
    pub fn rollback(self) {}

    fn lock(&mut self, table: Table, key: &[u8]) -> Result<()> {
        let patience = Patience {
            deadline: Instant::now() + self.options.timeout,
            detect_deadlocks: self.options.detect_deadlocks,
            locks_max: self.options.locks_max,
        };
        if self.locks.lock(self.id, table, key, &patience)? {
            self.locked.insert((table, key.to_vec()));
        }
        match &self.snapshot {
            Some(snapshot) => self.check_unchanged(table, key, snapshot.sequence()),
            None => Ok(()),
        }
    }

    fn check_unchanged(&self, table: Table, key: &[u8], since: Sequence) -> Result<()> {
        let newest = self.store.latest_sequence(table, key);
        if newest <= since || self.writes.get(table, key).is_some() {
            return Ok(());
        }
        Err(Error::Conflict(format!("a key may have been changed at sequence {newest}, after the snapshot at {since}")))
    }
}

impl Drop for PessimisticTransaction {
    fn drop(&mut self) {
        self.locks.unlock(self.id, std::mem::take(&mut self.locked));
    }
}
