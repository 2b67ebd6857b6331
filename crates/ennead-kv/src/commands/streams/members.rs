//! The rows of commands on who reads a stream.

use super::{claim, groups, info, pending, read, row};
use crate::command::{Command, Flag, GROW, KeySpec, READ, Text, WRITE, WRITE_FAST};

/// The key is the first word after a subcommand.
const AFTER_SUBCOMMAND: KeySpec = KeySpec::Range { first: 2, last: 2, step: 1 };

pub(super) const COMMANDS: &[Command] = &[
    row(
        "xack",
        -4,
        WRITE_FAST,
        Text {
            since: "5.0.0",
            complexity: "O(1) for each message ID processed.",
            syntax: "key group id [id ...]",
            summary: "Returns the number of messages that were successfully acknowledged by the consumer group member \
                      of a stream.",
        },
        groups::xack,
    ),
    row(
        "xautoclaim",
        -6,
        WRITE_FAST,
        Text {
            since: "6.2.0",
            complexity: "O(1) if COUNT is small.",
            syntax: "key group consumer min-idle-time start [COUNT count] [JUSTID]",
            summary: "Changes, or acquires, ownership of messages in a consumer group, as if the messages were \
                      delivered to as consumer group member.",
        },
        claim::xautoclaim,
    ),
    row(
        "xclaim",
        -6,
        WRITE_FAST,
        Text {
            since: "5.0.0",
            complexity: "O(log N) with N being the number of messages in the PEL of the consumer group.",
            syntax: "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] [RETRYCOUNT \
                     count] [FORCE] [JUSTID] [LASTID lastid]",
            summary: "Changes, or acquires, ownership of a message in a consumer group, as if the message was \
                      delivered a consumer group member.",
        },
        claim::xclaim,
    ),
    row(
        "xgroup|create",
        -5,
        GROW,
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read]",
            summary: "Creates a consumer group.",
        },
        groups::create,
    )
    .keys(AFTER_SUBCOMMAND),
    row(
        "xgroup|createconsumer",
        5,
        GROW,
        Text {
            since: "6.2.0",
            complexity: "O(1)",
            syntax: "key group consumer",
            summary: "Creates a consumer in a consumer group.",
        },
        groups::create_consumer,
    )
    .keys(AFTER_SUBCOMMAND),
    row(
        "xgroup|delconsumer",
        5,
        WRITE,
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "key group consumer",
            summary: "Deletes a consumer from a consumer group.",
        },
        groups::delete_consumer,
    )
    .keys(AFTER_SUBCOMMAND),
    row(
        "xgroup|destroy",
        4,
        WRITE,
        Text {
            since: "5.0.0",
            complexity: "O(N) where N is the number of entries in the group's pending entries list (PEL).",
            syntax: "key group",
            summary: "Destroys a consumer group.",
        },
        groups::destroy,
    )
    .keys(AFTER_SUBCOMMAND),
    row(
        "xgroup|help",
        2,
        &[Flag::Loading, Flag::Stale],
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "",
            summary: "Returns helpful text about the different subcommands.",
        },
        groups::help,
    )
    .on_databases(),
    row(
        "xgroup|setid",
        -5,
        WRITE,
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "key group <id | $> [ENTRIESREAD entries-read]",
            summary: "Sets the last-delivered ID of a consumer group.",
        },
        groups::setid,
    )
    .keys(AFTER_SUBCOMMAND),
    row(
        "xinfo|consumers",
        4,
        READ,
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "key group",
            summary: "Returns a list of the consumers in a consumer group.",
        },
        info::consumers,
    )
    .keys(AFTER_SUBCOMMAND),
    row(
        "xinfo|groups",
        3,
        READ,
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns a list of the consumer groups of a stream.",
        },
        info::groups,
    )
    .keys(AFTER_SUBCOMMAND),
    row(
        "xinfo|help",
        2,
        &[Flag::Loading, Flag::Stale],
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "",
            summary: "Returns helpful text about the different subcommands.",
        },
        info::help,
    )
    .on_databases(),
    row(
        "xinfo|stream",
        -3,
        READ,
        Text {
            since: "5.0.0",
            complexity: "O(1)",
            syntax: "key [FULL [COUNT count]]",
            summary: "Returns information about a stream.",
        },
        info::stream,
    )
    .keys(AFTER_SUBCOMMAND),
    row(
        "xpending",
        -3,
        READ,
        Text {
            since: "5.0.0",
            complexity: "O(N) with N being the number of elements returned, so asking for a small fixed number of \
                         entries per call is O(1). O(M), where M is the total number of entries scanned when used with \
                         the IDLE filter. When the command returns just the summary and the list of consumers is \
                         small, it runs in O(1) time; otherwise, an additional O(N) time for iterating every consumer.",
            syntax: "key group [[IDLE min-idle-time] start end count [consumer]]",
            summary: "Returns the information and entries from a stream consumer group's pending entries list.",
        },
        pending::xpending,
    ),
    row(
        "xread",
        -4,
        &[Flag::Blocking, Flag::ReadOnly, Flag::MovableKeys],
        Text {
            since: "5.0.0",
            complexity: "For each stream mentioned: O(N) with N being the number of elements being returned, it means that \
                         XREAD-ing with a fixed COUNT is O(1). Note that when the BLOCK option is used, XADD will pay O(M) \
                         time in order to serve the M clients blocked on the stream getting new data.",
            syntax: "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
            summary: "Returns messages from multiple streams with IDs greater than the ones requested. Blocks until a \
                      message is available otherwise.",
        },
        read::xread,
    )
    .keys(KeySpec::HalfBehindStreams { from: 1 }),
    row(
        "xreadgroup",
        -7,
        &[Flag::Blocking, Flag::Write, Flag::MovableKeys],
        Text {
            since: "5.0.0",
            complexity: "For each stream mentioned: O(M) with M being the number of elements returned. If M is \
                         constant (e.g. always asking for the first 10 elements with COUNT), you can consider it O(1). \
                         On the other side when XREADGROUP blocks, XADD will pay the O(N) time in order to serve the N \
                         clients blocked on the stream getting new data.",
            syntax: "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]",
            summary: "Returns new or historical messages from a stream for a consumer in a group. Blocks until a \
                      message is available otherwise.",
        },
        read::xreadgroup,
    )
    .keys(KeySpec::HalfBehindStreams { from: 4 }),
];
