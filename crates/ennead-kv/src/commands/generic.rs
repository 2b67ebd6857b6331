//! Commands on keys of any kind.

use crate::args::Args;
use crate::command::{ALL, Command, READ_FAST, Text, WRITE, WRITE_FAST};
use crate::context::{Context, Lookup};
use crate::error::Result;
use crate::reply::Reply;

mod expire;
mod object;
mod payload;
mod sort;
mod transfer;

pub(super) const TABLES: [&[Command]; 6] =
    [KEYS, expire::COMMANDS, object::COMMANDS, payload::COMMANDS, sort::COMMANDS, transfer::COMMANDS];

const KEYS: &[Command] = &[
    Command::generic(
        "del",
        -2,
        WRITE,
        Text {
            since: "1.0.0",
            complexity: "O(N) where N is the number of keys that will be removed.",
            syntax: "key [key ...]",
            summary: "Deletes one or more keys.",
        },
        del,
    )
    .keys(ALL),
    Command::generic(
        "exists",
        -2,
        READ_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(N) where N is the number of keys to check.",
            syntax: "key [key ...]",
            summary: "Determines whether one or more keys exist.",
        },
        exists,
    )
    .keys(ALL),
    Command::generic(
        "touch",
        -2,
        READ_FAST,
        Text {
            since: "3.2.1",
            complexity: "O(N) where N is the number of keys that will be touched.",
            syntax: "key [key ...]",
            summary: "Returns the number of existing keys out of those specified after updating the time they were last accessed.",
        },
        touch,
    )
    .keys(ALL),
    Command::generic(
        "type",
        2,
        READ_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Determines the type of value stored at a key.",
        },
        key_type,
    ),
    Command::generic(
        "unlink",
        -2,
        WRITE_FAST,
        Text {
            since: "4.0.0",
            complexity: "O(1) for each key removed regardless of its size.",
            syntax: "key [key ...]",
            summary: "Asynchronously deletes one or more keys.",
        },
        del,
    )
    .keys(ALL),
];

fn del(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let mut deleted = 0;
    for key in args.iter_from(1) {
        let spot = context.find_key(key, Lookup::Write)?;
        deleted += i64::from(context.delete_told(spot, key));
    }
    reply.integer(deleted);
    Ok(())
}

fn exists(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    count(context, args, Lookup::Peek, reply)
}

fn touch(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    count(context, args, Lookup::Read, reply)
}

fn count(context: &mut Context<'_>, args: Args<'_>, lookup: Lookup, reply: &mut dyn Reply) -> Result {
    let mut found = 0;
    for key in args.iter_from(1) {
        found += i64::from(context.find_key(key, lookup)?.exists());
    }
    reply.integer(found);
    Ok(())
}

fn key_type(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(&args[1], Lookup::Peek)?;
    reply.simple(context.kind(spot).map_or("none", |kind| kind.type_name()));
    Ok(())
}
