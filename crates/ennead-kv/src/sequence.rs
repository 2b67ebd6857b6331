//! A long sequence of items that can be changed anywhere and knows positions: what lists are made of, and, kept in
//! order by who uses it, sets, hashes and sorted sets.
//!
//! Items stand in chunks of bounded length. A tree of their lengths (Fenwick's) finds the item at a position and the
//! position of an item in O(log n); it is rebuilt, when somebody asks, after a chunk came or went. Invariant: no chunk is
//! empty and none has more than [`CHUNK`] items.
//!
//! To find an item by order, the keys of the chunks' first items stand together, apart from the items: a search looks at
//! few lines of memory before it knows the chunk, and guesses the place in it from the keys around.

use std::cell::RefCell;
use std::collections::VecDeque;

pub(crate) use approach::Approach;

mod approach;
mod search;
#[cfg(test)]
mod tests;

/// An item with a number that does not fall from item to item where a sequence is in order. Items that are equal in it
/// are told apart by comparison.
pub(crate) trait Keyed {
    fn key(&self) -> u64;

    /// Asks the processor for what it points to, where it is looked for by that.
    fn prefetch(&self) {}
}

/// Items of a chunk, at most: few enough to make room in one for another quickly.
pub(crate) const CHUNK: usize = 256;

#[derive(Debug, Clone)]
pub(crate) struct Sequence<T> {
    chunks: VecDeque<VecDeque<T>>,
    /// The key of each chunk's first item.
    heads: Vec<u64>,
    len: usize,
    lengths: RefCell<Lengths>,
}

/// Where an item is, or would be inserted. Void after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    chunk: usize,
    offset: usize,
}

/// The lengths of the chunks, summed up in a tree.
#[derive(Debug, Clone, Default)]
struct Lengths {
    sums: Vec<u32>,
    stale: bool,
}

impl Lengths {
    fn rebuild(&mut self, lengths: impl Iterator<Item = usize>) {
        self.sums.clear();
        self.sums.extend(lengths.map(|length| length as u32));
        for index in 0..self.sums.len() {
            let parent = index | (index + 1);
            if parent < self.sums.len() {
                self.sums[parent] = self.sums[parent].wrapping_add(self.sums[index]);
            }
        }
        self.stale = false;
    }

    fn add(&mut self, chunk: usize, difference: i32) {
        let mut index = chunk;
        while let Some(sum) = self.sums.get_mut(index) {
            *sum = sum.wrapping_add_signed(difference);
            index |= index + 1;
        }
    }

    /// Items before a chunk.
    fn before(&self, chunk: usize) -> usize {
        let (mut end, mut total) = (chunk, 0);
        while end > 0 {
            total += self.sums[end - 1] as usize;
            end &= end - 1;
        }
        total
    }

    /// The chunk of the item at a position, and the position within.
    fn find(&self, mut position: usize) -> (usize, usize) {
        let mut chunk = 0;
        let mut step = self.sums.len().next_power_of_two();
        while step > 0 {
            if let Some(&sum) = self.sums.get(chunk + step - 1)
                && sum as usize <= position
            {
                position -= sum as usize;
                chunk += step;
            }
            step /= 2;
        }
        (chunk, position)
    }
}

impl<T> Default for Sequence<T> {
    fn default() -> Self {
        Sequence { chunks: VecDeque::new(), heads: Vec::new(), len: 0, lengths: RefCell::default() }
    }
}

