//! The elements of a long list. Each has a position, by which its row is stored: positions rise along the list, with room
//! between them, so that an element that comes between two others takes one row. Where there is no room left, a stretch
//! around it is numbered anew: the further the room, the longer the stretch, so that it stays rare.
//!
//! Of a list that is an outline, memory has the first elements and the last ones, as many as commands asked for; the store
//! has those between. Pushing and popping at an end needs no more than that end.

use std::ops::Range;

use crate::entry::allocation_size;
use crate::listpack;
use crate::sequence::{At, Keyed, Sequence};

/// Room between neighbours that came one after the other.
const STEP: i64 = 1 << 16;
/// Positions begin here and go both ways.
const MIDDLE: i64 = 0;

#[derive(Debug)]
pub(crate) struct List {
    pub(crate) id: u64,
    /// Those that only the store has. Nothing but what concerns the elements before and behind them is right while there
    /// are any.
    pub(crate) elsewhere: usize,
    /// How many elements stand before them; of no meaning when there are none.
    head: usize,
    /// The first and the last position that they may have: a row outside is one of memory, or is gone.
    unseen: (i64, i64),
    elements: Sequence<Element>,
    /// Of the elements' own allocations.
    bytes: usize,
    /// That the elements would take in a listpack.
    listpack_bytes: usize,
}

#[derive(Debug)]
struct Element {
    position: i64,
    bytes: Box<[u8]>,
}

impl Keyed for Element {
    /// Positions change where elements are, so lists are searched without keys.
    fn key(&self) -> u64 {
        0
    }
}

/// What an insertion did to the rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// One new row, by this suffix.
    One([u8; 8]),
    /// There was no room: the elements from the first index to before the second have new positions, the new element
    /// among them. Their former suffixes are given.
    Renumbered { from: usize, to: usize, former: Vec<[u8; 8]> },
}

impl List {
    pub(crate) fn new(id: u64) -> List {
        List {
            id,
            elsewhere: 0,
            head: 0,
            unseen: (i64::MIN, i64::MAX),
            elements: Sequence::default(),
            bytes: 0,
            listpack_bytes: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.elements.len() + self.elsewhere
    }

    pub(crate) fn size(&self) -> usize {
        self.elements.size() + self.bytes
    }

    /// See [`Sequence::dissolve`].
    pub(crate) fn dissolve(&mut self, chunks: usize) -> bool {
        self.elements.dissolve(chunks)
    }

    /// Bytes that the elements would take in a listpack, without its header; of those that are not in memory the least.
    pub(crate) fn listpack_bytes(&self) -> usize {
        self.listpack_bytes + self.elsewhere * listpack::ENTRY_MIN
    }

    fn count(&mut self, bytes: &[u8]) {
        self.bytes += allocation_size(bytes.len());
        self.listpack_bytes += listpack::size(bytes);
    }

    fn discount(&mut self, bytes: &[u8]) {
        self.bytes -= allocation_size(bytes.len());
        self.listpack_bytes -= listpack::size(bytes);
    }

    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        self.element(index).map(|element| &*element.bytes)
    }

    fn element(&self, index: usize) -> Option<&Element> {
        self.elements.get(self.at(index))
    }

    /// Where the element of an index is, which memory has; the end for one that is beyond the last.
    fn at(&self, index: usize) -> At {
        if self.elsewhere == 0 || index < self.head {
            return self.elements.at(index);
        }
        self.elements.at(index.saturating_sub(self.elsewhere).max(self.head))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.elements.iter().map(|element| &*element.bytes)
    }

    /// From an index on.
    pub(crate) fn iter_from(&self, index: usize) -> impl Iterator<Item = &[u8]> {
        self.elements.iter_from(self.at(index)).map(|element| &*element.bytes)
    }

    /// Backwards from before an index.
    pub(crate) fn iter_back(&self, index: usize) -> impl Iterator<Item = &[u8]> {
        self.elements.iter_back(self.at(index)).map(|element| &*element.bytes)
    }

    pub(crate) fn push_back(&mut self, bytes: &[u8]) -> Inserted {
        self.insert(self.len(), bytes)
    }

    /// Inserts before the element of an index, or at the end.
    pub(crate) fn insert(&mut self, index: usize, bytes: &[u8]) -> Inserted {
        let index = index.min(self.len());
        let at = self.at(index);
        let before = index.checked_sub(1).and_then(|index| self.element(index)).map(|element| element.position);
        let after = self.element(index).map(|element| element.position);
        let position = match (before, after) {
            (None, None) => Some(MIDDLE),
            (Some(before), None) => before.checked_add(STEP),
            (None, Some(after)) => after.checked_sub(STEP),
            (Some(before), Some(after)) => {
                let between = before.midpoint(after);
                (before < between && between < after).then_some(between)
            }
        };
        self.count(bytes);
        let element = Element { position: position.unwrap_or_default(), bytes: bytes.into() };
        self.elements.insert(at, element);
        self.head += usize::from(index < self.head);
        match position {
            Some(position) => Inserted::One(suffix(position)),
            None => self.renumber(index),
        }
    }

