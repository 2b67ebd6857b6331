//! Copying a value from key to key.

use super::{Context, Spot};
use crate::entry::{Entry, Hint};
use crate::error::{Error, Result};

/// A value outside of any slot, with what goes with it.
#[derive(Debug)]
pub(crate) struct Taken {
    bytes: Vec<u8>,
    hint: Hint,
    /// Unix ms, 0 for none.
    expiry: u64,
    access: u32,
}

impl Context<'_> {
    /// A copy of the value of a key that exists.
    pub(crate) fn take_copy(&self, spot: Spot) -> Result<Taken> {
        let bytes = self.string(spot)?.ok_or(Error::NoSuchKey)?.to_vec();
        let entry = self.entry(spot).ok_or(Error::NoSuchKey)?;
        Ok(Taken { bytes, hint: entry.hint(), expiry: entry.expiry(), access: entry.access() })
    }

    /// Sets a key to a copied value, expiry included.
    pub(crate) fn put_copy(&mut self, spot: Spot, key: &[u8], taken: &Taken) -> Result {
        let spot = self.set_string(spot, key, &taken.bytes, taken.expiry, taken.hint)?;
        self.set_access(spot, taken.access);
        Ok(())
    }

    /// Sets the access clock of a key.
    pub(crate) fn set_access(&mut self, spot: Spot, access: u32) {
        if let Some(entry) = self.entry(spot) {
            Entry::set_access(entry, access);
        }
    }
}
