//! Merges a frozen memtable into the B-tree: one write transaction in key order, with the state that belongs to it.
//!
//! A range delete over a whole table drops the table and makes it anew, since row deletes are redb's slowest operation;
//! others use its bulk removal. The allocator state is stored with the commit, so that a start after a crash is quick.

use std::ops::Bound;
use std::sync::Arc;

use redb::{Durability, ReadableTable, WriteTransaction};

use super::{Base, BaseState, META, RowsDefinition, STATE_KEY, failed, table_name, table_numbers};
use crate::Result;
use crate::memtable::{Cursor, Direction, Memtable};
use crate::store::Sequence;

/// What a merge did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) puts: u64,
    pub(crate) deletes: u64,
}

impl Base {
    /// Writes the newest row of each key of the memtable and the state, durably, all or nothing.
    pub(crate) fn merge(&self, memtable: &Arc<Memtable>, state: &BaseState) -> Result<Merged> {
        self.try_merge(memtable, state).map_err(failed("cannot write the B-tree"))
    }

    fn try_merge(&self, memtable: &Arc<Memtable>, state: &BaseState) -> Result<Merged, redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        transaction.set_quick_repair(true);
        let mut merged = Merged::default();
        let known: Vec<u32> = state.catalogue.tables.iter().map(|table| table.table).collect();
        for number in table_numbers(transaction.list_tables()?) {
            if !known.contains(&number) {
                transaction.delete_table(RowsDefinition::new(&table_name(number)))?;
            }
        }
        for table in memtable.tables() {
            if known.contains(&table) {
                merge_table(&transaction, memtable, table, &mut merged)?;
            }
        }
        {
            let mut meta = transaction.open_table(META)?;
            meta.insert(STATE_KEY, state.encode().as_slice())?;
        }
        transaction.commit()?;
        Ok(merged)
    }
}

fn merge_table(
    transaction: &WriteTransaction,
    memtable: &Arc<Memtable>,
    number: u32,
    merged: &mut Merged,
) -> Result<(), redb::Error> {
    let Some(source) = memtable.table(number) else { return Ok(()) };
    let name = table_name(number);
    let definition = RowsDefinition::new(&name);
    let covered = source.ranges.all();
    let whole = covered.iter().any(|range| range.start.is_empty() && range.end.is_none());
    if whole {
        transaction.delete_table(definition)?;
    }
    let mut rows = transaction.open_table(definition)?;
    for range in covered.iter().filter(|_| !whole) {
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        rows.retain_in::<&[u8], _>((Bound::Included(&*range.start), end), |_, _| false)?;
    }
    let Some(mut cursor) = Cursor::new(memtable, number, Sequence::MAX, &[], None) else { return Ok(()) };
    cursor.seek(Bound::Unbounded, Direction::Forward);
    while let Some(row) = cursor.current() {
        let covering = source.ranges.covering(row.key, Sequence::MAX);
        match row.value {
            Some(operand) if row.operand && row.sequence >= covering => {
                let operator = source
                    .operator()
                    .ok_or_else(|| redb::Error::Corrupted("merge operands without their operator".into()))?;
                let value = {
                    let old = rows.get(row.key)?;
                    operator.apply(old.as_ref().map(|old| old.value()), operand)
                };
                rows.insert(row.key, value.as_slice())?;
                merged.puts += 1;
            }
            Some(value) if row.sequence >= covering => {
                rows.insert(row.key, value)?;
                merged.puts += 1;
            }
            // What a range delete covers is gone from the tree already.
            _ if covering > 0 => {}
            _ => {
                rows.remove(row.key)?;
                merged.deletes += 1;
            }
        }
        cursor.advance();
    }
    Ok(())
}
