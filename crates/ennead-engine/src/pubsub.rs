//! Channels, patterns and who listens to them: a message goes to the mailboxes of its subscribers, in memory only.
//!
//! One publisher at a time puts a message of a channel into mailboxes, so all subscribers of a channel see its messages
//! in one order. Locks are held for that alone: a socket is the business of the worker that a [`Doorbell`] wakes, once
//! for all that waits for it. A subscriber that does not read is cut off at its limit; it never holds a publisher up.
//! Locks are taken in the order channel, patterns, mailbox.

mod channels;
mod mailbox;
mod message;
mod patterns;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use ennead_kv::glob;
use smallvec::SmallVec;

use crate::clients::Client;
use crate::session::Hold;
use crate::settings::{OUTPUT_NORMAL_HARD, OUTPUT_PUBSUB_HARD, Settings};
use channels::Channels;
pub use mailbox::{Doorbell, Mailbox};
pub use message::Message;
use patterns::Patterns;

/// Bytes that many hold on to: a name, a pattern, a text.
pub(crate) type Shared = Arc<[u8]>;

/// What a client can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Channel,
    Pattern,
    /// A channel of the cluster's shard that its name belongs to.
    Shard,
}

/// All subscriptions of a server.
#[derive(Debug)]
pub struct PubSub {
    settings: Arc<Settings>,
    channels: Channels,
    shard_channels: Channels,
    patterns: Patterns,
}

impl PubSub {
    pub(crate) fn new(settings: Arc<Settings>) -> PubSub {
        PubSub {
            settings,
            channels: Channels::default(),
            shard_channels: Channels::default(),
            patterns: Patterns::default(),
        }
    }

    /// Puts a message into the mailboxes of a channel's subscribers, and of those of the patterns that match it. Gives
    /// how many it went to: a client counts once for the channel and once for each pattern.
    ///
    /// # Durability
    /// The message is delivered once what `hold` asks for has happened. It is kept nowhere: who is not there misses it.
    pub fn publish(&self, channel: &[u8], text: &[u8], hold: Hold) -> u64 {
        let mut round = Round::new(&self.settings);
        self.channels.with(channel, |subscribers| {
            if let Some((name, roster)) = subscribers {
                round.deliver(roster, Message::new(Arc::clone(name), text.into(), hold));
            }
            self.patterns.of(channel, |pattern, roster| {
                let body = round.body.get_or_insert_with(|| (channel.into(), text.into()));
                let message = Message::of_pattern(Arc::clone(pattern), body.0.clone(), body.1.clone(), hold);
                round.deliver(roster, message);
            });
        });
        round.end()
    }

    /// The same for the subscribers of a shard channel.
    pub fn publish_to_shard(&self, channel: &[u8], text: &[u8], hold: Hold) -> u64 {
        let mut round = Round::new(&self.settings);
        self.shard_channels.with(channel, |subscribers| {
            if let Some((name, roster)) = subscribers {
                round.deliver(roster, Message::of_shard(Arc::clone(name), text.into(), hold));
            }
        });
        round.end()
    }

    /// Enters a client that is not entered yet. Gives the name as it is kept here.
    pub(crate) fn subscribe(&self, topic: Topic, name: &[u8], client: &Arc<Client>) -> Shared {
        match topic {
            Topic::Channel => self.channels.subscribe(name, client),
            Topic::Pattern => self.patterns.subscribe(name, client),
            Topic::Shard => self.shard_channels.subscribe(name, client),
        }
    }

    /// When it returns, nothing of this topic comes into the client's mailbox any more.
    pub(crate) fn unsubscribe(&self, topic: Topic, name: &[u8], client: u64) {
        match topic {
            Topic::Channel => self.channels.unsubscribe(name, client),
            Topic::Pattern => self.patterns.unsubscribe(name, client),
            Topic::Shard => self.shard_channels.unsubscribe(name, client),
        }
    }

    /// How many channels, patterns or shard channels have subscribers.
    pub(crate) fn count(&self, topic: Topic) -> usize {
        match topic {
            Topic::Channel => self.channels.count(),
            Topic::Pattern => self.patterns.count(),
            Topic::Shard => self.shard_channels.count(),
        }
    }

    /// The channels with subscribers, shard channels or the others.
    pub(crate) fn names(&self, shard: bool) -> Vec<Shared> {
        if shard { self.shard_channels.names() } else { self.channels.names() }
    }

    /// The subscribers of a channel, those of patterns left out.
    pub(crate) fn subscribers(&self, shard: bool, channel: &[u8]) -> usize {
        let channels = if shard { &self.shard_channels } else { &self.channels };
        channels.with(channel, |subscribers| subscribers.map_or(0, |(_, roster)| roster.len()))
    }
}

/// Whether a pattern is for a channel. In Redis no star matches an empty name.
pub(crate) fn matches(pattern: &[u8], channel: &[u8]) -> bool {
    if channel.is_empty() { pattern.is_empty() } else { glob::matches(pattern, channel) }
}

/// Clients by id, each once.
#[derive(Debug, Default)]
struct Roster(Vec<Arc<Client>>);

impl Roster {
    fn insert(&mut self, client: &Arc<Client>) {
        if let Err(at) = self.0.binary_search_by_key(&client.id, |known| known.id) {
            self.0.insert(at, Arc::clone(client));
        }
    }

    fn remove(&mut self, client: u64) {
        if let Ok(at) = self.0.binary_search_by_key(&client, |known| known.id) {
            self.0.remove(at);
        }
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A worker to be woken, and the clients that have mail there.
type Ring = (Arc<Doorbell>, SmallVec<[u64; 16]>);

/// Messages that are sent together: whom they reached, and who has to be told.
pub(crate) struct Round {
    /// Bytes that may wait for a subscriber, and for another client; 0 for no limit.
    limit_bytes: u64,
    ordinary_limit_bytes: u64,
    receivers: u64,
    /// Channel and text, shared by the messages of several patterns.
    body: Option<(Shared, Shared)>,
    rings: SmallVec<[Ring; 2]>,
}

impl Round {
    pub(crate) fn new(settings: &Settings) -> Round {
        Round {
            limit_bytes: settings.read(OUTPUT_PUBSUB_HARD),
            ordinary_limit_bytes: settings.read(OUTPUT_NORMAL_HARD),
            receivers: 0,
            body: None,
            rings: SmallVec::new(),
        }
    }

    fn deliver(&mut self, roster: &Roster, message: Message) {
        let message = Arc::new(message);
        self.receivers += roster.len() as u64;
        for client in &roster.0 {
            self.put(client, &message, self.limit_bytes);
        }
    }

    /// Puts a message into the mailbox of one client, which need not be a subscriber.
    pub(crate) fn post(&mut self, client: &Arc<Client>, message: &Arc<Message>) {
        let limit = if client.is_subscriber() { self.limit_bytes } else { self.ordinary_limit_bytes };
        self.put(client, message, limit);
    }

    fn put(&mut self, client: &Arc<Client>, message: &Arc<Message>, limit_bytes: u64) {
        client.mailbox.put(message, client.output_bytes(), limit_bytes, |doorbell| {
            match self.rings.iter_mut().find(|(known, _)| Arc::ptr_eq(known, doorbell)) {
                Some((_, clients)) => clients.push(client.id),
                None => self.rings.push((Arc::clone(doorbell), SmallVec::from_slice(&[client.id]))),
            }
        });
    }

    pub(crate) fn end(self) -> u64 {
        for (doorbell, clients) in &self.rings {
            doorbell.ring(clients);
        }
        self.receivers
    }
}
