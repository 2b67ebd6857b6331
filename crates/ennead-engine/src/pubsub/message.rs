//! A message as all its receivers share it: its words once, and once for each version of the protocol what goes over
//! the wire.

use std::sync::OnceLock;

use ennead_kv::Reply;

use super::Shared;
use crate::session::Hold;

/// What a message counts for beside its words where unread bytes are limited, about what goes over the wire with it.
const FRAMING_BYTES: usize = 40;
/// What each of several keys counts for besides.
const KEY_BYTES: usize = 8;
/// Where a connection in RESP2 hears of keys that have changed.
const INVALIDATIONS: &[u8] = b"__redis__:invalidate";

#[derive(Debug)]
enum Body {
    /// For the subscribers of one channel.
    Channel { channel: Shared, text: Shared },
    /// For those of one pattern.
    Pattern { pattern: Shared, channel: Shared, text: Shared },
    /// For those of a shard channel.
    Shard { channel: Shared, text: Shared },
    /// For clients that cache: keys that have changed, none for all of them.
    Invalidation(Option<Box<[Shared]>>),
    /// For a client that caches: who was to get its messages is gone.
    BrokenRedirection(u64),
    /// For clients that are shown all requests.
    Monitor(String),
}

/// One message.
#[derive(Debug)]
pub struct Message {
    body: Body,
    hold: Hold,
    /// As the listener encoded it for RESP2 and RESP3.
    frames: [OnceLock<Box<[u8]>>; 2],
}

impl Message {
    fn from(body: Body, hold: Hold) -> Message {
        Message { body, hold, frames: Default::default() }
    }

    pub(super) fn new(channel: Shared, text: Shared, hold: Hold) -> Message {
        Message::from(Body::Channel { channel, text }, hold)
    }

    pub(super) fn of_pattern(pattern: Shared, channel: Shared, text: Shared, hold: Hold) -> Message {
        Message::from(Body::Pattern { pattern, channel, text }, hold)
    }

    pub(super) fn of_shard(channel: Shared, text: Shared, hold: Hold) -> Message {
        Message::from(Body::Shard { channel, text }, hold)
    }

    /// Keys have changed; none for all keys.
    pub(crate) fn of_invalidation(keys: Option<Box<[Shared]>>, hold: Hold) -> Message {
        Message::from(Body::Invalidation(keys), hold)
    }

    /// The client that was to get the receiver's messages is gone.
    pub(crate) fn of_broken_redirection(client: u64) -> Message {
        Message::from(Body::BrokenRedirection(client), Hold::None)
    }

    /// A line about a request.
    pub(crate) fn of_monitor(line: String) -> Message {
        Message::from(Body::Monitor(line), Hold::None)
    }

    /// What must have happened before it may be sent.
    pub fn hold(&self) -> Hold {
        self.hold
    }

    /// What it counts for at each receiver, bytes.
    pub fn bytes(&self) -> usize {
        let words = match &self.body {
            Body::Channel { channel, text } | Body::Shard { channel, text } => channel.len() + text.len(),
            Body::Pattern { pattern, channel, text } => pattern.len() + channel.len() + text.len(),
            Body::Invalidation(keys) => keys.iter().flatten().map(|key| key.len() + KEY_BYTES).sum(),
            Body::BrokenRedirection(_) => 0,
            Body::Monitor(line) => line.len(),
        };
        words + FRAMING_BYTES
    }

    /// Writes it as a client is sent it.
    pub fn write(&self, reply: &mut dyn Reply) {
        match &self.body {
            Body::Channel { channel, text } => published(reply, &[b"message", channel, text]),
            Body::Pattern { pattern, channel, text } => published(reply, &[b"pmessage", pattern, channel, text]),
            Body::Shard { channel, text } => published(reply, &[b"smessage", channel, text]),
            Body::Invalidation(keys) => {
                if reply.protocol() >= 3 {
                    reply.push(2);
                    reply.bulk(b"invalidate");
                } else {
                    reply.push(3);
                    reply.bulk(b"message");
                    reply.bulk(INVALIDATIONS);
                }
                match keys {
                    Some(keys) => {
                        reply.array(keys.len());
                        keys.iter().for_each(|key| reply.bulk(key));
                    }
                    None => reply.null(),
                }
            }
            Body::BrokenRedirection(client) => {
                reply.push(2);
                reply.bulk(b"tracking-redir-broken");
                reply.integer(client.cast_signed());
            }
            Body::Monitor(line) => reply.simple(line),
        }
    }

    #[cfg(test)]
    pub(super) fn origin(&self) -> Option<&[u8]> {
        if let Body::Pattern { pattern, .. } = &self.body { Some(pattern) } else { None }
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &[u8] {
        match &self.body {
            Body::Channel { text, .. } | Body::Pattern { text, .. } | Body::Shard { text, .. } => text,
            _ => &[],
        }
    }

    /// Its bytes in a version of the protocol, 2 or 3: made by whoever needs them first, shared by all others.
    pub fn frame(&self, protocol: u8, encode: impl FnOnce(&Message) -> Vec<u8>) -> &[u8] {
        self.frames[usize::from(protocol >= 3)].get_or_init(|| encode(self).into())
    }
}

fn published(reply: &mut dyn Reply, words: &[&[u8]]) {
    reply.push(words.len());
    words.iter().for_each(|word| reply.bulk(word));
}
