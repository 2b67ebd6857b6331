//! Deleting one key: because a command says so, because nothing of it is left, because its time is over.

use super::{Context, Spot};
use crate::notice::EventClass;

impl Context<'_> {
    /// Deletes a key; whether it existed.
    pub(crate) fn delete(&mut self, spot: Spot, key: &[u8]) -> bool {
        let existed = self.remove(spot, key);
        if existed {
            self.note_changed(key);
        }
        existed
    }

    /// Deletes a key because a command leaves nothing of it, which is an event; whether it existed.
    pub(crate) fn delete_told(&mut self, spot: Spot, key: &[u8]) -> bool {
        let existed = self.delete(spot, key);
        if existed {
            self.notify(EventClass::Generic, "del", key);
        }
        existed
    }

    /// Deletes a key that is due.
    pub(super) fn expire(&mut self, spot: Spot, key: &[u8]) -> bool {
        let existed = self.remove(spot, key);
        if existed {
            self.note_lost(self.locked[spot.locked].db, key, EventClass::Expired, "expired");
        }
        existed
    }

    pub(super) fn remove(&mut self, spot: Spot, key: &[u8]) -> bool {
        let (Some(at), Some(entry)) = (spot.at, self.entry(spot)) else { return false };
        let volatile = entry.expiry() != 0;
        // Who waits for a stream's group hears that it is gone.
        self.note_ready(spot.locked, key);
        self.stage_rows_gone(spot);
        let locked = &mut self.locked[spot.locked];
        locked.slot.remove(at);
        locked.keys -= 1;
        locked.volatile -= i64::from(volatile);
        locked.dirty = true;
        if !locked.slot.complete {
            self.gone.entry((locked.db, spot.place)).or_default().push(key.to_vec());
        }
        self.work.row.set_key(spot.place, key);
        self.work.batch.delete(locked.database.rows, self.work.row.row_key());
        true
    }
}
