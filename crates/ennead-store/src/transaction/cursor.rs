//! An iterator over a snapshot with the transaction's own writes laid over it.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::Written;
use crate::{Iter, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// `base` is at the first row that was not passed yet.
    Forward,
    /// `base` is at the last row that was not passed yet.
    Backward,
}

/// A cursor over one table as the transaction sees it, in both directions; works like [`Iter`].
pub struct TransactionIter<'a> {
    base: Iter,
    own: Option<&'a BTreeMap<Vec<u8>, Written>>,
    start: Vec<u8>,
    end: Option<Vec<u8>>,
    direction: Direction,
    key: Vec<u8>,
    value: Vec<u8>,
    valid: bool,
}

impl<'a> TransactionIter<'a> {
    pub(super) fn new(
        base: Iter,
        own: Option<&'a BTreeMap<Vec<u8>, Written>>,
        start: &[u8],
        end: Option<&[u8]>,
    ) -> Self {
        TransactionIter {
            base,
            own,
            start: start.to_vec(),
            end: end.map(<[u8]>::to_vec),
            direction: Direction::Forward,
            key: Vec::new(),
            value: Vec::new(),
            valid: false,
        }
    }

    pub fn seek_to_first(&mut self) {
        let start = self.start.clone();
        self.seek(&start);
    }

    pub fn seek_to_last(&mut self) {
        self.base.seek_to_last();
        self.direction = Direction::Backward;
        let bound = self.end.clone().map_or(Bound::Unbounded, Bound::Excluded);
        self.settle_backward(bound);
    }

    /// To the first row with `key >= target`.
    pub fn seek(&mut self, target: &[u8]) {
        let target = target.max(self.start.as_slice()).to_vec();
        self.base.seek(&target);
        self.direction = Direction::Forward;
        self.settle_forward(Bound::Included(target));
    }

    /// To the last row with `key <= target`.
    pub fn seek_for_prev(&mut self, target: &[u8]) {
        if self.end.as_deref().is_some_and(|end| target >= end) {
            return self.seek_to_last();
        }
        self.base.seek_for_prev(target);
        self.direction = Direction::Backward;
        self.settle_backward(Bound::Included(target.to_vec()));
    }

    pub fn next(&mut self) {
        if !self.valid {
            return;
        }
        if self.direction == Direction::Backward {
            self.base.seek(&self.key);
            self.direction = Direction::Forward;
        }
        if self.base.valid() && self.base.key() == self.key {
            self.base.next();
        }
        let passed = std::mem::take(&mut self.key);
        self.settle_forward(Bound::Excluded(passed));
    }

    pub fn prev(&mut self) {
        if !self.valid {
            return;
        }
        if self.direction == Direction::Forward {
            self.base.seek_for_prev(&self.key);
            self.direction = Direction::Backward;
        }
        if self.base.valid() && self.base.key() == self.key {
            self.base.prev();
        }
        let passed = std::mem::take(&mut self.key);
        self.settle_backward(Bound::Excluded(passed));
    }

    pub fn valid(&self) -> bool {
        self.valid
    }

    /// The current key; empty when not valid.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The current value; empty when not valid.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    pub fn status(&self) -> Result<()> {
        self.base.status()
    }

    /// Takes the smaller of the base row and the first own row from `lower` on; an own row hides a base row.
    fn settle_forward(&mut self, lower: Bound<Vec<u8>>) {
        let upper = self.end.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let mut own = own_rows(self.own, lower, upper);
        loop {
            let written = own.as_mut().and_then(|rows| rows.next());
            let base = self.base.valid().then(|| self.base.key());
            match (written, base) {
                (None, None) => return self.end_here(),
                (None, Some(_)) => return self.take_base(),
                (Some((key, _)), Some(base)) if base < key.as_slice() => return self.take_base(),
                // A base row that it hides is passed by the next step.
                (Some((key, Some(value))), _) => return self.take(key, value),
                (Some((key, None)), base) => {
                    if base == Some(key.as_slice()) {
                        self.base.next();
                    }
                }
            }
        }
    }

    /// The mirror of [`Self::settle_forward`].
    fn settle_backward(&mut self, upper: Bound<Vec<u8>>) {
        let mut own = own_rows(self.own, Bound::Included(self.start.clone()), upper);
        loop {
            let written = own.as_mut().and_then(|rows| rows.next_back());
            let base = self.base.valid().then(|| self.base.key());
            match (written, base) {
                (None, None) => return self.end_here(),
                (None, Some(_)) => return self.take_base(),
                (Some((key, _)), Some(base)) if base > key.as_slice() => return self.take_base(),
                // A base row that it hides is passed by the next step.
                (Some((key, Some(value))), _) => return self.take(key, value),
                (Some((key, None)), base) => {
                    if base == Some(key.as_slice()) {
                        self.base.prev();
                    }
                }
            }
        }
    }

    fn take_base(&mut self) {
        let TransactionIter { base, key, value, valid, .. } = self;
        key.clear();
        key.extend_from_slice(base.key());
        value.clear();
        value.extend_from_slice(base.value());
        *valid = true;
    }

    fn take(&mut self, key: &[u8], value: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(key);
        self.value.clear();
        self.value.extend_from_slice(value);
        self.valid = true;
    }

    fn end_here(&mut self) {
        self.key.clear();
        self.value.clear();
        self.valid = false;
    }
}

/// The own rows of a range; none when the bounds exclude each other, where `BTreeMap::range` would panic.
fn own_rows(
    own: Option<&BTreeMap<Vec<u8>, Written>>,
    lower: Bound<Vec<u8>>,
    upper: Bound<Vec<u8>>,
) -> Option<std::collections::btree_map::Range<'_, Vec<u8>, Written>> {
    let empty = match (&lower, &upper) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
    };
    if empty { None } else { own.map(|rows| rows.range((lower, upper))) }
}
