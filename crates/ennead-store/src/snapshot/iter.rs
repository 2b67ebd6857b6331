//! A cursor over one table of a snapshot: memtables and B-tree merged, deletes applied.

use std::ops::Bound;
use std::sync::Arc;

use super::Layers;
use crate::base::{RowsGuard, RowsRange, failed};
use crate::lifetime::Lifetime;
use crate::memtable::{Cursor, Direction};
use crate::store::Sequence;
use crate::{Error, Result};

/// The B-tree's part of an iterator.
struct BaseCursor {
    range: Option<RowsRange>,
    current: Option<(RowsGuard, RowsGuard)>,
}

impl BaseCursor {
    fn advance(&mut self, direction: Direction) -> Result<()> {
        let next = match (&mut self.range, direction) {
            (None, _) => None,
            (Some(range), Direction::Forward) => range.next(),
            (Some(range), Direction::Backward) => range.next_back(),
        };
        self.current = next.transpose().map_err(|error| failed("cannot read a row")(error.into()))?;
        Ok(())
    }

    fn key(&self) -> Option<&[u8]> {
        self.current.as_ref().map(|(key, _)| key.value())
    }
}

/// Where the current row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Nowhere,
    Memtable(usize),
    Base,
}

/// A cursor over one table of a snapshot, in both directions. Not valid until a `seek`; `valid` turns false past either
/// end. The first error ends it and is kept in [`Iter::status`].
pub struct Iter {
    layers: Arc<Layers>,
    bound: Sequence,
    table: u32,
    lifetime: Option<Lifetime>,
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    /// Newest first, each with its place among the layers: 0 active, 1 frozen.
    memtables: Vec<(usize, Cursor)>,
    base: BaseCursor,
    direction: Direction,
    at: At,
    /// The value of the current row where that is a merge operand with what is below it.
    resolved: Option<Vec<u8>>,
    error: Option<Error>,
}

impl Iter {
    pub(super) fn new(
        layers: Arc<Layers>,
        bound: Sequence,
        table: u32,
        lifetime: Option<Lifetime>,
        start: &[u8],
        end: Option<&[u8]>,
    ) -> Iter {
        let memtables = [Some(&layers.active), layers.frozen.as_ref()]
            .into_iter()
            .enumerate()
            .filter_map(|(layer, memtable)| Some((layer, Cursor::new(memtable?, table, bound, start, end)?)))
            .collect();
        Iter {
            bound,
            table,
            lifetime,
            start: start.to_owned(),
            end: end.map(<[u8]>::to_owned),
            memtables,
            base: BaseCursor { range: None, current: None },
            direction: Direction::Forward,
            at: At::Nowhere,
            resolved: None,
            error: None,
            layers,
        }
    }

    pub fn seek_to_first(&mut self) {
        self.go(Bound::Unbounded, Direction::Forward);
    }

    pub fn seek_to_last(&mut self) {
        self.go(Bound::Unbounded, Direction::Backward);
    }

    /// To the first row with `key >= target`.
    pub fn seek(&mut self, target: &[u8]) {
        self.go(Bound::Included(target), Direction::Forward);
    }

    /// To the last row with `key <= target`.
    pub fn seek_for_prev(&mut self, target: &[u8]) {
        self.go(Bound::Included(target), Direction::Backward);
    }

    /// To the next row in key order. Nothing happens when not valid.
    pub fn next(&mut self) {
        self.step(Direction::Forward);
    }

    /// To the row before in key order. Nothing happens when not valid.
    pub fn prev(&mut self) {
        self.step(Direction::Backward);
    }

    pub fn valid(&self) -> bool {
        self.at != At::Nowhere
    }

    /// The current key; empty when not valid.
    pub fn key(&self) -> &[u8] {
        match self.at {
            At::Nowhere => &[],
            At::Memtable(index) => self.memtables[index].1.current().map_or(&[], |row| row.key),
            At::Base => self.base.key().unwrap_or_default(),
        }
    }

