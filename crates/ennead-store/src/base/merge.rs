//! Merges a frozen memtable into the B-tree: one write transaction in key order, with the state that belongs to it.
//!
//! A range delete over a whole table drops the table and makes it anew, since row deletes are redb's slowest operation;
//! others use its bulk removal. The allocator state is stored with the commit, so that a start after a crash is quick.

use std::borrow::Cow;
use std::ops::Bound;
use std::sync::Arc;

use redb::{Database, Durability, ReadableTable, Table, WriteTransaction};

use super::extents::{Change, EXTENT_BYTES_MAX, EXTENT_ROWS_MAX, Extents, ExtentsByTable};
use super::gaps::{GAP_BYTES_MAX, GAP_ROWS_MAX, Gaps};
use super::{Base, BaseState, META, RowsDefinition, STATE_KEY, extents_key, failed, table_name, table_numbers};
use crate::Result;
use crate::catalogue::TableImage;
use crate::lifetime::Lifetime;
use crate::memtable::cursor::CursorRow;
use crate::memtable::{Cursor, Direction, Memtable, ROW_OVERHEAD_BYTES, TableRows};
use crate::merge::MergeOperator;
use crate::pace;
use crate::store::Sequence;

/// Rows that one flush looks at in a table to remove the expired ones; the rest waits for the next.
const EXPIRY_ROWS_MAX: u64 = 1 << 20;

/// What a merge did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) puts: u64,
    pub(crate) deletes: u64,
    /// Rows removed because their time was over.
    pub(crate) expired: u64,
}

/// Which rows of a table a tree has: all of them, or those of a copy that is still being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    All,
    /// Keys up to and with this one.
    UpTo(&'a [u8]),
    Nothing,
}

impl Part<'_> {
    fn has(&self, key: &[u8]) -> bool {
        match self {
            Part::All => true,
            Part::UpTo(last) => key <= *last,
            Part::Nothing => false,
        }
    }
}

impl Base {
    /// Writes the newest row of each key of the memtable and the state, durably, all or nothing. Rows that expired by
    /// `now_ms` are left out, and some that are in the tree are removed.
    pub(crate) fn merge(&self, memtable: &Arc<Memtable>, state: &BaseState, now_ms: u64) -> Result<Merged> {
        let mut extents = ExtentsByTable::clone(&self.extents.lock());
        let merged = write(&self.database, memtable, state, now_ms, &|_| Part::All, &mut extents)
            .map_err(failed("cannot write the B-tree"))?;
        *self.extents.lock() = Arc::new(extents);
        Ok(merged)
    }
}

/// One write transaction with the rows of `memtable` that belong to the tree's part of their table, and with the state.
pub(super) fn write<'p>(
    database: &Database,
    memtable: &Arc<Memtable>,
    state: &BaseState,
    now_ms: u64,
    part: &dyn Fn(u32) -> Part<'p>,
    extents: &mut ExtentsByTable,
) -> Result<Merged, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(true);
    let mut merged = Merged::default();
    let known: Vec<u32> = state.catalogue.tables.iter().map(|table| table.table).collect();
    let mut meta = transaction.open_table(META)?;
    for number in table_numbers(transaction.list_tables()?) {
        if !known.contains(&number) {
            transaction.delete_table(RowsDefinition::new(&table_name(number)))?;
            meta.remove(extents_key(number).as_str())?;
            extents.remove(&number);
        }
    }
    for table in &state.catalogue.tables {
        let part = part(table.table);
        let old = extents.get(&table.table).cloned().unwrap_or_default();
        let lifetime = table.lifetime().map(|lifetime| lifetime.at(now_ms));
        let due = lifetime.is_some_and(|lifetime| old.iter().any(|(extent, _)| lifetime.is_due(extent.oldest_ms)));
        if part == Part::Nothing || (memtable.table(table.table).is_none() && !due) {
            continue;
        }
        let new = merge_table(&transaction, memtable, (table, part), (&old, lifetime), &mut merged)?;
        meta.insert(extents_key(table.table).as_str(), new.encode().as_slice())?;
        extents.insert(table.table, Arc::new(new));
    }
    meta.insert(STATE_KEY, state.encode().as_slice())?;
    drop(meta);
    transaction.commit()?;
    Ok(merged)
}

