//! DUMP and RESTORE.

use crate::args::Args;
use crate::command::{Category, Command, Flag, GROW, Group, READ, Text};
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::rdb::{self, Refusal};
use crate::reply::Reply;

const RESTORED: &[Category] = &[Category::Keyspace, Category::Dangerous];
const RESTORE: Text = Text {
    since: "2.6.0",
    complexity: "O(1) to create the key and O(M) to reconstruct its value of M bytes.",
    syntax: "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
    summary: "Creates a key from the serialized representation of a value.",
};

pub(super) const COMMANDS: &[Command] = &[
    Command::generic(
        "dump",
        2,
        READ,
        Text {
            since: "2.6.0",
            complexity: "O(1) to access the key and O(M) to serialize its value of M bytes.",
            syntax: "key",
            summary: "Returns a serialized representation of the value stored at a key.",
        },
        dump,
    ),
    Command::generic("restore", -4, GROW, RESTORE, restore).categories(RESTORED),
    Command::generic(
        "restore-asking",
        -4,
        &[Flag::Write, Flag::DenyOom, Flag::Asking],
        Text {
            since: "3.0.0",
            summary: "The RESTORE of a server that moves keys to another of its cluster.",
            ..RESTORE
        },
        restore,
    )
    .group(Group::Server)
    .categories(RESTORED),
];

pub(super) fn dump(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    match context.dump(spot)? {
        Some(payload) => reply.bulk(&payload),
        None => reply.null(),
    }
    Ok(())
}

#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_seconds: Option<u32>,
    frequency: Option<u8>,
}

impl Options {
    fn parse(args: Args<'_>) -> Result<Options> {
        let mut options = Options::default();
        let mut words = args.iter_from(4);
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case(b"replace") {
                options.replace = true;
            } else if word.eq_ignore_ascii_case(b"absttl") {
                options.absolute = true;
            } else if word.eq_ignore_ascii_case(b"idletime") && options.frequency.is_none() {
                let seconds = parse_integer(words.next().ok_or(Error::Syntax)?).ok_or(Error::NotInteger)?;
                let invalid = |_| Error::text("ERR Invalid IDLETIME value, must be >= 0");
                options.idle_seconds = Some(u64::try_from(seconds).map_err(invalid)?.try_into().unwrap_or(u32::MAX));
            } else if word.eq_ignore_ascii_case(b"freq") && options.idle_seconds.is_none() {
                let frequency = parse_integer(words.next().ok_or(Error::Syntax)?).ok_or(Error::NotInteger)?;
                let invalid = |_| Error::text("ERR Invalid FREQ value, must be >= 0 and <= 255");
                options.frequency = Some(u8::try_from(frequency).map_err(invalid)?);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

pub(super) fn restore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = Options::parse(args)?;
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    if spot.exists() && !options.replace {
        return Err(Error::text("BUSYKEY Target key name already exists."));
    }
    let ttl = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let ttl = u64::try_from(ttl).map_err(|_| Error::text("ERR Invalid TTL value, must be >= 0"))?;
    let longest = context.keyspace().settings().proto_max_bulk_len();
    let value = rdb::restore(&args[3], longest).map_err(|refusal| {
        Error::text(match refusal {
            Refusal::VersionOrChecksum => "ERR DUMP payload version or checksum are wrong",
            Refusal::Format | Refusal::Empty => "ERR Bad data format",
        })
    })?;
    let expiry = match ttl {
        0 => 0,
        ttl if options.absolute => ttl,
        ttl => ttl.saturating_add(context.now_ms()).min(i64::MAX as u64),
    };
    if context.is_over(expiry) {
        context.delete_told(spot, key);
    } else {
        // What was there is deleted, not changed: the key is a new one.
        context.delete(spot, key);
        let spot = context.again(spot, key);
        let spot = context.put_restored(spot, key, value, expiry)?;
        let access = match (options.idle_seconds, options.frequency) {
            (Some(seconds), _) => context.clock().idle(seconds),
            (None, Some(frequency)) => context.clock().frequent(frequency),
            (None, None) => context.clock().fresh(),
        };
        context.set_access(spot, access);
        context.notify(EventClass::Generic, "restore", key);
    }
    reply.ok();
    Ok(())
}
