//! Commands on lists.

use crate::args::Args;
use crate::command::{
    Command, FIRST_TWO, Flag, GROW, GROW_FAST, Group, KeySpec, READ, READ_FAST, Run, Text, WRITE, WRITE_FAST,
};
use crate::error::{Error, Result};

mod blocking;
mod elements;
mod ends;
mod search;
#[cfg(test)]
mod tests;

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], text: Text, run: Run) -> Command {
    Command::of(Group::List, name, arity, flags, text, run)
}

const PUSHED: &str =
    "O(1) for each element added, so O(N) to add N elements when the command is called with multiple arguments.";
const POPPED: &str = "O(N) where N is the number of elements returned";

const WAIT: &[Flag] = &[Flag::Write, Flag::Blocking];
const GROW_AND_WAIT: &[Flag] = &[Flag::Write, Flag::DenyOom, Flag::Blocking];
/// The last word is a timeout.
const ALL_BUT_LAST: KeySpec = KeySpec::Range { first: 1, last: -2, step: 1 };

pub(super) const COMMANDS: &[Command] = &[
    row(
        "blmove",
        6,
        GROW_AND_WAIT,
        Text {
            since: "6.2.0",
            complexity: "O(1)",
            syntax: "source destination <LEFT | RIGHT> <LEFT | RIGHT> timeout",
            summary: "Pops an element from a list, pushes it to another list and returns it. Blocks until an element is \
                      available otherwise. Deletes the list if the last element was moved.",
        },
        blocking::blmove,
    )
    .keys(FIRST_TWO),
    row(
        "blmpop",
        -5,
        &[Flag::Write, Flag::Blocking, Flag::MovableKeys],
        Text {
            since: "7.0.0",
            complexity: "O(N+M) where N is the number of provided keys and M is the number of elements returned.",
            syntax: "timeout numkeys key [key ...] <LEFT | RIGHT> [COUNT count]",
            summary: "Pops the first element from one of multiple lists. Blocks until an element is available otherwise. \
                      Deletes the list if the last element was popped.",
        },
        blocking::blmpop,
    )
    .keys(KeySpec::Counted { count: 2 }),
    row(
        "blpop",
        -3,
        WAIT,
        Text {
            since: "2.0.0",
            complexity: "O(N) where N is the number of provided keys.",
            syntax: "key [key ...] timeout",
            summary: "Removes and returns the first element in a list. Blocks until an element is available otherwise. \
                      Deletes the list if the last element was popped.",
        },
        blocking::blpop,
    )
    .keys(ALL_BUT_LAST),
    row(
        "brpop",
        -3,
        WAIT,
        Text {
            since: "2.0.0",
            complexity: "O(N) where N is the number of provided keys.",
            syntax: "key [key ...] timeout",
            summary: "Removes and returns the last element in a list. Blocks until an element is available otherwise. \
                      Deletes the list if the last element was popped.",
        },
        blocking::brpop,
    )
    .keys(ALL_BUT_LAST),
    row(
        "brpoplpush",
        4,
        GROW_AND_WAIT,
        Text {
            since: "2.2.0",
            complexity: "O(1)",
            syntax: "source destination timeout",
            summary: "Pops an element from a list, pushes it to another list and returns it. Block until an element is \
                      available otherwise. Deletes the list if the last element was popped.",
        },
        blocking::brpoplpush,
    )
    .keys(FIRST_TWO),
    row(
        "lindex",
        3,
        READ,
        Text {
            since: "1.0.0",
            complexity: "O(N) where N is the number of elements to traverse to get to the element at index. This makes asking \
                         for the first or the last element of the list O(1).",
            syntax: "key index",
            summary: "Returns an element from a list by its index.",
        },
        elements::lindex,
    ),
    row(
        "linsert",
        5,
        GROW,
        Text {
            since: "2.2.0",
            complexity: "O(N) where N is the number of elements to traverse before seeing the value pivot. This means that \
                         inserting somewhere on the left end on the list (head) can be considered O(1) and inserting \
                         somewhere on the right end (tail) is O(N).",
            syntax: "key <BEFORE | AFTER> pivot element",
            summary: "Inserts an element before or after another element in a list.",
        },
        elements::linsert,
    ),
    row(
        "llen",
        2,
        READ_FAST,
        Text { since: "1.0.0", complexity: "O(1)", syntax: "key", summary: "Returns the length of a list." },
        elements::llen,
    ),
    row(
        "lmove",
        5,
        GROW,
        Text {
            since: "6.2.0",
            complexity: "O(1)",
            syntax: "source destination <LEFT | RIGHT> <LEFT | RIGHT>",
            summary: "Returns an element after popping it from one list and pushing it to another. Deletes the list if the \
                      last element was moved.",
        },
        ends::lmove,
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
            summary: "Returns multiple elements from a list after removing them. Deletes the list if the last element was \
                      popped.",
        },
        ends::lmpop,
    )
    .keys(KeySpec::Counted { count: 1 }),
    row(
        "lpop",
        -2,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: POPPED,
            syntax: "key [count]",
            summary: "Returns the first elements in a list after removing it. Deletes the list if the last element was popped.",
        },
        ends::lpop,
    ),
    row(
        "lpos",
        -3,
        READ,
        Text {
            since: "6.0.6",
            complexity: "O(N) where N is the number of elements in the list, for the average case. When searching for \
                         elements near the head or the tail of the list, or when the MAXLEN option is provided, the command \
                         may run in constant time.",
            syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
            summary: "Returns the index of matching elements in a list.",
        },
        search::lpos,
    ),
    row(
        "lpush",
        -3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: PUSHED,
            syntax: "key element [element ...]",
            summary: "Prepends one or more elements to a list. Creates the key if it doesn't exist.",
        },
        ends::lpush,
    ),
    row(
        "lpushx",
        -3,
        GROW_FAST,
        Text {
            since: "2.2.0",
            complexity: PUSHED,
            syntax: "key element [element ...]",
            summary: "Prepends one or more elements to a list only when the list exists.",
        },
        ends::lpushx,
    ),
    row(
        "lrange",
        4,
        READ,
        Text {
            since: "1.0.0",
            complexity: "O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD or \
                         TAIL) for large lists; and N is the number of elements in the specified range.",
            syntax: "key start stop",
            summary: "Returns a range of elements from a list.",
        },
        elements::lrange,
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
        elements::lrem,
    ),
    row(
        "lset",
        4,
        GROW,
        Text {
            since: "1.0.0",
            complexity: "O(N) where N is the length of the list. Setting either the first or the last element of the list is \
                         O(1).",
            syntax: "key index element",
            summary: "Sets the value of an element in a list by its index.",
        },
        elements::lset,
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
        elements::ltrim,
    ),
    row(
        "rpop",
        -2,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: POPPED,
            syntax: "key [count]",
            summary: "Returns and removes the last elements of a list. Deletes the list if the last element was popped.",
        },
        ends::rpop,
    ),
    row(
        "rpoplpush",
        3,
        GROW,
        Text {
            since: "1.2.0",
            complexity: "O(1)",
            syntax: "source destination",
            summary: "Returns the last element of a list after removing and pushing it to another list. Deletes the list if \
                      the last element was popped.",
        },
        ends::rpoplpush,
    )
    .keys(FIRST_TWO),
    row(
        "rpush",
        -3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: PUSHED,
            syntax: "key element [element ...]",
            summary: "Appends one or more elements to a list. Creates the key if it doesn't exist.",
        },
        ends::rpush,
    ),
    row(
        "rpushx",
        -3,
        GROW_FAST,
        Text {
            since: "2.2.0",
            complexity: PUSHED,
            syntax: "key element [element ...]",
            summary: "Appends an element to a list only when the list exists.",
        },
        ends::rpushx,
    ),
];

/// An end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Left,
    Right,
}

impl End {
    fn parse(args: Args<'_>, index: usize) -> Result<End> {
        match args.get(index) {
            Some(word) if word.eq_ignore_ascii_case(b"left") => Ok(End::Left),
            Some(word) if word.eq_ignore_ascii_case(b"right") => Ok(End::Right),
            _ => Err(Error::Syntax),
        }
    }

    /// So many elements as those of the front and of the back.
    fn neighbours(self, count: usize) -> (usize, usize) {
        if self == End::Left { (count, 0) } else { (0, count) }
    }

    /// The event of an element that is added here.
    fn push_event(self) -> &'static str {
        if self == End::Left { "lpush" } else { "rpush" }
    }

    /// The event of an element that is taken away here.
    fn pop_event(self) -> &'static str {
        if self == End::Left { "lpop" } else { "rpop" }
    }
}
