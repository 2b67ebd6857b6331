//! How often clients were answered which error, by its first word: INFO's errorstats.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Words kept apart; more would let a client fill memory.
const WORDS_MAX: usize = 128;

#[derive(Debug, Default)]
pub struct ErrorCounts(Mutex<BTreeMap<String, u64>>);

impl ErrorCounts {
    pub(crate) fn count(&self, text: &str) {
        let word = text.split(' ').next().unwrap_or_default();
        let mut counts = self.0.lock();
        if let Some(count) = counts.get_mut(word) {
            *count += 1;
        } else if counts.len() < WORDS_MAX {
            counts.insert(word.to_owned(), 1);
        }
    }

    /// By word.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().clone()
    }

    pub(crate) fn reset(&self) {
        self.0.lock().clear();
    }
}
