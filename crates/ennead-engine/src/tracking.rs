//! Clients that cache what they read (CLIENT TRACKING), and which keys they have to be told about.
//!
//! A client either has the keys remembered that it reads, each until it is told once that the key has changed, or it is
//! told of all changes of keys with its prefixes. The table of keys has a limit: beyond it clients are told of a change
//! that there was not. While nobody tracks, the keyspace does not even tell of changes.

mod follower;
mod keys;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ennead_kv::{Keyspace, Notice, Notices};
use parking_lot::Mutex;

use crate::clients::{Client, Clients};
use crate::pubsub::{Message, Round, Shared};
use crate::session::Hold;
use crate::settings::{Settings, TRACKING_TABLE_MAX_KEYS};
use follower::Follower;
pub(crate) use follower::Mode;
use keys::Keys;

/// All that is tracked.
#[derive(Debug)]
pub struct Tracking {
    settings: Arc<Settings>,
    clients: Arc<Clients>,
    /// How many clients track; spares everybody else the lock.
    count: AtomicUsize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    followers: HashMap<u64, Follower>,
    keys: Keys,
    /// Who is told of all keys with a prefix.
    prefixes: BTreeMap<Shared, BTreeSet<u64>>,
}

/// Sizes for INFO.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrackingFigures {
    pub clients: usize,
    pub keys: usize,
    /// Pairs of a key and a client that is told of it.
    pub items: usize,
    pub prefixes: usize,
}

/// What CLIENT TRACKINGINFO shows.
#[derive(Debug)]
pub(crate) struct Details {
    pub(crate) redirect: Option<u64>,
    pub(crate) broken: bool,
    pub(crate) prefixes: Vec<Shared>,
}

impl Tracking {
    pub(crate) fn new(settings: &Arc<Settings>, clients: &Arc<Clients>) -> Tracking {
        Tracking {
            settings: Arc::clone(settings),
            clients: Arc::clone(clients),
            count: AtomicUsize::new(0),
            inside: Mutex::default(),
        }
    }

    /// Begins to track for a client, or changes how. Prefixes, which must not overlap, come to those it has.
    ///
    /// # Errors
    /// The two prefixes that overlap: the new one, and the other, with whether that one was there before.
    pub(crate) fn follow<'p>(
        &self,
        keyspace: &Keyspace,
        client: &Arc<Client>,
        mode: Mode,
        redirect: Option<u64>,
        prefixes: &[&'p [u8]],
    ) -> Result<(), Overlap<'p>> {
        let mut inside = self.inside.lock();
        let inside = &mut *inside;
        if let Some(follower) = inside.followers.get(&client.id) {
            follower.check(prefixes)?;
        } else {
            Follower::check_each_other(prefixes)?;
        }
        let follower = inside.followers.entry(client.id).or_insert_with(|| Follower::new(client));
        follower.become_mode(mode, redirect);
        if mode.broadcast {
            let all: &[&[u8]] = &[b""];
            for prefix in if prefixes.is_empty() { all } else { prefixes } {
                let prefix = Shared::from(*prefix);
                inside.prefixes.entry(Arc::clone(&prefix)).or_default().insert(client.id);
                follower.prefixes.insert(prefix);
            }
        }
        self.count.store(inside.followers.len(), Ordering::Relaxed);
        keyspace.settings().set_tells_changes(true);
        Ok(())
    }

    /// Tracks no more for a client.
    pub(crate) fn leave(&self, keyspace: &Keyspace, client: &Client) {
        let mut inside = self.inside.lock();
        let Some(mut follower) = inside.followers.remove(&client.id) else { return };
        follower.end();
        for prefix in &follower.prefixes {
            if let Some(clients) = inside.prefixes.get_mut(prefix) {
                clients.remove(&client.id);
                if clients.is_empty() {
                    inside.prefixes.remove(prefix);
                }
            }
        }
        self.count.store(inside.followers.len(), Ordering::Relaxed);
        if inside.followers.is_empty() {
            keyspace.settings().set_tells_changes(false);
            inside.keys = Keys::default();
        }
    }

    /// How many clients track.
    #[inline]
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub fn figures(&self) -> TrackingFigures {
        let inside = self.inside.lock();
        TrackingFigures {
            clients: inside.followers.len(),
            keys: inside.keys.len(),
            items: inside.keys.items(),
            prefixes: inside.prefixes.len(),
        }
    }

    /// How a client is tracked for, if it is.
    pub(crate) fn details(&self, client: u64) -> Option<Details> {
        let inside = self.inside.lock();
        let follower = inside.followers.get(&client)?;
        Some(Details {
            redirect: follower.redirect,
            broken: follower.broken,
            prefixes: follower.prefixes.iter().cloned().collect(),
        })
    }

    /// Tells clients what happened to keys, and remembers which they read.
    pub(crate) fn tell(&self, notices: &Notices, hold: Hold) {
        if self.count() == 0 {
            return;
        }
        let mut post = Post { clients: &self.clients, round: Round::new(&self.settings), hold };
        let mut inside = self.inside.lock();
        // By key, with the client whose command was the last to change it.
        let mut changed: BTreeMap<&[u8], u64> = BTreeMap::new();
        for notice in notices.iter() {
            match notice {
                Notice::Event { .. } => {}
                Notice::Changed { key, client, meant } => {
                    inside.invalidate(key, client, &mut post);
                    if !inside.prefixes.is_empty() {
                        changed.insert(key, if meant { client } else { 0 });
                    }
                }
                Notice::Read { key, client } => inside.keys.remember(key, client),
                Notice::Flushed => inside.flush(&mut post),
            }
        }
        inside.broadcast(&changed, &mut post);
        inside.limit(self.settings.read(TRACKING_TABLE_MAX_KEYS), &mut post);
        drop(inside);
        post.round.end();
    }

    /// Forgets keys until there are no more than the settings allow.
    pub(crate) fn limit(&self) {
        let mut post = Post { clients: &self.clients, round: Round::new(&self.settings), hold: Hold::None };
        self.inside.lock().limit(self.settings.read(TRACKING_TABLE_MAX_KEYS), &mut post);
        post.round.end();
    }
}

