//! What is different in a run of commands on one key: its row is staged at the end.

use super::{Context, Spot};
use crate::error::Result;
use crate::keyspace::{Call, Effect};

/// Whether the key's own row is staged with each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Staging {
    #[default]
    AtOnce,
    /// At the end of the run.
    Later,
    /// It will have to be.
    Due,
}

impl Context<'_> {
    /// Locks the slot of the only key of the commands to come.
    pub(crate) fn begin_run(&mut self, key: &[u8]) -> Result {
        let place = self.shared().placer.place(key);
        self.place = Some(place);
        self.staging = Staging::Later;
        self.locked(self.call.db, place.slot).map(drop)
    }

    /// Begins the next command of a run.
    pub(crate) fn next_of_run(&mut self, call: &Call, writes: bool) {
        let place = self.place;
        self.next_command(call, writes);
        self.place = place;
    }

    /// Whether the row of the key that changed is to be staged now; if not, it will be.
    #[inline]
    pub(super) fn stages_now(&mut self) -> bool {
        if self.staging == Staging::AtOnce {
            return true;
        }
        self.staging = Staging::Due;
        false
    }

    /// Commits what the run did and lets go of the slot.
    pub(crate) fn finish_run(mut self, key: &[u8]) -> Result<Effect> {
        if std::mem::take(&mut self.staging) == Staging::Due
            && let Some(place) = self.place
        {
            // If the key is gone again, its end is staged.
            let spot = self.again(Spot { locked: 0, at: None, place }, key);
            self.stage_entry(spot, key);
        }
        self.finish()
    }
}
