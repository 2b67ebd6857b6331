//! What a stream is made of: XINFO.

use super::groups::no_group;
use super::range::write_entries;
use super::words::{integer, is, now, unknown_subcommand, write_id};
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::object::stream::{Entry, Group, Id, Stream, UNKNOWN};
use crate::reply::Reply;

/// Entries, and what is pending, that FULL shows.
const COUNT_DEFAULT: i64 = 10;

pub(super) fn write_help(reply: &mut dyn Reply, lines: &[&str]) {
    reply.array(lines.len() + 2);
    lines.iter().for_each(|line| reply.simple(line));
    reply.simple("HELP");
    reply.simple("    Print this help.");
}

pub(super) fn help(_context: &mut Context<'_>, _args: Args<'_>, reply: &mut dyn Reply) -> Result {
    write_help(
        reply,
        &[
            "XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
            "CONSUMERS <key> <groupname>",
            "    Show consumers of <groupname>.",
            "GROUPS <key>",
            "    Show the stream consumer groups.",
            "STREAM <key> [FULL [COUNT <count>]",
            "    Show information about the stream.",
        ],
    );
    Ok(())
}

fn existing<'c>(context: &'c mut Context<'_>, args: Args<'_>) -> Result<&'c Stream> {
    let (_, stream) = context.find_stream(&args[2], Lookup::Read)?;
    stream.ok_or(Error::NoSuchKey)
}

fn write_number(reply: &mut dyn Reply, name: &str, value: i64) {
    reply.bulk(name.as_bytes());
    reply.integer(value);
}

fn write_named_id(reply: &mut dyn Reply, name: &str, id: Id) {
    reply.bulk(name.as_bytes());
    write_id(reply, id);
}

pub(super) fn consumers(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let now = now(context);
    let stream = existing(context, args)?;
    let group = stream.group(&args[3]).ok_or_else(|| no_group(&args[3], &args[2]))?;
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply.map(4);
        reply.bulk(b"name");
        reply.bulk(&consumer.name);
        write_number(reply, "pending", consumer.pending.len() as i64);
        write_number(reply, "idle", now.saturating_sub(consumer.seen_ms).max(0));
        let inactive = match consumer.active_ms {
            UNKNOWN => UNKNOWN,
            active => now.saturating_sub(active),
        };
        write_number(reply, "inactive", inactive);
    }
    Ok(())
}

/// How far a group has read, as two fields.
fn write_progress(reply: &mut dyn Reply, stream: &Stream, group: &Group) {
    let known = Some(group.read).filter(|read| *read != UNKNOWN);
    for (name, value) in [("entries-read", known), ("lag", stream.lag(group))] {
        reply.bulk(name.as_bytes());
        match value {
            Some(value) => reply.integer(value),
            None => reply.null(),
        }
    }
}

pub(super) fn groups(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let stream = existing(context, args)?;
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.bulk(b"name");
        reply.bulk(name);
        write_number(reply, "consumers", group.consumers().len() as i64);
        write_number(reply, "pending", group.pending().len() as i64);
        write_named_id(reply, "last-delivered-id", group.last);
        write_progress(reply, stream, group);
    }
    Ok(())
}

pub(super) fn stream(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let stream = existing(context, args)?;
    let count = match args.len() {
        3 => None,
        4 if is(&args[3], "full") => Some(COUNT_DEFAULT),
        6 if is(&args[3], "full") && is(&args[4], "count") => Some(match integer(&args[5])? {
            ..0 => COUNT_DEFAULT,
            count => count,
        }),
        _ => return Err(unknown_subcommand(args)),
    };
    reply.map(if count.is_some() { 9 } else { 10 });
    write_number(reply, "length", stream.len() as i64);
    write_number(reply, "radix-tree-keys", stream.chunk_count() as i64);
    write_number(reply, "radix-tree-nodes", stream.chunk_count() as i64 + 1);
    write_named_id(reply, "last-generated-id", stream.meta.last);
    write_named_id(reply, "max-deleted-entry-id", stream.meta.deleted);
    write_number(reply, "entries-added", stream.meta.added as i64);
    write_named_id(reply, "recorded-first-entry-id", stream.first());
    match count {
        None => {
            write_number(reply, "groups", stream.groups().len() as i64);
            let ends = [
                ("first-entry", stream.range(Id::MIN..=Id::MAX).next()),
                ("last-entry", stream.range_back(Id::MIN..=Id::MAX).next()),
            ];
            for (name, entry) in ends {
                reply.bulk(name.as_bytes());
                write_entry(reply, entry);
            }
        }
        Some(count) => {
            // No limit is written as 0.
            let count = if count == 0 { usize::MAX } else { count as usize };
            reply.bulk(b"entries");
            write_entries(reply, stream.range(Id::MIN..=Id::MAX).take(count));
            reply.bulk(b"groups");
            reply.array(stream.groups().len());
            stream.groups().for_each(|(name, group)| write_group(reply, stream, name, group, count));
        }
    }
    Ok(())
}

fn write_entry(reply: &mut dyn Reply, entry: Option<Entry<'_>>) {
    match entry {
        Some(entry) => entry.write(reply),
        None => reply.null(),
    }
}

fn write_group(reply: &mut dyn Reply, stream: &Stream, name: &[u8], group: &Group, count: usize) {
    reply.map(7);
    reply.bulk(b"name");
    reply.bulk(name);
    write_named_id(reply, "last-delivered-id", group.last);
    write_progress(reply, stream, group);
    write_number(reply, "pel-count", group.pending().len() as i64);
    reply.bulk(b"pending");
    reply.array(group.pending().len().min(count));
    for (id, pending) in group.pending().iter().take(count) {
        reply.array(4);
        write_id(reply, *id);
        reply.bulk(group.consumer(pending.consumer).map_or(&[][..], |consumer| &consumer.name));
        reply.integer(pending.delivered_ms);
        reply.integer(pending.deliveries as i64);
    }
    reply.bulk(b"consumers");
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply.map(5);
        reply.bulk(b"name");
        reply.bulk(&consumer.name);
        write_number(reply, "seen-time", consumer.seen_ms);
        write_number(reply, "active-time", consumer.active_ms);
        write_number(reply, "pel-count", consumer.pending.len() as i64);
        reply.bulk(b"pending");
        reply.array(consumer.pending.len().min(count));
        for (id, pending) in consumer.pending.iter().filter_map(|id| Some((id, group.pending().get(id)?))).take(count) {
            reply.array(3);
            write_id(reply, *id);
            reply.integer(pending.delivered_ms);
            reply.integer(pending.deliveries as i64);
        }
    }
}
