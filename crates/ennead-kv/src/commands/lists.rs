//! Commands on lists.

use crate::args::Args;
use crate::command::{
    Command, FIRST_TWO, Flag, GROW, GROW_FAST, Group, KeySpec, READ, READ_FAST, Run, Text, WRITE, WRITE_FAST,
};
use crate::context::{Context, Lookup, Spot};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

mod change;
mod pop;
mod position;
#[cfg(test)]
mod tests;

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], text: Text, run: Run) -> Command {
    Command::of(Group::List, name, arity, flags, text, run)
}

const PUSH_COMPLEXITY: &str =
    "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.";
const POP_COMPLEXITY: &str = "O(N) where N is the number of elements returned";

pub(super) const COMMANDS: &[Command] = &[
    row(
        "lindex",
        3,
        READ,
        Text {
            since: "1.0.0",
            complexity: "O(log(N)) where N is the length of the list.",
            syntax: "key index",
            summary: "Returns an element from a list by its index.",
        },
        lindex,
    ),
    row(
        "linsert",
        5,
        GROW,
        Text {
            since: "2.2.0",
            complexity: "O(N) where N is the number of elements to traverse before seeing the value pivot.",
            syntax: "key <BEFORE | AFTER> pivot element",
            summary: "Inserts an element before or after another element in a list.",
        },
        change::linsert,
    ),
    row(
        "llen",
        2,
        READ_FAST,
        Text { since: "1.0.0", complexity: "O(1)", syntax: "key", summary: "Returns the length of a list." },
        llen,
    ),
    row(
        "lmove",
        5,
        GROW,
        Text {
            since: "6.2.0",
            complexity: "O(1)",
            syntax: "source destination <LEFT | RIGHT> <LEFT | RIGHT>",
            summary: "Returns an element after popping it from one list and pushing it to another. Deletes the list if the last element was moved.",
        },
        pop::lmove,
    )
    .keys(FIRST_TWO),
    row(
        "lmpop",
        -4,
        &[Flag::Write, Flag::MovableKeys],
        Text {
            since: "7.0.0",
            complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
            syntax: "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
            summary: "Returns multiple elements from a list after removing them. Deletes the list if the last element was popped.",
        },
        pop::lmpop,
    )
    .keys(KeySpec::Counted { count: 1 }),
    row(
        "lpop",
        -2,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: POP_COMPLEXITY,
            syntax: "key [count]",
            summary: "Returns the first elements in a list after removing it. Deletes the list if the last element was popped.",
        },
        pop::lpop,
    ),
    row(
        "lpos",
        -3,
        READ,
        Text {
            since: "6.0.6",
            complexity: "O(N) where N is the number of elements in the list, for the average case. When searching for elements \
                         near the head or the tail of the list, or when the MAXLEN option is provided, the command may run \
                         in constant time.",
            syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
            summary: "Returns the index of matching elements in a list.",
        },
        position::lpos,
    ),
    row(
        "lpush",
        -3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: PUSH_COMPLEXITY,
            syntax: "key element [element ...]",
            summary: "Prepends one or more elements to a list. Creates the key if it doesn't exist.",
        },
        lpush,
    ),
    row(
        "lpushx",
        -3,
        GROW_FAST,
        Text {
            since: "2.2.0",
            complexity: PUSH_COMPLEXITY,
            syntax: "key element [element ...]",
            summary: "Prepends one or more elements to a list only when the list exists.",
        },
        lpushx,
    ),
    row(
        "lrange",
        4,
        READ,
        Text {
            since: "1.0.0",
            complexity: "O(log(S)+N) where S is the start offset and N is the number of elements in the specified range.",
            syntax: "key start stop",
            summary: "Returns a range of elements from a list.",
        },
        lrange,
    ),
    row(
        "lrem",
        4,
        WRITE,
        Text {
            since: "1.0.0",
            complexity: "O(N+M) where N is the length of the list and M is the number of elements removed.",
            syntax: "key count element",
            summary: "Removes elements from a list. Deletes the list if the last element was removed.",
        },
        change::lrem,
    ),
    row(
        "lset",
        4,
        GROW,
        Text {
            since: "1.0.0",
            complexity: "O(log(N)) where N is the length of the list.",
            syntax: "key index element",
            summary: "Sets the value of an element in a list by its index.",
        },
        change::lset,
    ),
    row(
        "ltrim",
        4,
        WRITE,
        Text {
            since: "1.0.0",
            complexity: "O(N) where N is the number of elements to be removed by the operation.",
            syntax: "key start stop",
            summary: "Removes elements from both ends a list. Deletes the list if all elements were trimmed.",
        },
        change::ltrim,
    ),
    row(
        "rpop",
        -2,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: POP_COMPLEXITY,
            syntax: "key [count]",
            summary: "Returns and removes the last elements of a list. Deletes the list if the last element was popped.",
        },
        pop::rpop,
    ),
    row(
        "rpoplpush",
        3,
        GROW,
        Text {
            since: "1.2.0",
            complexity: "O(1)",
            syntax: "source destination",
            summary: "Returns the last element of a list after removing and pushing it to another list. Deletes the list if the last element was popped.",
        },
        pop::rpoplpush,
    )
    .keys(FIRST_TWO),
    row(
        "rpush",
        -3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: PUSH_COMPLEXITY,
            syntax: "key element [element ...]",
            summary: "Appends one or more elements to a list. Creates the key if it doesn't exist.",
        },
        rpush,
    ),
    row(
        "rpushx",
        -3,
        GROW_FAST,
        Text {
            since: "2.2.0",
            complexity: PUSH_COMPLEXITY,
            syntax: "key element [element ...]",
            summary: "Appends an element to a list only when the list exists.",
        },
        rpushx,
    ),
];

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Side {
    fn parse(word: &[u8]) -> Result<Side> {
        if word.eq_ignore_ascii_case(b"left") {
            Ok(Side::Left)
        } else if word.eq_ignore_ascii_case(b"right") {
            Ok(Side::Right)
        } else {
            Err(Error::Syntax)
        }
    }
}

