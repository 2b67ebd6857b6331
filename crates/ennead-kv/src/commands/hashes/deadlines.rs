//! Deadlines of fields, as Redis has them since 7.4.

use crate::args::Args;
use crate::command::{Command, Flag, GROW_FAST, Group, READ_FAST, Run, Text, WRITE_FAST};
use crate::commands::deadline::{Unit, unix_ms};
use crate::context::collections::Edit;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::object::fields::DEADLINE_MAX;
use crate::reply::Reply;

#[cfg(test)]
mod tests;

const SET: &str = "key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]";
const SET_MS: &str = "key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]";
const SET_AT: &str = "key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]";
const SET_AT_MS: &str = "key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]";
const FIELDS: &str = "key FIELDS numfields field [field ...]";

const fn row(
    name: &'static str,
    arity: i32,
    flags: &'static [Flag],
    syntax: &'static str,
    summary: &'static str,
    run: Run,
) -> Command {
    let complexity = "O(N) where N is the number of specified fields";
    Command::of(Group::Hash, name, arity, flags, Text { since: "7.4.0", complexity, syntax, summary }, run)
}

pub(in crate::commands) const COMMANDS: &[Command] = &[
    row("hexpire", -6, GROW_FAST, SET, "Set expiry for hash field using relative time to expire (seconds)", hexpire),
    row(
        "hexpireat",
        -6,
        GROW_FAST,
        SET_AT,
        "Set expiry for hash field using an absolute Unix timestamp (seconds)",
        hexpireat,
    ),
    row(
        "hexpiretime",
        -5,
        READ_FAST,
        FIELDS,
        "Returns the expiration time of a hash field as a Unix timestamp, in seconds.",
        hexpiretime,
    ),
    row("hpersist", -5, WRITE_FAST, FIELDS, "Removes the expiration time for each specified field", hpersist),
    row(
        "hpexpire",
        -6,
        GROW_FAST,
        SET_MS,
        "Set expiry for hash field using relative time to expire (milliseconds)",
        hpexpire,
    ),
    row(
        "hpexpireat",
        -6,
        GROW_FAST,
        SET_AT_MS,
        "Set expiry for hash field using an absolute Unix timestamp (milliseconds)",
        hpexpireat,
    ),
    row(
        "hpexpiretime",
        -5,
        READ_FAST,
        FIELDS,
        "Returns the expiration time of a hash field as a Unix timestamp, in msec.",
        hpexpiretime,
    ),
    row("hpttl", -5, READ_FAST, FIELDS, "Returns the TTL in milliseconds of a hash field.", hpttl),
    row("httl", -5, READ_FAST, FIELDS, "Returns the TTL in seconds of a hash field.", httl),
];

/// What became of a field.
const NO_FIELD: i64 = -2;
const NO_DEADLINE: i64 = -1;
const NOT_ALLOWED: i64 = 0;
const DONE: i64 = 1;
const DELETED: i64 = 2;

/// When a deadline may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    OnlyStaying,
    OnlyGoing,
    OnlyLater,
    OnlyEarlier,
}

impl Condition {
    fn parse(word: &[u8]) -> Condition {
        match word.to_ascii_lowercase().as_slice() {
            b"nx" => Condition::OnlyStaying,
            b"xx" => Condition::OnlyGoing,
            b"gt" => Condition::OnlyLater,
            b"lt" => Condition::OnlyEarlier,
            _ => Condition::Always,
        }
    }

    /// `former` is 0 for a field without deadline, which counts as one that never comes.
    fn allows(self, former: u64, wanted: u64) -> bool {
        match self {
            Condition::Always => true,
            Condition::OnlyStaying => former == 0,
            Condition::OnlyGoing => former != 0,
            Condition::OnlyLater => former != 0 && wanted > former,
            Condition::OnlyEarlier => former == 0 || wanted < former,
        }
    }
}

/// The fields behind `FIELDS numfields`, which stand from word `at` on: the word of the first field.
pub(super) fn check_fields(args: Args<'_>, at: usize, refusal: &'static str) -> Result<usize> {
    if !args.get(at).is_some_and(|word| word.eq_ignore_ascii_case(b"fields")) {
        return Err(Error::text("ERR Mandatory argument FIELDS is missing or not at the right position"));
    }
    let count = args.get(at + 1).and_then(parse_integer).filter(|count| *count > 0).ok_or(Error::text(refusal))?;
    if usize::try_from(count) != Ok(args.len() - at - 2) {
        return Err(Error::text("ERR The `numfields` parameter must match the number of arguments"));
    }
    Ok(at + 2)
}

