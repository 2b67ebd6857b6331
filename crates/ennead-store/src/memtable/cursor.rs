//! Walks one table of a memtable in key order, in either direction, as of a sequence.
//!
//! Rows are copied out in runs, one lock hold each, so a cursor never blocks a writer for long and may be kept for any
//! time. Deletes are shown as rows without value; range deletes are the caller's to apply.

use std::ops::{Bound, Range};
use std::sync::Arc;

use super::arena::ArenaRow;
use super::{Memtable, TableRows};
use crate::TableKind;
use crate::store::Sequence;

const RUN_ROWS_FIRST: usize = 4;
const RUN_ROWS_MAX: usize = 128;
const RUN_BYTES: usize = 64 << 10;
/// So many rows ahead the memory of a row of a hashed table is asked for: neighbors by key are anywhere in it.
const ROWS_AHEAD: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Forward,
    Backward,
}

/// A row that a cursor stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CursorRow<'a> {
    pub(crate) sequence: Sequence,
    pub(crate) key: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
    /// The value is a merge operand.
    pub(crate) operand: bool,
}

#[derive(Debug)]
struct RunRow {
    sequence: Sequence,
    key: Range<usize>,
    value: Option<Range<usize>>,
    operand: bool,
}

/// Rows copied out of one shard.
#[derive(Debug, Default)]
struct Run {
    bytes: Vec<u8>,
    rows: Vec<RunRow>,
    at: usize,
    /// There is nothing behind the last row.
    last: bool,
    /// Rows to fetch next time.
    rows_wanted: usize,
}

impl Run {
    fn clear(&mut self) {
        self.bytes.clear();
        self.rows.clear();
        self.at = 0;
    }

    /// Adds a row; false when the run is full.
    fn push(&mut self, row: ArenaRow<'_>) -> bool {
        let key = self.bytes.len()..self.bytes.len() + row.key.len();
        self.bytes.extend_from_slice(row.key);
        let value = row.value.map(|value| {
            self.bytes.extend_from_slice(value);
            key.end..key.end + value.len()
        });
        self.rows.push(RunRow { sequence: row.sequence, key, value, operand: row.operand });
        self.rows.len() < self.rows_wanted && self.bytes.len() < RUN_BYTES
    }

    fn current(&self) -> Option<CursorRow<'_>> {
        let row = self.rows.get(self.at)?;
        Some(CursorRow {
            sequence: row.sequence,
            key: &self.bytes[row.key.clone()],
            value: row.value.clone().map(|value| &self.bytes[value]),
            operand: row.operand,
        })
    }

    fn key(&self) -> Option<&[u8]> {
        self.rows.get(self.at).map(|row| &self.bytes[row.key.clone()])
    }
}

#[derive(Debug)]
enum Place {
    /// One run for each shard; the cursor is at the least (or greatest) of their keys.
    Ordered { runs: Vec<Run>, at: Option<usize> },
    /// The shards one after the other: the sorted rows of the current one, and the next of them to copy.
    Hashed { shard: usize, sorted: Vec<u32>, next: usize, loaded: bool, run: Run },
}

/// A position in one table of a memtable.
pub(crate) struct Cursor {
    memtable: Arc<Memtable>,
    table: u32,
    bound: Sequence,
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    direction: Direction,
    place: Place,
}

impl Cursor {
    /// A cursor over `start <= key < end`, not positioned; `None` when the table has no rows here.
    pub(crate) fn new(
        memtable: &Arc<Memtable>,
        table: u32,
        bound: Sequence,
        start: &[u8],
        end: Option<&[u8]>,
    ) -> Option<Cursor> {
        let rows = memtable.table(table)?;
        let place = match rows.kind {
            TableKind::Ordered => {
                Place::Ordered { runs: rows.shards.iter().map(|_| Run::default()).collect(), at: None }
            }
            TableKind::Hashed => {
                Place::Hashed { shard: 0, sorted: Vec::new(), next: 0, loaded: false, run: Run::default() }
            }
        };
        Some(Cursor {
            memtable: memtable.clone(),
            table,
            bound,
            start: start.to_owned(),
            end: end.map(<[u8]>::to_owned),
            direction: Direction::Forward,
            place,
        })
    }

