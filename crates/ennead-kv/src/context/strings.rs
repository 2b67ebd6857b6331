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
                _ => Err(Error::WrongType),
            },
            _ => Err(Error::WrongType),
        }
    }

    /// Sets a key to a string. `expiry` in Unix ms, 0 for none.
    pub(crate) fn set_string(&mut self, spot: Spot, key: &[u8], value: &[u8], expiry: u64, hint: Hint) -> Result<Spot> {
        if value.len() > SHORT_MAX {
            return self.set_long_string(spot, key, value.to_vec(), expiry, hint);
        }
        Ok(self.put_value(spot, key, value, expiry, Kind::String, hint))
    }

    /// Sets a key to a value in one piece, and stages its row.
    pub(super) fn put_value(
        &mut self,
        spot: Spot,
        key: &[u8],
        value: &[u8],
        expiry: u64,
        kind: Kind,
        hint: Hint,
    ) -> Spot {
        self.stage_rows_gone(spot);
        let facts = self.facts(spot, kind, hint, expiry);
        let stages_now = self.stages_now();
        let work = &mut self.work;
        work.row.set_key(spot.place, key);
        work.row.set_value(value, facts.bits, expiry);
        let locked = &mut self.locked[spot.locked];
        if stages_now {
            work.batch.put(locked.database.rows, work.row.row_key(), work.row.row_value());
        }
        self.put_entry(spot, key.len(), facts)
    }

    /// Sets the entry of a key to what the row under construction has.
    fn put_entry(&mut self, spot: Spot, key_len: usize, facts: Facts) -> Spot {
        let locked = &mut self.locked[spot.locked];
        let was_volatile = spot.at.and_then(|at| locked.slot.table.get(at)).is_some_and(|entry| entry.expiry() != 0);
        let at = locked.slot.put(spot.place.fragment, spot.at, key_len, self.work.row.entry_bytes(), facts);
        locked.keys += i64::from(spot.at.is_none());
        locked.volatile += i64::from(facts.expiry != 0) - i64::from(was_volatile);
        locked.dirty = true;
        let db = locked.db;
        self.note_row_changed(key_len);
        if spot.at.is_none() && !std::mem::take(&mut self.replacing) {
            self.note_row_new(db, key_len);
        }
        self.note_row_ready(spot.locked, key_len);
        Spot { at: Some(at), ..spot }
    }

    /// Sets a key to an object whose rows are staged, and stages the key's own.
    pub(super) fn put_object(
        &mut self,
        spot: Spot,
        key: &[u8],
        object: Object,
        expiry: u64,
        kind: Kind,
        hint: Hint,
    ) -> Spot {
        let facts = self.facts(spot, kind, hint, expiry);
        let index = self.locked[spot.locked].slot.add_object(object);
        self.work.row.set_key(spot.place, key);
        self.work.row.set_value(&index.to_le_bytes(), facts.bits, expiry);
        let spot = self.put_entry(spot, key.len(), facts);
        self.stage_entry(spot, key);
        spot
    }

    fn facts(&self, spot: Spot, kind: Kind, hint: Hint, expiry: u64) -> Facts {
        let access = self.entry(spot).map_or(self.clock.fresh(), Entry::access);
        Facts { bits: kind_bits(kind, hint), expiry, access }
    }

    fn set_long_string(&mut self, spot: Spot, key: &[u8], value: Vec<u8>, expiry: u64, hint: Hint) -> Result<Spot> {
        let shared = self.shared();
        let id = shared.meta.new_object(&shared.store)?;
        self.stage_rows_gone(spot);
        let work = &mut self.work;
        let locked = &mut self.locked[spot.locked];
        self.chunked.push(id);
        // A chunk that is missing on disk is zeros.
        for (number, chunk) in value.chunks(CHUNK).enumerate().filter(|(_, chunk)| chunk.iter().any(|&b| b != 0)) {
            work.batch.put(locked.database.chunks, &row::chunk_key(spot.place.slot, id, number as u32), chunk);
        }
        let object = Object::LongString(LongString { id, bytes: value });
        Ok(self.put_object(spot, key, object, expiry, Kind::LongString, hint))
    }

    /// Writes `bytes` into a string from `offset` on, which grows and is filled with zeros as needed; the new length.
    /// The expiry stays. The caller has checked that the length is allowed.
    pub(crate) fn write_string(&mut self, spot: Spot, key: &[u8], offset: usize, bytes: &[u8]) -> Result<usize> {
        let end = offset + bytes.len();
        if let Some(at) = spot.at
            && let locked = &mut self.locked[spot.locked]
            && let Some(Object::LongString(string)) = locked.slot.object_mut(at)
        {
            let before = string.bytes.capacity();
            let len = string.bytes.len().max(end);
            grow(&mut string.bytes, len);
            string.bytes[offset..end].copy_from_slice(bytes);
            for number in offset / CHUNK..end.div_ceil(CHUNK) {
                let chunk = &string.bytes[number * CHUNK..len.min((number + 1) * CHUNK)];
                let row_key = row::chunk_key(spot.place.slot, string.id, number as u32);
                self.work.batch.put(locked.database.chunks, &row_key, chunk);
            }
            if self.chunked.last() != Some(&string.id) {
                self.chunked.push(string.id);
            }
            locked.slot.recount_object(at, before + size_of::<Object>());
            locked.slot.set_hint(at, Hint::Raw);
            self.stage_entry(spot, key);
            return Ok(len);
        }
        let former = self.string(spot)?.unwrap_or_default();
        let len = former.len().max(end);
        let mut value = Vec::with_capacity(len);
        value.extend_from_slice(former);
        value.resize(len, 0);
        value[offset..end].copy_from_slice(bytes);
        let expiry = self.expiry(spot);
        if len > SHORT_MAX {
            self.set_long_string(spot, key, value, expiry, Hint::Raw)?;
        } else {
            self.set_string(spot, key, &value, expiry, Hint::Raw)?;
        }
        Ok(len)
    }

    /// Notes that Redis would have made a string `raw` to change it in place, though its bytes stayed the same. That is
    /// no change of the key, so memory alone knows it.
    pub(crate) fn note_raw(&mut self, spot: Spot) {
        if let Some(at) = spot.at {
            self.locked[spot.locked].slot.set_hint(at, Hint::Raw);
        }
    }

    /// Stages the row of a key as it is in memory.
    pub(super) fn stage_entry(&mut self, spot: Spot, key: &[u8]) {
        if !self.stages_now() {
            self.locked[spot.locked].dirty = true;
            return;
        }
        let locked = &mut self.locked[spot.locked];
        let Some(entry) = spot.at.and_then(|at| locked.slot.table.get(at)) else { return };
        let work = &mut self.work;
        work.row.set_key(spot.place, key);
        match locked.slot.object(entry) {
            Some(object) => {
                let payload = row::object_payload(object.id(), object.len() as u64, object.first_deadline());
                work.row.set_value(&payload, entry.bits(), entry.expiry());
            }
            None => work.row.set_value(entry.value(), entry.bits(), entry.expiry()),
        }
        work.batch.put(locked.database.rows, work.row.row_key(), work.row.row_value());
        locked.dirty = true;
        self.note_changed(key);
    }

    /// Stages the end of the rows that a key about to be deleted or overwritten has besides its own.
    #[inline]
    pub(super) fn stage_rows_gone(&mut self, spot: Spot) {
        let locked = &mut self.locked[spot.locked];
        let Some(entry) = spot.at.and_then(|at| locked.slot.table.get(at)).filter(|entry| entry.has_object()) else {
            return;
        };
        let Some(object) = locked.slot.object(entry) else { return };
        let id = object.id();
        let (start, end) = (row::object_prefix(locked.number, id), row::object_prefix(locked.number, id + 1));
        let (batch, chunks) = (&mut self.work.batch, locked.database.chunks);
        batch.delete_range(chunks, &start, Some(&end));
        if !self.chunked.contains(&id) {
            return;
        }
        if let Object::LongString(LongString { bytes, .. }) = object {
            for number in 0..bytes.len().div_ceil(CHUNK) as u32 {
                batch.delete(chunks, &row::chunk_key(locked.number, id, number));
            }
        }
        let mut key = start.to_vec();
        object.rows(&mut |suffix, _| {
            key.truncate(start.len());
            key.extend_from_slice(suffix);
            batch.delete(chunks, &key);
        });
    }
}

/// Extends with zeros; a large string leaves room for one more MiB, not for its double.
fn grow(bytes: &mut Vec<u8>, len: usize) {
    const STEP: usize = 1 << 20;
    if len > bytes.capacity() && len > STEP {
        bytes.reserve_exact(len - bytes.len() + STEP);
    }
    bytes.resize(len, 0);
}