/// A deadline that a command of this name is given.
pub(super) fn parse_deadline(amount: &[u8], unit: Unit, now_ms: u64, command: &str) -> Result<u64> {
    let amount = parse_integer(amount).ok_or(Error::NotInteger)?;
    if amount < 0 {
        return Err(Error::text("ERR invalid expire time, must be >= 0"));
    }
    unix_ms(amount, unit, now_ms)
        .and_then(|deadline| u64::try_from(deadline).ok())
        .filter(|deadline| *deadline <= DEADLINE_MAX)
        .ok_or_else(|| Error::Text(format!("ERR invalid expire time in '{command}' command").into()))
}

fn set(context: &mut Context<'_>, args: Args<'_>, unit: Unit, command: &str, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    context.view(spot, Kind::Hash)?;
    let deadline = parse_deadline(&args[2], unit, context.now_ms(), command)?;
    let condition = Condition::parse(&args[3]);
    let at = if condition == Condition::Always { 3 } else { 4 };
    let first = check_fields(args, at, "ERR Parameter `numFields` should be greater than 0")?;
    let mut edit = context.open(spot, Kind::Hash)?;
    let mut outcomes = Vec::with_capacity(args.len() - first);
    for field in args.iter_from(first) {
        outcomes.push(match context.edited(&edit).deadline(context.placer(), field) {
            None => NO_FIELD,
            Some(former) if !condition.allows(former, deadline) => NOT_ALLOWED,
            Some(_) if deadline == 0 || context.is_over(deadline) => {
                context.hash_remove(&mut edit, field)?;
                DELETED
            }
            Some(_) => {
                context.hash_set_deadline(&mut edit, key, field, deadline)?;
                DONE
            }
        });
    }
    let event = if outcomes.contains(&DELETED) { Some("hdel") } else { outcomes.contains(&DONE).then_some("hexpire") };
    finish(context, edit, key, event)?;
    answer(reply, &outcomes);
    Ok(())
}

/// Closes the hash, and tells of what happened to it.
fn finish(context: &mut Context<'_>, edit: Edit, key: &[u8], event: Option<&'static str>) -> Result {
    match event {
        Some(event) => context.close_told(edit, key, EventClass::Hash, event).map(drop),
        None => context.close(edit, key).map(drop),
    }
}

fn answer(reply: &mut dyn Reply, outcomes: &[i64]) {
    reply.array(outcomes.len());
    outcomes.iter().for_each(|outcome| reply.integer(*outcome));
}

fn hexpire(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set(context, args, Unit::Seconds, "hexpire", reply)
}

fn hpexpire(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set(context, args, Unit::Milliseconds, "hpexpire", reply)
}

fn hexpireat(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set(context, args, Unit::UnixSeconds, "hexpireat", reply)
}

fn hpexpireat(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    set(context, args, Unit::UnixMilliseconds, "hpexpireat", reply)
}

pub(super) const NOT_POSITIVE: &str = "ERR Number of fields must be a positive integer";

fn show(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply, figure: impl Fn(u64, u64) -> u64) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, args.iter_from(4))?;
    let view = context.view(spot, Kind::Hash)?;
    let first = check_fields(args, 2, NOT_POSITIVE)?;
    reply.array(args.len() - first);
    for field in args.iter_from(first) {
        reply.integer(match view.deadline(context.placer(), field) {
            None => NO_FIELD,
            Some(0) => NO_DEADLINE,
            Some(deadline) => figure(deadline, context.now_ms()) as i64,
        });
    }
    Ok(())
}

fn httl(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    show(context, args, reply, |deadline, now| deadline.saturating_sub(now).div_ceil(1000))
}

fn hpttl(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    show(context, args, reply, u64::saturating_sub)
}

fn hexpiretime(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    show(context, args, reply, |deadline, _| deadline.div_ceil(1000))
}

fn hpexpiretime(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    show(context, args, reply, |deadline, _| deadline)
}

fn hpersist(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    context.view(spot, Kind::Hash)?;
    let first = check_fields(args, 2, NOT_POSITIVE)?;
    let mut edit = context.open(spot, Kind::Hash)?;
    let mut outcomes = Vec::with_capacity(args.len() - first);
    for field in args.iter_from(first) {
        outcomes.push(match context.edited(&edit).deadline(context.placer(), field) {
            None => NO_FIELD,
            Some(0) => NO_DEADLINE,
            Some(_) => {
                context.hash_set_deadline(&mut edit, key, field, 0)?;
                DONE
            }
        });
    }
    finish(context, edit, key, outcomes.contains(&DONE).then_some("hpersist"))?;
    answer(reply, &outcomes);
    Ok(())
}
