//! Many rows at once: ingesting a sorted stream, and measuring a range.

#[cfg(test)]
mod tests;

use crate::{Commit, Durability, Error, Result, Store, Table, WriteBatch};

/// What a range of a table holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RangeSize {
    pub rows: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Everything in the range was counted; otherwise there is more.
    pub complete: bool,
}

impl Store {
    /// Writes a stream of rows with ascending keys: all of them become visible at once and survive a crash, or none.
    ///
    /// # Errors
    /// `Invalid` for a key that does not ascend, or for more than 1 GiB; nothing was written then.
    ///
    /// # Limits
    /// It is one batch, which is held in memory until it ends, and goes through the log, so that the change feed and a
    /// restore to a point in time have it. Split what need not be atomic.
    ///
    /// # Durability
    /// On disk when it returns.
    ///
    /// ```
    /// use ennead_store::{Options, Store, TableKind};
    /// # let directory = tempfile::tempdir()?;
    /// let store = Store::open(Options::new(directory.path()))?;
    /// let table = store.create_table("t", TableKind::Ordered)?;
    /// store.ingest(table, (0..1000_u32).map(|n| (n.to_be_bytes(), "value")))?;
    /// let size = store.range_size(table, &10_u32.to_be_bytes(), Some(&20_u32.to_be_bytes()), u64::MAX)?;
    /// assert_eq!((size.rows, size.bytes), (10, 90));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ingest<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        table: Table,
        rows: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Commit> {
        let mut batch = WriteBatch::new();
        let mut last: Option<K> = None;
        for (key, value) in rows {
            if last.as_ref().is_some_and(|last| key.as_ref() <= last.as_ref()) {
                return Err(Error::Invalid(format!("row {} does not ascend from the one before", batch.len())));
            }
            batch.put(table, key.as_ref(), value.as_ref());
            last = Some(key);
        }
        self.write(&batch, Durability::Always)
    }

    /// Counts rows and bytes of `start <= key < end`, at most `rows_max` rows: several million a second.
    pub fn range_size(&self, table: Table, start: &[u8], end: Option<&[u8]>, rows_max: u64) -> Result<RangeSize> {
        let mut iter = self.snapshot().iter(table, start, end);
        let mut size = RangeSize::default();
        iter.seek_to_first();
        while iter.valid() && size.rows < rows_max {
            size.rows += 1;
            size.bytes += (iter.key().len() + iter.value().len()) as u64;
            iter.next();
        }
        iter.status()?;
        size.complete = !iter.valid();
        Ok(size)
    }
}
