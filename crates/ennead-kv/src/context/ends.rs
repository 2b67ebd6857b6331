//! The ends of lists that are not in memory: a command that pushes, pops or reads there gets the elements it needs, and some
//! more for those that come after it.

use std::sync::atomic::Ordering::Relaxed;

use super::lookup::{Lookup, corrupted};
use super::{Context, Spot};
use crate::entry::Hint;
use crate::error::Result;
use crate::object::Object;
use crate::row;

/// Elements and bytes up to which more is read than was asked for: to find the first row costs as much as many.
const AHEAD: usize = 512;
const AHEAD_BYTES: usize = 64 << 10;

impl Context<'_> {
    /// Finds a key; of a list, only so many elements from its front and from its back are looked at, taken away, or get
    /// neighbours. What it has may be an outline with them in it.
    pub(crate) fn find_ends(&mut self, key: &[u8], lookup: Lookup, front: usize, back: usize) -> Result<Spot> {
        let spot = self.find_key(key, lookup)?;
        self.fetch_ends(spot, front, back)?;
        Ok(spot)
    }

    /// Sees to it that memory has so many elements from the front of a list and from its back.
    pub(crate) fn fetch_ends(&mut self, spot: Spot, front: usize, back: usize) -> Result {
        let Some(Object::List(list)) = self.outline(spot) else { return Ok(()) };
        let (head, tail) = list.ends();
        let missing = |wanted: usize, there: usize| match wanted.saturating_sub(there) {
            0 => 0,
            missing => missing.max(AHEAD),
        };
        let more = missing(front, head).saturating_add(missing(back, tail));
        let hint = self.entry(spot).map_or(Hint::Auto, |entry| entry.hint());
        if more >= list.elsewhere || !self.stays_large(hint, list, more) {
            return self.complete_object(spot);
        }
        self.fetch_end(spot, front.saturating_sub(head), false)?;
        self.fetch_end(spot, back.saturating_sub(tail), true)?;
        match self.outline(spot) {
            Some(Object::List(list)) if !list.is_roomy() => self.complete_object(spot),
            _ => Ok(()),
        }
    }

    /// Sees to it that memory has the elements of a range of indices, which is nearer to one end or to the other.
    pub(crate) fn fetch_range(&mut self, spot: Spot, range: std::ops::Range<usize>, len: usize) -> Result {
        let from_back = len - range.start.min(len);
        match range.is_empty() {
            true => Ok(()),
            false if range.end <= from_back => self.fetch_ends(spot, range.end, 0),
            false => self.fetch_ends(spot, 0, from_back),
        }
    }

    /// Takes so many elements, or more, from one end of those that only the store has.
    fn fetch_end(&mut self, spot: Spot, count: usize, back: bool) -> Result {
        let (Some(at), Some(Object::List(list))) = (spot.at, self.outline(spot)) else { return Ok(()) };
        if count == 0 {
            return Ok(());
        }
        let (id, (first, last)) = (list.id, list.unseen());
        let shared = self.shared();
        let snapshot = shared.store.snapshot();
        let locked = &mut self.locked[spot.locked];
        let prefix = row::object_prefix(locked.number, id);
        let (start, end) = ([&prefix[..], &first].concat(), [&prefix[..], &last, &[0]].concat());
        let mut rows = snapshot.iter(locked.database.chunks, &start, Some(&end));
        if back {
            rows.seek_to_last();
        } else {
            rows.seek_to_first();
        }
        let Some(object) = locked.slot.object_mut(at) else { return Ok(()) };
        let size = object.size();
        let Object::List(list) = object else { return Ok(()) };
        let (mut taken, mut bytes, mut sound) = (0, 0, true);
        while rows.valid() && (taken < count || (taken < AHEAD && bytes < AHEAD_BYTES)) {
            sound &= list.take_in_next(rows.key().get(row::OBJECT_PREFIX..).unwrap_or_default(), rows.value(), back);
            (taken, bytes) = (taken + 1, bytes + rows.value().len());
            if back {
                rows.prev();
            } else {
                rows.next();
            }
        }
        let number = locked.number;
        locked.slot.recount_object(at, size);
        shared.counters.fetched.fetch_add(taken as u64, Relaxed);
        rows.status()?;
        if sound && taken >= count { Ok(()) } else { Err(corrupted(id, number)) }
    }
}
