//! Fetching ahead what searches are going to read.

use ennead_store::prefetch;

use super::search::{REACH, search_near};
use super::{Keyed, Sequence};

/// Fetches the items of several keys, step by step, each for all keys before the next: each reads what the one before
/// asked for. Items are searched in order of their keys.
pub(crate) trait Approach {
    /// Asks for the chunk that has the item of a key, and tells which.
    fn approach_chunk(&self, key: u64) -> usize;
    /// Asks for the items of the chunk near the one with the key.
    fn approach_items(&self, chunk: usize, key: u64);
    /// Asks for what the item with the key points to.
    fn approach_item(&self, chunk: usize, key: u64);
}

impl<T: Keyed> Approach for Sequence<T> {
    fn approach_chunk(&self, key: u64) -> usize {
        let chunk = self.heads.partition_point(|head| *head <= key).saturating_sub(1);
        if let Some(items) = self.chunks.get(chunk) {
            prefetch(items);
        }
        chunk
    }

    fn approach_items(&self, chunk: usize, key: u64) {
        let Some(items) = self.chunks.get(chunk) else { return };
        let place = self.guess(chunk, items, key);
        for place in [place.saturating_sub(REACH), place, place + REACH] {
            if let Some(item) = items.get(place) {
                prefetch(item);
            }
        }
    }

    fn approach_item(&self, chunk: usize, key: u64) {
        let Some(items) = self.chunks.get(chunk) else { return };
        if let Ok(place) = search_near(items, self.guess(chunk, items, key), |item| item.key().cmp(&key)) {
            items[place].prefetch();
        }
    }
}
