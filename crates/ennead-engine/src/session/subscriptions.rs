//! What a session's client listens to. Each change is answered by a frame of its own, in order with the messages: what
//! was published before an UNSUBSCRIBE comes before its answer, and nothing of that channel after it.

use std::collections::BTreeSet;
use std::sync::Arc;

use ennead_kv::{Error, Result};

use super::{Output, Session};
use crate::pubsub::{Doorbell, Shared, Topic};
use crate::registry::Command;

/// Commands of a RESP2 connection that gets messages: it could not tell other replies from them.
const ALLOWED: &[&str] =
    &["ping", "psubscribe", "punsubscribe", "quit", "reset", "ssubscribe", "subscribe", "sunsubscribe", "unsubscribe"];

/// The topics of one client by kind; most clients have none, so they take no room there.
#[derive(Debug, Default)]
pub(super) struct Subscriptions(Option<Box<Topics>>);

type Topics = [BTreeSet<Shared>; 3];

impl Subscriptions {
    fn of(&mut self, topic: Topic) -> &mut BTreeSet<Shared> {
        &mut self.0.get_or_insert_default()[topic as usize]
    }
}

impl Topic {
    /// The word that answers a subscription, and the one that answers its end.
    fn words(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Topic::Channel => (b"subscribe", b"unsubscribe"),
            Topic::Pattern => (b"psubscribe", b"punsubscribe"),
            Topic::Shard => (b"ssubscribe", b"sunsubscribe"),
        }
    }
}

impl Session {
    /// Has a worker hear of the client's messages, which go on from here.
    pub fn set_doorbell(&self, doorbell: Arc<Doorbell>) {
        self.client.mailbox.move_to(doorbell, self.client.id);
    }

    /// Whether the client understands nothing but messages at present.
    pub(crate) fn only_listens(&self) -> bool {
        self.protocol == 2 && self.client.is_subscriber()
    }

    pub(super) fn may_run(&self, command: &Command) -> Result {
        let name = command.spec.name;
        if !self.only_listens() || ALLOWED.contains(&name) {
            return Ok(());
        }
        let text = format!(
            "ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
             this context"
        );
        Err(Error::Text(text.into()))
    }

    /// Subscribes to one topic and answers.
    pub(crate) fn subscribe(&mut self, topic: Topic, name: &[u8], reply: &mut dyn Output) {
        let known = self.subscriptions.of(topic);
        if !known.contains(name) {
            known.insert(self.engine.pubsub().subscribe(topic, name, &self.client));
            let count = known.len();
            self.client.set_subscriptions(topic, count);
        }
        self.answer(topic, topic.words().0, Some(name), reply);
    }

    /// Ends one subscription, if there is one, and answers.
    pub(crate) fn unsubscribe(&mut self, topic: Topic, name: &[u8], reply: &mut dyn Output) {
        if self.subscriptions.of(topic).remove(name) {
            self.leave(topic, name);
            self.send_mail(reply);
        }
        self.answer(topic, topic.words().1, Some(name), reply);
    }

    /// Ends all subscriptions of a kind; answers once when there are none.
    pub(crate) fn unsubscribe_all(&mut self, topic: Topic, reply: &mut dyn Output) {
        let names = self.subscriptions.of(topic).clone();
        if names.is_empty() {
            self.answer(topic, topic.words().1, None, reply);
        }
        for name in &names {
            self.unsubscribe(topic, name, reply);
        }
    }

    /// Ends all subscriptions without a word.
    pub(super) fn end_subscriptions(&mut self) {
        let Some(all) = self.subscriptions.0.take() else { return };
        for (topic, names) in [Topic::Channel, Topic::Pattern, Topic::Shard].into_iter().zip(*all) {
            for name in names {
                self.leave(topic, &name);
            }
        }
    }

    fn leave(&mut self, topic: Topic, name: &[u8]) {
        self.engine.pubsub().unsubscribe(topic, name, self.client.id);
        let left = self.subscriptions.0.as_ref().map_or(0, |all| all[topic as usize].len());
        self.client.set_subscriptions(topic, left);
    }

    fn answer(&mut self, topic: Topic, word: &[u8], name: Option<&[u8]>, reply: &mut dyn Output) {
        let count = |topic| self.client.subscriptions(topic);
        let left = match topic {
            Topic::Channel | Topic::Pattern => count(Topic::Channel) + count(Topic::Pattern),
            Topic::Shard => count(Topic::Shard),
        };
        reply.push(3);
        reply.bulk(word);
        match name {
            Some(name) => reply.bulk(name),
            None => reply.null(),
        }
        reply.integer(left.into());
        self.pushed = true;
    }

    /// Writes the messages that came since the listener looked last. What EXEC published itself comes after its reply.
    pub(super) fn send_mail(&mut self, reply: &mut dyn Output) {
        let mut messages = Vec::new();
        while !self.executing && self.client.mailbox.take(usize::MAX, &mut messages) {
            for message in messages.drain(..) {
                message.write(reply);
                self.held = self.held.longer(message.hold());
            }
        }
    }
}
