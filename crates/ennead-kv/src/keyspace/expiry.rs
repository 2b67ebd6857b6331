//! Deleting due keys without being asked for them, in small batches between which every lock is let go.

use ennead_store::Pressure;

use super::{Call, Keyspace};
use crate::context::Context;
use crate::error::Result;

/// Keys deleted under one lock of their slot, by one batch.
const BATCH: usize = 64;

impl Keyspace {
    /// Deletes up to `budget` keys that are due; whether there may be more. For a background thread; call it about
    /// ten times a second, and again at once while there is more. Does nothing while `active_expire` is off.
    ///
    /// # Errors
    /// Errors of the store; what was due stays due.
    pub fn expire_due(&self, now_ms: u64, budget: usize) -> Result<bool> {
        // A store without room gets none by deletes either: they are rows, too.
        if !self.settings().active_expire() || self.store().pressure() == Pressure::Stopped {
            return Ok(false);
        }
        let mut left = budget;
        for db in 0..self.databases() {
            while let Some(deleted) = self.expire_some(db, now_ms, left.min(BATCH))? {
                left = left.saturating_sub(deleted.max(1));
                if left == 0 {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Deletes due keys of one slot; how many, or none when the database has nothing due.
    fn expire_some(&self, db: usize, now_ms: u64, most: usize) -> Result<Option<usize>> {
        let gate = self.shared().enter();
        let Some(number) = gate.existing(db).and_then(|database| database.first_due(now_ms)) else {
            return Ok(None);
        };
        let call = Call { db, now_ms, ..Call::default() };
        let mut context = Context::new(self, Some(&gate), &call, true);
        let deleted = context.expire_slot(number, most)?;
        let ready = context.take_ready();
        drop(context);
        drop(gate);
        if !ready.is_empty() {
            self.serve_after(&self.shared().gate.write(), &call, ready);
        }
        Ok(Some(deleted))
    }
}
