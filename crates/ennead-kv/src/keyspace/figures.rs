//! Figures of a keyspace for INFO, DBSIZE and metrics.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::Keyspace;
use crate::error::Result;
use crate::place::SLOTS;
use crate::slot::Slot;

/// Figures of a keyspace. Counters count since the opening or [`Keyspace::reset_counters`].
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Bytes of memory for keys, values and their tables: what `maxmemory` limits.
    pub used_bytes: u64,
    pub hits: u64,
    pub misses: u64,
    /// Keys deleted because they were due.
    pub expired: u64,
    /// Keys deleted to make room.
    pub evicted: u64,
    /// Keys put out of memory, and still on disk, to make room.
    pub tiered: u64,
    /// Keys read back from disk because somebody asked for them.
    pub loaded: u64,
    /// Members of large collections read back from disk one by one, because somebody asked for them.
    pub fetched: u64,
    /// Values and tables that are gone and whose memory is still to be freed, of all keyspaces of the process.
    pub freeing: u64,
    /// The databases that have keys.
    pub databases: Vec<DatabaseFigures>,
    /// Slots still to be filled in the background.
    pub cold_slots: u64,
}

/// Figures of one database.
#[derive(Debug, Clone, Copy, Default)]
pub struct DatabaseFigures {
    pub db: usize,
    /// Keys; those that are due and not deleted yet count.
    pub keys: u64,
    /// Keys with an expiry.
    pub volatile: u64,
}

impl Keyspace {
    pub fn figures(&self) -> Figures {
        let shared = self.shared();
        let counters = &shared.counters;
        let used = shared.used.lock();
        let existing = || used.iter().enumerate().filter_map(|(db, database)| Some((db, database.as_ref()?)));
        Figures {
            used_bytes: self.used_bytes_of(existing().count()),
            hits: counters.hits(),
            misses: counters.misses(),
            expired: counters.expired.load(Relaxed),
            evicted: counters.evicted.load(Relaxed),
            tiered: counters.tiered.load(Relaxed),
            loaded: counters.loaded.load(Relaxed),
            fetched: counters.fetched.load(Relaxed),
            freeing: crate::disposal::pending(),
            databases: existing()
                .filter(|(_, database)| database.len() > 0)
                .map(|(db, database)| DatabaseFigures {
                    db,
                    keys: database.len(),
                    volatile: database.volatile.load(Relaxed).max(0) as u64,
                })
                .collect(),
            cold_slots: existing()
                .map(|(_, database)| SLOTS as u64 - u64::from(database.warmed.load(Relaxed)).min(SLOTS as u64))
                .sum(),
        }
    }

    /// Bytes of memory for keys, values and their tables.
    pub fn used_bytes(&self) -> u64 {
        let gate = self.shared().enter();
        self.used_bytes_of((0..gate.len()).filter(|db| gate.existing(*db).is_some()).count())
    }

    fn used_bytes_of(&self, databases: usize) -> u64 {
        self.shared().counters.bytes() + (databases * SLOTS * Slot::own_size()) as u64
    }

    /// Sets the counters back to 0 (`CONFIG RESETSTAT`).
    pub fn reset_counters(&self) {
        self.shared().counters.reset();
    }

    /// The number of keys of a database.
    pub fn len(&self, db: usize) -> Result<u64> {
        let gate = self.shared().enter();
        match gate.existing(db) {
            Some(database) => Ok(database.len()),
            None => gate.database(&self.shared().store, db).map(|database: &Arc<_>| database.len()),
        }
    }
}
