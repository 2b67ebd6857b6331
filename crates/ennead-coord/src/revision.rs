//! Revisions: which transaction made a change, and which of its changes it was.

#[cfg(test)]
mod tests;

use smallvec::SmallVec;

/// Place of a change in the history of all keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Revision {
    /// The transaction's number: the revision that clients see.
    pub(crate) main: i64,
    /// The change's number within the transaction.
    pub(crate) sub: u32,
}

/// Bytes of a revision as the key of a row.
pub(crate) const ROW_KEY_BYTES: usize = 12;

impl Revision {
    pub(crate) const fn new(main: i64, sub: u32) -> Revision {
        Revision { main, sub }
    }

    /// # Format
    /// `main` (8 bytes, big endian), `sub` (4 bytes, big endian): rows lie in the order of history.
    pub(crate) fn row_key(self) -> [u8; ROW_KEY_BYTES] {
        let mut key = [0; ROW_KEY_BYTES];
        key[..8].copy_from_slice(&self.main.to_be_bytes());
        key[8..].copy_from_slice(&self.sub.to_be_bytes());
        key
    }

    /// The key that etcd has for the same change.
    pub(crate) fn etcd_key(self, is_tombstone: bool) -> SmallVec<[u8; 18]> {
        let mut key = SmallVec::new();
        key.extend_from_slice(&self.main.to_be_bytes());
        key.push(b'_');
        key.extend_from_slice(&u64::from(self.sub).to_be_bytes());
        if is_tombstone {
            key.push(b't');
        }
        key
    }

    /// What [`Revision::row_key`] made.
    pub(crate) fn from_row_key(key: &[u8]) -> Option<Revision> {
        let (main, sub) = key.split_first_chunk::<8>()?;
        Some(Revision { main: i64::from_be_bytes(*main), sub: u32::from_be_bytes(sub.try_into().ok()?) })
    }
}
