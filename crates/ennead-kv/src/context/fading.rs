//! Deadlines of a hash's fields.
//!
//! A hash of which fields have deadlines is an object, however small, and is in memory as a whole or not at all. Its slot
//! knows when its first field goes, and so does its row. Fields that are over are removed when a command looks the key up,
//! so that no command meets one, and in the background.

use super::collections::{Edit, Long, fields};
use super::{Context, Spot};
use crate::context::load::parse;
use crate::entry::Kind;
use crate::error::Result;
use crate::notice::EventClass;
use crate::object::Object;
use crate::place::Place;
use crate::row;

impl Context<'_> {
    /// Sets when a field of a hash goes, Unix ms, 0 for never. The field is there.
    pub(crate) fn hash_set_deadline(&mut self, edit: &mut Edit, key: &[u8], field: &[u8], deadline: u64) -> Result {
        self.promote(edit, key)?;
        let Long { object, placer, mut rows } = self.long(edit)?;
        let hash = fields(object)?;
        hash.set_deadline(placer, field, deadline);
        if let Some(value) = hash.get(placer, field) {
            rows.put_field(field, value, deadline);
        }
        Ok(())
    }

    /// Removes the fields of a key that are over, if it is a hash that has some; where the key is then. Also for commands
    /// that only read, and while keys are kept: nothing but this hides them.
    pub(super) fn without_due_fields(&mut self, spot: Spot, key: &[u8]) -> Result<Spot> {
        let first = self.locked[spot.locked].slot.first_fading();
        if first.is_some_and(|(deadline, _)| self.is_over(deadline)) {
            self.remove_due_fields(spot, key, usize::MAX)?;
            return Ok(self.again(spot, key));
        }
        Ok(spot)
    }

    /// Removes up to `most` fields that are over, and the key with the last field; how many.
    fn remove_due_fields(&mut self, spot: Spot, key: &[u8], most: usize) -> Result<usize> {
        let first = |context: &Self| match context.locked[spot.locked].slot.object(context.entry(spot)?)? {
            Object::Hash(hash) if context.is_over(hash.first_deadline()) => hash.first_to_go().map(<[u8]>::to_vec),
            _ => None,
        };
        let Some(mut field) = first(self) else { return Ok(0) };
        let db = self.locked[spot.locked].db;
        let mut edit = self.open(spot, Kind::Hash)?;
        let mut removed = 0;
        loop {
            removed += usize::from(self.hash_remove(&mut edit, &field)?);
            match first(self) {
                Some(next) if removed < most => field = next,
                _ => break,
            }
        }
        let left = self.close(edit, key)?;
        self.note_lost(db, key, EventClass::Hash, "hexpired");
        if !left.exists() {
            self.notify_in(db, EventClass::Generic, "del", key);
        }
        Ok(removed)
    }

    /// Removes up to `most` fields that are due of the hashes of a locked slot; how many, or a little more.
    pub(super) fn fade_slot(&mut self, index: usize, most: usize) -> Result<usize> {
        let mut removed = 0;
        while removed < most {
            let slot = &self.locked[index].slot;
            let Some(due) = slot.first_fading().filter(|(ms, _)| *ms <= self.call.now_ms) else { break };
            let place = Place { slot: self.locked[index].number, fragment: due.1 };
            let found = match self.fading(index, due) {
                None if !slot.complete => {
                    self.load_fading(index, place, due.0)?;
                    self.fading(index, due)
                }
                found => found,
            };
            match found {
                Some((at, key)) => {
                    let spot = Spot { locked: index, at: Some(at), place };
                    removed += self.remove_due_fields(spot, &key, most - removed)?.max(1);
                }
                None => self.locked[index].slot.strike_fading(due),
            }
        }
        Ok(removed)
    }

    /// Position and key of a hash in memory that has this first deadline.
    fn fading(&self, index: usize, due: (u64, u32)) -> Option<(usize, Vec<u8>)> {
        let slot = &self.locked[index].slot;
        let mut entries = slot.table.iter_from(due.1).take_while(|(_, fragment, _)| *fragment == due.1);
        entries.find_map(|(at, _, entry)| {
            let object = slot.object(entry).filter(|object| object.noted_deadline() == due.0)?;
            (object.first_deadline() == due.0).then(|| (at, entry.key().to_vec()))
        })
    }

    /// Takes the hashes of a place into memory that have this first deadline.
    fn load_fading(&mut self, index: usize, place: Place, deadline: u64) -> Result {
        let snapshot = self.keyspace.shared().store.snapshot();
        let locked = &self.locked[index];
        let start = row::place_prefix(place);
        let end = row::place_prefix(Place { fragment: place.fragment.saturating_add(1), ..place });
        let mut rows = snapshot.iter(locked.database.rows, &start, Some(&end));
        rows.seek_to_first();
        let mut keys = Vec::new();
        while rows.valid() {
            if let Some((_, key)) = row::parse_row_key(rows.key())
                && locked.slot.table.find(place.fragment, key).is_none()
                && parse(rows.value(), key)?.first_deadline() == deadline
            {
                keys.push(key.to_vec());
            }
            rows.next();
        }
        rows.status()?;
        for key in keys {
            self.load(Spot { locked: index, at: None, place }, &key, true)?;
        }
        Ok(())
    }
}
