//! A part of a table's rows under one lock: an arena and an index to the newest row of each key.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;

use smallvec::SmallVec;

use super::arena::{Arena, ArenaRow, NONE, NewRow};
use super::index::HashIndex;
use super::order;
use crate::store::Sequence;

/// Index bytes of a row, besides its key.
const ORDERED_INDEX_BYTES: usize = 56;

type Key = SmallVec<[u8; 24]>;

#[derive(Debug)]
enum Index {
    Ordered(BTreeMap<Key, u32>),
    Hashed(HashIndex),
}

#[derive(Debug)]
pub(crate) struct Shard {
    arena: Arena,
    index: Index,
}

impl Shard {
    pub(crate) fn ordered() -> Shard {
        Shard { arena: Arena::default(), index: Index::Ordered(BTreeMap::new()) }
    }

    pub(crate) fn hashed() -> Shard {
        Shard { arena: Arena::default(), index: Index::Hashed(HashIndex::default()) }
    }

    /// Adds a row and answers the bytes it takes. Rows of its key that are above `kept` need not stay.
    #[inline]
    pub(crate) fn insert(&mut self, hash: u64, kept: Sequence, row: NewRow<'_>) -> usize {
        let Shard { arena, index } = self;
        let key = row.key;
        match index {
            Index::Ordered(map) => match map.entry(Key::from_slice(key)) {
                Entry::Occupied(mut newest) => replace(arena, newest.get_mut(), kept, row),
                Entry::Vacant(place) => {
                    let (location, bytes) = arena.push(NONE, row);
                    let key_bytes = if key.len() > 24 { key.len() } else { 0 };
                    place.insert(location);
                    bytes + ORDERED_INDEX_BYTES + key_bytes
                }
            },
            Index::Hashed(table) => {
                let hash = hash as u32;
                if let Some(newest) = table.find_mut(hash, |location| arena.row(location).key == key) {
                    return replace(arena, newest, kept, row);
                }
                let (location, bytes) = arena.push(NONE, row);
                table.insert(hash, location, lead(key));
                bytes + HashIndex::ROW_BYTES
            }
        }
    }

    /// The row of a key as of `bound`.
    #[inline]
    pub(crate) fn get(&self, hash: u64, key: &[u8], bound: Sequence) -> Option<ArenaRow<'_>> {
        let newest = match &self.index {
            Index::Ordered(map) => *map.get(key)?,
            Index::Hashed(table) => table.find(hash as u32, |location| self.arena.row(location).key == key)?,
        };
        self.arena.as_of(newest, bound)
    }

    /// Calls `visit` with the rows of an ordered shard as of `bound`, forward or backward, until it answers false.
    pub(crate) fn walk(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
        forward: bool,
        bound: Sequence,
        mut visit: impl FnMut(ArenaRow<'_>) -> bool,
    ) {
        let Index::Ordered(map) = &self.index else { return };
        let mut rows = map.range::<[u8], _>(range);
        loop {
            let next = if forward { rows.next() } else { rows.next_back() };
            let Some((_, newest)) = next else { return };
            if let Some(row) = self.arena.as_of(*newest, bound)
                && !visit(row)
            {
                return;
            }
        }
    }

    /// Locations of the keys of a hashed shard within `start..end`, sorted by key.
    pub(crate) fn sorted(&self, start: &[u8], end: Option<&[u8]>) -> Vec<u32> {
        let Index::Hashed(table) = &self.index else { return Vec::new() };
        let (first, last) = (lead(start), end.map_or(u16::MAX, lead));
        let key = |location| self.arena.row(location).key;
        let within = |key: &[u8]| key >= start && end.is_none_or(|end| key < end);
        order::by_key(table.led_by(first, last), key, within)
    }

    #[inline]
    pub(crate) fn row_as_of(&self, newest: u32, bound: Sequence) -> Option<ArenaRow<'_>> {
        self.arena.as_of(newest, bound)
    }

    pub(crate) fn key(&self, location: u32) -> &[u8] {
        self.arena.row(location).key
    }

    /// Asks the processor for a row.
    #[inline]
    pub(crate) fn prefetch(&self, location: u32) {
        self.arena.prefetch(location);
    }

    /// Asks the processor for what a lookup of this hash reads first.
    #[inline]
    pub(crate) fn prefetch_index(&self, hash: u64) {
        if let Index::Hashed(table) = &self.index {
            table.prefetch(hash as u32);
        }
    }

    /// Asks the processor for the row that a lookup of this hash most likely finds.
    #[inline]
    pub(crate) fn prefetch_row(&self, hash: u64) {
        if let Index::Hashed(table) = &self.index
            && let Some(location) = table.likely(hash as u32)
        {
            self.arena.prefetch(location);
        }
    }

    /// Forgets the rows above `sequence`; their bytes stay until the memtable goes.
    pub(crate) fn truncate_after(&mut self, sequence: Sequence) {
        let Shard { arena, index } = self;
        let keep = |newest: &mut u32| {
            *newest = arena.location_as_of(*newest, sequence);
            *newest != NONE
        };
        match index {
            Index::Ordered(map) => map.retain(|_, newest| keep(newest)),
            Index::Hashed(table) => table.retain(keep),
        }
    }
}

/// Replaces the newest row of a key, in its place when it can be, and answers the bytes that are taken anew.
#[inline]
fn replace(arena: &mut Arena, newest: &mut u32, kept: Sequence, row: NewRow<'_>) -> usize {
    if arena.overwrite(*newest, kept, row) {
        return 0;
    }
    let (location, bytes) = arena.push(arena.link(*newest, kept), row);
    *newest = location;
    bytes
}

// The first two bytes as a number that sorts like them; what is missing counts as zero.
fn lead(key: &[u8]) -> u16 {
    u16::from_be_bytes([key.first().copied().unwrap_or(0), key.get(1).copied().unwrap_or(0)])
}
