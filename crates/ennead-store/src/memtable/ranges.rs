//! Range deletes of one table in a memtable.
//!
//! They are kept as fragments that do not overlap, each with the sequences of the range deletes that cover it, oldest
//! first. So the newest delete that covers a key at a sequence is one look into a map, however many there were.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use smallvec::{SmallVec, smallvec};

use crate::store::Sequence;

/// Counted for a fragment besides its bytes.
const FRAGMENT_BYTES: usize = 128;

type Key = Box<[u8]>;

#[derive(Debug, Clone)]
struct Fragment {
    /// Exclusive; `None` is the end of the table.
    end: Option<Box<[u8]>>,
    sequences: SmallVec<[Sequence; 2]>,
}

#[derive(Debug, Default)]
struct Fragments {
    by_start: BTreeMap<Box<[u8]>, Fragment>,
}

/// The range deletes of one table in a memtable.
#[derive(Debug, Default)]
pub(crate) struct RangeDeletes {
    any: AtomicBool,
    fragments: RwLock<Fragments>,
}

/// A stretch of keys that a range delete covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) start: Box<[u8]>,
    pub(crate) end: Option<Box<[u8]>>,
    pub(crate) sequence: Sequence,
}

impl RangeDeletes {
    /// Adds a range delete that is newer than all here. Answers the bytes it takes.
    pub(crate) fn insert(&self, start: &[u8], end: Option<&[u8]>, sequence: Sequence) -> usize {
        if end.is_some_and(|end| end <= start) {
            return 0;
        }
        let bytes = self.fragments.write().insert(start, end, sequence);
        self.any.store(true, Ordering::Release);
        bytes
    }

    /// The newest range delete not above `bound` that covers the key; 0 when there is none.
    #[inline]
    pub(crate) fn covering(&self, key: &[u8], bound: Sequence) -> Sequence {
        if !self.any.load(Ordering::Acquire) {
            return 0;
        }
        self.fragments.read().at(key).map_or(0, |(_, fragment)| fragment.as_of(bound))
    }

    /// The fragment around a key, if a range delete not above `bound` covers it.
    pub(crate) fn around(&self, key: &[u8], bound: Sequence) -> Option<Covered> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let fragments = self.fragments.read();
        let (start, fragment) = fragments.at(key)?;
        let sequence = fragment.as_of(bound);
        (sequence > 0).then(|| Covered { start: start.into(), end: fragment.end.clone(), sequence })
    }

    /// All stretches in order, each with its newest sequence; adjoining ones joined where only the flush looks.
    pub(crate) fn all(&self) -> Vec<Covered> {
        let fragments = self.fragments.read();
        let mut all: Vec<Covered> = Vec::new();
        for (start, fragment) in &fragments.by_start {
            let sequence = fragment.as_of(Sequence::MAX);
            match all.last_mut() {
                Some(last) if last.end.as_ref() == Some(start) => {
                    last.end.clone_from(&fragment.end);
                    last.sequence = last.sequence.max(sequence);
                }
                _ => all.push(Covered { start: start.clone(), end: fragment.end.clone(), sequence }),
            }
        }
        all
    }

    pub(crate) fn truncate_after(&self, sequence: Sequence) {
        let mut fragments = self.fragments.write();
        fragments.by_start.retain(|_, fragment| {
            fragment.sequences.retain(|of| *of <= sequence);
            !fragment.sequences.is_empty()
        });
    }
}

impl Fragment {
    fn as_of(&self, bound: Sequence) -> Sequence {
        self.sequences.iter().rev().find(|sequence| **sequence <= bound).copied().unwrap_or(0)
    }
}

impl Fragments {
    /// The fragment that holds a key.
    fn at(&self, key: &[u8]) -> Option<(&[u8], &Fragment)> {
        let (start, fragment) = self.by_start.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back()?;
        fragment.end.as_deref().is_none_or(|end| key < end).then_some((&**start, fragment))
    }

    /// Splits the fragment that holds `at`, so that one begins there.
    fn split(&mut self, at: &[u8]) -> usize {
        let Some((start, _)) = self.at(at) else { return 0 };
        if start == at {
            return 0;
        }
        let start = start.to_vec();
        let Some(left) = self.by_start.get_mut(&*start) else { return 0 };
        let right = left.clone();
        left.end = Some(at.into());
        self.by_start.insert(at.into(), right);
        FRAGMENT_BYTES + at.len()
    }

    fn insert(&mut self, start: &[u8], end: Option<&[u8]>, sequence: Sequence) -> usize {
        let mut bytes = self.split(start) + end.map_or(0, |end| self.split(end));
        let mut at: Key = start.into();
        let mut gaps: Vec<(Key, Option<Key>)> = Vec::new();
        let upper = end.map_or(Bound::Unbounded, Bound::Excluded);
        let mut reached_end = false;
        for (from, fragment) in self.by_start.range_mut::<[u8], _>((Bound::Included(start), upper)) {
            if at < *from {
                gaps.push((at, Some(from.clone())));
            }
            if fragment.sequences.last() != Some(&sequence) {
                fragment.sequences.push(sequence);
                bytes += 8;
            }
            match &fragment.end {
                Some(to) => at = to.clone(),
                None => {
                    at = Box::default();
                    reached_end = true;
                }
            }
        }
        if !reached_end && end.is_none_or(|end| *at < *end) {
            gaps.push((at, end.map(Into::into)));
        }
        for (from, to) in gaps {
            bytes += FRAGMENT_BYTES + 2 * from.len();
            self.by_start.insert(from, Fragment { end: to, sequences: smallvec![sequence] });
        }
        bytes
    }
}
