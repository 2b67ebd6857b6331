//! The index of a hashed shard: open addressing with linear probing over half of each key's hash and its newest row's
//! location.
//!
//! It is written out here for two reasons: where a lookup is going to look is known without looking, so that it can be
//! asked for ahead; and it is one read of memory where a general table takes two. It is not a map: the caller compares
//! keys, and makes sure that a key is added once.

#[cfg(test)]
mod tests;

use super::arena::NONE;
use crate::prefetch::prefetch;

/// Positions of a table that has its first row.
const POSITIONS_MIN: usize = 8;

#[derive(Debug, Clone, Copy)]
struct Position {
    hash: u32,
    /// [`NONE`] where there is nothing.
    location: u32,
}

const FREE: Position = Position { hash: 0, location: NONE };

/// Locations by the upper halves of hashes.
#[derive(Debug, Default)]
pub(super) struct HashIndex {
    positions: Box<[Position]>,
    /// Of each position, the first two bytes of its key, so that a narrow range looks at its own rows only.
    leads: Box<[u16]>,
    len: usize,
}

impl HashIndex {
    /// Bytes that a row takes, on average.
    pub(super) const ROW_BYTES: usize = 17;

    /// The upper bits of the hash: their order is the order of the positions, so that growth moves in one direction.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.positions.len() as u64) >> 32) as usize
    }

    /// The location of the row with this hash that `same` recognizes, to be read or replaced.
    #[inline]
    pub(super) fn find_mut(&mut self, hash: u32, same: impl Fn(u32) -> bool) -> Option<&mut u32> {
        let at = self.position(hash, same)?;
        Some(&mut self.positions[at].location)
    }

    #[inline]
    pub(super) fn find(&self, hash: u32, same: impl Fn(u32) -> bool) -> Option<u32> {
        self.position(hash, same).map(|at| self.positions[at].location)
    }

    #[inline]
    fn position(&self, hash: u32, same: impl Fn(u32) -> bool) -> Option<usize> {
        let mut at = self.home(hash);
        loop {
            // A table is never full, so the walk ends; an empty one has no position at all.
            let position = self.positions.get(at)?;
            if position.location == NONE {
                return None;
            }
            if position.hash == hash && same(position.location) {
                return Some(at);
            }
            at = if at + 1 == self.positions.len() { 0 } else { at + 1 };
        }
    }

    /// Adds the location of a key that is not in the table; `lead` are the key's first two bytes.
    pub(super) fn insert(&mut self, hash: u32, location: u32, lead: u16) {
        if (self.len + 1) * 4 > self.positions.len() * 3 {
            self.resize((self.positions.len() * 2).max(POSITIONS_MIN));
        }
        self.place(Position { hash, location }, lead);
        self.len += 1;
    }

    fn place(&mut self, position: Position, lead: u16) {
        let mut at = self.home(position.hash);
        while self.positions[at].location != NONE {
            at = if at + 1 == self.positions.len() { 0 } else { at + 1 };
        }
        self.positions[at] = position;
        self.leads[at] = lead;
    }

    fn resize(&mut self, positions: usize) {
        let old = std::mem::replace(&mut self.positions, vec![FREE; positions].into_boxed_slice());
        let leads = std::mem::replace(&mut self.leads, vec![0; positions].into_boxed_slice());
        for (position, lead) in old.into_iter().zip(leads).filter(|(position, _)| position.location != NONE) {
            self.place(position, lead);
        }
    }

    /// Locations whose keys' first two bytes are within these.
    pub(super) fn led_by(&self, first: u16, last: u16) -> impl Iterator<Item = u32> {
        let used = self.positions.iter().zip(&self.leads).filter(|(position, _)| position.location != NONE);
        used.filter(move |(_, lead)| (first..=last).contains(*lead)).map(|(position, _)| position.location)
    }

    /// Changes each location, and forgets those of which `keep` says no.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&mut u32) -> bool) {
        for position in &mut self.positions {
            if position.location != NONE && !keep(&mut position.location) {
                *position = FREE;
                self.len -= 1;
            }
        }
        // What stood behind a position that is free now would not be found there any more.
        self.resize(self.positions.len());
    }

    /// Asks the processor for where a hash is going to be looked up.
    #[inline]
    pub(super) fn prefetch(&self, hash: u32) {
        if let Some(position) = self.positions.get(self.home(hash)) {
            prefetch(position);
        }
    }

    /// The location at the home of a hash, which most likely is that of its key; for asking ahead only.
    #[inline]
    pub(super) fn likely(&self, hash: u32) -> Option<u32> {
        let position = self.positions.get(self.home(hash))?;
        (position.location != NONE).then_some(position.location)
    }
}
