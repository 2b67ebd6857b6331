//! Expiry times of keys.

use crate::args::Args;
use crate::command::{Command, READ_FAST, Text, WRITE_FAST};
use crate::commands::deadline::{Unit, unix_ms};
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

const OPTIONS: &str = "key seconds [NX | XX | GT | LT]";

pub(super) const COMMANDS: &[Command] = &[
    Command::generic(
        "expire",
        -3,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: OPTIONS,
            summary: "Sets the expiration time of a key in seconds.",
        },
        expire,
    ),
    Command::generic(
        "expireat",
        -3,
        WRITE_FAST,
        Text {
            since: "1.2.0",
            complexity: "O(1)",
            syntax: "key unix-time-seconds [NX | XX | GT | LT]",
            summary: "Sets the expiration time of a key to a Unix timestamp.",
        },
        expireat,
    ),
    Command::generic(
        "expiretime",
        2,
        READ_FAST,
        Text {
            since: "7.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the expiration time of a key as a Unix timestamp.",
        },
        expiretime,
    ),
    Command::generic(
        "persist",
        2,
        WRITE_FAST,
        Text { since: "2.2.0", complexity: "O(1)", syntax: "key", summary: "Removes the expiration time of a key." },
        persist,
    ),
    Command::generic(
        "pexpire",
        -3,
        WRITE_FAST,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key milliseconds [NX | XX | GT | LT]",
            summary: "Sets the expiration time of a key in milliseconds.",
        },
        pexpire,
    ),
    Command::generic(
        "pexpireat",
        -3,
        WRITE_FAST,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key unix-time-milliseconds [NX | XX | GT | LT]",
            summary: "Sets the expiration time of a key to a Unix milliseconds timestamp.",
        },
        pexpireat,
    ),
    Command::generic(
        "pexpiretime",
        2,
        READ_FAST,
        Text {
            since: "7.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the expiration time of a key as a Unix milliseconds timestamp.",
        },
        pexpiretime,
    ),
    Command::generic(
        "pttl",
        2,
        READ_FAST,
        Text {
            since: "2.6.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the expiration time in milliseconds of a key.",
        },
        pttl,
    ),
    Command::generic(
        "ttl",
        2,
        READ_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the expiration time in seconds of a key.",
        },
        ttl,
    ),
];

pub(super) fn expire(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set(context, args, Unit::Seconds, "expire", reply)
}

pub(super) fn pexpire(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set(context, args, Unit::Milliseconds, "pexpire", reply)
}

pub(super) fn expireat(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set(context, args, Unit::UnixSeconds, "expireat", reply)
}

pub(super) fn pexpireat(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set(context, args, Unit::UnixMilliseconds, "pexpireat", reply)
}

/// When an expiry may be set.
#[derive(Default)]
struct Condition {
    only_persistent: bool,
    only_volatile: bool,
    only_later: bool,
    only_earlier: bool,
}

impl Condition {
    fn parse(args: Args<'_>) -> Result<Condition> {
        let mut condition = Condition::default();
        for word in args.iter_from(3) {
            let flag = match word.to_ascii_lowercase().as_slice() {
                b"nx" => &mut condition.only_persistent,
                b"xx" => &mut condition.only_volatile,
                b"gt" => &mut condition.only_later,
                b"lt" => &mut condition.only_earlier,
                _ => {
                    let word = String::from_utf8_lossy(word);
                    return Err(Error::Text(format!("ERR Unsupported option {word}").into()));
                }
            };
            *flag = true;
        }
        let Condition { only_persistent, only_volatile, only_later, only_earlier } = condition;
        if only_persistent && (only_volatile || only_later || only_earlier) {
            return Err(Error::text("ERR NX and XX, GT or LT options at the same time are not compatible"));
        }
        if only_later && only_earlier {
            return Err(Error::text("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(condition)
    }

    /// `former` is 0 for a key without expiry, which counts as one that never comes.
    fn allows(&self, former: u64, wanted: i64) -> bool {
        let former = (former != 0).then(|| i64::try_from(former).unwrap_or(i64::MAX));
        !(self.only_persistent && former.is_some()
            || self.only_volatile && former.is_none()
            || self.only_later && former.is_none_or(|former| wanted <= former)
            || self.only_earlier && former.is_some_and(|former| wanted >= former))
    }
}

fn set(context: &mut Context<'_>, args: Args<'_>, unit: Unit, command: &str, reply: &mut dyn Reply) -> Result {
    let condition = Condition::parse(args)?;
    let key = &args[1];
    let amount = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let wanted = unix_ms(amount, unit, context.now_ms())
        .ok_or_else(|| Error::Text(format!("ERR invalid expire time in '{command}' command").into()))?;
    let spot = context.find_key(key, Lookup::Write)?;
    if !spot.exists() || !condition.allows(context.expiry(spot), wanted) {
        reply.integer(0);
        return Ok(());
    }
    match u64::try_from(wanted) {
        Ok(expiry) if expiry > 0 && !context.is_over(expiry) => {
            context.set_expiry(spot, key, expiry);
            context.notify(EventClass::Generic, "expire", key);
        }
        // A time that has passed.
        _ => {
            context.delete_told(spot, key);
        }
    }
    reply.integer(1);
    Ok(())
}

pub(super) fn persist(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find_key(key, Lookup::Write)?;
    let volatile = context.expiry(spot) != 0;
    context.set_expiry(spot, key, 0);
    if volatile {
        context.notify(EventClass::Generic, "persist", key);
    }
    reply.integer(i64::from(volatile));
    Ok(())
}

pub(super) fn ttl(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    show(context, args, reply, |expiry, now| (expiry.saturating_sub(now) + 500) / 1000)
}

pub(super) fn pttl(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    show(context, args, reply, |expiry, now| expiry.saturating_sub(now))
}

pub(super) fn expiretime(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    show(context, args, reply, |expiry, _| (expiry + 500) / 1000)
}

pub(super) fn pexpiretime(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    show(context, args, reply, |expiry, _| expiry)
}

/// -2 for no key, -1 for no expiry.
fn show(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply, figure: impl Fn(u64, u64) -> u64) -> Result {
    let spot = context.find_key(&args[1], Lookup::Peek)?;
    reply.integer(match (spot.exists(), context.expiry(spot)) {
        (false, _) => -2,
        (true, 0) => -1,
        (true, expiry) => figure(expiry, context.now_ms()) as i64,
    });
    Ok(())
}
