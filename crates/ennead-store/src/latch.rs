//! Striped key latches for read-modify-write: short exclusive sections over the keys of one change.
//!
//! Invariant: a thread takes all its stripes at once and in ascending order, so two holders never wait for each other.
//! Not a lock of a transaction: nothing is kept after the guard, nothing times out, and keys that share a stripe
//! exclude each other. For locks that live as long as a transaction see [`crate::PessimisticTransactions`].

use std::hash::{BuildHasher, Hash};

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use crate::{Commit, Result, Store, Table, WriteBatch};

#[cfg(test)]
mod tests;

/// A fixed set of latches that keys are spread over by hash.
///
/// ```
/// use ennead_store::{Latches, Options, Store, TableKind};
/// # let directory = tempfile::tempdir()?;
/// let store = Store::open(Options::new(directory.path()))?;
/// let counters = store.create_table("counters", TableKind::Ordered)?;
/// let latches = Latches::new(64);
/// for _ in 0..3 {
///     latches.update(&store, counters, b"visits", |old| {
///         let old = old.map_or(0, |bytes| bytes[0]);
///         Some(vec![old + 1])
///     })?;
/// }
/// assert_eq!(store.get(counters, b"visits")?, Some(vec![3]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Latches {
    stripes: Box<[Mutex<()>]>,
    hasher: foldhash::fast::RandomState,
}

/// Holds the latches of some keys until it is dropped.
#[derive(Debug)]
pub struct LatchGuard<'a> {
    _stripes: SmallVec<[MutexGuard<'a, ()>; 4]>,
}

impl Latches {
    /// `stripes` is rounded up to a power of two; many more than threads keeps unrelated keys apart.
    pub fn new(stripes: usize) -> Self {
        let stripes = (0..stripes.max(1).next_power_of_two()).map(|_| Mutex::new(())).collect();
        Latches { stripes, hasher: foldhash::fast::RandomState::default() }
    }

    /// Waits for the latches of all `keys` and holds them. A thread that holds a guard must drop it before it locks
    /// again, else it may wait for itself.
    pub fn lock<'k>(&self, keys: impl IntoIterator<Item = (Table, &'k [u8])>) -> LatchGuard<'_> {
        let mut indexes: SmallVec<[usize; 8]> = keys.into_iter().map(|(table, key)| self.stripe(table, key)).collect();
        indexes.sort_unstable();
        indexes.dedup();
        LatchGuard { _stripes: indexes.into_iter().map(|index| self.stripes[index].lock()).collect() }
    }

    /// Reads a row, lets `change` say its new value (`None` deletes it), and commits that, while no other update
    /// through these latches changes the row.
    ///
    /// # Durability
    /// As [`Store::commit`]: not durable when it returns.
    pub fn update(
        &self,
        store: &Store,
        table: Table,
        key: &[u8],
        change: impl FnOnce(Option<Vec<u8>>) -> Option<Vec<u8>>,
    ) -> Result<Commit> {
        let _guard = self.lock([(table, key)]);
        let mut batch = WriteBatch::new();
        match change(store.get(table, key)?) {
            Some(value) => batch.put(table, key, &value),
            None => batch.delete(table, key),
        }
        store.commit(&batch)
    }

    fn stripe(&self, table: Table, key: &[u8]) -> usize {
        let mut hasher = self.hasher.build_hasher();
        (table, key).hash(&mut hasher);
        std::hash::Hasher::finish(&hasher) as usize & (self.stripes.len() - 1)
    }
}
