//! Commands on keys of any kind.

use crate::args::Args;
use crate::command::{
    ALL, Access, Category, Command, FIRST_TWO, Flag, GROW, Group, KeySpec, READ, READ_FAST, Text, WRITE, WRITE_FAST,
};
use crate::context::{Context, Lookup};
use crate::error::Result;
use crate::reply::Reply;

mod expire;
mod object;
mod payload;
mod sort;
mod transfer;

/// The key is the first word after a subcommand.
const AFTER_SUBCOMMAND: KeySpec = KeySpec::Range { first: 2, last: 2, step: 1 };

const EXPIRE_OPTIONS: &str = "key seconds [NX | XX | GT | LT]";
const SORTS: &[Category] = &[Category::Set, Category::SortedSet, Category::List, Category::Dangerous];
const SORT_COMPLEXITY: &str = "O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of returned elements. \
     When the elements are not sorted, complexity is O(N).";
const DUMP_COMPLEXITY: &str = "O(1) to access the key and O(M) to serialize its value of M bytes.";
const RESTORE_COMPLEXITY: &str = "O(1) to create the key and O(M) to reconstruct its value of M bytes.";

pub(super) const COMMANDS: &[Command] = &[
    Command::generic(
        "copy",
        -3,
        GROW,
        Text {
            since: "6.2.0",
            complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
            syntax: "source destination [DB destination-db] [REPLACE]",
            summary: "Copies the value of a key to a new key.",
        },
        transfer::copy,
    )
    .keys(FIRST_TWO)
    .access(Access::All),
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
        "dump",
        2,
        READ,
        Text {
            since: "2.6.0",
            complexity: DUMP_COMPLEXITY,
            syntax: "key",
            summary: "Returns a serialized representation of the value stored at a key.",
        },
        payload::dump,
    ),
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
        "expire",
        -3,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: EXPIRE_OPTIONS,
            summary: "Sets the expiration time of a key in seconds.",
        },
        expire::expire,
    ),
    Command::generic(
        "expireat",
        -3,
        WRITE_FAST,
        Text {
            since: "1.2.0",
            complexity: "O(1)",
            syntax: "key unix-time-seconds [NX | XX | GT | LT]",
            summary: "Sets the expiration time of a key to a Unix timestamp.",
        },
        expire::expireat,
    ),
    Command::generic(
        "expiretime",
        2,
        READ_FAST,
        Text {
            since: "7.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the expiration time of a key as a Unix timestamp.",
        },
        expire::expiretime,
    ),
    Command::generic(
        "memory|usage",
        -3,
        READ,
        Text {
            since: "4.0.0",
            complexity: "O(N) where N is the number of samples.",
            syntax: "key [SAMPLES count]",
            summary: "Estimates the memory usage of a key.",
        },
        object::memory_usage,
    )
    .keys(AFTER_SUBCOMMAND)
    .group(Group::Server)
    .categories(&[]),
    Command::generic(
        "move",
        3,
        WRITE_FAST,
        Text { since: "1.0.0", complexity: "O(1)", syntax: "key db", summary: "Moves a key to another database." },
        transfer::move_key,
    )
    .access(Access::All),
    Command::generic(
        "object|encoding",
        3,
        READ,
        Text {
            since: "2.2.3",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the internal encoding of a Redis object.",
        },
        object::encoding,
    )
    .keys(AFTER_SUBCOMMAND),
    Command::generic(
        "object|freq",
        3,
        READ,
        Text {
            since: "4.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the logarithmic access frequency counter of a Redis object.",
        },
        object::freq,
    )
    .keys(AFTER_SUBCOMMAND),
    Command::generic(
        "object|help",
        2,
        &[Flag::Loading, Flag::Stale],
        Text {
            since: "6.2.0",
            complexity: "O(1)",
            syntax: "",
            summary: "Returns helpful text about the different subcommands.",
        },
        object::help,
    )
    .on_databases(),
    Command::generic(
        "object|idletime",
        3,
        READ,
        Text {
            since: "2.2.3",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the time since the last access to a Redis object.",
        },
        object::idletime,
    )
    .keys(AFTER_SUBCOMMAND),
    Command::generic(
        "object|refcount",
        3,
        READ,
        Text {
            since: "2.2.3",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the reference count of a value of a key.",
        },
        object::refcount,
    )
    .keys(AFTER_SUBCOMMAND),
    Command::generic(
        "persist",
        2,
        WRITE_FAST,
        Text {
            since: "2.2.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Removes the expiration time of a key.",
        },
        expire::persist,
    ),
    Command::generic(
        "pexpire",
        -3,
        WRITE_FAST,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key milliseconds [NX | XX | GT | LT]",
            summary: "Sets the expiration time of a key in milliseconds.",
        },
        expire::pexpire,
    ),
    Command::generic(
        "pexpireat",
        -3,
        WRITE_FAST,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key unix-time-milliseconds [NX | XX | GT | LT]",
            summary: "Sets the expiration time of a key to a Unix milliseconds timestamp.",
        },
        expire::pexpireat,
    ),
    Command::generic(
        "pexpiretime",
        2,
        READ_FAST,
        Text {
            since: "7.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the expiration time of a key as a Unix milliseconds timestamp.",
        },
        expire::pexpiretime,
    ),
    Command::generic(
        "pttl",
        2,
        READ_FAST,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the expiration time in milliseconds of a key.",
        },
        expire::pttl,
    ),
    Command::generic(
        "rename",
        3,
        WRITE,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key newkey",
            summary: "Renames a key and overwrites the destination.",
        },
        transfer::rename,
    )
    .keys(FIRST_TWO),
    Command::generic(
        "renamenx",
        3,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key newkey",
            summary: "Renames a key only when the target key name doesn't exist.",
        },
        transfer::renamenx,
    )
    .keys(FIRST_TWO),
    Command::generic(
        "restore",
        -4,
        GROW,
        Text {
            since: "2.6.0",
            complexity: RESTORE_COMPLEXITY,
            syntax: "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
            summary: "Creates a key from the serialized representation of a value.",
        },
        payload::restore,
    )
    .categories(&[Category::Keyspace, Category::Dangerous]),
    Command::generic(
        "sort",
        -2,
        &[Flag::Write, Flag::DenyOom, Flag::MovableKeys],
        Text {
            since: "1.0.0",
            complexity: SORT_COMPLEXITY,
            syntax: "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] \
                     [STORE destination]",
            summary: "Sorts the elements in a list, a set, or a sorted set, optionally storing the result.",
        },
        sort::sort,
    )
    .keys(KeySpec::Sorted { stores: true })
    .categories(SORTS)
    .access(Access::Patterns),
    Command::generic(
        "sort_ro",
        -2,
        &[Flag::ReadOnly, Flag::MovableKeys],
        Text {
            since: "7.0.0",
            complexity: SORT_COMPLEXITY,
            syntax: "key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA]",
            summary: "Returns the sorted elements of a list, a set, or a sorted set.",
        },
        sort::sort_ro,
    )
    .keys(KeySpec::Sorted { stores: false })
    .categories(SORTS)
    .access(Access::Patterns),
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
        "ttl",
        2,
        READ_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the expiration time in seconds of a key.",
        },
        expire::ttl,
    ),
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
