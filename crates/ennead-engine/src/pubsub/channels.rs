//! Channels by name, in parts with a lock each, so that publishers of different channels seldom meet.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{Roster, Shared};
use crate::clients::Client;

const PARTS: usize = 64;

type Part = HashMap<Shared, Roster>;

#[derive(Debug)]
pub(super) struct Channels {
    parts: Box<[Mutex<Part>]>,
    hasher: RandomState,
    count: AtomicUsize,
}

impl Default for Channels {
    fn default() -> Self {
        Channels {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            count: AtomicUsize::new(0),
        }
    }
}

impl Channels {
    fn part(&self, name: &[u8]) -> &Mutex<Part> {
        &self.parts[self.hasher.hash_one(name) as usize % PARTS]
    }

    /// Does something while nobody else publishes to the channel or changes its subscribers, if it has any.
    pub(super) fn with<T>(&self, name: &[u8], act: impl FnOnce(Option<(&Shared, &Roster)>) -> T) -> T {
        act(self.part(name).lock().get_key_value(name))
    }

    pub(super) fn subscribe(&self, name: &[u8], client: &Arc<Client>) -> Shared {
        let mut part = self.part(name).lock();
        let known = part.get_key_value(name).map(|(known, _)| Arc::clone(known));
        let name = known.unwrap_or_else(|| {
            self.count.fetch_add(1, Ordering::Relaxed);
            name.into()
        });
        part.entry(Arc::clone(&name)).or_default().insert(client);
        name
    }

    pub(super) fn unsubscribe(&self, name: &[u8], client: u64) {
        let mut part = self.part(name).lock();
        let Some(roster) = part.get_mut(name) else { return };
        roster.remove(client);
        if roster.is_empty() {
            part.remove(name);
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn names(&self) -> Vec<Shared> {
        self.parts.iter().flat_map(|part| part.lock().keys().cloned().collect::<Vec<_>>()).collect()
    }
}
