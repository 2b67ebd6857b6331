//! Transactions over the store: a private set of writes that becomes one batch at commit.
//!
//! Two kinds share the write set, its reads and its iterator: [`OptimisticTransaction`] takes no locks and learns at
//! commit whether somebody was faster; [`PessimisticTransactions`] locks each key it writes or reads for update. Invariant: nothing
//! of a transaction is in the store before its commit, and all of it after. Range deletes are not part of a
//! transaction; a [`WriteBatch`] does them.

mod cursor;
mod lock;
mod optimistic;
mod pessimistic;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use cursor::TransactionIter;
pub use optimistic::OptimisticTransaction;
pub use pessimistic::{LockOptions, PessimisticTransaction, PessimisticTransactions};

use crate::{Table, WriteBatch};

/// The value a key will have after the commit; `None` is a delete.
type Written = Option<Vec<u8>>;

/// What a transaction will change, in key order for each table, and how to take it back.
#[derive(Debug, Default)]
struct WriteSet {
    tables: BTreeMap<Table, BTreeMap<Vec<u8>, Written>>,
    /// Each change with what it replaced, so that a savepoint is a length of this list.
    undo: Vec<(Table, Vec<u8>, Option<Written>)>,
    savepoints: Vec<usize>,
    event: Vec<u8>,
}

impl WriteSet {
    fn set(&mut self, table: Table, key: &[u8], value: Written) {
        let replaced = self.tables.entry(table).or_default().insert(key.to_vec(), value);
        if !self.savepoints.is_empty() {
            self.undo.push((table, key.to_vec(), replaced));
        }
    }

    fn get(&self, table: Table, key: &[u8]) -> Option<&Written> {
        self.tables.get(&table)?.get(key)
    }

    fn savepoint(&mut self) {
        self.savepoints.push(self.undo.len());
    }

    /// Undoes to the newest savepoint and removes it; false when there is none.
    fn rollback_to_savepoint(&mut self) -> bool {
        let Some(length) = self.savepoints.pop() else { return false };
        for (table, key, replaced) in self.undo.drain(length..).rev() {
            let rows = self.tables.entry(table).or_default();
            match replaced {
                Some(written) => rows.insert(key, written),
                None => rows.remove(&key),
            };
        }
        true
    }

    fn keys(&self) -> impl Iterator<Item = (Table, &Vec<u8>)> {
        self.tables.iter().flat_map(|(table, rows)| rows.keys().map(|key| (*table, key)))
    }

    fn batch(&self) -> WriteBatch {
        let mut batch = WriteBatch::new();
        for (table, rows) in &self.tables {
            for (key, written) in rows {
                match written {
                    Some(value) => batch.put(*table, key, value),
                    None => batch.delete(*table, key),
                }
            }
        }
        batch.set_event(&self.event);
        batch
    }
}
