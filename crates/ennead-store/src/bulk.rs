//! Many rows at once: ingesting a sorted stream, and measuring a range.

#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering;

use crate::lifetime::STAMP_BYTES;
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

/// What a range of a table holds, about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApproximateSize {
    /// Rows that are in the B-tree.
    pub rows: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// Bytes of rows of all tables that were written since the last flush and are not counted.
    pub unflushed_bytes: u64,
}

/// What [`Store::ingest_stream`] has written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ingested {
    pub rows: u64,
    pub batches: u64,
    /// The newest batch; none when there was no row.
    pub last: Option<Commit>,
}

/// Rows that one batch of a stream holds, bytes.
const INGEST_BATCH_BYTES: usize = 4 << 20;

impl Store {
    /// Writes a stream of rows with ascending keys: all of them become visible at once and survive a crash, or none.
    ///
    /// # Errors
    /// `Invalid` for a key that does not ascend, or for more than 1 GiB; nothing was written then.
    ///
    /// # Limits
    /// It is one batch, which is held in memory until it ends, and goes through the log, so that the change feed and a
    /// restore to a point in time have it. For what is larger, or need not be atomic, see [`Store::ingest_stream`].
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

    /// Writes a stream of rows with ascending keys of any length, in batches of a few megabytes, waiting for room as it
    /// goes: memory stays within the bounds of the store.
    ///
    /// # Atomicity
    /// Each batch is all or nothing, and they are written in order. So whatever ends it, a crash or an error, what is
    /// there is the rows up to some key and none behind it: to go on, give it the rows behind the last key that is
    /// there, or all of them again. Others see the rows as they come. To show them at once, ingest into a table that
    /// nobody knows yet, and then commit one batch that says it is complete, in a table of yours.
    ///
    /// # Errors
    /// `Invalid` for a key that does not ascend; the message says how many rows were written before. `RolledBack`
    /// when batches of it were taken back; none was written behind them. The rest as for [`Store::write`].
    ///
    /// # Durability
    /// On disk when it returns without an error.
    ///
    /// ```
    /// use ennead_store::{Options, Store, TableKind};
    /// # let directory = tempfile::tempdir()?;
    /// let store = Store::open(Options::new(directory.path()))?;
    /// let table = store.create_table("t", TableKind::Ordered)?;
    /// let ingested = store.ingest_stream(table, (0..200_000_u32).map(|n| (n.to_be_bytes(), [0; 100])))?;
    /// assert_eq!(ingested.rows, 200_000);
    /// assert!(ingested.batches > 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ingest_stream<K: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        table: Table,
        rows: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Ingested> {
        let batch_bytes_max = INGEST_BATCH_BYTES.min(self.shared().options.memtable_bytes / 4);
        let mut batch = WriteBatch::new();
        let mut ingested = Ingested::default();
        let mut last: Option<K> = None;
        let mut since = self.shared().syncer.rollbacks();
        for (key, value) in rows {
            if last.as_ref().is_some_and(|last| key.as_ref() <= last.as_ref()) {
                return Err(Error::Invalid(format!(
                    "row {} does not ascend from the one before; {} rows were written",
                    ingested.rows + batch.len() as u64,
                    ingested.rows
                )));
            }
            batch.put(table, key.as_ref(), value.as_ref());
            last = Some(key);
            if batch.bytes() >= batch_bytes_max {
                self.ingest_batch(&mut batch, &mut ingested, &mut since)?;
            }
        }
        if !batch.is_empty() {
            self.ingest_batch(&mut batch, &mut ingested, &mut since)?;
        }
        if let Some(last) = ingested.last {
            self.shared().syncer.wait_since(last.sequence, since)?;
        }
        Ok(ingested)
    }

    /// Commits one batch of a stream, unless one before it was rolled back after the rollbacks `since`.
    fn ingest_batch(&self, batch: &mut WriteBatch, ingested: &mut Ingested, since: &mut u64) -> Result<()> {
        let (shared, rows) = (self.shared(), batch.len() as u64);
        shared.wait_for_room()?;
        // Decided under the commit lock, so that nothing is ever written behind a hole.
        let sequence = shared.commit_catalogue(|staged| {
            if let Some(last) = ingested.last.filter(|last| shared.syncer.is_gone(last.sequence, *since)) {
                return Err(Error::RolledBack(format!(
                    "batch {} of the stream is not in the log any more",
                    last.sequence
                )));
            }
            *since = shared.syncer.rollbacks();
            std::mem::swap(staged, batch);
            Ok(shared.visible.load(Ordering::Acquire) + 1)
        })?;
        ingested.last = Some(Commit { sequence });
        ingested.rows += rows;
        ingested.batches += 1;
        // At once, so that a crash of the process leaves as little to do again as it can.
        shared.hand_over(sequence)
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

    /// The rows and bytes of `start <= key < end` without counting them: it reads at most some thousand rows at either
    /// end of the range, however large that is.
    ///
    /// # Accuracy
    /// Exact as of the last flush; what was written since is missing, at most
    /// [`ApproximateSize::unflushed_bytes`], and rows deleted since are counted. Rows of a table with a time to live count
    /// until they are removed.
    ///
    /// ```
    /// use ennead_store::{Options, Store, TableKind};
    /// # let directory = tempfile::tempdir()?;
    /// let store = Store::open(Options::new(directory.path()))?;
    /// let table = store.create_table("t", TableKind::Ordered)?;
    /// store.ingest(table, (0..100_000_u32).map(|n| (n.to_be_bytes(), "value")))?;
    /// store.flush()?;
    /// let size = store.approximate_size(table, &500_u32.to_be_bytes(), Some(&90_000_u32.to_be_bytes()))?;
    /// assert_eq!((size.rows, size.bytes), (89_500, 89_500 * 9));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn approximate_size(&self, table: Table, start: &[u8], end: Option<&[u8]>) -> Result<ApproximateSize> {
        let layers = self.shared().layers.load_full();
        let unflushed = layers.active.bytes() + layers.frozen.as_ref().map_or(0, |memtable| memtable.bytes());
        let mut size = ApproximateSize { unflushed_bytes: unflushed as u64, ..ApproximateSize::default() };
        let entry = self.shared().catalogue.get(table.0);
        let (Some(extents), Some(entry)) = (layers.base.extents(table.0), entry) else { return Ok(size) };
        for (extent, extent_end) in extents.iter() {
            let before = extent_end.is_some_and(|behind| behind <= start);
            let behind = end.is_some_and(|end| end <= extent.first.as_slice());
            if before || behind {
                continue;
            }
            let whole = *start <= *extent.first && end.is_none_or(|end| extent_end.is_some_and(|behind| behind <= end));
            let (rows, bytes) = if whole {
                (extent.rows, extent.bytes)
            } else {
                let to = [end, extent_end].into_iter().flatten().min();
                layers.base.count_range(table.0, start.max(&extent.first), to)?
            };
            size.rows += rows;
            size.bytes += bytes;
        }
        if entry.ttl_ms.is_some() {
            size.bytes -= size.rows * STAMP_BYTES as u64;
        }
        Ok(size)
    }
}
