//! Publish and subscribe. Who gets what is decided in [`crate::pubsub`].

use ennead_kv::{Effect, Error, Flag, KeySpec, Result, Spec};

use super::{PLAIN, Row, SERVER, help};
use crate::pubsub::{Shared, Topic, matches};
use crate::session::{Hold, Output, Request, Session};

const POST: Spec = Spec { flags: &[Flag::PubSub, Flag::Loading, Flag::Stale, Flag::Fast], since: "2.0.0", ..SERVER };
const LISTEN: Spec =
    Spec { flags: &[Flag::PubSub, Flag::NoScript, Flag::Loading, Flag::Stale], since: "2.0.0", ..SERVER };
const ASK: Spec = Spec { flags: &[Flag::PubSub, Flag::Loading, Flag::Stale], since: "2.8.0", ..SERVER };
/// Shard channels belong to the slot of their name, as keys do.
const SHARD_CHANNELS: KeySpec = KeySpec::Range { first: 1, last: -1, step: 1 };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "psubscribe",
            arity: -2,
            complexity: "O(N) where N is the number of patterns to subscribe to.",
            summary: "Listens for messages published to channels that match one or more patterns.",
            syntax: "pattern [pattern ...]",
            ..LISTEN
        },
        run: |session, request, reply| subscribe(session, request, reply, Topic::Pattern),
    },
    Row {
        spec: Spec {
            name: "publish",
            arity: 3,
            complexity: "O(N+M) where N is the number of clients subscribed to the receiving channel and M is the total \
                         number of subscribed patterns (by any client).",
            summary: "Posts a message to a channel.",
            syntax: "channel message",
            ..POST
        },
        run: publish,
    },
    Row {
        spec: Spec {
            name: "pubsub|channels",
            arity: -2,
            complexity: "O(N) where N is the number of active channels, and assuming constant time pattern matching \
                         (relatively short channels and patterns)",
            summary: "Returns the active channels.",
            syntax: "[pattern]",
            ..ASK
        },
        run: |session, request, reply| channels(session, request, reply, false),
    },
    Row {
        spec: Spec {
            name: "pubsub|help",
            arity: 2,
            flags: PLAIN,
            since: "6.2.0",
            summary: "Returns helpful text about the different subcommands.",
            ..SERVER
        },
        run: help::help,
    },
    Row {
        spec: Spec {
            name: "pubsub|numpat",
            arity: 2,
            summary: "Returns a count of unique pattern subscriptions.",
            ..ASK
        },
        run: numpat,
    },
    Row {
        spec: Spec {
            name: "pubsub|numsub",
            arity: -2,
            complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested channels",
            summary: "Returns a count of subscribers to channels.",
            syntax: "[channel [channel ...]]",
            ..ASK
        },
        run: |session, request, reply| numsub(session, request, reply, false),
    },
    Row {
        spec: Spec {
            name: "pubsub|shardchannels",
            arity: -2,
            since: "7.0.0",
            complexity: "O(N) where N is the number of active shard channels, and assuming constant time pattern \
                         matching (relatively short shard channels).",
            summary: "Returns the active shard channels.",
            syntax: "[pattern]",
            ..ASK
        },
        run: |session, request, reply| channels(session, request, reply, true),
    },
    Row {
        spec: Spec {
            name: "pubsub|shardnumsub",
            arity: -2,
            since: "7.0.0",
            complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of requested shard channels",
            summary: "Returns the count of subscribers of shard channels.",
            syntax: "[shardchannel [shardchannel ...]]",
            ..ASK
        },
        run: |session, request, reply| numsub(session, request, reply, true),
    },
    Row {
        spec: Spec {
            name: "punsubscribe",
            arity: -1,
            complexity: "O(N) where N is the number of patterns to unsubscribe.",
            summary: "Stops listening to messages published to channels that match one or more patterns.",
            syntax: "[pattern [pattern ...]]",
            ..LISTEN
        },
        run: |session, request, reply| unsubscribe(session, request, reply, Topic::Pattern),
    },
    Row {
        spec: Spec {
            name: "spublish",
            arity: 3,
            keys: KeySpec::Range { first: 1, last: 1, step: 1 },
            since: "7.0.0",
            complexity: "O(N) where N is the number of clients subscribed to the receiving shard channel.",
            summary: "Post a message to a shard channel",
            syntax: "shardchannel message",
            ..POST
        },
        run: spublish,
    },
    Row {
        spec: Spec {
            name: "ssubscribe",
            arity: -2,
            keys: SHARD_CHANNELS,
            since: "7.0.0",
            complexity: "O(N) where N is the number of shard channels to subscribe to.",
            summary: "Listens for messages published to shard channels.",
            syntax: "shardchannel [shardchannel ...]",
            ..LISTEN
        },
        run: ssubscribe,
    },
    Row {
        spec: Spec {
            name: "subscribe",
            arity: -2,
            complexity: "O(N) where N is the number of channels to subscribe to.",
            summary: "Listens for messages published to channels.",
            syntax: "channel [channel ...]",
            ..LISTEN
        },
        run: |session, request, reply| subscribe(session, request, reply, Topic::Channel),
    },
    Row {
        spec: Spec {
            name: "sunsubscribe",
            arity: -1,
            keys: SHARD_CHANNELS,
            since: "7.0.0",
            complexity: "O(N) where N is the number of shard channels to unsubscribe.",
            summary: "Stops listening to messages posted to shard channels.",
            syntax: "[shardchannel [shardchannel ...]]",
            ..LISTEN
        },
        run: |session, request, reply| unsubscribe(session, request, reply, Topic::Shard),
    },
    Row {
        spec: Spec {
            name: "unsubscribe",
            arity: -1,
            complexity: "O(N) where N is the number of channels to unsubscribe.",
            summary: "Stops listening to messages posted to channels.",
            syntax: "[channel [channel ...]]",
            ..LISTEN
        },
        run: |session, request, reply| unsubscribe(session, request, reply, Topic::Channel),
    },
];

