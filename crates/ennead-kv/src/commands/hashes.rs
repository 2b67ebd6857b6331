//! Commands on hashes.

use crate::args::Args;
use crate::command::{Command, Flag, GROW_FAST, Group, READ, READ_FAST, Run, Text, WRITE_FAST};
use crate::context::collections::View;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::reply::Reply;

mod counter;
mod dated;
mod deadlines;
mod random;
mod scan;
#[cfg(test)]
mod tests;

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], text: Text, run: Run) -> Command {
    Command::of(Group::Hash, name, arity, flags, text, run)
}

pub(super) const TABLES: [&[Command]; 3] = [COMMANDS, deadlines::COMMANDS, dated::COMMANDS];

const COMMANDS: &[Command] = &[
    row(
        "hdel",
        -3,
        WRITE_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(N) where N is the number of fields to be removed.",
            syntax: "key field [field ...]",
            summary: "Deletes one or more fields and their values from a hash. Deletes the hash if no fields remain.",
        },
        hdel,
    )
    .member(2),
    row(
        "hexists",
        3,
        READ_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(1)",
            syntax: "key field",
            summary: "Determines whether a field exists in a hash.",
        },
        hexists,
    )
    .member(2),
    row(
        "hget",
        3,
        READ_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(1)",
            syntax: "key field",
            summary: "Returns the value of a field in a hash.",
        },
        hget,
    )
    .member(2),
    row(
        "hgetall",
        2,
        READ,
        Text {
            since: "2.0.0",
            complexity: "O(N) where N is the size of the hash.",
            syntax: "key",
            summary: "Returns all fields and values in a hash.",
        },
        hgetall,
    ),
    row(
        "hincrby",
        4,
        GROW_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(1)",
            syntax: "key field increment",
            summary: "Increments the integer value of a field in a hash by a number. Uses 0 as initial value if the field doesn't exist.",
        },
        counter::hincrby,
    )
    .member(2),
    row(
        "hincrbyfloat",
        4,
        GROW_FAST,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key field increment",
            summary: "Increments the floating point value of a field by a number. Uses 0 as initial value if the field doesn't exist.",
        },
        counter::hincrbyfloat,
    ),
    row(
        "hkeys",
        2,
        READ,
        Text {
            since: "2.0.0",
            complexity: "O(N) where N is the size of the hash.",
            syntax: "key",
            summary: "Returns all fields in a hash.",
        },
        hkeys,
    ),
    row(
        "hlen",
        2,
        READ_FAST,
        Text { since: "2.0.0", complexity: "O(1)", syntax: "key", summary: "Returns the number of fields in a hash." },
        hlen,
    ),
    row(
        "hmget",
        -3,
        READ_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(N) where N is the number of fields being requested.",
            syntax: "key field [field ...]",
            summary: "Returns the values of all fields in a hash.",
        },
        hmget,
    ),
    row(
        "hmset",
        -4,
        GROW_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(N) where N is the number of fields being set.",
            syntax: "key field value [field value ...]",
            summary: "Sets the values of multiple fields.",
        },
        hmset,
    ),
    row(
        "hrandfield",
        -2,
        READ,
        Text {
            since: "6.2.0",
            complexity: "O(N) where N is the number of fields returned",
            syntax: "key [count [WITHVALUES]]",
            summary: "Returns one or more random fields from a hash.",
        },
        random::hrandfield,
    ),
    row(
        "hscan",
        -3,
        READ,
        Text {
            since: "2.8.0",
            complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor \
                         to return back to 0. N is the number of elements inside the collection.",
            syntax: "key cursor [MATCH pattern] [COUNT count]",
            summary: "Iterates over fields and values of a hash.",
        },
        scan::hscan,
    ),
    row(
        "hset",
        -4,
        GROW_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(1) for each field/value pair added, so O(N) to add N field/value pairs when the command is called \
                         with multiple field/value pairs.",
            syntax: "key field value [field value ...]",
            summary: "Creates or modifies the value of a field in a hash.",
        },
        hset,
    )
    .member(2),
    row(
        "hsetnx",
        4,
        GROW_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(1)",
            syntax: "key field value",
            summary: "Sets the value of a field in a hash only when the field doesn't exist.",
        },
        hsetnx,
    )
    .member(2),
    row(
        "hstrlen",
        3,
        READ_FAST,
        Text {
            since: "3.2.0",
            complexity: "O(1)",
            syntax: "key field",
            summary: "Returns the length of the value of a field.",
        },
        hstrlen,
    )
    .member(2),
    row(
        "hvals",
        2,
        READ,
        Text {
            since: "2.0.0",
            complexity: "O(N) where N is the size of the hash.",
            syntax: "key",
            summary: "Returns all values in a hash.",
        },
        hvals,
    ),
];

