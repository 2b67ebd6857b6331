//! Merge operators: how a change that was written without reading becomes part of a value.
//!
//! A table made by [`crate::Store::create_merge_table`] keeps operands beside values: within a memtable they are combined as
//! they come, with the value below them when somebody reads, and for good when the memtable is flushed. So a counter costs
//! a write and no read. Invariant: an operator is associative and looks at nothing but its arguments, else replay, flush
//! and reads would disagree.

#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::sync::Arc;

use crate::{Result, Store, Table, TableKind, TableOptions};

/// Combines operands with values. Must be a pure function and associative:
/// `apply(apply(v, a), b) == apply(v, combine(a, b))`.
pub trait MergeOperator: Debug + Send + Sync + 'static {
    /// The name that a table remembers it by. Never reuse one for another meaning.
    fn name(&self) -> &str;

    /// The value after `operand` was merged into `value`; `None` when there was no row.
    fn apply(&self, value: Option<&[u8]>, operand: &[u8]) -> Vec<u8>;

    /// One operand that does what `older` and then `newer` do.
    fn combine(&self, older: &[u8], newer: &[u8]) -> Vec<u8>;
}

impl Store {
    /// The table of this name with this merge operator, created when it is missing. Its rows can be put, deleted and read
    /// like any other's, and merged into with [`crate::WriteBatch::merge`].
    ///
    /// `operator` is `add-i64` ([`AddI64`]), `append` ([`Append`]) or one of [`crate::Options::merge_operators`].
    ///
    /// # Errors
    /// `Invalid` for an operator that the store was not opened with, or when the table is there with another. A store that
    /// has a table with an unknown operator is refused by [`Store::open`].
    ///
    /// # Limits
    /// Between two flushes the operands of one key are combined on each merge. A combination takes the place of the one
    /// before it when it is as long and no snapshot may read that; otherwise the memtable keeps both: fine for
    /// counters, dear for appending to one long value thousands of times.
    ///
    /// ```
    /// use ennead_store::{Durability, Options, Store, TableKind, WriteBatch};
    /// # let directory = tempfile::tempdir()?;
    /// let store = Store::open(Options::new(directory.path()))?;
    /// let visits = store.create_merge_table("visits", TableKind::Ordered, "add-i64")?;
    /// let mut batch = WriteBatch::new();
    /// batch.merge(visits, b"/index", &1_i64.to_le_bytes());
    /// batch.merge(visits, b"/index", &2_i64.to_le_bytes());
    /// store.write(&batch, Durability::EverySec)?;
    /// assert_eq!(store.get(visits, b"/index")?, Some(3_i64.to_le_bytes().to_vec()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_merge_table(&self, name: &str, kind: TableKind, operator: &str) -> Result<Table> {
        self.create_table_with(name, &TableOptions::new(kind).with_merge_operator(operator))
    }
}

/// Adds signed 64-bit integers, 8 bytes little endian, wrapping around. What is not 8 bytes counts as 0.
#[derive(Debug, Clone, Copy, Default)]
pub struct AddI64;

/// Appends the operand to the value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Append;

fn number(bytes: &[u8]) -> i64 {
    bytes.try_into().map_or(0, i64::from_le_bytes)
}

impl MergeOperator for AddI64 {
    fn name(&self) -> &str {
        "add-i64"
    }

    fn apply(&self, value: Option<&[u8]>, operand: &[u8]) -> Vec<u8> {
        self.combine(value.unwrap_or_default(), operand)
    }

    fn combine(&self, older: &[u8], newer: &[u8]) -> Vec<u8> {
        number(older).wrapping_add(number(newer)).to_le_bytes().to_vec()
    }
}

impl MergeOperator for Append {
    fn name(&self) -> &str {
        "append"
    }

    fn apply(&self, value: Option<&[u8]>, operand: &[u8]) -> Vec<u8> {
        self.combine(value.unwrap_or_default(), operand)
    }

    fn combine(&self, older: &[u8], newer: &[u8]) -> Vec<u8> {
        [older, newer].concat()
    }
}

/// The operator of a name: the built-in ones, and those given with the options.
pub(crate) fn find(given: &[Arc<dyn MergeOperator>], name: &str) -> Option<Arc<dyn MergeOperator>> {
    let builtin: [Arc<dyn MergeOperator>; 2] = [Arc::new(AddI64), Arc::new(Append)];
    given.iter().chain(&builtin).find(|operator| operator.name() == name).cloned()
}
