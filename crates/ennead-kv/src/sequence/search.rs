//! Finding items of a sequence that is in order.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::{At, Keyed, Sequence};

/// How far a guess is first expected to be off, items.
pub(super) const REACH: usize = 4;

impl<T: Keyed> Sequence<T> {
    /// Finds an item by how it compares with what is sought: `Ok` where it is, `Err` where it would be.
    pub(crate) fn locate(&self, compare: impl Fn(&T) -> Ordering) -> Result<At, At> {
        let after = self.chunks.partition_point(|chunk| chunk.front().is_some_and(|item| compare(item).is_le()));
        let chunk = after.saturating_sub(1);
        let Some(items) = self.chunks.get(chunk) else { return Err(self.start()) };
        at(chunk, items.binary_search_by(compare))
    }

    /// The first place whose item does not lie `before`.
    pub(crate) fn partition_point(&self, before: impl Fn(&T) -> bool) -> At {
        match self.locate(|item| if before(item) { Ordering::Less } else { Ordering::Greater }) {
            Ok(at) | Err(at) => at,
        }
    }

    /// Finds an item by its key and, among those with the same, by how it compares with what is sought: `Ok` where it is,
    /// `Err` where it would be.
    pub(crate) fn search(&self, key: u64, compare: impl Fn(&T) -> Ordering) -> Result<At, At> {
        let after = self.chunks_before(key, &compare);
        let chunk = after.saturating_sub(1);
        let Some(items) = self.chunks.get(chunk) else { return Err(self.start()) };
        at(chunk, search_near(items, self.guess(chunk, items, key), compare))
    }

    /// Where in a chunk an item with the key may be.
    pub(super) fn guess(&self, chunk: usize, items: &VecDeque<T>, key: u64) -> usize {
        let next = self.heads.get(chunk + 1).copied().or_else(|| items.back().map(Keyed::key));
        guess(self.heads[chunk], next.unwrap_or(0), key, items.len())
    }

    /// How many chunks begin with what is sought or something before it.
    fn chunks_before(&self, key: u64, compare: impl Fn(&T) -> Ordering) -> usize {
        let mut low = self.heads.partition_point(|head| *head < key);
        if self.heads.get(low) != Some(&key) {
            return low;
        }
        let mut high = low + self.heads[low..].partition_point(|head| *head == key);
        while low < high {
            let middle = low.midpoint(high);
            if self.chunks[middle].front().is_some_and(|item| compare(item).is_le()) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

fn at(chunk: usize, found: Result<usize, usize>) -> Result<At, At> {
    found.map(|offset| At { chunk, offset }).map_err(|offset| At { chunk, offset })
}

/// Where a key stands among as many items between two others, if they lie evenly.
fn guess(first: u64, next: u64, key: u64, len: usize) -> usize {
    let width = next.saturating_sub(first).max(1);
    let share = key.saturating_sub(first) as f64 / width as f64;
    ((share * len as f64) as usize).min(len.saturating_sub(1))
}

/// A search that looks near a place first, and further away in growing steps.
pub(super) fn search_near<T>(
    items: &VecDeque<T>,
    place: usize,
    compare: impl Fn(&T) -> Ordering,
) -> Result<usize, usize> {
    let (mut low, mut high) = (0, items.len());
    let (mut probe, mut reach) = (place, REACH);
    while low < high {
        let Some(item) = items.get(probe) else { break };
        match compare(item) {
            Ordering::Equal => return Ok(probe),
            Ordering::Less => low = probe + 1,
            Ordering::Greater => high = probe,
        }
        // Once there is something on both sides, halves are best.
        probe = match (low, high) {
            (0, high) => high.saturating_sub(reach),
            (low, high) if high == items.len() => (low + reach).min(high - 1),
            (low, high) => low.midpoint(high),
        };
        reach *= 2;
    }
    Err(low)
}