fn subscribe(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output, topic: Topic) -> Result {
    for name in request.args.iter_from(1) {
        session.subscribe(topic, name, reply);
    }
    Ok(())
}

fn ssubscribe(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if session.executing {
        return Err(Error::text("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"));
    }
    subscribe(session, request, reply, Topic::Shard)
}

fn unsubscribe(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output, topic: Topic) -> Result {
    if request.args.len() == 1 {
        session.unsubscribe_all(topic, reply);
    }
    for name in request.args.iter_from(1) {
        session.unsubscribe(topic, name, reply);
    }
    Ok(())
}

/// A message must not tell of writes that a crash would undo: it waits for all that is committed by now.
fn hold(session: &Session) -> Hold {
    let store = session.engine.store();
    match session.hold(Effect { wrote: None, saw: store.committed() }) {
        Hold::Written(sequence) if store.written() >= sequence => Hold::None,
        Hold::Durable(sequence) if store.durable() >= sequence => Hold::None,
        hold => hold,
    }
}

fn publish(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let receivers = session.engine.pubsub().publish(&request.args[1], &request.args[2], hold(session));
    reply.integer(receivers as i64);
    Ok(())
}

fn spublish(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let receivers = session.engine.pubsub().publish_to_shard(&request.args[1], &request.args[2], hold(session));
    reply.integer(receivers as i64);
    Ok(())
}

fn channels(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output, shard: bool) -> Result {
    if request.args.len() > 3 {
        let word = String::from_utf8_lossy(&request.args[1]);
        return Err(super::error(format!(
            "ERR unknown subcommand or wrong number of arguments for '{word}'. Try PUBSUB HELP."
        )));
    }
    let mut names: Vec<Shared> = session.engine.pubsub().names(shard);
    if let Some(pattern) = request.args.get(2) {
        names.retain(|name| matches(pattern, name));
    }
    reply.array(names.len());
    for name in names {
        reply.bulk(&name);
    }
    Ok(())
}

fn numsub(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output, shard: bool) -> Result {
    reply.array(2 * (request.args.len() - 2));
    for channel in request.args.iter_from(2) {
        reply.bulk(channel);
        reply.integer(session.engine.pubsub().subscribers(shard, channel) as i64);
    }
    Ok(())
}

fn numpat(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.integer(session.engine.pubsub().count(Topic::Pattern) as i64);
    Ok(())
}