    /// The current value; empty when not valid.
    pub fn value(&self) -> &[u8] {
        if let Some(resolved) = &self.resolved {
            return resolved;
        }
        let stored = match self.at {
            At::Nowhere => &[],
            At::Memtable(index) => self.memtables[index].1.current().and_then(|row| row.value).unwrap_or_default(),
            At::Base => self.base.current.as_ref().map_or(&[][..], |(_, value)| value.value()),
        };
        match self.lifetime {
            None => stored,
            Some(lifetime) => lifetime.shown(stored).unwrap_or_default(),
        }
    }

    fn is_over(&self, stored: &[u8]) -> bool {
        self.lifetime.is_some_and(|lifetime| lifetime.is_over(stored))
    }

    /// The error that ended the iterator, if one did.
    pub fn status(&self) -> Result<()> {
        self.error.clone().map_or(Ok(()), Err)
    }

    fn step(&mut self, direction: Direction) {
        if !self.valid() {
            return;
        }
        if direction != self.direction {
            let key = self.key().to_vec();
            self.go(Bound::Excluded(&key), direction);
            return;
        }
        let result = self.advance_past_current().and_then(|()| self.settle());
        self.end_on_error(result);
    }

    fn go(&mut self, from: Bound<&[u8]>, direction: Direction) {
        self.direction = direction;
        self.error = None;
        for (_, cursor) in &mut self.memtables {
            cursor.seek(from, direction);
        }
        let result = self.seek_base(from).and_then(|()| self.settle());
        self.end_on_error(result);
    }

    fn end_on_error(&mut self, result: Result<()>) {
        if let Err(error) = result {
            self.at = At::Nowhere;
            self.resolved = None;
            self.error = Some(error);
        }
    }

    /// Opens the B-tree's range from a bound on, and stands on its first row.
    fn seek_base(&mut self, from: Bound<&[u8]>) -> Result<()> {
        let start = self.start.as_slice();
        let end = self.end.as_deref();
        let upper = end.map_or(Bound::Unbounded, Bound::Excluded);
        let range = match (self.direction, from) {
            (Direction::Forward, Bound::Included(key) | Bound::Excluded(key)) if key >= start => (from, upper),
            (Direction::Backward, Bound::Included(key) | Bound::Excluded(key)) if end.is_none_or(|end| key < end) => {
                (Bound::Included(start), from)
            }
            _ => (Bound::Included(start), upper),
        };
        self.base.current = None;
        self.base.range = self.layers.base.range(self.table, range)?;
        self.base.advance(self.direction)
    }

    /// Moves every source that stands on the current key.
    fn advance_past_current(&mut self) -> Result<()> {
        let At::Memtable(index) = self.at else { return self.base.advance(self.direction) };
        // Older layers may have the same key; it is compared before the newer one moves.
        let key = self.memtables[index].1.current().map(|row| row.key).unwrap_or_default();
        let base_too = self.base.key() == Some(key);
        let mut older = [false; 2];
        for (other, (_, cursor)) in self.memtables.iter().enumerate().skip(index + 1) {
            older[other] = cursor.current().is_some_and(|row| row.key == key);
        }
        for (other, (_, cursor)) in self.memtables.iter_mut().enumerate() {
            if other == index || older[other] {
                cursor.advance();
            }
        }
        if base_too { self.base.advance(self.direction) } else { Ok(()) }
    }

    /// Finds the first live row from where the sources stand.
    fn settle(&mut self) -> Result<()> {
        loop {
            self.at = self.first();
            self.resolved = None;
            match self.at {
                At::Nowhere => return Ok(()),
                At::Memtable(index) => {
                    let (layer, cursor) = &self.memtables[index];
                    let Some(row) = cursor.current() else { return Ok(()) };
                    let lives = row.value.is_some_and(|value| !self.is_over(value));
                    if lives && row.sequence >= self.covering(*layer, row.key) {
                        if row.operand {
                            self.resolved = self.layers.resolve(self.table, row.key, self.bound)?;
                        }
                        return Ok(());
                    }
                    self.advance_past_current()?;
                }
                At::Base => {
                    let Some((key, value)) = &self.base.current else { return Ok(()) };
                    let Some(covered) = self.covered(key.value()) else {
                        if !self.is_over(value.value()) {
                            return Ok(());
                        }
                        self.base.advance(self.direction)?;
                        continue;
                    };
                    // The tree may hold millions of rows under one range delete: step over them at once.
                    let beyond = match self.direction {
                        Direction::Forward => covered.end.as_deref().map(Bound::Included),
                        Direction::Backward => Some(Bound::Excluded(&*covered.start)),
                    };
                    match beyond {
                        Some(beyond) if self.within(beyond) => self.seek_base(beyond)?,
                        _ => self.base = BaseCursor { range: None, current: None },
                    }
                }
            }
        }
    }

