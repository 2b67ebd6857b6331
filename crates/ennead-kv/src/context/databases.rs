//! Whole databases inside a transaction: walks see what its commands did, emptying and exchanging them is part of its batch.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::RwLockReadGuard;

use super::{Context, Locked, Spot};
use crate::context::load::{Source, admit, parse};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::keyspace::Gate;
use crate::place::{Place, SLOTS};
use crate::row;

/// The gate: the command's own share of it, or the transaction's.
pub(crate) enum Entered<'a> {
    Shared(RwLockReadGuard<'a, Gate>),
    Lent(&'a Gate),
}

impl Deref for Entered<'_> {
    type Target = Gate;

    fn deref(&self) -> &Gate {
        match self {
            Entered::Shared(gate) => gate,
            Entered::Lent(gate) => gate,
        }
    }
}

/// A slot that is not locked for a while, with what is staged of it.
pub(super) struct Parked<'a> {
    db: usize,
    number: u16,
    database: &'a Database,
    bytes_before: usize,
    keys: i64,
    volatile: i64,
    dirty: bool,
}

impl<'a> Context<'a> {
    /// Whether the command is one of a transaction; for commands on whole databases.
    pub(crate) fn in_transaction(&self) -> bool {
        self.gate.is_some()
    }

    /// The gate, for a walk over a database. A transaction lets go of its slots until [`Context::resume`]: nobody else
    /// can come to them.
    pub(crate) fn enter(&mut self) -> Result<Entered<'a>> {
        let Some(gate) = self.gate else { return Ok(Entered::Shared(self.shared().enter())) };
        for index in 0..self.locked.len() {
            // The store does not have what is staged, so memory must have everything.
            if self.locked[index].dirty && !self.locked[index].slot.complete {
                self.complete(index)?;
            }
        }
        for locked in self.locked.drain(..) {
            let Locked { db, number, database, slot, bytes_before, keys, volatile, dirty } = locked;
            database.keys.fetch_add(keys, Relaxed);
            database.volatile.fetch_add(volatile, Relaxed);
            if slot.table.len() > 0 {
                database.note_inhabited(number, &slot);
            }
            self.parked.push(Parked { db, number, database, bytes_before, keys, volatile, dirty });
        }
        Ok(Entered::Lent(gate))
    }

    /// Locks again what [`Context::enter`] let go of.
    pub(crate) fn resume(&mut self) {
        for parked in self.parked.drain(..) {
            let Parked { db, number, database, bytes_before, keys, volatile, dirty } = parked;
            database.keys.fetch_sub(keys, Relaxed);
            database.volatile.fetch_sub(volatile, Relaxed);
            let slot = database.lock(number);
            self.locked.push(Locked { db, number, database, slot, bytes_before, keys, volatile, dirty });
        }
    }

    /// Reads the rest of a slot into memory.
    fn complete(&mut self, index: usize) -> Result {
        let access = self.clock.fresh();
        let locked = &mut self.locked[index];
        let (db, number) = (locked.db, locked.number);
        let snapshot = self.keyspace.store().snapshot();
        let end = row::slot_end(number);
        let mut rows =
            snapshot.iter(locked.database.rows, &row::slot_prefix(number), end.as_ref().map(<[u8; 2]>::as_slice));
        rows.seek_to_first();
        while rows.valid() {
            if let Some((place, key)) = row::parse_row_key(rows.key())
                && locked.slot.table.find(place.fragment, key).is_none()
                && !self.gone.get(&(db, place)).is_some_and(|keys| keys.iter().any(|gone| gone == key))
            {
                let value = parse(rows.value(), key)?;
                let placer = &self.keyspace.shared().placer;
                let source = Source { database: locked.database, placer, snapshot: Some(&snapshot) };
                admit(&mut locked.slot, source, place, key, value, access)?;
            }
            rows.next();
        }
        rows.status()?;
        locked.slot.complete = true;
        Ok(())
    }

    /// Exchanges two databases for the commands that follow, and for everybody once the transaction is committed.
    ///
    /// # Errors
    /// A number that `SELECT` does not know.
    pub(crate) fn swap_databases(&mut self, first: usize, second: usize) -> Result {
        let len = self.gate.map_or(0, Gate::len);
        if first.max(second) >= len {
            return Err(Error::text("ERR DB index is out of range"));
        }
        if first != second {
            self.order.get_or_insert_with(|| (0..len).collect()).swap(first, second);
        }
        Ok(())
    }

    /// The number outside of the transaction of the database that clients select by this one now.
    pub(crate) fn outer(&self, db: usize) -> usize {
        self.order.as_ref().and_then(|order| order.get(db)).copied().unwrap_or(db)
    }

    /// What SWAPDB made of the databases, if it was among the commands.
    pub(crate) fn order(&self) -> Option<Box<[usize]>> {
        self.order.clone()
    }

    /// Stages the new order of the databases; whether there is one.
    pub(super) fn stage_order(&mut self) -> bool {
        let (Some(order), Some(gate)) = (&self.order, self.gate) else { return false };
        self.shared().meta.stage_numbers(&mut self.work.batch, &gate.reordered(order));
        true
    }

    /// Deletes all keys of a database, as part of a transaction.
    pub(crate) fn clear_database(&mut self, db: usize) -> Result {
        let Some(database): Option<&'a Arc<Database>> = self.gate.and_then(|gate| gate.existing(db)) else {
            return Ok(());
        };
        let mut next = Some(0);
        while let Some(number) = next.and_then(|from| database.next_inhabited(from)) {
            self.locked(db, number)?;
            next = number.checked_add(1).filter(|next| usize::from(*next) < SLOTS);
        }
        let mut first = None;
        for index in 0..self.locked.len() {
            if self.locked[index].db == db {
                first.get_or_insert(index);
                self.clear_slot(index);
            }
        }
        let Some(first) = first else { return Ok(()) };
        for table in [database.rows, database.chunks] {
            self.work.batch.delete_range(table, &[], None);
        }
        // One slot stands for all in the figures.
        self.locked[first].keys = -database.keys.load(Relaxed);
        self.locked[first].volatile = -database.volatile.load(Relaxed);
        self.emptied = true;
        Ok(())
    }

    /// Empties a slot of a database whose rows are deleted; rows of the batch itself are not reached by that.
    fn clear_slot(&mut self, index: usize) {
        if self.locked[index].dirty {
            let number = self.locked[index].number;
            let staged: Vec<(usize, u32, Vec<u8>)> = self.locked[index]
                .slot
                .table
                .iter_from(0)
                .map(|(at, fragment, entry)| (at, fragment, entry.key().to_vec()))
                .collect();
            for (at, fragment, key) in staged {
                let place = Place { slot: number, fragment };
                self.stage_rows_gone(Spot { locked: index, at: Some(at), place });
                self.work.row.set_key(place, &key);
                self.work.batch.delete(self.locked[index].database.rows, self.work.row.row_key());
            }
        }
        let locked = &mut self.locked[index];
        locked.slot.clear();
        (locked.keys, locked.volatile, locked.dirty) = (0, 0, true);
    }
}
