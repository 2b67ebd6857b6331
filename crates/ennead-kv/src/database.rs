//! One database: its tables in the store, its slots in memory, and the figures about both.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::Relaxed};

use ennead_store::{Sequence, Store, Table, TableKind, prefetch};
use parking_lot::{Mutex, MutexGuard};

use crate::error::Result;
use crate::place::SLOTS;
use crate::slot::{Slot, UNARMED};

#[derive(Debug)]
pub(crate) struct Database {
    /// Its number in the names of its tables; SWAPDB does not change it.
    pub(crate) number: usize,
    /// One row a key. Its tally is the number of keys.
    pub(crate) rows: Table,
    /// Chunks of long strings. Its tally is the number of keys with an expiry.
    pub(crate) chunks: Table,
    slots: Box<[Mutex<Slot>]>,
    /// A bit for each slot that may have keys, so that walks over the database skip the others.
    inhabited: Box<[AtomicU64]>,
    pub(crate) keys: AtomicI64,
    pub(crate) volatile: AtomicI64,
    /// Slots by the time they have something to expire.
    due: Mutex<BTreeSet<(u64, u16)>>,
    /// The first slot that warming has not filled yet.
    pub(crate) warmed: AtomicU32,
    /// What the database as a whole came from: nothing older can be seen in it.
    pub(crate) born: AtomicU64,
}

impl Database {
    /// The names of the tables of database `number`.
    pub(crate) fn table_names(number: usize) -> [String; 2] {
        [format!("kv.{number}"), format!("kv.{number}.chunks")]
    }

    /// Opens database `number`, creating its tables when they are missing.
    pub(crate) fn open(store: &Store, number: usize) -> Result<Database> {
        let [rows, chunks] = Database::table_names(number);
        let rows = store.create_table(&rows, TableKind::Hashed)?;
        let chunks = store.create_table(&chunks, TableKind::Hashed)?;
        Ok(Database::new(number, [rows, chunks], store.tally(rows), store.tally(chunks), 0))
    }

    /// The same database with nothing in it, after its rows were deleted by batch `born`.
    pub(crate) fn emptied(&self, born: Sequence) -> Database {
        Database::new(self.number, [self.rows, self.chunks], 0, 0, born)
    }

    fn new(number: usize, [rows, chunks]: [Table; 2], keys: i64, volatile: i64, born: Sequence) -> Database {
        let empty = keys == 0;
        let bits = if empty { 0 } else { u64::MAX };
        Database {
            number,
            rows,
            chunks,
            slots: (0..SLOTS).map(|_| Mutex::new(Slot::new(empty))).collect(),
            inhabited: (0..SLOTS / 64).map(|_| AtomicU64::new(bits)).collect(),
            keys: AtomicI64::new(keys),
            volatile: AtomicI64::new(volatile),
            due: Mutex::default(),
            warmed: AtomicU32::new(if empty { SLOTS as u32 } else { 0 }),
            born: AtomicU64::new(born),
        }
    }

    #[inline]
    pub(crate) fn lock(&self, slot: u16) -> MutexGuard<'_, Slot> {
        self.slots[usize::from(slot)].lock()
    }

    /// The slot, unless it is locked.
    #[inline]
    pub(crate) fn try_lock(&self, slot: u16) -> Option<MutexGuard<'_, Slot>> {
        self.slots[usize::from(slot)].try_lock()
    }

    /// Asks the processor for a slot ahead.
    #[inline]
    pub(crate) fn prefetch(&self, slot: u16) {
        prefetch(&self.slots[usize::from(slot)]);
    }

    /// The slots that have something to expire, in the order of their numbers.
    pub(crate) fn armed(&self) -> Vec<u16> {
        let mut slots: Vec<u16> = self.due.lock().iter().map(|(_, slot)| *slot).collect();
        slots.sort_unstable();
        slots
    }

    /// The number of keys, those that are due and not deleted yet among them.
    pub(crate) fn len(&self) -> u64 {
        self.keys.load(Relaxed).max(0) as u64
    }

    /// Notes whether the slot has keys; under its lock.
    #[inline]
    pub(crate) fn note_inhabited(&self, number: u16, slot: &Slot) {
        let word = &self.inhabited[usize::from(number) / 64];
        let bit = 1 << (number % 64);
        let inhabited = !slot.complete || slot.table.len() > 0;
        if inhabited != (word.load(Relaxed) & bit != 0) {
            if inhabited {
                word.fetch_or(bit, Relaxed)
            } else {
                word.fetch_and(!bit, Relaxed)
            };
        }
    }

    /// The first slot from `slot` on that may have keys.
    pub(crate) fn next_inhabited(&self, slot: u16) -> Option<u16> {
        let first = usize::from(slot) / 64;
        let mut mask = u64::MAX << (slot % 64);
        for (index, word) in self.inhabited.iter().enumerate().skip(first) {
            let bits = word.load(Relaxed) & mask;
            if bits != 0 {
                return Some((index * 64) as u16 + bits.trailing_zeros() as u16);
            }
            mask = u64::MAX;
        }
        None
    }

    /// One of the slots that may have keys, drawn by a random number.
    pub(crate) fn nth_inhabited(&self, random: u64) -> Option<u16> {
        let words = || self.inhabited.iter().map(|word| word.load(Relaxed));
        let count = u64::from(words().map(u64::count_ones).sum::<u32>());
        let mut left = random.checked_rem(count)? as u32;
        for (index, mut word) in words().enumerate() {
            if left < word.count_ones() {
                for _ in 0..left {
                    word &= word - 1;
                }
                return Some((index * 64) as u16 + word.trailing_zeros() as u16);
            }
            left -= word.count_ones();
        }
        None
    }

    /// Puts the slot where its first expiry belongs in the order of due slots; under its lock. With `late` only if it
    /// must come earlier: standing too early is harmless, and spares the order a change for each key.
    #[inline]
    pub(crate) fn arm(&self, number: u16, slot: &mut Slot, late: bool) {
        let first = slot.first_deadline();
        if first < slot.armed || (late && first != slot.armed) {
            let mut due = self.due.lock();
            if slot.armed != UNARMED {
                due.remove(&(slot.armed, number));
            }
            if first != UNARMED {
                due.insert((first, number));
            }
            slot.armed = first;
        }
    }

    /// The slot with the earliest expiry, if it is due.
    pub(crate) fn first_due(&self, now_ms: u64) -> Option<u16> {
        self.due.lock().first().filter(|(ms, _)| *ms <= now_ms).map(|(_, slot)| *slot)
    }
}
