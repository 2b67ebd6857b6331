//! The table of a slot: entries in open addressing, sorted by fragment.
//!
//! An entry's home is a monotone function of its fragment and it never stands before it; runs are kept sorted and do
//! not wrap. So the order of the array is the order of the fragments, and growth, which only spreads it, keeps it: a
//! cursor is a fragment. It is not a map: the caller makes sure that a key is inserted once.

use ennead_store::prefetch;

use crate::entry::{Entry, allocation_size};

#[cfg(test)]
mod tests;

/// Fragments and entries in parallel; fragment 0 marks a free position.
#[derive(Debug, Default)]
pub(crate) struct Table {
    fragments: Box<[u32]>,
    entries: Box<[Option<Entry>]>,
    len: u32,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// Where the key stands.
    #[inline]
    pub(crate) fn find(&self, fragment: u32, key: &[u8]) -> Option<usize> {
        let mut at = self.prefetch(fragment);
        loop {
            let found = *self.fragments.get(at)?;
            if found == fragment && self.entries[at].as_ref().is_some_and(|entry| entry.key() == key) {
                return Some(at);
            }
            if found == 0 || found > fragment {
                return None;
            }
            at += 1;
        }
    }

    /// Asks the processor for where a fragment may stand, which it returns. Neither array is likely to be in a cache:
    /// asking for both at once waits for one miss instead of two.
    #[inline]
    pub(crate) fn prefetch(&self, fragment: u32) -> usize {
        let at = home(fragment, self.fragments.len());
        if let (Some(fragment), Some(entry)) = (self.fragments.get(at), self.entries.get(at)) {
            prefetch(fragment);
            prefetch(entry);
        }
        at
    }

    /// Asks the processor for the first entry of a fragment, which is likely to be the only one.
    #[inline]
    pub(crate) fn prefetch_entry(&self, fragment: u32) {
        let start = home(fragment, self.fragments.len()).min(self.fragments.len());
        let found = self.fragments[start..].iter().position(|&found| found >= fragment || found == 0);
        if let Some(offset) = found
            && let Some(entry) = &self.entries[start + offset]
        {
            entry.prefetch();
        }
    }

    /// The entry at a position that [`Table::find`] or an iterator gave, unless it was removed since.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&Entry> {
        self.entries.get(at).and_then(Option::as_ref)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut Entry> {
        self.entries.get_mut(at).and_then(Option::as_mut)
    }

    pub(crate) fn fragment(&self, at: usize) -> u32 {
        self.fragments[at]
    }

    /// Adds an entry whose key is not in the table and returns its position. Positions given before are void.
    pub(crate) fn insert(&mut self, fragment: u32, entry: Entry) -> usize {
        if self.len() >= room(self.fragments.len()) {
            self.resize(larger(self.fragments.len()));
        }
        loop {
            if let Some((at, free)) = self.gap(fragment) {
                self.fragments.copy_within(at..free, at + 1);
                self.entries[at..=free].rotate_right(1);
                self.fragments[at] = fragment;
                self.entries[at] = Some(entry);
                self.len += 1;
                return at;
            }
            self.resize(larger(self.fragments.len()));
        }
    }

    /// Where the fragment belongs, and the first free position from there on; nothing when the run reaches the end.
    fn gap(&self, fragment: u32) -> Option<(usize, usize)> {
        let start = home(fragment, self.fragments.len());
        let run = &self.fragments[start..];
        let at = start + run.iter().position(|&found| found == 0 || found > fragment)?;
        let free = at + self.fragments[at..].iter().position(|&found| found == 0)?;
        Some((at, free))
    }

    /// Replaces the entry at a position by one of the same key; returns the former.
    pub(crate) fn replace(&mut self, at: usize, entry: Entry) -> Option<Entry> {
        self.entries[at].replace(entry)
    }

    /// Takes an entry out. Positions given before are void.
    pub(crate) fn remove(&mut self, at: usize) -> Option<Entry> {
        let entry = self.entries.get_mut(at)?.take()?;
        let len = self.fragments.len();
        let mut last = at;
        while let Some(&next) = self.fragments.get(last + 1) {
            if next == 0 || home(next, len) > last {
                break;
            }
            last += 1;
        }
        self.fragments.copy_within(at + 1..=last, at);
        self.fragments[last] = 0;
        self.entries[at..=last].rotate_left(1);
        self.len -= 1;
        if len > 16 && self.len() < len / 4 {
            self.resize(len / 2);
        }
        Some(entry)
    }

    /// Position, fragment and entry, by fragment, from the first with so great a fragment on.
    pub(crate) fn iter_from(&self, fragment: u32) -> impl Iterator<Item = (usize, u32, &Entry)> {
        let start = home(fragment, self.fragments.len()).min(self.fragments.len());
        self.fragments[start..]
            .iter()
            .zip(&self.entries[start..])
            .enumerate()
            .filter(move |(_, (found, _))| **found >= fragment && **found != 0)
            .filter_map(move |(at, (found, entry))| Some((start + at, *found, entry.as_ref()?)))
    }

    /// Bytes of the arrays, without the entries.
    pub(crate) fn size(&self) -> usize {
        match self.fragments.len() {
            0 => 0,
            len => allocation_size(len * size_of::<u32>()) + allocation_size(len * size_of::<Option<Entry>>()),
        }
    }

    fn resize(&mut self, mut len: usize) {
        loop {
            match self.spread(len) {
                Some(positions) => return self.rebuild(len, positions),
                None => len = larger(len),
            }
        }
    }

    /// The position of each entry, in order, in a table of `len` positions, if all fit.
    fn spread(&self, len: usize) -> Option<Vec<u32>> {
        let mut positions = Vec::with_capacity(self.len());
        let mut next = 0;
        for &fragment in self.fragments.iter().filter(|&&fragment| fragment != 0) {
            let at = home(fragment, len).max(next);
            if at >= len {
                return None;
            }
            positions.push(at as u32);
            next = at + 1;
        }
        Some(positions)
    }

    fn rebuild(&mut self, len: usize, positions: Vec<u32>) {
        let mut fragments = vec![0; len].into_boxed_slice();
        let mut entries: Box<[Option<Entry>]> = std::iter::repeat_with(|| None).take(len).collect();
        let mut positions = positions.into_iter();
        for (fragment, entry) in self.fragments.iter().zip(&mut self.entries) {
            if *fragment != 0
                && let Some(at) = positions.next()
            {
                fragments[at as usize] = *fragment;
                entries[at as usize] = entry.take();
            }
        }
        self.fragments = fragments;
        self.entries = entries;
    }
}

/// The first position where a fragment may stand in a table of `len` positions. A few positions at the end are no
/// fragment's home, so that the last run has somewhere to go.
#[inline]
fn home(fragment: u32, len: usize) -> usize {
    let homes = len - len / 16 - usize::from(len > 0);
    ((u64::from(fragment) * homes as u64) >> 32) as usize
}

/// How many entries a table of `len` positions takes before it grows.
fn room(len: usize) -> usize {
    len * 27 / 32
}

/// The next length: four steps to a doubling, so that both arrays fill an allocator's size class.
fn larger(len: usize) -> usize {
    match len {
        0..4 => 4,
        4..8 => 8,
        8..16 => 16,
        _ => len + (1 << len.ilog2()) / 4,
    }
}
