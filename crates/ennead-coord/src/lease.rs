//! Leases: keys that are deleted together when nobody keeps their lease alive.
//!
//! Time is the model's own: milliseconds that the server has been up, over all its starts. It stands still while the
//! server is down, so nobody loses a lease that could not be kept alive, and it never jumps. It is stored with each lease
//! and, while there are any, every second.
//!
//! # Format
//! A row of `coord.leases`: granted seconds (8 bytes, big endian), the time at which it is over (8).

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;

/// The longest time that can be asked for, seconds.
pub(crate) const TTL_MAX: i64 = 9_000_000_000;
/// What shorter times are made, seconds: etcd's with its default election timeout.
pub(crate) const TTL_MIN: i64 = 2;
/// Seconds that a lease may be given to go on for, however short it was granted for: who copies a server keeps alive there
/// what its owner keeps alive elsewhere, and must not be late.
pub const HELD_S: i64 = 60;

/// One lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lease {
    /// Seconds that it was granted for.
    pub(crate) ttl: i64,
    /// When it is over.
    pub(crate) deadline_ms: u64,
    pub(crate) keys: BTreeSet<Bytes>,
}

impl Lease {
    /// What is left at a time.
    pub(crate) fn remaining_ms(&self, now_ms: u64) -> u64 {
        self.deadline_ms.saturating_sub(now_ms)
    }

    pub(crate) fn row(&self) -> [u8; 16] {
        let mut row = [0; 16];
        row[..8].copy_from_slice(&self.ttl.to_be_bytes());
        row[8..].copy_from_slice(&self.deadline_ms.to_be_bytes());
        row
    }

    /// A lease without its keys.
    pub(crate) fn from_row(row: &[u8]) -> Option<Lease> {
        let (ttl, deadline) = row.split_first_chunk::<8>()?;
        let deadline_ms = u64::from_be_bytes(deadline.try_into().ok()?);
        Some(Lease { ttl: i64::from_be_bytes(*ttl), deadline_ms, keys: BTreeSet::new() })
    }
}

/// When a lease of so many seconds is over.
pub(crate) fn deadline(now_ms: u64, ttl: i64) -> u64 {
    now_ms.saturating_add(u64::try_from(ttl).unwrap_or(0).saturating_mul(1000))
}

/// All leases, by id and by time, and the keys on them.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    leases: HashMap<i64, Lease>,
    due: BTreeSet<(u64, i64)>,
    owners: HashMap<Bytes, i64>,
}

impl Leases {
    pub(crate) fn contains(&self, id: i64) -> bool {
        self.leases.contains_key(&id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    pub(crate) fn get(&self, id: i64) -> Option<&Lease> {
        self.leases.get(&id)
    }

    pub(crate) fn insert(&mut self, id: i64, lease: Lease) {
        self.due.insert((lease.deadline_ms, id));
        self.leases.insert(id, lease);
    }

    /// Gives a lease another time to end.
    pub(crate) fn extend(&mut self, id: i64, deadline_ms: u64) {
        let Some(lease) = self.leases.get_mut(&id) else { return };
        self.due.remove(&(lease.deadline_ms, id));
        lease.deadline_ms = deadline_ms;
        self.due.insert((deadline_ms, id));
    }

    /// Removes a lease; keys that are still on it have none then.
    pub(crate) fn remove(&mut self, id: i64) {
        let Some(lease) = self.leases.remove(&id) else { return };
        self.due.remove(&(lease.deadline_ms, id));
        for key in &lease.keys {
            self.owners.remove(key);
        }
    }

    /// The lease that a key is on.
    pub(crate) fn owner(&self, key: &[u8]) -> Option<i64> {
        self.owners.get(key).copied()
    }

    /// Puts a key on a lease, off the one it was on; 0 for none.
    pub(crate) fn attach(&mut self, key: &[u8], id: i64) {
        match self.owners.get(key) {
            Some(owner) if *owner == id => return,
            None if id == 0 => return,
            Some(owner) => {
                if let Some(lease) = self.leases.get_mut(owner) {
                    lease.keys.remove(key);
                }
                self.owners.remove(key);
            }
            None => {}
        }
        if let Some(lease) = self.leases.get_mut(&id) {
            // Not a part of a request's memory, which would be kept as a whole.
            let key = Bytes::copy_from_slice(key);
            lease.keys.insert(key.clone());
            self.owners.insert(key, id);
        }
    }

    /// Leases that are over, the oldest first.
    pub(crate) fn due(&self, now_ms: u64) -> impl Iterator<Item = i64> {
        self.due.range(..=(now_ms, i64::MAX)).map(|(_, id)| *id)
    }

    /// All ids, those first that are over first.
    pub(crate) fn by_time(&self) -> impl Iterator<Item = i64> {
        self.due.iter().map(|(_, id)| *id)
    }
}
