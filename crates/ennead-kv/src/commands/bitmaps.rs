//! Commands on the bits of strings.

use crate::args::Args;
use crate::command::{Command, GROW, Group, KeySpec, READ, READ_FAST, Run, Text};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::number::parse_integer;

mod bit;
mod field;
mod operation;
mod overflow;
mod range;
#[cfg(test)]
mod tests;

const fn row(name: &'static str, arity: i32, flags: &'static [crate::Flag], text: Text, run: Run) -> Command {
    Command::of(Group::Bitmap, name, arity, flags, text, run)
}

pub(super) const COMMANDS: &[Command] = &[
    row(
        "bitcount",
        -2,
        READ,
        Text {
            since: "2.6.0",
            complexity: "O(N)",
            syntax: "key [start end [BYTE | BIT]]",
            summary: "Counts the number of set bits (population counting) in a string.",
        },
        range::bitcount,
    ),
    row(
        "bitfield",
        -2,
        GROW,
        Text {
            since: "3.2.0",
            complexity: "O(1) for each subcommand specified",
            syntax: "key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] \
                     <SET encoding offset value | INCRBY encoding offset increment> \
                     [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] \
                     <SET encoding offset value | INCRBY encoding offset increment> ...]]",
            summary: "Performs arbitrary bitfield integer operations on strings.",
        },
        field::bitfield,
    ),
    row(
        "bitfield_ro",
        -2,
        READ_FAST,
        Text {
            since: "6.0.0",
            complexity: "O(1) for each subcommand specified",
            syntax: "key [GET encoding offset [GET encoding offset ...]]",
            summary: "Performs arbitrary read-only bitfield integer operations on strings.",
        },
        field::bitfield_ro,
    ),
    row(
        "bitop",
        -4,
        GROW,
        Text {
            since: "2.6.0",
            complexity: "O(N)",
            syntax: "<AND | OR | XOR | NOT> destkey key [key ...]",
            summary: "Performs bitwise operations on multiple strings, and stores the result.",
        },
        operation::bitop,
    )
    .keys(KeySpec::Range { first: 2, last: -1, step: 1 }),
    row(
        "bitpos",
        -3,
        READ,
        Text {
            since: "2.8.7",
            complexity: "O(N)",
            syntax: "key bit [start [end [BYTE | BIT]]]",
            summary: "Finds the first set (1) or clear (0) bit in a string.",
        },
        range::bitpos,
    ),
    row(
        "getbit",
        3,
        READ_FAST,
        Text { since: "2.2.0", complexity: "O(1)", syntax: "key offset", summary: "Returns a bit value by offset." },
        bit::getbit,
    ),
    row(
        "setbit",
        4,
        GROW,
        Text {
            since: "2.2.0",
            complexity: "O(1); in a string of up to 64 KiB, its length.",
            syntax: "key offset value",
            summary: "Sets or clears the bit at offset of the string value. Creates the key if it doesn't exist.",
        },
        bit::setbit,
    ),
];

/// The number of a bit. With `width` it may be written `#n`, the nth field of so many bits.
fn bit_offset(context: &Context<'_>, word: &[u8], width: Option<u32>) -> Result<usize> {
    const INVALID: Error = Error::text("ERR bit offset is not an integer or out of range");
    let (digits, factor) = match (word.strip_prefix(b"#"), width) {
        (Some(digits), Some(width)) => (digits, i64::from(width)),
        _ => (word, 1),
    };
    // Redis multiplies without looking; what it refuses is seen afterwards.
    let offset = parse_integer(digits).ok_or(INVALID)?.wrapping_mul(factor);
    let most = context.keyspace().settings().proto_max_bulk_len();
    usize::try_from(offset).ok().filter(|offset| ((offset / 8) as u64) < most).ok_or(INVALID)
}

/// The word at `index` as a number.
fn integer(args: Args<'_>, index: usize) -> Result<i64> {
    args.get(index).and_then(parse_integer).ok_or(Error::NotInteger)
}