/// Sets fields to values, `field value ...` from word 2 on; how many fields are new.
fn set_fields(context: &mut Context<'_>, args: Args<'_>) -> Result<i64> {
    let key = &args[1];
    let spot = context.find_members(key, Lookup::Write, args.iter_from(2).step_by(2))?;
    let mut edit = context.open(spot, Kind::Hash)?;
    let mut new = 0;
    let mut words = args.iter_from(2);
    while let (Some(field), Some(value)) = (words.next(), words.next()) {
        new += i64::from(context.hash_set(&mut edit, key, field, value)?);
        context.note_field(&mut edit, field, value);
    }
    context.note_fields(&mut edit);
    context.close_told(edit, key, EventClass::Hash, "hset")?;
    Ok(new)
}

/// Sets one field, as part of other commands. It keeps the deadline that it has.
fn set_field(context: &mut Context<'_>, key: &[u8], field: &[u8], value: &[u8], event: &'static str) -> Result {
    let spot = context.find_members(key, Lookup::Write, [field])?;
    let deadline = match context.view(spot, Kind::Hash)? {
        view @ View::Long(hash) if hash.first_deadline() != 0 => view.deadline(context.placer(), field).unwrap_or(0),
        _ => 0,
    };
    let mut edit = context.open(spot, Kind::Hash)?;
    context.hash_set(&mut edit, key, field, value)?;
    if deadline != 0 {
        context.hash_set_deadline(&mut edit, key, field, deadline)?;
    }
    context.note_field(&mut edit, field, value);
    context.note_fields(&mut edit);
    context.close_told(edit, key, EventClass::Hash, event).map(drop)
}

fn check_pairs(args: Args<'_>) -> Result {
    if args.len() % 2 == 1 {
        let name = String::from_utf8_lossy(&args[0]).to_ascii_lowercase();
        return Err(Error::Arity(name));
    }
    Ok(())
}

fn hset(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    check_pairs(args)?;
    let new = set_fields(context, args)?;
    reply.integer(new);
    Ok(())
}

fn hmset(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    check_pairs(args)?;
    set_fields(context, args)?;
    reply.ok();
    Ok(())
}

fn hsetnx(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Write, [&args[2]])?;
    let exists = context.view(spot, Kind::Hash)?.field(context.placer(), &args[2]).is_some();
    if !exists {
        set_field(context, &args[1], &args[2], &args[3], "hset")?;
    }
    reply.integer(i64::from(!exists));
    Ok(())
}

fn hdel(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find_members(key, Lookup::Write, args.iter_from(2))?;
    let mut edit = context.open(spot, Kind::Hash)?;
    let mut removed = 0;
    for field in args.iter_from(2) {
        removed += i64::from(context.hash_remove(&mut edit, field)?);
    }
    if removed > 0 {
        context.close_told(edit, key, EventClass::Hash, "hdel")?;
    } else {
        context.close(edit, key)?;
    }
    reply.integer(removed);
    Ok(())
}

fn hget(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, [&args[2]])?;
    write_value(reply, context.view(spot, Kind::Hash)?.field(context.placer(), &args[2]));
    Ok(())
}

fn hmget(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, args.iter_from(2))?;
    let view = context.view(spot, Kind::Hash)?;
    reply.array(args.len() - 2);
    args.iter_from(2).for_each(|field| write_value(reply, view.field(context.placer(), field)));
    Ok(())
}

fn write_value(reply: &mut dyn Reply, value: Option<&[u8]>) {
    match value {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    }
}

fn hexists(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, [&args[2]])?;
    let exists = context.view(spot, Kind::Hash)?.field(context.placer(), &args[2]).is_some();
    reply.integer(i64::from(exists));
    Ok(())
}

fn hstrlen(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, [&args[2]])?;
    let len = context.view(spot, Kind::Hash)?.field(context.placer(), &args[2]).map_or(0, <[u8]>::len);
    reply.integer(len as i64);
    Ok(())
}

fn hlen(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(&args[1], Lookup::Read)?;
    reply.integer(context.view(spot, Kind::Hash)?.pair_count() as i64);
    Ok(())
}

fn hgetall(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Hash)?;
    reply.map(view.pair_count());
    for (field, value) in view.fields() {
        reply.bulk(field);
        reply.bulk(value);
    }
    Ok(())
}

fn hkeys(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Hash)?;
    reply.array(view.pair_count());
    view.fields().for_each(|(field, _)| reply.bulk(field));
    Ok(())
}

fn hvals(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Hash)?;
    reply.array(view.pair_count());
    view.fields().for_each(|(_, value)| reply.bulk(value));
    Ok(())
}
