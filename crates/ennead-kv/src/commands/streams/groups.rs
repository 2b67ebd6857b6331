//! Groups of consumers and their members: XGROUP, and XACK.

use super::words::{any_id, ids_from, integer, is, now, shown, strict_id, unknown_subcommand};
use crate::args::Args;
use crate::context::{Context, Lookup, Spot};
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::object::stream::{Id, UNKNOWN};
use crate::reply::Reply;

const NO_KEY: Error = Error::text(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to \
     create an empty stream automatically.",
);

pub(super) fn no_group(group: &[u8], key: &[u8]) -> Error {
    let (group, key) = (shown(group), shown(key));
    Error::Text(format!("NOGROUP No such consumer group '{group}' for key name '{key}'").into())
}

/// Where a stream is that has the group of the request.
fn existing_group(context: &mut Context<'_>, args: Args<'_>) -> Result<Spot> {
    let (spot, stream) = context.find_stream(&args[2], Lookup::Write)?;
    let stream = stream.ok_or(NO_KEY)?;
    stream.group(&args[3]).ok_or_else(|| no_group(&args[3], &args[2]))?;
    Ok(spot)
}

/// Options of XGROUP CREATE and SETID.
struct Options {
    make: bool,
    read: i64,
}

impl Options {
    fn parse(args: Args<'_>, creates: bool) -> Result<Options> {
        let mut options = Options { make: false, read: UNKNOWN };
        let mut words = args.iter_from(5);
        while let Some(word) = words.next() {
            if creates && is(word, "mkstream") {
                options.make = true;
            } else if is(word, "entriesread") && words.len() > 0 {
                options.read = words.next().map_or(Ok(UNKNOWN), integer)?;
                if options.read < 0 && options.read != UNKNOWN {
                    return Err(Error::text("ERR value for ENTRIESREAD must be positive or -1"));
                }
            } else {
                return Err(unknown_subcommand(args));
            }
        }
        Ok(options)
    }
}

pub(super) fn create(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = Options::parse(args, true)?;
    let (key, group) = (&args[2], &args[3]);
    let (spot, stream) = context.find_stream(key, Lookup::Write)?;
    if stream.is_none() && !options.make {
        return Err(NO_KEY);
    }
    if args.len() > 8 {
        return Err(unknown_subcommand(args));
    }
    let last = match &args[4] {
        b"$" => stream.map_or(Id::MIN, |stream| stream.meta.last),
        word => strict_id(word, 0)?,
    };
    if stream.is_some_and(|stream| stream.group(group).is_some()) {
        return Err(Error::text("BUSYGROUP Consumer Group name already exists"));
    }
    let spot = context.make_stream(spot, key)?;
    context.change_stream(spot, key, |stream, rows| stream.set_group(group, last, options.read, rows))?;
    context.notify(EventClass::Stream, "xgroup-create", key);
    reply.ok();
    Ok(())
}

pub(super) fn setid(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = Options::parse(args, false)?;
    let spot = existing_group(context, args)?;
    if args.len() > 7 {
        return Err(unknown_subcommand(args));
    }
    let last = match &args[4] {
        b"$" => context.stream(spot)?.map_or(Id::MIN, |stream| stream.meta.last),
        word => any_id(word, 0)?,
    };
    context.change_stream(spot, &args[2], |stream, rows| stream.set_group(&args[3], last, options.read, rows))?;
    context.notify(EventClass::Stream, "xgroup-setid", &args[2]);
    reply.ok();
    Ok(())
}

pub(super) fn destroy(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[2];
    let (spot, stream) = context.find_stream(key, Lookup::Write)?;
    if stream.is_none() {
        return Err(NO_KEY);
    }
    let destroyed = context.change_stream(spot, key, |stream, rows| stream.destroy_group(&args[3], rows))?;
    if destroyed {
        context.notify(EventClass::Stream, "xgroup-destroy", key);
        // Who waits to read it is told that it is gone.
        context.note_stream_ready(spot, key);
    }
    reply.integer(destroyed.into());
    Ok(())
}

/// Tells of a consumer that was made.
pub(super) fn note_consumer(context: &mut Context<'_>, key: &[u8], made: bool) {
    if made {
        context.notify(EventClass::Stream, "xgroup-createconsumer", key);
    }
}

pub(super) fn create_consumer(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = existing_group(context, args)?;
    let now = now(context);
    let (_, made) =
        context.change_stream(spot, &args[2], |stream, rows| stream.make_consumer(&args[3], &args[4], now, rows))?;
    note_consumer(context, &args[2], made);
    reply.integer(made.into());
    Ok(())
}

pub(super) fn delete_consumer(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = existing_group(context, args)?;
    let pending =
        context.change_stream(spot, &args[2], |stream, rows| stream.delete_consumer(&args[3], &args[4], rows))?;
    if pending.is_some() {
        context.notify(EventClass::Stream, "xgroup-delconsumer", &args[2]);
    }
    reply.integer(pending.unwrap_or(0) as i64);
    Ok(())
}

pub(super) fn help(_context: &mut Context<'_>, _args: Args<'_>, reply: &mut dyn Reply) -> Result {
    super::info::write_help(
        reply,
        &[
            "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
            "CREATE <key> <groupname> <id|$> [option]",
            "    Create a new consumer group. Options are:",
            "    * MKSTREAM",
            "      Create the empty stream if it does not exist.",
            "    * ENTRIESREAD entries_read",
            "      Set the group's entries_read counter (internal use).",
            "CREATECONSUMER <key> <groupname> <consumer>",
            "    Create a new consumer in the specified group.",
            "DELCONSUMER <key> <groupname> <consumer>",
            "    Remove the specified consumer.",
            "DESTROY <key> <groupname>",
            "    Remove the specified group.",
            "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
            "    Set the current group ID and entries_read counter.",
        ],
    );
    Ok(())
}

pub(super) fn xack(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, group) = (&args[1], &args[2]);
    let (spot, stream) = context.find_stream(key, Lookup::Read)?;
    if stream.is_none_or(|stream| stream.group(group).is_none()) {
        reply.integer(0);
        return Ok(());
    }
    let ids = ids_from(args, 3)?;
    let acknowledged = context.change_stream(spot, key, |stream, rows| {
        ids.iter().filter(|id| stream.acknowledge(group, **id, &mut *rows)).count()
    })?;
    reply.integer(acknowledged as i64);
    Ok(())
}
