//! The end of a command: its rows become one batch, and what depends on the changed slots follows.

use std::sync::atomic::Ordering::Relaxed;

use ennead_store::Sequence;

use super::Context;
use crate::error::Result;

impl Context<'_> {
    /// Commits the staged rows and brings figures and orders of the changed slots up to date.
    pub(crate) fn commit(&mut self) -> Result {
        let staged = self.stage_order() || self.locked.iter().any(|locked| locked.dirty);
        let mut outcome = Ok(());
        if staged {
            for locked in &self.locked {
                if locked.keys != 0 {
                    self.work.batch.tally(locked.database.rows, locked.keys);
                }
                if locked.volatile != 0 {
                    self.work.batch.tally(locked.database.chunks, locked.volatile);
                }
            }
            match self.commit_batch() {
                Ok(sequence) => self.note(Some(sequence), sequence),
                Err(error) => {
                    self.forget_changes();
                    // A read that met an expired key has read well: the key is due for everybody.
                    outcome = if self.writes { Err(error) } else { Ok(()) };
                    self.tell(true);
                }
            }
            self.work.clear();
        }
        self.tell(false);
        self.removed.clear();
        self.settle();
        outcome
    }

    fn commit_batch(&self) -> Result<Sequence> {
        // A read has only found something expired.
        let fence = if self.writes { self.fence() } else { None };
        self.shared().commit(&self.work.batch, fence)
    }

    pub(super) fn forget_changes(&mut self) {
        for locked in self.locked.iter_mut().filter(|locked| locked.dirty) {
            locked.slot.forget_all();
            (locked.keys, locked.volatile, locked.dirty) = (0, 0, false);
        }
    }

    pub(super) fn settle(&mut self) {
        let counters = &self.keyspace.shared().counters;
        for locked in &mut self.locked {
            let delta = locked.slot.bytes() as i64 - locked.bytes_before as i64;
            // Loading changes the size as well.
            let touched = locked.dirty || delta != 0;
            counters.add_bytes(locked.number, delta);
            locked.bytes_before = locked.slot.bytes();
            if locked.dirty {
                locked.slot.last_write = self.wrote.unwrap_or(0);
                if locked.keys != 0 || self.emptied {
                    locked.database.keys.fetch_add(locked.keys, Relaxed);
                    locked.database.note_inhabited(locked.number, &locked.slot);
                }
                if locked.volatile != 0 {
                    locked.database.volatile.fetch_add(locked.volatile, Relaxed);
                }
                (locked.keys, locked.volatile, locked.dirty) = (0, 0, false);
            }
            if touched {
                locked.database.arm(locked.number, &mut locked.slot, false);
            }
        }
        self.finished = true;
    }
}
