//! What is done to databases as a whole: emptying and exchanging them. All of it takes the gate exclusively and is
//! one batch; the memory of what was emptied is freed by a thread of its own, so nobody waits for it.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use ennead_store::{Sequence, WriteBatch};

use super::{Effect, Gate, Keyspace};
use crate::database::Database;
use crate::disposal;
use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::notice::{CHANGES, Notices};
use crate::place::SLOTS;

impl Keyspace {
    /// Deletes all keys of one database; the batch that did it, if there were any. Not durable when it returns.
    pub fn flush_database(&self, db: usize, fence: Option<&dyn Fence>) -> Result<Option<Sequence>> {
        self.flush(|index| index == db, fence)
    }

    /// Deletes all keys of all databases; the batch that did it, if there were any. Not durable when it returns.
    pub fn flush_all(&self, fence: Option<&dyn Fence>) -> Result<Option<Sequence>> {
        self.flush(|_| true, fence)
    }

    fn flush(&self, wanted: impl Fn(usize) -> bool, fence: Option<&dyn Fence>) -> Result<Option<Sequence>> {
        let shared = self.shared();
        let mut gate = shared.gate.write();
        let mut batch = WriteBatch::new();
        let full: Vec<usize> = (0..gate.len())
            .filter(|&db| wanted(db) && gate.existing(db).is_some_and(|database| database.len() > 0))
            .collect();
        for database in full.iter().filter_map(|&db| gate.existing(db)) {
            for table in [database.rows, database.chunks] {
                batch.delete_range(table, &[], None);
            }
            batch.tally(database.rows, -database.keys.load(Relaxed));
            batch.tally(database.chunks, -database.volatile.load(Relaxed));
        }
        let sequence = if full.is_empty() { None } else { Some(shared.commit(&batch, fence)?) };
        for db in full {
            self.replace(&mut gate, db, sequence.unwrap_or(0));
        }
        if shared.settings.asks_for(CHANGES) {
            let mut notices = Notices::default();
            notices.flushed();
            shared.tell(&notices, Effect { wrote: sequence, saw: 0 });
        }
        Ok(sequence)
    }

    /// Puts an empty database in the place of one whose rows are deleted.
    fn replace(&self, gate: &mut Gate, db: usize, sequence: Sequence) {
        let Some(old) = gate.existing(db) else { return };
        let emptied = old.emptied(sequence);
        self.install(gate, db, emptied);
    }

    /// Puts another database in the place of one; nothing of the old one is in memory afterwards.
    pub(super) fn install(&self, gate: &mut Gate, db: usize, database: Database) {
        let Some(old) = gate.databases[db].take() else { return };
        let mut sum = 0;
        for number in 0..SLOTS as u16 {
            let bytes = old.lock(number).bytes();
            sum += bytes;
            self.shared().counters.add_bytes(number, -(bytes as i64));
        }
        let database = Arc::new(database);
        gate.used.lock()[db] = Some(Arc::clone(&database));
        gate.databases[db] = OnceLock::from(database);
        disposal::discard_database(old, sum);
    }

    /// Exchanges two databases for all clients at once; the batch that did it, if they are two. Not durable when it returns.
    ///
    /// # Errors
    /// A number that `SELECT` does not know; errors of the store.
    pub fn swap_databases(&self, first: usize, second: usize, fence: Option<&dyn Fence>) -> Result<Option<Sequence>> {
        let shared = self.shared();
        let mut gate = shared.gate.write();
        if first.max(second) >= gate.len() {
            return Err(Error::text("ERR DB index is out of range"));
        }
        if first == second {
            return Ok(None);
        }
        let mut order: Vec<usize> = (0..gate.len()).collect();
        order.swap(first, second);
        let mut batch = WriteBatch::new();
        shared.meta.stage_numbers(&mut batch, &gate.reordered(&order));
        let sequence = shared.commit(&batch, fence)?;
        gate.reorder(&order, sequence);
        Ok(Some(sequence))
    }
}

impl Gate {
    /// The numbers of the tables of each database once the one that clients select by `n` is the one that was `order[n]`.
    pub(crate) fn reordered(&self, order: &[usize]) -> Vec<u8> {
        let mut numbers = self.numbers.clone();
        for (number, db) in numbers.iter_mut().zip(order) {
            *number = self.numbers[*db];
        }
        numbers
    }

    /// Puts the databases into that order, which batch `sequence` has.
    pub(super) fn reorder(&mut self, order: &[usize], sequence: Sequence) {
        self.numbers = self.reordered(order);
        let mut former = std::mem::take(&mut self.databases);
        self.databases = order.iter().map(|db| std::mem::take(&mut former[*db])).collect();
        let mut used = self.used.lock();
        for (db, from) in order.iter().enumerate() {
            let database = self.databases[db].get();
            used[db] = database.cloned();
            if db != *from
                && let Some(database) = database
            {
                database.born.store(sequence, Relaxed);
            }
        }
    }
}
