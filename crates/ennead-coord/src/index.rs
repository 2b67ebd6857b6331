//! Which revisions each key has: in memory, in the order of keys, made anew from the rows at each start.
//!
//! The index knows no values; a revision leads to the row that has them. Invariant: each change in it that is not being
//! committed has its row, and the other way round.

mod history;
mod restore;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;

pub(crate) use history::{Generation, History};
pub(crate) use restore::Restoring;

use crate::revision::Revision;
use crate::span::Span;

/// All keys that have a revision left.
#[derive(Debug, Default)]
pub(crate) struct Index {
    keys: BTreeMap<Box<[u8]>, History>,
    /// Keys that are there at the newest revision.
    live: usize,
}

/// What takes back one change.
#[derive(Debug)]
pub(crate) struct Undo(Option<Generation>);

impl Index {
    /// Keys that are there at the newest revision.
    #[cfg(test)]
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// The generation that the key is in, when it is there at the newest revision.
    pub(crate) fn generation(&self, key: &[u8]) -> Option<Generation> {
        self.keys.get(key).and_then(History::generation)
    }

    /// The revision that a reader at `revision` finds.
    pub(crate) fn find(&self, key: &[u8], revision: i64) -> Option<Revision> {
        self.keys.get(key).and_then(|history| history.at(revision))
    }

    /// Notes that a revision writes the key.
    pub(crate) fn put(&mut self, key: &[u8], revision: Revision) -> Undo {
        if let Some(history) = self.keys.get_mut(key) {
            let before = history.generation();
            history.put(revision);
            self.live += usize::from(before.is_none());
            return Undo(before);
        }
        self.keys.insert(key.into(), History::new(revision));
        self.live += 1;
        Undo(None)
    }

    /// Notes that a revision deletes the key, which is there.
    pub(crate) fn delete(&mut self, key: &[u8], revision: Revision) -> Undo {
        let Some(history) = self.keys.get_mut(key) else { return Undo(None) };
        let before = history.generation();
        history.delete(revision);
        self.live -= usize::from(before.is_some());
        Undo(before)
    }

    /// Takes the key's newest change back.
    pub(crate) fn undo(&mut self, key: &[u8], undo: Undo) {
        let Some(history) = self.keys.get_mut(key) else { return };
        let there = history.generation().is_some();
        let empty = history.pop(undo.0);
        self.live = self.live + usize::from(undo.0.is_some()) - usize::from(there);
        if empty {
            self.keys.remove(key);
        }
    }

    /// Calls `visit` with the keys that a reader at `revision` finds, in order, until it answers `false`.
    pub(crate) fn visit(
        &self,
        span: &Span<impl AsRef<[u8]>>,
        revision: i64,
        mut visit: impl FnMut(&[u8], Revision) -> bool,
    ) {
        if let Span::One(key) = span {
            if let Some(found) = self.find(key.as_ref(), revision) {
                visit(key.as_ref(), found);
            }
            return;
        }
        let Some(bounds) = span.bounds() else { return };
        for (key, history) in self.keys.range::<[u8], _>(bounds) {
            if let Some(found) = history.at(revision)
                && !visit(key, found)
            {
                return;
            }
        }
    }

    /// Forgets, of at most `keys_max` keys behind `after`, what no reader at `revision` or later finds. `forgotten` is told
    /// each of these changes. Answers where to go on, or nothing when all keys are done.
    pub(crate) fn compact(
        &mut self,
        revision: i64,
        after: Option<&[u8]>,
        keys_max: usize,
        mut forgotten: impl FnMut(&[u8], Revision),
    ) -> Option<Box<[u8]>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut empty: Vec<Box<[u8]>> = Vec::new();
        let mut last = None;
        for (count, (key, history)) in self.keys.range_mut::<[u8], _>((start, Bound::Unbounded)).enumerate() {
            if count == keys_max {
                break;
            }
            if history.compact(revision, |change| forgotten(key, change)) {
                empty.push(key.clone());
            }
            last = (count + 1 == keys_max).then(|| key.clone());
        }
        for key in empty {
            self.keys.remove(&key);
        }
        last
    }
}
