//! Commands on HyperLogLogs, which are strings of a form of their own: see [`crate::hyperloglog`].

use crate::command::{ALL, Command, Flag, GROW, GROW_FAST, Group, KeySpec, READ, Run, Text};
use crate::context::{Context, Spot};
use crate::error::{Error, Result};
use crate::hyperloglog::{Corrupted, View};

mod add;
mod count;
mod debug;
mod merge;
mod selftest;
#[cfg(test)]
mod tests;

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], text: Text, run: Run) -> Command {
    Command::of(Group::HyperLogLog, name, arity, flags, text, run)
}

pub(super) const COMMANDS: &[Command] = &[
    row(
        "pfadd",
        -2,
        GROW_FAST,
        Text {
            since: "2.8.9",
            complexity: "O(1) to add every element.",
            syntax: "key [element [element ...]]",
            summary: "Adds elements to a HyperLogLog key. Creates the key if it doesn't exist.",
        },
        add::pfadd,
    ),
    row(
        "pfcount",
        -2,
        READ,
        Text {
            since: "2.8.9",
            complexity: "O(1) with a very small average constant time when called with a single key. O(N) with N being \
                         the number of keys, and much bigger constant times, when called with multiple keys.",
            syntax: "key [key ...]",
            summary: "Returns the approximated cardinality of the set(s) observed by the HyperLogLog key(s).",
        },
        count::pfcount,
    )
    .keys(ALL),
    row(
        "pfdebug",
        3,
        &[Flag::Write, Flag::DenyOom, Flag::Admin],
        Text {
            since: "2.8.9",
            complexity: "N/A",
            syntax: "subcommand key",
            summary: "Internal commands for debugging HyperLogLog values.",
        },
        debug::pfdebug,
    )
    .keys(KeySpec::Range { first: 2, last: 2, step: 1 }),
    row(
        "pfmerge",
        -2,
        GROW,
        Text {
            since: "2.8.9",
            complexity: "O(N) to merge N HyperLogLogs, but with high constant times.",
            syntax: "destkey [sourcekey [sourcekey ...]]",
            summary: "Merges one or more HyperLogLog values into a single key.",
        },
        merge::pfmerge,
    )
    .keys(ALL),
    row(
        "pfselftest",
        1,
        &[Flag::Admin],
        Text {
            since: "2.8.9",
            complexity: "N/A",
            syntax: "",
            summary: "An internal command for testing HyperLogLog values.",
        },
        selftest::pfselftest,
    )
    .keys(KeySpec::None),
];

impl From<Corrupted> for Error {
    fn from(_: Corrupted) -> Error {
        Error::text("INVALIDOBJ Corrupted HLL object detected")
    }
}

/// The sketch of a key; none if the key does not exist.
fn view<'a>(context: &'a Context<'_>, spot: Spot) -> Result<Option<View<'a>>> {
    let Some(bytes) = context.string(spot)? else { return Ok(None) };
    match View::parse(bytes) {
        Some(view) => Ok(Some(view)),
        None => Err(Error::text("WRONGTYPE Key is not a valid HyperLogLog string value.")),
    }
}
