//! An atomic group of row changes over any tables.
//!
//! A batch is already the bytes that the log will hold, so a commit copies it once and parses it once. What a row looks
//! like is in [`rows`]; it is not a record, which adds length, checksum, sequence and header.

pub(crate) mod rows;
#[cfg(test)]
mod tests;

use std::ops::Range;

use smallvec::SmallVec;

use crate::lifetime::STAMP_BYTES;
use crate::log::record::{self, Record};
use crate::store::Table;
use crate::{Error, Result};
use rows::{Row, Rows};

/// One change of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation<'a> {
    Put {
        table: Table,
        key: &'a [u8],
        value: &'a [u8],
    },
    Delete {
        table: Table,
        key: &'a [u8],
    },
    /// Merges `operand` into the row by its table's merge operator.
    Merge {
        table: Table,
        key: &'a [u8],
        operand: &'a [u8],
    },
    /// Deletes `start <= key < end`; no `end` means to the end of the table.
    DeleteRange {
        table: Table,
        start: &'a [u8],
        end: Option<&'a [u8]>,
    },
}

/// Rows to be committed together: all of them survive a crash, or none. Later operations win over earlier ones.
///
/// A batch is reusable: [`WriteBatch::clear`] keeps its memory.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    rows: Vec<u8>,
    count: u32,
    /// It has rows that create or drop tables.
    catalogue: bool,
    tables: SmallVec<[Table; 4]>,
    merged: SmallVec<[Table; 2]>,
    tallies: SmallVec<[(u32, i64); 2]>,
    event: Vec<u8>,
    /// The row at the end, if it is a put or a delete.
    last: Option<Last>,
}

#[derive(Debug, Clone)]
struct Last {
    /// Where it begins.
    start: usize,
    table: Table,
    key: Range<usize>,
}

impl WriteBatch {
    pub fn new() -> Self {
        Self::default()
    }

