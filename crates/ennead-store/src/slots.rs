//! A map from small numbers to values that is only ever added to, and is read without a lock.
//!
//! Tables are numbered from 1 and their numbers are never used again, so a table's state can live at its number. It is
//! not a general map: nothing is removed, and numbers end at [`SLOTS_MAX`].

use std::sync::OnceLock;

const BLOCK: usize = 256;
const BLOCKS: usize = 1024;

/// The largest number plus one.
pub(crate) const SLOTS_MAX: u32 = (BLOCK * BLOCKS) as u32;

type Block<T> = Box<[OnceLock<T>]>;

pub(crate) struct Slots<T>(Box<[OnceLock<Block<T>>]>);

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots((0..BLOCKS).map(|_| OnceLock::new()).collect())
    }
}

impl<T> Slots<T> {
    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.0.get(number / BLOCK)?.get()?.get(number % BLOCK)?.get()
    }

    /// The value at a number, made when it is not there. `None` past the end.
    pub(crate) fn get_or_make(&self, number: u32, make: impl FnOnce() -> T) -> Option<&T> {
        let number = number as usize;
        let block = self.0.get(number / BLOCK)?.get_or_init(|| (0..BLOCK).map(|_| OnceLock::new()).collect());
        block.get(number % BLOCK).map(|slot| slot.get_or_init(make))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.0.iter().enumerate().filter_map(|(index, block)| Some((index, block.get()?))).flat_map(|(index, block)| {
            block
                .iter()
                .enumerate()
                .filter_map(move |(at, slot)| slot.get().map(|value| ((index * BLOCK + at) as u32, value)))
        })
    }
}
