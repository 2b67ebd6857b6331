//! Dropping everything that is in memory, and reading it again from the store.

use std::sync::atomic::Ordering::Relaxed;

use super::Keyspace;
use crate::database::Database;
use crate::error::Result;

/// Keys read between two looks at how far the walk has come.
const BUDGET: usize = 4096;

impl Keyspace {
    /// Forgets what is in memory of all databases and reads their keys again. Everybody waits while it is forgotten, and
    /// meets keys that are read on first use after that. For tests of what the store holds: it takes as long as reading
    /// all keys does.
    ///
    /// # Errors
    /// Errors of the store; a row of no known form is one.
    pub fn reload(&self, now_ms: u64) -> Result {
        let shared = self.shared();
        let mut gate = shared.gate.write();
        for db in 0..gate.len() {
            let Some(old) = gate.existing(db) else { continue };
            let fresh = Database::open(&shared.store, old.number)?;
            // Its slots know nothing of the batches so far, which those who watch keys ask about.
            fresh.born.store(shared.store.committed(), Relaxed);
            self.install(&mut gate, db, fresh);
        }
        drop(gate);
        while self.warm(now_ms, BUDGET)? {}
        Ok(())
    }
}
