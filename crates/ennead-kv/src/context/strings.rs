//! Reading and changing strings, short ones in their entry and long ones in chunks.

use super::{Context, Spot};
use crate::entry::{Entry, Hint, Kind, kind_bits};
use crate::error::{Error, Result};
use crate::object::{LongString, Object};
use crate::row::{self, CHUNK};
use crate::slot::Facts;

/// Strings longer than this are kept in chunks.
pub(crate) const SHORT_MAX: usize = 64 << 10;

impl Context<'_> {
    /// The bytes of a string.
    #[inline]
    pub(crate) fn string(&self, spot: Spot) -> Result<Option<&[u8]>> {
        let Some(entry) = self.entry(spot) else { return Ok(None) };
        match Kind::from_bits(entry.bits()) {
            Some(Kind::String) => Ok(Some(entry.value())),
            Some(Kind::LongString) => match self.locked[spot.locked].slot.object(entry) {
                Some(Object::LongString(string)) => Ok(Some(&string.bytes)),
                None => Err(Error::WrongType),
            },
            None => Err(Error::WrongType),
        }
    }

    /// Sets a key to a string. `expiry` in Unix ms, 0 for none.
    pub(crate) fn set_string(&mut self, spot: Spot, key: &[u8], value: &[u8], expiry: u64, hint: Hint) -> Result<Spot> {
        if value.len() > SHORT_MAX {
            return self.set_long_string(spot, key, value.to_vec(), expiry, hint);
        }
        self.stage_chunks_gone(spot);
        let facts = self.facts(spot, Kind::String, hint, expiry);
        let work = &mut self.work;
        work.row.set_key(spot.place, key);
        work.row.set_value(value, facts.bits, expiry);
        let locked = &mut self.locked[spot.locked];
        work.batch.put(locked.database.rows, work.row.row_key(), work.row.row_value());
        let was_volatile = spot.at.and_then(|at| locked.slot.table.get(at)).is_some_and(|entry| entry.expiry() != 0);
        let at = locked.slot.put(spot.place.fragment, spot.at, key.len(), work.row.entry_bytes(), facts);
        locked.keys += i64::from(spot.at.is_none());
        locked.volatile += i64::from(expiry != 0) - i64::from(was_volatile);
        locked.dirty = true;
        Ok(Spot { at: Some(at), ..spot })
    }

    fn facts(&self, spot: Spot, kind: Kind, hint: Hint, expiry: u64) -> Facts {
        let access = self.entry(spot).map_or(self.clock.fresh(), Entry::access);
        Facts { bits: kind_bits(kind, hint), expiry, access }
    }

    fn set_long_string(&mut self, spot: Spot, key: &[u8], value: Vec<u8>, expiry: u64, hint: Hint) -> Result<Spot> {
        let shared = self.shared();
        let id = shared.meta.new_object(&shared.store)?;
        self.stage_chunks_gone(spot);
        let facts = self.facts(spot, Kind::LongString, hint, expiry);
        let work = &mut self.work;
        let locked = &mut self.locked[spot.locked];
        for (number, chunk) in value.chunks(CHUNK).enumerate() {
            work.batch.put(locked.database.chunks, &row::chunk_key(spot.place.slot, id, number as u32), chunk);
        }
        let was_volatile = spot.at.and_then(|at| locked.slot.table.get(at)).is_some_and(|entry| entry.expiry() != 0);
        let object = locked.slot.add_object(Object::LongString(LongString { id, bytes: value }));
        work.row.set_key(spot.place, key);
        work.row.set_value(&object.to_le_bytes(), facts.bits, expiry);
        let at = locked.slot.put(spot.place.fragment, spot.at, key.len(), work.row.entry_bytes(), facts);
        locked.keys += i64::from(spot.at.is_none());
        locked.volatile += i64::from(expiry != 0) - i64::from(was_volatile);
        let spot = Spot { at: Some(at), ..spot };
        self.stage_entry(spot, key);
        Ok(spot)
    }

    /// Stages the row of a key as it is in memory.
    pub(super) fn stage_entry(&mut self, spot: Spot, key: &[u8]) {
        let locked = &mut self.locked[spot.locked];
        let Some(entry) = spot.at.and_then(|at| locked.slot.table.get(at)) else { return };
        let work = &mut self.work;
        work.row.set_key(spot.place, key);
        match locked.slot.object(entry).filter(|_| entry.is_long()) {
            Some(Object::LongString(string)) => {
                let payload = row::long_string_payload(string.id, string.bytes.len() as u64);
                work.row.set_value(&payload, entry.bits(), entry.expiry());
            }
            None => work.row.set_value(entry.value(), entry.bits(), entry.expiry()),
        }
        work.batch.put(locked.database.rows, work.row.row_key(), work.row.row_value());
        locked.dirty = true;
    }

    /// Stages the end of the chunks of a key that is about to be deleted or overwritten, if it has any.
    #[inline]
    pub(super) fn stage_chunks_gone(&mut self, spot: Spot) {
        let locked = &mut self.locked[spot.locked];
        let Some(entry) = spot.at.and_then(|at| locked.slot.table.get(at)).filter(|entry| entry.is_long()) else {
            return;
        };
        if let Some(Object::LongString(LongString { id, .. })) = locked.slot.object(entry) {
            let (start, end) = (row::chunk_key(locked.number, *id, 0), row::chunk_key(locked.number, id + 1, 0));
            self.work.batch.delete_range(locked.database.chunks, &start, Some(&end));
        }
    }
}