impl<T: Keyed> Sequence<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that it takes in memory, without what items point to.
    pub(crate) fn size(&self) -> usize {
        // Chunks are let grow by doubling; what they have of room is about a third of what they hold.
        self.len * size_of::<T>() * 4 / 3
            + self.chunks.len() * (size_of::<VecDeque<T>>() + size_of::<u64>() + size_of::<u32>())
    }

    pub(crate) fn get(&self, at: At) -> Option<&T> {
        self.chunks.get(at.chunk)?.get(at.offset)
    }

    pub(crate) fn get_mut(&mut self, at: At) -> Option<&mut T> {
        self.chunks.get_mut(at.chunk)?.get_mut(at.offset)
    }

    /// Where the sequence begins.
    pub(crate) fn start(&self) -> At {
        At { chunk: 0, offset: 0 }
    }

    /// Behind the last item.
    pub(crate) fn end(&self) -> At {
        match self.chunks.back() {
            Some(last) => At { chunk: self.chunks.len() - 1, offset: last.len() },
            None => self.start(),
        }
    }

    /// Where the item at a position is; the end for one that is beyond it.
    pub(crate) fn at(&self, position: usize) -> At {
        if position >= self.len {
            return self.end();
        }
        if self.chunks.front().is_some_and(|first| position < first.len()) {
            return At { chunk: 0, offset: position };
        }
        let last = self.chunks.len() - 1;
        let before_last = self.len - self.chunks[last].len();
        if position >= before_last {
            return At { chunk: last, offset: position - before_last };
        }
        self.refresh();
        let (chunk, offset) = self.lengths.borrow().find(position);
        At { chunk, offset }
    }

    /// How many items stand before.
    pub(crate) fn position(&self, at: At) -> usize {
        if at.chunk == 0 {
            return at.offset;
        }
        self.refresh();
        self.lengths.borrow().before(at.chunk) + at.offset
    }

    pub(crate) fn insert(&mut self, at: At, item: T) {
        self.len += 1;
        let chunks = self.chunks.len();
        let key = item.key();
        let Some(chunk) = self.chunks.get_mut(at.chunk) else {
            self.chunks.push_back(VecDeque::from([item]));
            self.heads.push(key);
            self.lengths.get_mut().stale = true;
            return;
        };
        if at.offset == 0 && chunk.len() < CHUNK {
            self.heads[at.chunk] = key;
        }
        if chunk.len() < CHUNK {
            chunk.insert(at.offset, item);
            self.note(at.chunk, 1);
            return;
        }
        self.lengths.get_mut().stale = true;
        // At either end a chunk begins anew, so that what only grows there has full chunks.
        if at.chunk + 1 == chunks && at.offset == CHUNK {
            self.chunks.push_back(VecDeque::from([item]));
            self.heads.push(key);
        } else if at.chunk == 0 && at.offset == 0 {
            self.chunks.push_front(VecDeque::from([item]));
            self.heads.insert(0, key);
        } else {
            let mut second = chunk.split_off(CHUNK / 2);
            match at.offset.checked_sub(CHUNK / 2) {
                Some(offset) if offset > 0 => second.insert(offset, item),
                _ => chunk.insert(at.offset, item),
            }
            chunk.shrink_to(CHUNK * 3 / 4);
            self.chunks.insert(at.chunk + 1, second);
            self.heads.insert(at.chunk + 1, 0);
            self.note_head(at.chunk);
            self.note_head(at.chunk + 1);
        }
    }

    pub(crate) fn push_back(&mut self, item: T) {
        self.insert(self.end(), item);
    }

    pub(crate) fn remove(&mut self, at: At) -> Option<T> {
        let chunk = self.chunks.get_mut(at.chunk)?;
        let item = chunk.remove(at.offset)?;
        self.len -= 1;
        let left = chunk.len();
        if left == 0 {
            self.chunks.remove(at.chunk);
            self.heads.remove(at.chunk);
            self.lengths.get_mut().stale = true;
        } else if left < CHUNK / 8 && self.chunks.get(at.chunk + 1).is_some_and(|next| left + next.len() <= CHUNK / 2) {
            if let Some(mut next) = self.chunks.remove(at.chunk + 1) {
                self.chunks[at.chunk].append(&mut next);
                self.heads.remove(at.chunk + 1);
                self.note_head(at.chunk);
            }
            self.lengths.get_mut().stale = true;
        } else {
            if at.offset == 0 {
                self.note_head(at.chunk);
            }
            self.note(at.chunk, -1);
        }
        Some(item)
    }

    /// Frees the last chunks; whether there are more. Nothing else can be asked of it after that.
    pub(crate) fn dissolve(&mut self, chunks: usize) -> bool {
        let left = self.chunks.len().saturating_sub(chunks);
        self.chunks.truncate(left);
        left > 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    /// From a place on.
    pub(crate) fn iter_from(&self, at: At) -> impl Iterator<Item = &T> {
        let first = self.chunks.get(at.chunk).map(|chunk| chunk.range(at.offset.min(chunk.len())..));
        let rest = self.chunks.range((at.chunk + 1).min(self.chunks.len())..);
        first.into_iter().flatten().chain(rest.flatten())
    }

    /// Backwards from before a place.
    pub(crate) fn iter_back(&self, at: At) -> impl Iterator<Item = &T> {
        let first = self.chunks.get(at.chunk).map(|chunk| chunk.range(..at.offset.min(chunk.len())).rev());
        let rest = self.chunks.range(..at.chunk.min(self.chunks.len())).rev();
        first.into_iter().flatten().chain(rest.flat_map(|chunk| chunk.iter().rev()))
    }

    fn note_head(&mut self, chunk: usize) {
        if let Some(first) = self.chunks[chunk].front() {
            self.heads[chunk] = first.key();
        }
    }

    fn note(&mut self, chunk: usize, difference: i32) {
        let lengths = self.lengths.get_mut();
        if !lengths.stale {
            lengths.add(chunk, difference);
        }
    }

    fn refresh(&self) {
        let mut lengths = self.lengths.borrow_mut();
        if lengths.stale {
            lengths.rebuild(self.chunks.iter().map(VecDeque::len));
        }
    }
}

impl<T: Keyed> FromIterator<T> for Sequence<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut sequence = Sequence::default();
        items.into_iter().for_each(|item| sequence.push_back(item));
        sequence
    }
}