    // Whether anything of the iterator's own range is left behind the bound.
    fn within(&self, bound: Bound<&[u8]>) -> bool {
        match (self.direction, bound) {
            (Direction::Forward, Bound::Included(key)) => self.end.as_deref().is_none_or(|end| key < end),
            (Direction::Backward, Bound::Excluded(key)) => key > self.start.as_slice(),
            _ => true,
        }
    }

    /// The source with the first key in the direction; of several with the same key, the newest.
    fn first(&self) -> At {
        let mut best: Option<(&[u8], At)> = None;
        let memtables = self
            .memtables
            .iter()
            .enumerate()
            .filter_map(|(index, (_, cursor))| Some((cursor.current()?.key, At::Memtable(index))));
        for (key, at) in memtables.chain(self.base.key().map(|key| (key, At::Base))) {
            let better = best.is_none_or(|(least, _)| match self.direction {
                Direction::Forward => key < least,
                Direction::Backward => key > least,
            });
            if better {
                best = Some((key, at));
            }
        }
        best.map_or(At::Nowhere, |(_, at)| at)
    }

    /// The newest range delete in this layer or a newer one that covers the key.
    fn covering(&self, layer: usize, key: &[u8]) -> Sequence {
        let memtables = [Some(&self.layers.active), self.layers.frozen.as_ref()];
        memtables
            .into_iter()
            .take(layer + 1)
            .flatten()
            .filter_map(|memtable| memtable.table(self.table))
            .map(|rows| rows.ranges.covering(key, self.bound))
            .max()
            .unwrap_or(0)
    }

    /// The stretch around a key that a range delete in a memtable covers.
    fn covered(&self, key: &[u8]) -> Option<crate::memtable::Covered> {
        [Some(&self.layers.active), self.layers.frozen.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|memtable| memtable.table(self.table))
            .find_map(|rows| rows.ranges.around(key, self.bound))
    }
}

impl std::fmt::Debug for Iter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Iter").field("bound", &self.bound).field("at", &self.at).finish_non_exhaustive()
    }
}

/// Rows of a range as a Rust iterator, in both directions. The first error is the last item.
#[derive(Debug)]
pub struct RangeIter {
    front: Iter,
    back: Iter,
    begun: (bool, bool),
    done: bool,
}

impl RangeIter {
    pub(super) fn new(front: Iter, back: Iter) -> RangeIter {
        RangeIter { front, back, begun: (false, false), done: false }
    }

    fn item(&mut self, forward: bool) -> Option<Result<(Vec<u8>, Vec<u8>)>> {
        let (this, other) = if forward { (&self.front, &self.back) } else { (&self.back, &self.front) };
        let other_begun = if forward { self.begun.1 } else { self.begun.0 };
        let met = other_begun
            && (!other.valid() || if forward { this.key() >= other.key() } else { this.key() <= other.key() });
        if !this.valid() || met {
            self.done = true;
            return this.status().err().map(Err);
        }
        Some(Ok((this.key().to_vec(), this.value().to_vec())))
    }
}

impl Iterator for RangeIter {
    type Item = Result<(Vec<u8>, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        if std::mem::replace(&mut self.begun.0, true) {
            self.front.next();
        } else {
            self.front.seek_to_first();
        }
        self.item(true)
    }
}

impl DoubleEndedIterator for RangeIter {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        if std::mem::replace(&mut self.begun.1, true) {
            self.back.prev();
        } else {
            self.back.seek_to_last();
        }
        self.item(false)
    }
}