impl Inside {
    /// Tells those who read a key that it has changed, each once.
    fn invalidate(&mut self, key: &[u8], by: u64, post: &mut Post<'_>) {
        let Some((key, readers)) = self.keys.forget(key) else { return };
        self.tell_readers(key, &readers, by, post);
    }

    fn tell_readers(&mut self, key: Shared, readers: &[u64], by: u64, post: &mut Post<'_>) {
        let message = Arc::new(Message::of_invalidation(Some([key].into()), post.hold));
        for reader in readers {
            if let Some(follower) = self.followers.get_mut(reader)
                && !follower.mode.broadcast
                && !(follower.mode.no_loop && *reader == by)
            {
                post.send(follower, &message);
            }
        }
    }

    /// Tells everybody that all keys have changed.
    fn flush(&mut self, post: &mut Post<'_>) {
        let message = Arc::new(Message::of_invalidation(None, post.hold));
        for follower in self.followers.values_mut() {
            post.send(follower, &message);
        }
        self.keys = Keys::default();
    }

    /// Tells of keys by their prefixes; one message holds all keys of a prefix.
    fn broadcast(&mut self, changed: &BTreeMap<&[u8], u64>, post: &mut Post<'_>) {
        if changed.is_empty() {
            return;
        }
        let message = |keys: Vec<&[u8]>, hold| {
            Arc::new(Message::of_invalidation(Some(keys.into_iter().map(Shared::from).collect()), hold))
        };
        for (prefix, clients) in &self.prefixes {
            let with_prefix = || {
                let from = changed.range(&**prefix..);
                from.take_while(|(key, _)| key.starts_with(prefix))
            };
            if with_prefix().next().is_none() {
                continue;
            }
            let all = message(with_prefix().map(|(key, _)| *key).collect(), post.hold);
            for client in clients {
                let Some(follower) = self.followers.get_mut(client) else { continue };
                if !follower.mode.no_loop {
                    post.send(follower, &all);
                    continue;
                }
                let of_others: Vec<&[u8]> =
                    with_prefix().filter(|(_, by)| *by != client).map(|(key, _)| *key).collect();
                if !of_others.is_empty() {
                    post.send(follower, &message(of_others, post.hold));
                }
            }
        }
    }

    fn limit(&mut self, keys_max: u64, post: &mut Post<'_>) {
        while keys_max > 0 && self.keys.len() as u64 > keys_max {
            let Some((key, readers)) = self.keys.forget_any() else { return };
            self.tell_readers(key, &readers, 0, post);
        }
    }
}

/// Where messages go.
struct Post<'a> {
    clients: &'a Clients,
    round: Round,
    hold: Hold,
}

impl Post<'_> {
    /// Sends a message to a client, or to the one that gets its messages. A connection in RESP2 understands it only if it
    /// gets messages of another.
    fn send(&mut self, follower: &mut Follower, message: &Arc<Message>) {
        let Some(redirect) = follower.redirect else {
            if follower.client.protocol() >= 3 {
                self.round.post(&follower.client, message);
            }
            return;
        };
        match self.clients.get(redirect) {
            Some(receiver) if receiver.protocol() >= 3 || receiver.is_subscriber() => {
                self.round.post(&receiver, message);
            }
            Some(_) => {}
            None => {
                follower.note_broken();
                if follower.client.protocol() >= 3 {
                    self.round.post(&follower.client, &Arc::new(Message::of_broken_redirection(redirect)));
                }
            }
        }
    }
}

/// Two prefixes that overlap.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overlap<'p> {
    pub(crate) prefix: &'p [u8],
    pub(crate) other: Shared,
    /// Whether the other one was there before.
    pub(crate) existing: bool,
}