    /// The row that the cursor stands on.
    pub(crate) fn current(&self) -> Option<CursorRow<'_>> {
        match &self.place {
            Place::Ordered { runs, at } => runs[(*at)?].current(),
            Place::Hashed { run, .. } => run.current(),
        }
    }

    /// Goes to the first row at or behind `from` in the direction.
    pub(crate) fn seek(&mut self, from: Bound<&[u8]>, direction: Direction) {
        self.direction = direction;
        let from = self.clamp(from);
        let from = as_slice(&from);
        let Some(rows) = self.memtable.table(self.table) else { return };
        let ends = (self.start.as_slice(), self.end.as_deref());
        match &mut self.place {
            Place::Ordered { runs, at } => {
                for (index, run) in runs.iter_mut().enumerate() {
                    run.rows_wanted = RUN_ROWS_FIRST;
                    fetch(rows, index, run, from, ends, direction, self.bound);
                }
                *at = best(runs, direction);
            }
            Place::Hashed { shard, sorted, next, loaded, run } => {
                run.clear();
                run.rows_wanted = RUN_ROWS_FIRST;
                let wanted = match from {
                    Bound::Included(key) | Bound::Excluded(key) => key.first().copied().unwrap_or(0) as usize,
                    Bound::Unbounded => match direction {
                        Direction::Forward => 0,
                        Direction::Backward => rows.shards.len() - 1,
                    },
                };
                if !*loaded || *shard != wanted {
                    *sorted = rows.shards[wanted].read().sorted(ends.0, ends.1);
                    (*shard, *loaded) = (wanted, true);
                }
                let locked = rows.shards[wanted].read();
                *next = match (from, direction) {
                    (Bound::Included(key), Direction::Forward) | (Bound::Excluded(key), Direction::Backward) => {
                        sorted.partition_point(|location| locked.key(*location) < key)
                    }
                    (Bound::Excluded(key), Direction::Forward) | (Bound::Included(key), Direction::Backward) => {
                        sorted.partition_point(|location| locked.key(*location) <= key)
                    }
                    (Bound::Unbounded, Direction::Forward) => 0,
                    (Bound::Unbounded, Direction::Backward) => sorted.len(),
                };
                drop(locked);
                self.fill_hashed();
            }
        }
    }

    /// Goes to the next row in the direction of the last seek.
    pub(crate) fn advance(&mut self) {
        let Some(rows) = self.memtable.table(self.table) else { return };
        let ends = (self.start.as_slice(), self.end.as_deref());
        match &mut self.place {
            Place::Ordered { runs, at } => {
                let Some(index) = *at else { return };
                let run = &mut runs[index];
                run.at += 1;
                if run.at == run.rows.len() && !run.last {
                    let last = run.rows.last().map(|row| run.bytes[row.key.clone()].to_vec()).unwrap_or_default();
                    run.rows_wanted = (run.rows_wanted * 4).min(RUN_ROWS_MAX);
                    fetch(rows, index, run, Bound::Excluded(&last), ends, self.direction, self.bound);
                }
                *at = best(runs, self.direction);
            }
            Place::Hashed { run, .. } => {
                run.at += 1;
                if run.at >= run.rows.len() {
                    run.rows_wanted = (run.rows_wanted * 4).min(RUN_ROWS_MAX);
                    self.fill_hashed();
                }
            }
        }
    }

    /// Copies the next run of a hashed table, from the next shard when this one is at its end.
    fn fill_hashed(&mut self) {
        let Some(rows) = self.memtable.table(self.table) else { return };
        let Place::Hashed { shard, sorted, next, run, .. } = &mut self.place else { return };
        run.clear();
        let (first, last) = shards_of(&self.start, self.end.as_deref());
        loop {
            let locked = rows.shards[*shard].read();
            loop {
                let location = match self.direction {
                    Direction::Forward => sorted.get(*next),
                    Direction::Backward => next.checked_sub(1).and_then(|before| sorted.get(before)),
                };
                let Some(location) = location.copied() else { break };
                if self.direction == Direction::Forward
                    && let Some(ahead) = sorted.get(*next + ROWS_AHEAD)
                {
                    locked.prefetch(*ahead);
                }
                *next = if self.direction == Direction::Forward { *next + 1 } else { *next - 1 };
                if let Some(row) = locked.row_as_of(location, self.bound)
                    && !run.push(row)
                {
                    return;
                }
            }
            drop(locked);
            if !run.rows.is_empty() {
                return;
            }
            match self.direction {
                Direction::Forward if *shard < last => *shard += 1,
                Direction::Backward if *shard > first => *shard -= 1,
                _ => return,
            }
            *sorted = rows.shards[*shard].read().sorted(&self.start, self.end.as_deref());
            *next = if self.direction == Direction::Forward { 0 } else { sorted.len() };
        }
    }

    /// The bound, moved into the cursor's own ends.
    fn clamp(&self, from: Bound<&[u8]>) -> Bound<Vec<u8>> {
        let outside = match (from, self.direction) {
            (Bound::Unbounded, _) => true,
            (Bound::Included(key) | Bound::Excluded(key), Direction::Forward) => key < self.start.as_slice(),
            (Bound::Included(key) | Bound::Excluded(key), Direction::Backward) => {
                self.end.as_deref().is_some_and(|end| key >= end)
            }
        };
        if !outside {
            return from.map(<[u8]>::to_vec);
        }
        match self.direction {
            Direction::Forward => Bound::Included(self.start.clone()),
            Direction::Backward => self.end.clone().map_or(Bound::Unbounded, Bound::Excluded),
        }
    }
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// The first and the last shard that hold keys of a range of a hashed table.
fn shards_of(start: &[u8], end: Option<&[u8]>) -> (usize, usize) {
    let byte = |key: &[u8]| key.first().copied().unwrap_or(0) as usize;
    (byte(start), end.map_or(255, byte))
}

/// Copies a run out of an ordered shard.
fn fetch(
    rows: &TableRows,
    shard: usize,
    run: &mut Run,
    from: Bound<&[u8]>,
    ends: (&[u8], Option<&[u8]>),
    direction: Direction,
    bound: Sequence,
) {
    run.clear();
    let forward = direction == Direction::Forward;
    let range = if forward {
        (from, ends.1.map_or(Bound::Unbounded, Bound::Excluded))
    } else {
        (Bound::Included(ends.0), from)
    };
    run.last = true;
    if is_empty(range) {
        return;
    }
    rows.shards[shard].read().walk(range, forward, bound, |row| {
        let more = run.push(row);
        run.last = more;
        more
    });
}

// A map's `range` panics on what selects nothing by being reversed.
fn is_empty(range: (Bound<&[u8]>, Bound<&[u8]>)) -> bool {
    match range {
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Excluded(end))
        | (Bound::Excluded(start), Bound::Included(end)) => start >= end,
        _ => false,
    }
}

fn best(runs: &[Run], direction: Direction) -> Option<usize> {
    let keys = runs.iter().enumerate().filter_map(|(index, run)| Some((run.key()?, index)));
    match direction {
        Direction::Forward => keys.min().map(|(_, index)| index),
        Direction::Backward => keys.max().map(|(_, index)| index),
    }
}