fn merge_table(
    transaction: &WriteTransaction,
    memtable: &Arc<Memtable>,
    (table, part): (&TableImage, Part<'_>),
    (old, lifetime): (&Arc<Extents>, Option<Lifetime>),
    merged: &mut Merged,
) -> Result<Extents, redb::Error> {
    let name = table_name(table.table);
    let definition = RowsDefinition::new(&name);
    let source = memtable.table(table.table);
    let covered = source.map(|source| source.ranges.all()).unwrap_or_default();
    let whole = covered.iter().any(|range| range.start.is_empty() && range.end.is_none());
    if whole {
        transaction.delete_table(definition)?;
    }
    let extents = if whole { Extents::default() } else { Extents::clone(old) };
    let mut target = Target { rows: transaction.open_table(definition)?, extents, hint: 0, lifetime, merged };
    for range in covered.iter().filter(|_| !whole) {
        let end = range.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let end = match (part, range.end.as_deref()) {
            (Part::UpTo(last), end) if end.is_none_or(|end| end > last) => Bound::Included(last),
            _ => end,
        };
        target.remove_range(&range.start, end, |_, _| true)?;
    }
    if let Some(source) = source {
        target.take(memtable, table.table, source, part)?;
    }
    target.expire()?;
    target.tidy()?;
    Ok(target.extents)
}

/// A table of the tree that is written to.
struct Target<'t, 'm> {
    rows: Table<'t, &'static [u8], &'static [u8]>,
    extents: Extents,
    hint: usize,
    lifetime: Option<Lifetime>,
    merged: &'m mut Merged,
}

impl Target<'_, '_> {
    /// The newest row of each key of the memtable.
    fn take(
        &mut self,
        memtable: &Arc<Memtable>,
        number: u32,
        source: &TableRows,
        part: Part<'_>,
    ) -> Result<(), redb::Error> {
        let Some(mut cursor) = Cursor::new(memtable, number, Sequence::MAX, &[], None) else { return Ok(()) };
        cursor.seek(Bound::Unbounded, Direction::Forward);
        let mut gaps = Gaps::default();
        loop {
            if gaps.are_likely() {
                let filled = self.fill_gap(&mut cursor, source, part)?;
                gaps.note(filled);
                if filled > 0 {
                    continue;
                }
            }
            let Some(row) = cursor.current().filter(|row| part.has(row.key)) else { return Ok(()) };
            self.take_row(&row, source)?;
            pace::breathe(row.key.len() + row.value.map_or(0, <[u8]>::len) + ROW_OVERHEAD_BYTES);
            cursor.advance();
        }
    }

    fn take_row(&mut self, row: &CursorRow<'_>, source: &TableRows) -> Result<(), redb::Error> {
        let covering = source.ranges.covering(row.key, Sequence::MAX);
        match row.value {
            Some(operand) if row.operand && row.sequence >= covering => {
                let operator = operator(source)?;
                let value = {
                    let old = self.rows.get(row.key)?;
                    operator.apply(old.as_ref().map(|old| old.value()), operand)
                };
                self.put(row.key, &value)
            }
            Some(value) if row.sequence >= covering => {
                if self.lifetime.is_some_and(|lifetime| lifetime.is_over(value)) {
                    self.remove(row.key)?;
                    self.merged.expired += 1;
                    return Ok(());
                }
                self.put(row.key, value)
            }
            // What a range delete covers is gone from the tree already.
            _ if covering > 0 => Ok(()),
            _ => {
                self.remove(row.key)?;
                self.merged.deletes += 1;
                Ok(())
            }
        }
    }

    /// Takes the rows that go between two rows of the tree, from the one that the cursor is at on, together: pages are filled
    /// one after the other instead of looked for with each row. How many; none where the tree has this key.
    fn fill_gap(&mut self, cursor: &mut Cursor, source: &TableRows, part: Part<'_>) -> Result<usize, redb::Error> {
        let Target { rows, extents, hint, lifetime, merged } = self;
        let Some(first) = cursor.current() else { return Ok(0) };
        let mut gap = rows.lower_bound_mut(Bound::Included(first.key))?;
        let end = gap.peek_next()?.map(|(key, _)| key.value().to_vec());
        let (mut filled, mut bytes) = (0, 0);
        while let Some(row) = cursor.current().filter(|row| part.has(row.key))
            && end.as_deref().is_none_or(|end| row.key < end)
            && filled < GAP_ROWS_MAX
            && bytes < GAP_BYTES_MAX
        {
            let covering = source.ranges.covering(row.key, Sequence::MAX);
            let value = match row.value.filter(|_| row.sequence >= covering) {
                Some(operand) if row.operand => Some(Cow::Owned(operator(source)?.apply(None, operand))),
                value => value.map(Cow::Borrowed),
            };
            match value {
                Some(value) if row.operand || !lifetime.is_some_and(|lifetime| lifetime.is_over(&value)) => {
                    gap.insert_before(row.key, &*value)?;
                    let written_ms = lifetime.and_then(|_| Lifetime::written_ms(&value));
                    let change = Change { before: None, after: Some(size(row.key, &value)), written_ms };
                    extents.change(hint, row.key, change);
                    merged.puts += 1;
                }
                Some(_) => merged.expired += 1,
                None if covering > 0 => {}
                None => merged.deletes += 1,
            }
            filled += 1;
            let size = row.key.len() + row.value.map_or(0, <[u8]>::len);
            bytes += size;
            pace::breathe(size + ROW_OVERHEAD_BYTES);
            cursor.advance();
        }
        gap.close()?;
        Ok(filled)
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), redb::Error> {
        let before = self.rows.insert(key, value)?.map(|old| size(key, old.value()));
        let written_ms = self.lifetime.and_then(|_| Lifetime::written_ms(value));
        let change = Change { before, after: Some(size(key, value)), written_ms };
        self.extents.change(&mut self.hint, key, change);
        self.merged.puts += 1;
        Ok(())
    }

    fn remove(&mut self, key: &[u8]) -> Result<(), redb::Error> {
        let before = self.rows.remove(key)?.map(|old| size(key, old.value()));
        if before.is_some() {
            self.extents.change(&mut self.hint, key, Change { before, ..Change::default() });
        }
        Ok(())
    }

    /// Removes the rows of a range that `gone` picks.
    fn remove_range(
        &mut self,
        start: &[u8],
        end: Bound<&[u8]>,
        gone: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<u64, redb::Error> {
        let Target { rows, extents, hint, .. } = self;
        let empty = match end {
            Bound::Unbounded => false,
            Bound::Included(end) => end < start,
            Bound::Excluded(end) => end <= start,
        };
        if empty {
            return Ok(0);
        }
        let mut removed = 0;
        rows.retain_in::<&[u8], _>((Bound::Included(start), end), |key, value| {
            if !gone(key, value) {
                return true;
            }
            removed += 1;
            let before = Some(size(key, value));
            extents.change(hint, key, Change { before, ..Change::default() });
            false
        })?;
        Ok(removed)
    }

    /// Removes expired rows from the extents that have had one for a while.
    fn expire(&mut self) -> Result<(), redb::Error> {
        let Some(lifetime) = self.lifetime else { return Ok(()) };
        let mut looked_at = 0;
        let mut due = Vec::new();
        for (index, (extent, end)) in self.extents.iter().enumerate() {
            if lifetime.is_due(extent.oldest_ms) && looked_at < EXPIRY_ROWS_MAX {
                looked_at += extent.rows;
                due.push((index, extent.first.clone(), end.map(<[u8]>::to_vec)));
            }
        }
        for (index, first, end) in due {
            let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            self.merged.expired += self.remove_range(&first, end, |_, value| lifetime.is_over(value))?;
            let mut oldest = None;
            for row in self.rows.range::<&[u8]>((Bound::Included(&*first), end))? {
                let written = Lifetime::written_ms(row?.1.value()).unwrap_or(u64::MAX);
                oldest = Some(oldest.unwrap_or(u64::MAX).min(written));
            }
            self.extents.set_oldest(index, oldest);
        }
        Ok(())
    }

    /// Divides the extents that have grown too large, by what is in them, and joins small ones.
    fn tidy(&mut self) -> Result<(), redb::Error> {
        let mut tidied = Extents::default();
        for (extent, end) in self.extents.iter() {
            let large = extent.rows > EXTENT_ROWS_MAX || extent.bytes > EXTENT_BYTES_MAX;
            if !large || extent.rows < 2 {
                tidied.push(extent);
                continue;
            }
            let end = end.map_or(Bound::Unbounded, Bound::Excluded);
            tidied.begin(&extent.first);
            for row in self.rows.range::<&[u8]>((Bound::Included(&*extent.first), end))? {
                let (key, value) = row?;
                let written_ms = self.lifetime.and_then(|_| Lifetime::written_ms(value.value()));
                tidied.append(key.value(), size(key.value(), value.value()), written_ms);
            }
        }
        self.extents = tidied;
        Ok(())
    }
}

fn operator(source: &TableRows) -> Result<&Arc<dyn MergeOperator>, redb::Error> {
    source.operator().ok_or_else(|| redb::Error::Corrupted("merge operands without their operator".into()))
}

fn size(key: &[u8], value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}
