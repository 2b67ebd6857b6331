//! The rows of commands on a stream's entries.

use super::{add, range, row};
use crate::command::{Command, GROW_FAST, READ, READ_FAST, Text, WRITE, WRITE_FAST};

const RANGE: &str = "O(N) with N being the number of elements being returned. If N is constant (e.g. always asking for the \
                     first 10 elements with COUNT), you can consider it O(1).";

pub(super) const COMMANDS: &[Command] = &[
    row(
        "xadd",
        -5,
        GROW_FAST,
        Text {
            since: "5.0.0",
            complexity: "O(1) when adding a new entry, O(N) when trimming where N being the number of entries evicted.",
            syntax: "key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]",
            summary: "Appends a new message to a stream. Creates the key if it doesn't exist.",
        },
        add::xadd,
    ),
    row(
        "xdel",
        -3,
        WRITE_FAST,
        Text {
            since: "5.0.0",
            complexity: "O(1) for each single item to delete in the stream, regardless of the stream size.",
            syntax: "key id [id ...]",
            summary: "Returns the number of messages after removing them from a stream.",
        },
        add::xdel,
    ),
    row(
        "xlen",
        2,
        READ_FAST,
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Return the number of messages in a stream.",
        },
        range::xlen,
    ),
    row(
        "xrange",
        -4,
        READ,
        Text {
            since: "5.0.0",
            complexity: RANGE,
            syntax: "key start end [COUNT count]",
            summary: "Returns the messages from a stream within a range of IDs.",
        },
        range::xrange,
    ),
    row(
        "xrevrange",
        -4,
        READ,
        Text {
            since: "5.0.0",
            complexity: RANGE,
            syntax: "key end start [COUNT count]",
            summary: "Returns the messages from a stream within a range of IDs in reverse order.",
        },
        range::xrevrange,
    ),
    row(
        "xsetid",
        -3,
        GROW_FAST,
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
            summary: "An internal command for replicating stream values.",
        },
        add::xsetid,
    ),
    row(
        "xtrim",
        -4,
        WRITE,
        Text {
            since: "5.0.0",
            complexity: "O(N), with N being the number of evicted entries. Constant times are very small however, since \
                         entries are organized in macro nodes containing multiple entries that can be released with a single \
                         deallocation.",
            syntax: "key <MAXLEN | MINID> [= | ~] threshold [LIMIT count]",
            summary: "Deletes messages from the beginning of a stream.",
        },
        add::xtrim,
    ),
];