    /// Of several puts and deletes of one row in succession only the last is kept.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        let start = self.begin(table, key);
        rows::encode_put(&mut self.rows, table.0, key, value);
        let end = self.rows.len() - value.len();
        self.last = Some(Last { start, table, key: end - key.len()..end });
    }

    /// Merges `operand` into the row by the operator of its table, without reading it: see
    /// [`crate::Store::create_merge_table`]. A commit of it into another table is refused.
    pub fn merge(&mut self, table: Table, key: &[u8], operand: &[u8]) {
        self.note(table);
        if !self.merged.contains(&table) {
            self.merged.push(table);
        }
        rows::encode_merge(&mut self.rows, table.0, key, operand);
    }

    /// As [`WriteBatch::put`].
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        let start = self.begin(table, key);
        rows::encode_delete(&mut self.rows, table.0, key);
        let end = self.rows.len();
        self.last = Some(Last { start, table, key: end - key.len()..end });
    }

    /// Deletes `start <= key < end`; no `end` means to the end of the table. Costs one row, whatever it covers.
    pub fn delete_range(&mut self, table: Table, start: &[u8], end: Option<&[u8]>) {
        self.note(table);
        rows::encode_delete_range(&mut self.rows, table.0, start, end);
    }

    /// Adds to the table's tally: a signed count kept exactly with the rows, through crash and replay, for models
    /// whose number of objects is not the number of rows. Read by [`crate::Store::tally`].
    pub fn tally(&mut self, table: Table, delta: i64) {
        if !self.tables.contains(&table) {
            self.tables.push(table);
        }
        match self.tallies.iter_mut().find(|(of, _)| *of == table.0) {
            Some((_, sum)) => *sum = sum.wrapping_add(delta),
            None => self.tallies.push((table.0, delta)),
        }
    }

    /// A few bytes that travel with the batch in the log, for readers of the change feed.
    pub fn set_event(&mut self, event: &[u8]) {
        self.event.clear();
        self.event.extend_from_slice(event);
    }

    /// The bytes set by [`WriteBatch::set_event`].
    pub fn event(&self) -> &[u8] {
        &self.event
    }

    /// The changes in the order they were staged.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        // The bytes were encoded by the methods above, so decoding neither fails nor meets a catalogue row.
        Rows::new(&self.rows).map_while(std::result::Result::ok).filter_map(|row| match row {
            Row::Put { table, key, value } => Some(Operation::Put { table: Table(table), key, value }),
            Row::PutStamped { table, key, value } => {
                Some(Operation::Put { table: Table(table), key, value: &value[STAMP_BYTES..] })
            }
            Row::Delete { table, key } => Some(Operation::Delete { table: Table(table), key }),
            Row::DeleteRange { table, start, end } => Some(Operation::DeleteRange { table: Table(table), start, end }),
            Row::Merge { table, key, operand } => Some(Operation::Merge { table: Table(table), key, operand }),
            Row::CreateTable { .. } | Row::DropTable { .. } => None,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.tallies.is_empty()
    }

    /// The number of staged changes.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Approximate bytes that the batch adds to the log.
    pub fn bytes(&self) -> usize {
        self.rows.len() + self.event.len() + 8 * self.tallies.len()
    }

    pub fn clear(&mut self) {
        self.rows.clear();
        self.count = 0;
        self.catalogue = false;
        self.tables.clear();
        self.merged.clear();
        self.tallies.clear();
        self.event.clear();
        self.last = None;
    }

    /// Begins a row that takes the place of the last one, if that is of the same key; where.
    #[inline]
    fn begin(&mut self, table: Table, key: &[u8]) -> usize {
        match &self.last {
            Some(last) if last.table == table && self.rows.get(last.key.clone()) == Some(key) => {
                self.rows.truncate(last.start);
            }
            _ => self.note(table),
        }
        self.rows.len()
    }

    fn note(&mut self, table: Table) {
        self.count += 1;
        self.last = None;
        if !self.tables.contains(&table) {
            self.tables.push(table);
        }
    }

    /// The tables with merge rows in this batch.
    pub(crate) fn merged(&self) -> &[Table] {
        &self.merged
    }

    pub(crate) fn tables(&self) -> &[Table] {
        &self.tables
    }

    pub(crate) fn tallies(&self) -> &[(u32, i64)] {
        &self.tallies
    }

    pub(crate) fn encoded(&self) -> &[u8] {
        &self.rows
    }

    /// The batch as bytes, with a checksum: for a log that keeps or sends them. Tables are told by their numbers, which
    /// are the same in all stores that take the same batches from the beginning.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        record::encode(&mut bytes, 0, 0, None, None, self);
        bytes
    }

    /// What [`WriteBatch::to_bytes`] made.
    ///
    /// # Errors
    /// `Corrupted` when these are other bytes.
    ///
    /// ```
    /// # use ennead_store::{Options, Store, TableKind, WriteBatch};
    /// # let directory = tempfile::tempdir()?;
    /// # let store = Store::open(Options::new(directory.path()))?;
    /// # let table = store.create_table("t", TableKind::Ordered)?;
    /// let mut batch = WriteBatch::new();
    /// batch.put(table, b"k", b"v");
    /// let bytes = batch.to_bytes();
    /// assert!(WriteBatch::from_bytes(&bytes)?.operations().eq(batch.operations()));
    /// assert!(WriteBatch::from_bytes(&bytes[1..]).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<WriteBatch> {
        match record::decode(bytes, 0) {
            Ok(record) if record.bytes == bytes.len() => Ok(WriteBatch::of_record(&record)),
            Ok(_) => Err(Error::Corrupted("there are bytes behind a batch".into())),
            Err(fault) => Err(Error::Corrupted(format!("bytes are no batch: {fault}"))),
        }
    }

    pub(crate) fn of_record(record: &Record<'_>) -> WriteBatch {
        let mut batch = WriteBatch::new();
        for row in record.rows() {
            match row {
                Row::Put { table, .. }
                | Row::PutStamped { table, .. }
                | Row::Delete { table, .. }
                | Row::DeleteRange { table, .. } => batch.note(Table(table)),
                Row::Merge { table, .. } => {
                    batch.note(Table(table));
                    if !batch.merged.contains(&Table(table)) {
                        batch.merged.push(Table(table));
                    }
                }
                Row::CreateTable { .. } | Row::DropTable { .. } => {
                    batch.count += 1;
                    batch.catalogue = true;
                }
            }
        }
        for (table, delta) in &record.header.tallies {
            batch.tally(Table(*table), *delta);
        }
        batch.rows = record.row_bytes().to_vec();
        batch.event = record.header.event.to_vec();
        batch
    }

    /// Whether it creates or drops tables.
    pub(crate) fn changes_tables(&self) -> bool {
        self.catalogue
    }

    /// A copy in which each put into a table that `lives` picks says that it was written at `now_ms`.
    pub(crate) fn stamp(&self, now_ms: u64, lives: impl Fn(u32) -> bool) -> WriteBatch {
        let mut stamped = WriteBatch { rows: Vec::with_capacity(self.rows.len() + 64), ..WriteBatch::default() };
        let mut decoded = Rows::new(&self.rows);
        loop {
            let from = decoded.offset();
            let Some(Ok(row)) = decoded.next() else { break };
            match row {
                Row::Put { table, key, value } if lives(table) => {
                    rows::encode_stamped(&mut stamped.rows, table, key, now_ms, value);
                }
                _ => stamped.rows.extend_from_slice(&self.rows[from..decoded.offset()]),
            }
        }
        stamped.count = self.count;
        stamped.catalogue = self.catalogue;
        stamped.tables.clone_from(&self.tables);
        stamped.merged.clone_from(&self.merged);
        stamped.tallies.clone_from(&self.tallies);
        stamped.event.clone_from(&self.event);
        stamped
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn create_table_row(&mut self, table: u32, kind: u8, name: &str) {
        self.count += 1;
        self.last = None;
        self.catalogue = true;
        rows::encode_create_table(&mut self.rows, table, kind, name);
    }

    pub(crate) fn drop_table_row(&mut self, table: u32, kind: u8, name: &str) {
        self.count += 1;
        self.last = None;
        self.catalogue = true;
        rows::encode_drop_table(&mut self.rows, table, kind, name);
    }
}
