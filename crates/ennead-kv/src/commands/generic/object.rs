//! What is known about a key besides its value: OBJECT and MEMORY USAGE.

use crate::access::Clock;
use crate::args::Args;
use crate::command::{Command, Flag, Group, KeySpec, READ, Text};
use crate::context::{Context, Lookup, Spot};
use crate::entry::{Hint, Kind};
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

/// The key is the first word after a subcommand.
const AFTER_SUBCOMMAND: KeySpec = KeySpec::Range { first: 2, last: 2, step: 1 };

pub(super) const COMMANDS: &[Command] = &[
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
        memory_usage,
    )
    .keys(AFTER_SUBCOMMAND)
    .group(Group::Server)
    .categories(&[]),
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
        encoding,
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
        freq,
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
        help,
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
        idletime,
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
        refcount,
    )
    .keys(AFTER_SUBCOMMAND),
];

/// Integers below this are shared in Redis, and have this many references.
const SHARED_INTEGERS: i64 = 10_000;
const SHARED_REFERENCES: i64 = i32::MAX as i64;

/// Looks at a key without an access; none when a null was written because it does not exist.
fn look(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result<Option<Spot>> {
    let spot = context.find_key(&args[2], Lookup::Inspect)?;
    if !spot.exists() {
        reply.null();
    }
    Ok(spot.exists().then_some(spot))
}

pub(super) fn encoding(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let Some(spot) = look(context, args, reply)? else { return Ok(()) };
    reply.bulk(context.encoding(spot)?.as_bytes());
    Ok(())
}

pub(super) fn refcount(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let Some(spot) = look(context, args, reply)? else { return Ok(()) };
    let hint = context.entry(spot).map_or(Hint::Auto, |entry| entry.hint());
    let is_string = context.kind(spot).is_some_and(|kind| kind.short() == Kind::String);
    let text = if is_string && hint == Hint::Auto { context.string(spot)? } else { None };
    let integer = text.and_then(parse_integer);
    let shared = integer.is_some_and(|integer| (0..SHARED_INTEGERS).contains(&integer));
    reply.integer(if shared { SHARED_REFERENCES } else { 1 });
    Ok(())
}

pub(super) fn idletime(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let Some(spot) = look(context, args, reply)? else { return Ok(()) };
    if let Clock::Lfu { .. } = context.clock() {
        return Err(Error::text(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
             policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    let access = context.entry(spot).map_or(0, |entry| entry.access());
    reply.integer(i64::from(context.clock().idle_seconds(access)));
    Ok(())
}

pub(super) fn freq(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let Some(spot) = look(context, args, reply)? else { return Ok(()) };
    if let Clock::Lru { .. } = context.clock() {
        return Err(Error::text(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
             between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    let access = context.entry(spot).map_or(0, |entry| entry.access());
    reply.integer(i64::from(context.clock().frequency(access)));
    Ok(())
}

pub(super) fn help(_context: &mut Context<'_>, _args: Args<'_>, reply: &mut dyn Reply) -> Result {
    const LINES: &[&str] = &[
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    Return the kind of internal representation used in order to store the value",
        "    associated with a <key>.",
        "FREQ <key>",
        "    Return the access frequency index of the <key>. The returned integer is",
        "    proportional to the logarithm of the recent access frequency of the key.",
        "IDLETIME <key>",
        "    Return the idle time of the <key>, that is the approximated number of",
        "    seconds elapsed since the last access to the key.",
        "REFCOUNT <key>",
        "    Return the number of references of the value associated with the specified",
        "    <key>.",
        "HELP",
        "    Prints this help.",
    ];
    reply.array(LINES.len());
    for line in LINES {
        reply.simple(line);
    }
    Ok(())
}

pub(super) fn memory_usage(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let mut words = args.iter_from(3);
    while let Some(word) = words.next() {
        if !word.eq_ignore_ascii_case(b"samples") {
            return Err(Error::Syntax);
        }
        let samples = parse_integer(words.next().ok_or(Error::Syntax)?).ok_or(Error::NotInteger)?;
        if samples < 0 {
            return Err(Error::Syntax);
        }
    }
    if let Some(spot) = look(context, args, reply)? {
        reply.integer(context.size(spot) as i64);
    }
    Ok(())
}
