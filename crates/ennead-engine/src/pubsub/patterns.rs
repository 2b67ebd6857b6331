//! Patterns with their subscribers. Each message of a channel is held against all of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;

use super::{Roster, Shared, matches};
use crate::clients::Client;

#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// Spares publishers the lock while there are none.
    count: AtomicUsize,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    list: Vec<(Shared, Roster)>,
    places: HashMap<Shared, usize>,
}

impl Patterns {
    /// Those that match a channel, with their subscribers.
    pub(super) fn of(&self, channel: &[u8], mut act: impl FnMut(&Shared, &Roster)) {
        if self.count() == 0 {
            return;
        }
        for (pattern, roster) in &self.known.read().list {
            if matches(pattern, channel) {
                act(pattern, roster);
            }
        }
    }

    pub(super) fn subscribe(&self, pattern: &[u8], client: &Arc<Client>) -> Shared {
        let mut known = self.known.write();
        let at = match known.places.get(pattern) {
            Some(at) => *at,
            None => {
                let (at, name) = (known.list.len(), Shared::from(pattern));
                known.places.insert(Arc::clone(&name), at);
                known.list.push((name, Roster::default()));
                self.count.fetch_add(1, Ordering::SeqCst);
                at
            }
        };
        known.list[at].1.insert(client);
        Arc::clone(&known.list[at].0)
    }

    pub(super) fn unsubscribe(&self, pattern: &[u8], client: u64) {
        let mut known = self.known.write();
        let Some(at) = known.places.get(pattern).copied() else { return };
        known.list[at].1.remove(client);
        if !known.list[at].1.is_empty() {
            return;
        }
        known.places.remove(pattern);
        known.list.swap_remove(at);
        if let Some((moved, _)) = known.list.get(at) {
            let moved = Arc::clone(moved);
            known.places.insert(moved, at);
        }
        self.count.fetch_sub(1, Ordering::SeqCst);
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}
