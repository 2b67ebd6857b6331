//! Taking one key away to make room.

use super::{Context, Lookup};
use crate::error::Result;
use crate::notice::EventClass;

impl Context<'_> {
    /// Deletes a key of the selected database, if it is in memory and, with `volatile`, has an expiry; whether it did.
    pub(crate) fn evict(&mut self, number: u16, key: &[u8], volatile: bool) -> Result<bool> {
        let index = self.locked(self.call.db, number)?;
        let place = self.shared().placer.place(key);
        let found = self.locked[index].slot.table.find(place.fragment, key).is_some();
        let mut evicted = false;
        if found {
            let spot = self.find_key(key, Lookup::Write)?;
            if !volatile || self.expiry(spot) != 0 {
                evicted = self.remove(spot, key);
                if evicted {
                    self.note_lost(self.call.db, key, EventClass::Evicted, "evicted");
                }
            }
        }
        self.commit()?;
        Ok(evicted)
    }

    /// Takes a key of the selected database out of memory; whether it was there.
    pub(crate) fn forget(&mut self, number: u16, key: &[u8]) -> Result<bool> {
        let index = self.locked(self.call.db, number)?;
        let place = self.shared().placer.place(key);
        let locked = &mut self.locked[index];
        let found = locked.slot.table.find(place.fragment, key);
        if let Some(at) = found {
            locked.slot.forget(at);
            locked.database.note_inhabited(number, &locked.slot);
        }
        self.commit()?;
        Ok(found.is_some())
    }
}
