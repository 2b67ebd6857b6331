//! Commands on whole databases: walks over keys, counting, emptying, exchanging.

use crate::args::Args;
use crate::command::{Category, Command, Group, READ, READ_FAST, Text, WRITE, WRITE_FAST};
use crate::commands::scan::{ScanOptions, parse_cursor};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::glob;
use crate::keyspace::walk::{Cursor, Met};
use crate::number::parse_integer;
use crate::reply::Reply;

const DANGEROUS: &[Category] = &[Category::Keyspace, Category::Dangerous];

pub(super) const COMMANDS: &[Command] = &[
    Command::generic(
        "dbsize",
        1,
        READ_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "",
            summary: "Returns the number of keys in the database.",
        },
        dbsize,
    )
    .on_databases()
    .group(Group::Server),
    Command::generic(
        "flushall",
        -1,
        WRITE,
        Text {
            since: "1.0.0",
            complexity: "O(1); memory is freed in the background.",
            syntax: "[ASYNC | SYNC]",
            summary: "Removes all keys from all databases.",
        },
        flushall,
    )
    .on_databases()
    .group(Group::Server)
    .categories(DANGEROUS),
    Command::generic(
        "flushdb",
        -1,
        WRITE,
        Text {
            since: "1.0.0",
            complexity: "O(1); memory is freed in the background.",
            syntax: "[ASYNC | SYNC]",
            summary: "Removes all keys from the current database.",
        },
        flushdb,
    )
    .on_databases()
    .group(Group::Server)
    .categories(DANGEROUS),
    Command::generic(
        "keys",
        2,
        READ,
        Text {
            since: "1.0.0",
            complexity: "O(N) with N being the number of keys in the database, under the assumption that the key names in \
                         the database and the given pattern have limited length.",
            syntax: "pattern",
            summary: "Returns all key names that match a pattern.",
        },
        keys,
    )
    .on_databases()
    .categories(DANGEROUS),
    Command::generic(
        "randomkey",
        1,
        READ,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "",
            summary: "Returns a random key name from the database.",
        },
        randomkey,
    )
    .on_databases(),
    Command::generic(
        "scan",
        -2,
        READ,
        Text {
            since: "2.8.0",
            complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor \
                         to return back to 0. N is the number of elements inside the collection.",
            syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type]",
            summary: "Iterates over the key names in the database.",
        },
        scan,
    )
    .on_databases(),
    Command::generic(
        "swapdb",
        3,
        WRITE_FAST,
        Text {
            since: "4.0.0",
            complexity: "O(1)",
            syntax: "index1 index2",
            summary: "Swaps two Redis databases.",
        },
        swapdb,
    )
    .on_databases()
    .group(Group::Server)
    .categories(DANGEROUS),
];

fn dbsize(context: &mut Context<'_>, _args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let gate = context.enter()?;
    let len = gate.database(context.keyspace().store(), context.db())?.len();
    // Any batch so far may have counted.
    context.note(None, context.keyspace().store().committed());
    reply.integer(len as i64);
    Ok(())
}

fn check_flush(args: Args<'_>) -> Result {
    match args.get(1) {
        None => Ok(()),
        Some(word)
            if args.len() == 2 && (word.eq_ignore_ascii_case(b"async") || word.eq_ignore_ascii_case(b"sync")) =>
        {
            Ok(())
        }
        Some(_) => Err(Error::Syntax),
    }
}

fn flushdb(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    check_flush(args)?;
    if context.in_transaction() {
        context.clear_database(context.db())?;
        context.note_flushed();
    } else {
        let wrote = context.keyspace().flush_database(context.db(), context.fence())?;
        context.note(wrote, 0);
    }
    reply.ok();
    Ok(())
}

fn flushall(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    check_flush(args)?;
    if context.in_transaction() {
        for db in 0..context.keyspace().databases() {
            context.clear_database(db)?;
        }
        context.note_flushed();
    } else {
        let wrote = context.keyspace().flush_all(context.fence())?;
        context.note(wrote, 0);
    }
    reply.ok();
    Ok(())
}

fn swapdb(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let index = |word: &[u8], invalid| {
        let index = parse_integer(word).and_then(|index| i32::try_from(index).ok());
        index.map(|index| usize::try_from(index).unwrap_or(usize::MAX)).ok_or(Error::text(invalid))
    };
    let first = index(&args[1], "ERR invalid first DB index")?;
    let second = index(&args[2], "ERR invalid second DB index")?;
    if context.in_transaction() {
        context.swap_databases(first, second)?;
    } else {
        let wrote = context.keyspace().swap_databases(first, second, context.fence())?;
        context.note(wrote, 0);
    }
    reply.ok();
    Ok(())
}

/// Keys one behind the other.
#[derive(Default)]
struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    fn write(&self, reply: &mut dyn Reply) {
        reply.array(self.ends.len());
        let mut start = 0;
        for &end in &self.ends {
            reply.bulk(&self.bytes[start..end]);
            start = end;
        }
    }
}

fn keys(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let pattern = &args[1];
    let mut keys = Keys::default();
    let all = pattern == b"*";
    let visit = |met: Met<'_>| {
        if all || glob::matches(pattern, met.key) {
            keys.push(met.key);
        }
    };
    let gate = context.enter()?;
    let from = Cursor::default();
    let (_, saw) = context.keyspace().scan(&gate, context.db(), context.now_ms(), from, usize::MAX, visit)?;
    context.note(None, saw);
    keys.write(reply);
    Ok(())
}

fn scan(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let number = parse_cursor(&args[1])?;
    let options = ScanOptions::parse(args, 2, true)?;
    let mut keys = Keys::default();
    let next = match Cursor::decode(number) {
        None => None,
        Some(cursor) => {
            let visit = |met: Met<'_>| {
                if options.admits(met.kind.type_name(), met.key) {
                    keys.push(met.key);
                }
            };
            let gate = context.enter()?;
            let (next, saw) =
                context.keyspace().scan(&gate, context.db(), context.now_ms(), cursor, options.count, visit)?;
            context.note(None, saw);
            next
        }
    };
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(next.map_or(0, Cursor::encode)).as_bytes());
    keys.write(reply);
    Ok(())
}

fn randomkey(context: &mut Context<'_>, _args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let seed = context.random();
    let gate = context.enter()?;
    let (key, saw) = context.keyspace().random_key(&gate, context.db(), context.now_ms(), seed)?;
    context.note(None, saw);
    match key {
        Some(key) => reply.bulk(&key),
        None => reply.null(),
    }
    Ok(())
}
