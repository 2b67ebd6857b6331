//! A message as all its receivers share it: its words once, and once for each version of the protocol what goes over
//! the wire.

use std::sync::OnceLock;

use ennead_kv::Reply;

use super::Shared;
use crate::session::Hold;

/// What a message counts for beside its words where unread bytes are limited, about what goes over the wire with it.
const FRAMING_BYTES: usize = 40;

#[derive(Debug)]
enum Origin {
    Channel,
    Pattern(Shared),
    Shard,
}

/// One message, for the subscribers of one channel or of one pattern.
#[derive(Debug)]
pub struct Message {
    origin: Origin,
    channel: Shared,
    text: Shared,
    hold: Hold,
    /// As the listener encoded it for RESP2 and RESP3.
    frames: [OnceLock<Box<[u8]>>; 2],
}

impl Message {
    fn from(origin: Origin, channel: Shared, text: Shared, hold: Hold) -> Message {
        Message { origin, channel, text, hold, frames: Default::default() }
    }

    pub(super) fn new(channel: Shared, text: Shared, hold: Hold) -> Message {
        Message::from(Origin::Channel, channel, text, hold)
    }

    pub(super) fn of_pattern(pattern: Shared, channel: Shared, text: Shared, hold: Hold) -> Message {
        Message::from(Origin::Pattern(pattern), channel, text, hold)
    }

    pub(super) fn of_shard(channel: Shared, text: Shared, hold: Hold) -> Message {
        Message::from(Origin::Shard, channel, text, hold)
    }

    /// What must have happened before it may be sent.
    pub fn hold(&self) -> Hold {
        self.hold
    }

    /// What it counts for at each receiver, bytes.
    pub fn bytes(&self) -> usize {
        let pattern = if let Origin::Pattern(pattern) = &self.origin { pattern.len() } else { 0 };
        pattern + self.channel.len() + self.text.len() + FRAMING_BYTES
    }

    /// Writes it as a client is sent it.
    pub fn write(&self, reply: &mut dyn Reply) {
        match &self.origin {
            Origin::Pattern(pattern) => {
                reply.push(4);
                reply.bulk(b"pmessage");
                reply.bulk(pattern);
            }
            Origin::Channel => {
                reply.push(3);
                reply.bulk(b"message");
            }
            Origin::Shard => {
                reply.push(3);
                reply.bulk(b"smessage");
            }
        }
        reply.bulk(&self.channel);
        reply.bulk(&self.text);
    }

    #[cfg(test)]
    pub(super) fn origin(&self) -> Option<&[u8]> {
        if let Origin::Pattern(pattern) = &self.origin { Some(pattern) } else { None }
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Its bytes in a version of the protocol, 2 or 3: made by whoever needs them first, shared by all others.
    pub fn frame(&self, protocol: u8, encode: impl FnOnce(&Message) -> Vec<u8>) -> &[u8] {
        self.frames[usize::from(protocol >= 3)].get_or_init(|| encode(self).into())
    }
}
