//! Keys with the clients that have read them. Any of them can be picked, so that forgetting one when there are too many
//! costs the same however many there are.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::pubsub::Shared;

/// Clients by id.
pub(super) type Readers = SmallVec<[u64; 2]>;

#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Where each key stands in `entries`.
    places: HashMap<Shared, usize>,
    entries: Vec<(Shared, Readers)>,
    items: usize,
    random: u64,
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Pairs of a key and a reader.
    pub(super) fn items(&self) -> usize {
        self.items
    }

    pub(super) fn remember(&mut self, key: &[u8], reader: u64) {
        if let Some(place) = self.places.get(key) {
            let readers = &mut self.entries[*place].1;
            if let Err(at) = readers.binary_search(&reader) {
                readers.insert(at, reader);
                self.items += 1;
            }
            return;
        }
        let key = Shared::from(key);
        self.places.insert(Arc::clone(&key), self.entries.len());
        self.entries.push((key, SmallVec::from_slice(&[reader])));
        self.items += 1;
    }

    pub(super) fn forget(&mut self, key: &[u8]) -> Option<(Shared, Readers)> {
        let place = self.places.remove(key)?;
        Some(self.take(place))
    }

    /// Forgets a key, no matter which; a different one each time.
    pub(super) fn forget_any(&mut self) -> Option<(Shared, Readers)> {
        // Which one needs no more chance than that of Weyl's sequence.
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let place = ((u128::from(self.random) * self.entries.len() as u128) >> 64) as usize;
        let key = Arc::clone(&self.entries.get(place)?.0);
        self.places.remove(&key);
        Some(self.take(place))
    }

    fn take(&mut self, place: usize) -> (Shared, Readers) {
        let entry = self.entries.swap_remove(place);
        if let Some((moved, _)) = self.entries.get(place)
            && let Some(known) = self.places.get_mut(moved)
        {
            *known = place;
        }
        self.items -= entry.1.len();
        entry
    }
}
