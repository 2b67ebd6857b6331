//! What is done to databases as a whole: emptying and exchanging them. All of it takes the gate exclusively and is
//! one batch; the memory of what was emptied is freed by a thread of its own, so nobody waits for it.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use ennead_store::{Sequence, WriteBatch};

use super::{Gate, Keyspace};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::place::SLOTS;

/// Databases of fewer keys are freed at once.
const FREED_AT_ONCE: u64 = 10_000;

impl Keyspace {
    /// Deletes all keys of one database; the batch that did it, if there were any. Not durable when it returns.
    pub fn flush_database(&self, db: usize) -> Result<Option<Sequence>> {
        self.flush(|index| index == db)
    }

    /// Deletes all keys of all databases; the batch that did it, if there were any. Not durable when it returns.
    pub fn flush_all(&self) -> Result<Option<Sequence>> {
        self.flush(|_| true)
    }

    fn flush(&self, wanted: impl Fn(usize) -> bool) -> Result<Option<Sequence>> {
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
        if full.is_empty() {
            return Ok(None);
        }
        let sequence = shared.store.commit(&batch)?.sequence;
        for db in full {
            self.replace(&mut gate, db, sequence);
        }
        Ok(Some(sequence))
    }

    /// Puts an empty database in the place of one whose rows are deleted.
    fn replace(&self, gate: &mut Gate, db: usize, sequence: Sequence) {
        let Some(old) = gate.databases[db].take() else { return };
        for number in 0..SLOTS as u16 {
            self.shared().counters.add_bytes(number, -(old.lock(number).bytes() as i64));
        }
        let emptied = Arc::new(old.emptied(sequence));
        gate.used.lock()[db] = Some(Arc::clone(&emptied));
        gate.databases[db] = OnceLock::from(emptied);
        if old.len() >= FREED_AT_ONCE {
            free(old);
        }
    }

    /// Exchanges two databases for all clients at once; the batch that did it, if they are two. Not durable when it returns.
    ///
    /// # Errors
    /// A number that `SELECT` does not know; errors of the store.
    pub fn swap_databases(&self, first: usize, second: usize) -> Result<Option<Sequence>> {
        let shared = self.shared();
        let mut gate = shared.gate.write();
        if first.max(second) >= gate.len() {
            return Err(Error::text("ERR DB index is out of range"));
        }
        if first == second {
            return Ok(None);
        }
        let mut numbers = gate.numbers.clone();
        numbers.swap(first, second);
        let mut batch = WriteBatch::new();
        shared.meta.stage_numbers(&mut batch, &numbers);
        let sequence = shared.store.commit(&batch)?.sequence;
        gate.numbers = numbers;
        gate.databases.swap(first, second);
        gate.used.lock().swap(first, second);
        for db in [first, second] {
            if let Some(database) = gate.existing(db) {
                database.born.store(sequence, Relaxed);
            }
        }
        Ok(Some(sequence))
    }
}

fn free(old: Arc<Database>) {
    let spawned = std::thread::Builder::new().name("kv-free".into()).spawn(move || drop(old));
    if let Err(error) = spawned {
        tracing::debug!(%error, "a flushed database is freed by its client's thread");
    }
}
