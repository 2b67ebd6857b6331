//! Fetching rows ahead, in two steps: where the index has them, then the rows themselves.

use std::hash::BuildHasher;

use super::{Memtable, TableRows};

/// A row that is going to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowAhead {
    table: u32,
    shard: u32,
    hash: u64,
}

impl Memtable {
    /// Asks the processor for the place of a row in the index.
    #[inline]
    pub(crate) fn approach(&self, table: u32, key: &[u8]) -> Option<RowAhead> {
        let rows = self.table(table)?;
        let hash = self.hasher.hash_one(key);
        let shard = rows.shard_number(hash, key);
        rows.shards[shard].try_read()?.prefetch_index(hash);
        Some(RowAhead { table, shard: shard as u32, hash })
    }

    /// Asks the processor for the row.
    #[inline]
    pub(crate) fn approach_row(&self, ahead: RowAhead) {
        let shard = self.table(ahead.table).and_then(|rows: &TableRows| rows.shards[ahead.shard as usize].try_read());
        if let Some(shard) = shard {
            shard.prefetch_row(ahead.hash);
        }
    }
}
