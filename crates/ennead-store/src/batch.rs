//! An atomic group of row changes over any tables.

use crate::store::Table;

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
    // V0 of the in-memory contract; the real one keeps encoded bytes.
    #[expect(clippy::type_complexity, reason = "gone with V0")]
    pub(crate) operations: Vec<(u8, Table, Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) tallies: Vec<(Table, i64)>,
    pub(crate) event: Vec<u8>,
}

impl WriteBatch {
    pub fn new() -> Self {
        Self::default()
    }
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.operations.push((0, table, key.to_vec(), Some(value.to_vec())));
    }
    pub fn delete(&mut self, table: Table, key: &[u8]) {
        self.operations.push((1, table, key.to_vec(), None));
    }
    pub fn delete_range(&mut self, table: Table, start: &[u8], end: Option<&[u8]>) {
        self.operations.push((2, table, start.to_vec(), end.map(<[u8]>::to_vec)));
    }
    /// Adds to the table's tally: a signed count kept exactly with the rows, through crash and replay, for models
    /// whose number of objects is not the number of rows. Read by [`crate::Store::tally`].
    pub fn tally(&mut self, table: Table, delta: i64) {
        self.tallies.push((table, delta));
    }
    /// A few bytes that travel with the batch in the log, for readers of the change feed.
    pub fn set_event(&mut self, event: &[u8]) {
        self.event = event.to_vec();
    }
    /// The changes in the order they were added.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.operations.iter().map(|(kind, table, key, value)| match (kind, value) {
            (0, value) => Operation::Put { table: *table, key, value: value.as_deref().unwrap_or_default() },
            (1, _) => Operation::Delete { table: *table, key },
            (_, end) => Operation::DeleteRange { table: *table, start: key, end: end.as_deref() },
        })
    }
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.tallies.is_empty()
    }
    /// Approximate bytes that the batch adds to the log.
    pub fn bytes(&self) -> usize {
        self.operations.iter().map(|o| o.2.len() + o.3.as_ref().map_or(0, Vec::len) + 8).sum()
    }
    pub fn clear(&mut self) {
        self.operations.clear();
        self.tallies.clear();
        self.event.clear();
    }
}
