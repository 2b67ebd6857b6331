//! Fetching keys ahead: the memory of several keys is asked for at once, before the commands that need it run.
//!
//! A key that was not used lately lies in no cache of the processor, and it takes four reads to get to it, each of which
//! knows its address from the one before; writing its row takes two more. So all keys go one step at a time: their slots,
//! their places in the tables, their entries. Nothing changes and nothing waits: a slot that is locked is left out.

use ennead_store::Ahead;
use smallvec::SmallVec;

use super::{Gate, Keyspace, Shared};
use crate::args::Args;
use crate::command::{Access, Command, Flag};
use crate::database::Database;
use crate::place::Place;
use crate::row::RowBuffer;

/// Keys that are fetched ahead at once. What comes in must not drive out what came before it.
const KEYS_MAX: usize = 32;

/// Keys on their way into the caches.
struct Keys<'a> {
    shared: &'a Shared,
    database: &'a Database,
    places: SmallVec<[Place; KEYS_MAX]>,
    rows: Ahead,
    row: RowBuffer,
}

impl<'a> Keys<'a> {
    fn new(shared: &'a Shared, database: &'a Database) -> Keys<'a> {
        Keys { shared, database, places: SmallVec::new(), rows: Ahead::default(), row: RowBuffer::take() }
    }

    #[inline]
    fn add(&mut self, key: &[u8], writes: bool) {
        let place = self.shared.placer.place(key);
        self.database.prefetch(place.slot);
        self.places.push(place);
        if writes {
            self.row.set_key(place, key);
            self.rows.add(&self.shared.store, self.database.rows, self.row.row_key());
        }
    }

    fn fetch(&mut self) {
        for place in &self.places {
            if let Some(slot) = self.database.try_lock(place.slot) {
                slot.table.prefetch(place.fragment);
            }
        }
        self.rows.fetch();
        for place in self.places.drain(..) {
            if let Some(slot) = self.database.try_lock(place.slot) {
                slot.table.prefetch_entry(place.fragment);
            }
        }
    }
}

impl Drop for Keys<'_> {
    fn drop(&mut self) {
        std::mem::take(&mut self.row).give_back();
    }
}

impl Command {
    /// The key of a request that has one, and whether it may be changed: to be fetched ahead. Requests with several keys
    /// fetch for themselves.
    pub fn sole_key<'r>(&self, args: Args<'r>) -> Option<(&'r [u8], bool)> {
        if self.access_for(args) != Access::Keys {
            return None;
        }
        let mut positions = self.spec.keys.positions(args);
        let first = positions.next().filter(|_| positions.next().is_none())?;
        Some((args.get(first)?, self.spec.is(Flag::Write)))
    }
}

impl Keyspace {
    /// Fetches keys that the next requests are going to touch, and where the rows are of those that they may change.
    pub fn anticipate<'r>(&self, db: usize, keys: impl Iterator<Item = (&'r [u8], bool)>) {
        let shared = self.shared();
        let Some(gate) = shared.gate.try_read() else { return };
        let Some(database) = gate.existing(db) else { return };
        let mut ahead = Keys::new(shared, database);
        let mut before = None;
        for (key, changes) in keys.take(KEYS_MAX) {
            // Requests about one key, as they often come, find it where the first of them left it.
            if before != Some(key) {
                ahead.add(key, changes);
            }
            before = Some(key);
        }
        // A single one would be waited for here as long as by its request.
        if ahead.places.len() > 1 {
            ahead.fetch();
        }
    }

    /// Fetches the keys of one request.
    pub(crate) fn anticipate_keys<'r>(
        &self,
        gate: &Gate,
        db: usize,
        keys_of: impl Iterator<Item = &'r [u8]>,
        writes: bool,
    ) {
        let Some(database) = gate.existing(db) else { return };
        let mut keys = Keys::new(self.shared(), database);
        for key in keys_of {
            keys.add(key, writes);
            if keys.places.len() == KEYS_MAX {
                keys.fetch();
            }
        }
        keys.fetch();
    }
}
