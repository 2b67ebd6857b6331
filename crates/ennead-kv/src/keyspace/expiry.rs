//! Deleting due keys without being asked for them, in small batches between which every lock is let go.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use ennead_store::Pressure;

use super::{Call, Keyspace};
use crate::context::Context;
use crate::error::Result;

#[cfg(test)]
mod tests;

/// Keys deleted under one lock of their slot, by one batch.
const BATCH: usize = 64;

/// How long keys stay after the last guard: who lost its connection may come back.
const KEPT_AFTER_MS: u64 = 600_000;

/// Who keeps keys whose time is over, and until when they stay (Unix ms) where nobody does any more.
#[derive(Debug, Default)]
pub(super) struct Keepers {
    count: AtomicUsize,
    until_ms: AtomicU64,
}

/// While it is there, and ten minutes longer, keys whose time is over stay.
#[must_use]
pub struct Keeping(Keyspace);

impl Keeping {
    /// Nobody comes back: the keys go as soon as no other guard is there.
    pub fn end(self) {
        self.0.shared().keepers.until_ms.store(0, Relaxed);
    }
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeping")
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.shared().keepers.count.fetch_sub(1, Relaxed);
    }
}

impl Keyspace {
    /// Keeps keys whose time is over while the guard is there: they are deleted by commands only, and calls with
    /// `keep_expired` find them. For changes that come from another server, which deletes them there when it is time: here
    /// the clock is later, and a change of a key's last moment must still find it. Other calls that meet such a key delete
    /// it as ever.
    pub fn keep_expired(&self) -> Keeping {
        self.shared().keepers.count.fetch_add(1, Relaxed);
        Keeping(self.clone())
    }

    fn keeps_expired(&self, now_ms: u64) -> bool {
        let Keepers { count, until_ms } = &self.shared().keepers;
        if count.load(Relaxed) > 0 {
            until_ms.store(now_ms.saturating_add(KEPT_AFTER_MS), Relaxed);
        }
        now_ms < until_ms.load(Relaxed)
    }

    /// Deletes up to `budget` keys that are due; whether there may be more. For a background thread; call it about
    /// ten times a second, and again at once while there is more. Does nothing while `active_expire` is off.
    ///
    /// # Errors
    /// Errors of the store; what was due stays due.
    pub fn expire_due(&self, now_ms: u64, budget: usize) -> Result<bool> {
        // A store without room gets none by deletes either: they are rows, too.
        let kept = !self.settings().active_expire() || self.settings().keeps_keys(now_ms) || self.keeps_expired(now_ms);
        if kept || self.store().pressure() == Pressure::Stopped {
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
