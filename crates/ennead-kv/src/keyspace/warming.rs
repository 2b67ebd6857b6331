//! Reading a store's keys into memory in the background, slot by slot in the order of the rows, while requests run.

use std::sync::atomic::Ordering::Relaxed;

use ennead_store::{Iter, Snapshot};

use super::Keyspace;
use crate::access::Clock;
use crate::context::load::{Source, admit, admit_outline, outline, parse};
use crate::database::Database;
use crate::error::Result;
use crate::place::SLOTS;
use crate::row::{self, RowValue};
use crate::slot::Slot;

/// Memory is left alone from this part of its limit on.
const FULL_PERCENT: u64 = 90;

/// What a member of a large collection may take.
const MEMBER_BYTES: u64 = 128;

impl Keyspace {
    /// Reads about `budget` keys of slots that are not in memory yet; whether there are more. For a background thread:
    /// call it again and again after opening until it says no. Stops reading values when memory is nearly at its limit,
    /// and then only notes when keys expire.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn warm(&self, now_ms: u64, budget: usize) -> Result<bool> {
        let shared = self.shared();
        let gate = shared.enter();
        let databases = (0..gate.len()).filter_map(|db| gate.existing(db));
        for database in databases.filter(|database| (database.warmed.load(Relaxed) as usize) < SLOTS) {
            let mut walk = Walk::new(self, database);
            let mut left = budget;
            let first = database.warmed.load(Relaxed);
            for number in first as u16..SLOTS as u16 {
                let read = walk.fill(number, now_ms)?;
                database.warmed.store(u32::from(number) + 1, Relaxed);
                // An empty slot costs a little, too.
                left = left.saturating_sub(read + usize::from(number % 16 == 0));
                if left == 0 {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// A walk over the rows of a database at one snapshot.
struct Walk<'a> {
    keyspace: &'a Keyspace,
    database: &'a Database,
    room: Room<'a>,
    view: Option<(Snapshot, Iter)>,
}

/// What memory has room for.
#[derive(Clone, Copy)]
struct Room<'a> {
    keyspace: &'a Keyspace,
    /// What the slots of all databases take without their keys, bytes.
    floor: u64,
}

impl Room<'_> {
    /// Whether a large value could take memory beyond its limit, so that members should rather come one by one.
    fn is_short_for(&self, value: RowValue<'_>) -> bool {
        let members = if value.kind.has_object() { value.object().map_or(0, |(_, len)| len) } else { 0 };
        members > 0 && self.is_nearly_full(members.saturating_mul(MEMBER_BYTES))
    }

    /// Whether memory is nearly full with so many bytes more.
    fn is_nearly_full(&self, more: u64) -> bool {
        let limit = self.keyspace.settings().maxmemory();
        limit != 0 && self.floor + self.keyspace.shared().counters.bytes() + more >= limit / 100 * FULL_PERCENT
    }
}

impl<'a> Walk<'a> {
    fn new(keyspace: &'a Keyspace, database: &'a Database) -> Self {
        let databases = keyspace.shared().used.lock().iter().flatten().count();
        let room = Room { keyspace, floor: (databases * SLOTS * Slot::own_size()) as u64 };
        Walk { keyspace, database, room, view: None }
    }

    /// Fills one slot; how many keys it read. The slots are to be given in rising order.
    fn fill(&mut self, number: u16, now_ms: u64) -> Result<usize> {
        let mut slot = self.database.lock(number);
        if slot.complete {
            return Ok(0);
        }
        // While the slot is locked nothing of it changes; a snapshot is good if nothing of it changed before either.
        if self.view.as_ref().is_none_or(|(snapshot, _)| snapshot.sequence() < slot.last_write) {
            let snapshot = self.keyspace.store().snapshot();
            let mut rows = snapshot.iter(self.database.rows, &row::slot_prefix(number), None);
            rows.seek_to_first();
            self.view = Some((snapshot, rows));
        }
        let room = self.room;
        let Some((snapshot, rows)) = &mut self.view else { return Ok(0) };
        let before = slot.bytes();
        let access = Clock::new(self.keyspace.settings(), now_ms).fresh();
        let mut read = 0;
        let mut whole = true;
        while rows.valid() {
            let Some((place, key)) = row::parse_row_key(rows.key()).filter(|(place, _)| place.slot <= number) else {
                break;
            };
            if place.slot == number && slot.table.find(place.fragment, key).is_none() {
                let value = parse(rows.value(), key)?;
                read += 1;
                if room.is_nearly_full(0) {
                    slot.note_expiry(place.fragment, value.expiry);
                    slot.note_fade(place.fragment, value.first_deadline());
                    whole = false;
                } else if room.is_short_for(value)
                    && let Some(outline) = outline(value)
                {
                    admit_outline(&mut slot, place, key, value, outline, access);
                } else {
                    let placer = &self.keyspace.shared().placer;
                    let source = Source { database: self.database, placer, snapshot: Some(snapshot) };
                    admit(&mut slot, source, place, key, value, access)?;
                }
            }
            rows.next();
        }
        rows.status()?;
        slot.complete = whole;
        self.keyspace.shared().counters.add_bytes(number, slot.bytes() as i64 - before as i64);
        self.database.arm(number, &mut slot, false);
        self.database.note_inhabited(number, &slot);
        Ok(read)
    }
}