    /// Numbers a stretch around an element without a position anew.
    fn renumber(&mut self, index: usize) -> Inserted {
        let mut reach = 16;
        loop {
            let (from, to) = (index.saturating_sub(reach), (index + reach + 1).min(self.len()));
            let whole = from == 0 && to == self.len();
            // Where the stretch ends at an end of the list there is room beyond.
            let low = from.checked_sub(1).and_then(|index| self.element(index)).map(|element| element.position);
            let high = self.element(to).map(|element| element.position);
            let length = (to - from) as i64;
            let room = |low: i64, high: i64| high.saturating_sub(low) / (length + 1);
            let plan = match (low, high) {
                (Some(low), Some(high)) if room(low, high) >= STEP / 16 => Some((low, room(low, high))),
                (Some(low), None) if low < i64::MAX / 2 => Some((low, STEP)),
                (None, Some(high)) if high > i64::MIN / 2 => Some((high - (length + 1) * STEP, STEP)),
                _ if whole => Some((MIDDLE - length / 2 * STEP, STEP)),
                _ => None,
            };
            let Some((low, step)) = plan else {
                reach *= 4;
                continue;
            };
            let mut former = Vec::new();
            for number in from..to {
                let at = self.elements.at(number);
                if let Some(element) = self.elements.get_mut(at) {
                    if number != index {
                        former.push(suffix(element.position));
                    }
                    element.position = low + step * (number - from + 1) as i64;
                }
            }
            return Inserted::Renumbered { from, to, former };
        }
    }

    /// Suffixes and elements from an index to before another.
    pub(crate) fn rows_between(&self, from: usize, to: usize) -> impl Iterator<Item = ([u8; 8], &[u8])> {
        let elements = self.elements.iter_from(self.elements.at(from)).take(to - from);
        elements.map(|element| (suffix(element.position), &*element.bytes))
    }

    /// Replaces an element; the suffix of its row.
    pub(crate) fn replace(&mut self, index: usize, bytes: &[u8]) -> Option<[u8; 8]> {
        let at = self.at(index);
        let element = self.elements.get_mut(at)?;
        let position = element.position;
        let former = std::mem::replace(&mut element.bytes, bytes.into());
        self.discount(&former);
        self.count(bytes);
        Some(suffix(position))
    }

    /// Takes elements away, from an index to before another, and tells the suffix of each one's row. Costs what it takes
    /// away, wherever that is.
    pub(crate) fn remove_range(&mut self, range: Range<usize>, gone: &mut dyn FnMut([u8; 8])) {
        let Range { start, end } = range;
        for index in (start..end.min(self.len())).rev() {
            // At the front the rest need not be moved.
            let at: At = if start == 0 { self.elements.start() } else { self.at(index) };
            let Some(element) = self.elements.remove(at) else { return };
            self.head -= usize::from(index < self.head);
            self.discount(&element.bytes);
            gone(suffix(element.position));
        }
    }

    /// Takes in a row of the store; rows come in order.
    pub(crate) fn admit(&mut self, suffix: &[u8], value: &[u8]) -> bool {
        let Some(position) = position(suffix) else { return false };
        let found = self.elements.locate(|element| element.position.cmp(&position));
        let Err(at) = found else { return false };
        self.count(value);
        self.elements.insert(at, Element { position, bytes: value.into() });
        true
    }

    /// Whether the row is not one of those that only the store has.
    pub(crate) fn knows(&self, suffix: &[u8]) -> bool {
        let (first, last) = self.unseen;
        self.elsewhere == 0 || position(suffix).is_none_or(|position| position < first || position > last)
    }

    /// The suffixes from and up to which the rows are that only the store has.
    pub(crate) fn unseen(&self) -> ([u8; 8], [u8; 8]) {
        (suffix(self.unseen.0), suffix(self.unseen.1))
    }

    /// How many elements memory has before those that only the store has, and behind them.
    pub(crate) fn ends(&self) -> (usize, usize) {
        (self.head, self.elements.len() - self.head)
    }

    /// Takes in the first of the rows that only the store had, or with `back` the last; whether it is one.
    pub(crate) fn take_in_next(&mut self, suffix: &[u8], value: &[u8], back: bool) -> bool {
        let Some(position) = position(suffix).filter(|_| !self.knows(suffix)) else { return false };
        let at = self.elements.at(self.head);
        self.count(value);
        self.elements.insert(at, Element { position, bytes: value.into() });
        self.elsewhere -= 1;
        if back {
            self.unseen.1 = position.saturating_sub(1);
        } else {
            self.head += 1;
            self.unseen.0 = position.saturating_add(1);
        }
        true
    }

    /// Whether positions are left for more elements at both ends than there can be.
    pub(crate) fn is_roomy(&self) -> bool {
        const ROOM: std::ops::Range<i64> = i64::MIN / 2..i64::MAX / 2;
        self.elements.iter().next().is_none_or(|first| ROOM.contains(&first.position))
            && self.elements.iter_back(self.elements.end()).next().is_none_or(|last| ROOM.contains(&last.position))
    }

    pub(crate) fn rows(&self, visit: super::RowVisitor<'_>) {
        self.elements.iter().for_each(|element| visit(&suffix(element.position), &element.bytes));
    }
}

/// Bytes that sort as the positions do.
fn suffix(position: i64) -> [u8; 8] {
    (position as u64 ^ 1 << 63).to_be_bytes()
}

fn position(suffix: &[u8]) -> Option<i64> {
    let bytes = <[u8; 8]>::try_from(suffix).ok()?;
    Some((u64::from_be_bytes(bytes) ^ 1 << 63) as i64)
}
