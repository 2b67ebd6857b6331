//! Deleting what is due in one slot.

use std::sync::atomic::Ordering::Relaxed;

use ennead_store::Snapshot;

use super::{Context, Spot};
use crate::context::load::parse;
use crate::error::Result;
use crate::notice::EventClass;
use crate::place::Place;
use crate::row;

impl Context<'_> {
    /// Whether a deadline has passed, for whom that means anything.
    #[inline]
    pub(crate) fn is_over(&self, deadline: u64) -> bool {
        (1..=self.call.now_ms).contains(&deadline) && !self.call.keep_expired
    }

    /// Deletes up to `most` due keys and fields of a slot of the selected database and commits that; how many.
    pub(crate) fn expire_slot(&mut self, number: u16, most: usize) -> Result<usize> {
        let index = self.locked(self.call.db, number)?;
        let mut snapshot = None;
        let mut deleted = 0;
        while deleted < most {
            let slot = &self.locked[index].slot;
            let Some(due) = slot.first_due().filter(|(ms, _)| *ms <= self.call.now_ms) else { break };
            let place = Place { slot: number, fragment: due.1 };
            let at = slot
                .table
                .iter_from(due.1)
                .take_while(|(_, fragment, _)| *fragment == due.1)
                .find_map(|(at, _, entry)| (entry.expiry() == due.0).then(|| (at, entry.key().to_vec())));
            if let Some((at, key)) = at {
                deleted += usize::from(self.expire(Spot { locked: index, at: Some(at), place }, &key));
                continue;
            }
            if !slot.complete {
                let snapshot = snapshot.get_or_insert_with(|| self.keyspace.shared().store.snapshot());
                deleted += self.expire_rows(index, place, due.0, snapshot)?;
            }
            self.locked[index].slot.strike(due);
        }
        let faded = self.fade_slot(index, most - deleted)?;
        let outcome = self.commit();
        let locked = &mut self.locked[index];
        locked.database.arm(number, &mut locked.slot, true);
        outcome?;
        self.shared().counters.expired.fetch_add(deleted as u64, Relaxed);
        Ok(deleted + faded)
    }

    /// Deletes the keys of a place that are due and not in memory.
    fn expire_rows(&mut self, index: usize, place: Place, expiry: u64, snapshot: &Snapshot) -> Result<usize> {
        let locked = &mut self.locked[index];
        let start = row::place_prefix(place);
        let end = row::place_prefix(Place { fragment: place.fragment.saturating_add(1), ..place });
        let mut rows = snapshot.iter(locked.database.rows, &start, Some(&end));
        rows.seek_to_first();
        let (mut deleted, mut gone) = (0, Vec::new());
        while rows.valid() {
            if let Some((_, key)) = row::parse_row_key(rows.key())
                && locked.slot.table.find(place.fragment, key).is_none()
            {
                let value = parse(rows.value(), key)?;
                if value.expiry == expiry {
                    if value.kind.has_object()
                        && let Some((id, _)) = value.object()
                    {
                        let (start, end) = (row::object_prefix(place.slot, id), row::object_prefix(place.slot, id + 1));
                        self.work.batch.delete_range(locked.database.chunks, &start, Some(&end));
                    }
                    self.work.batch.delete(locked.database.rows, rows.key());
                    locked.keys -= 1;
                    locked.volatile -= 1;
                    locked.dirty = true;
                    deleted += 1;
                    gone.push(key.to_vec());
                }
            }
            rows.next();
        }
        for key in &gone {
            self.note_lost(self.call.db, key, EventClass::Expired, "expired");
        }
        rows.status()?;
        Ok(deleted)
    }
}