/// Pushes elements one after the other; how many there are then.
fn push<'e>(
    context: &mut Context<'_>,
    spot: Spot,
    key: &[u8],
    elements: impl Iterator<Item = &'e [u8]>,
    side: Side,
) -> Result<usize> {
    let mut edit = context.open(spot, Kind::List)?;
    for element in elements {
        match side {
            Side::Left => context.list_insert(&mut edit, key, 0, element)?,
            Side::Right => context.list_push(&mut edit, key, element)?,
        }
    }
    context.note_elements(&mut edit);
    let len = context.edited(&edit).len();
    context.close(edit, key)?;
    Ok(len)
}

fn push_all(
    context: &mut Context<'_>,
    args: Args<'_>,
    side: Side,
    only_existing: bool,
    reply: &mut dyn Reply,
) -> Result {
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    let len = match spot.exists() || !only_existing {
        true => push(context, spot, key, args.iter_from(2), side)?,
        false => 0,
    };
    reply.integer(len as i64);
    Ok(())
}

fn lpush(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    push_all(context, args, Side::Left, false, reply)
}

fn rpush(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    push_all(context, args, Side::Right, false, reply)
}

fn lpushx(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    push_all(context, args, Side::Left, true, reply)
}

fn rpushx(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    push_all(context, args, Side::Right, true, reply)
}

fn llen(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    reply.integer(context.view(spot, Kind::List)?.len() as i64);
    Ok(())
}

/// An index from the front, of one that may be counted from the end; none before the front.
fn from_front(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(index).ok()
}

fn lindex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::List)?;
    if !spot.exists() {
        reply.null();
        return Ok(());
    }
    let index = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    match from_front(index, view.len()).and_then(|index| view.nth(index)) {
        Some(element) => reply.bulk(element),
        None => reply.null(),
    }
    Ok(())
}

/// The range from `start` to `stop`, both included and counted from the end when negative, as indexes.
fn range(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let len = len as i64;
    let from_end = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
    let (start, end) = (from_end(start).max(0), from_end(stop).min(len - 1) + 1);
    if start < end { start as usize..end as usize } else { 0..0 }
}

fn lrange(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let start = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let stop = parse_integer(&args[3]).ok_or(Error::NotInteger)?;
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::List)?;
    let range = range(start, stop, view.len());
    reply.array(range.len());
    view.items_from(range.start).take(range.len()).for_each(|element| reply.bulk(element));
    Ok(())
}
