//! Commands on strings.

use crate::args::Args;
use crate::command::{ALL, Command, FIRST_TWO, GROW, GROW_FAST, KeySpec, READ, READ_FAST, Text, WRITE_FAST};
use crate::context::{Context, Lookup};
use crate::error::Result;
use crate::reply::Reply;

mod counter;
mod getex;
mod lcs;
mod multiple;
mod range;
mod set;

/// Every second word after the name is a key.
const PAIRS: KeySpec = KeySpec::Range { first: 1, last: -1, step: 2 };

const RANGE_COMPLEXITY: &str = "O(N) where N is the length of the returned string. The complexity is ultimately determined by the returned \
     length, but because creating a substring from an existing string is very cheap, it can be considered O(1) for small strings.";

pub(super) const COMMANDS: &[Command] = &[
    Command::string(
        "append",
        3,
        GROW_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(1) for a string of up to 64 KiB, else what is appended is what is written.",
            syntax: "key value",
            summary: "Appends a string to the value of a key. Creates the key if it doesn't exist.",
        },
        range::append,
    ),
    Command::string(
        "decr",
        2,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Decrements the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.",
        },
        counter::decr,
    ),
    Command::string(
        "decrby",
        3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key decrement",
            summary: "Decrements a number from the integer value of a key. Uses 0 as initial value if the key doesn't exist.",
        },
        counter::decrby,
    ),
    Command::string(
        "get",
        2,
        READ_FAST,
        Text { since: "1.0.0", complexity: "O(1)", syntax: "key", summary: "Returns the string value of a key." },
        get,
    ),
    Command::string(
        "getdel",
        2,
        WRITE_FAST,
        Text {
            since: "6.2.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the string value of a key after deleting the key.",
        },
        getex::getdel,
    ),
    Command::string(
        "getex",
        -2,
        WRITE_FAST,
        Text {
            since: "6.2.0",
            complexity: "O(1)",
            syntax: "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
            summary: "Returns the string value of a key after setting its expiration time.",
        },
        getex::getex,
    ),
    Command::string(
        "getrange",
        4,
        READ,
        Text {
            since: "2.4.0",
            complexity: RANGE_COMPLEXITY,
            syntax: "key start end",
            summary: "Returns a substring of the string stored at a key.",
        },
        range::getrange,
    ),
    Command::string(
        "getset",
        3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key value",
            summary: "Returns the previous string value of a key after setting it to a new value.",
        },
        set::getset,
    ),
    Command::string(
        "incr",
        2,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Increments the integer value of a key by one. Uses 0 as initial value if the key doesn't exist.",
        },
        counter::incr,
    ),
    Command::string(
        "incrby",
        3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key increment",
            summary: "Increments the integer value of a key by a number. Uses 0 as initial value if the key doesn't exist.",
        },
        counter::incrby,
    ),
    Command::string(
        "incrbyfloat",
        3,
        GROW_FAST,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key increment",
            summary: "Increments the floating point value of a key by a number. Uses 0 as initial value if the key doesn't exist.",
        },
        counter::incrbyfloat,
    ),
    Command::string(
        "lcs",
        -3,
        READ,
        Text {
            since: "7.0.0",
            complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
            syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
            summary: "Finds the longest common substring.",
        },
        lcs::lcs,
    )
    .keys(FIRST_TWO),
    Command::string(
        "mget",
        -2,
        READ_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(N) where N is the number of keys to retrieve.",
            syntax: "key [key ...]",
            summary: "Atomically returns the string values of one or more keys.",
        },
        multiple::mget,
    )
    .keys(ALL),
    Command::string(
        "mset",
        -3,
        GROW,
        Text {
            since: "1.0.1",
            complexity: "O(N) where N is the number of keys to set.",
            syntax: "key value [key value ...]",
            summary: "Atomically creates or modifies the string values of one or more keys.",
        },
        multiple::mset,
    )
    .keys(PAIRS),
    Command::string(
        "msetnx",
        -3,
        GROW,
        Text {
            since: "1.0.1",
            complexity: "O(N) where N is the number of keys to set.",
            syntax: "key value [key value ...]",
            summary: "Atomically modifies the string values of one or more keys only when all keys don't exist.",
        },
        multiple::msetnx,
    )
    .keys(PAIRS),
    Command::string(
        "psetex",
        4,
        GROW,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key milliseconds value",
            summary: "Sets both string value and expiration time in milliseconds of a key. The key is created if it doesn't exist.",
        },
        set::psetex,
    ),
    Command::string(
        "set",
        -3,
        GROW,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | \
                     PXAT unix-time-milliseconds | KEEPTTL]",
            summary: "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
        },
        set::set,
    ),
    Command::string(
        "setex",
        4,
        GROW,
        Text {
            since: "2.0.0",
            complexity: "O(1)",
            syntax: "key seconds value",
            summary: "Sets the string value and expiration time of a key. Creates the key if it doesn't exist.",
        },
        set::setex,
    ),
    Command::string(
        "setnx",
        3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key value",
            summary: "Sets the string value of a key only when the key doesn't exist.",
        },
        set::setnx,
    ),
    Command::string(
        "setrange",
        4,
        GROW,
        Text {
            since: "2.2.0",
            complexity: "O(M) with M being the length of the value argument; in a string of up to 64 KiB, its length.",
            syntax: "key offset value",
            summary: "Overwrites a part of a string value with another by an offset. Creates the key if it doesn't exist.",
        },
        range::setrange,
    ),
    Command::string(
        "strlen",
        2,
        READ_FAST,
        Text { since: "2.2.0", complexity: "O(1)", syntax: "key", summary: "Returns the length of a string value." },
        strlen,
    ),
    Command::string(
        "substr",
        4,
        READ,
        Text {
            since: "1.0.0",
            complexity: RANGE_COMPLEXITY,
            syntax: "key start end",
            summary: "Returns a substring from a string value.",
        },
        range::getrange,
    ),
];

fn get(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(&args[1], Lookup::Read)?;
    match context.string(spot)? {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    }
    Ok(())
}

fn strlen(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(&args[1], Lookup::Read)?;
    let len = context.string(spot)?.map_or(0, <[u8]>::len);
    reply.integer(len as i64);
    Ok(())
}
