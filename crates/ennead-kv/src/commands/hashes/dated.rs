//! Values of fields together with their deadlines, as Redis has them since 8.0.

use super::deadlines::{NOT_POSITIVE, check_fields, parse_deadline};
use crate::args::Args;
use crate::command::{Command, GROW_FAST, Text, WRITE_FAST};
use crate::commands::deadline::Unit;
use crate::context::collections::Edit;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

#[cfg(test)]
mod tests;

pub(super) const COMMANDS: &[Command] = &[
    super::row(
        "hgetdel",
        -5,
        WRITE_FAST,
        Text {
            since: "8.0.0",
            complexity: "O(N) where N is the number of specified fields",
            syntax: "key FIELDS numfields field [field ...]",
            summary: "Returns the value of a field and deletes it from the hash.",
        },
        hgetdel,
    ),
    super::row(
        "hgetex",
        -5,
        WRITE_FAST,
        Text {
            since: "8.0.0",
            complexity: "O(N) where N is the number of specified fields",
            syntax: "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST] \
                     FIELDS numfields field [field ...]",
            summary: "Get the value of one or more fields of a given hash key, and optionally set their expiration.",
        },
        hgetex,
    ),
    super::row(
        "hsetex",
        -6,
        GROW_FAST,
        Text {
            since: "8.0.0",
            complexity: "O(N) where N is the number of fields being set.",
            syntax: "key [FNX | FXX] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds \
                     | KEEPTTL] FIELDS numfields field value [field value ...]",
            summary: "Set the value of one or more fields of a given hash key, and optionally set their expiration.",
        },
        hsetex,
    ),
];

/// What becomes of the deadlines of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Nothing when they are read; they go when they are written.
    None,
    Keep,
    Persist,
    Set(u64),
}

fn answer(reply: &mut dyn Reply, values: &[Option<Vec<u8>>]) {
    reply.array(values.len());
    values.iter().for_each(|value| super::write_value(reply, value.as_deref()));
}

fn hgetdel(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find_members(key, Lookup::Write, args.iter_from(4))?;
    context.view(spot, Kind::Hash)?;
    let first = check_fields(args, 2, NOT_POSITIVE)?;
    let mut edit = context.open(spot, Kind::Hash)?;
    let mut values = Vec::with_capacity(args.len() - first);
    for field in args.iter_from(first) {
        values.push(context.edited(&edit).field(context.placer(), field).map(<[u8]>::to_vec));
        context.hash_remove(&mut edit, field)?;
    }
    if values.iter().any(Option::is_some) {
        context.close_told(edit, key, EventClass::Hash, "hdel")?;
    } else {
        context.close(edit, key)?;
    }
    answer(reply, &values);
    Ok(())
}

fn hgetex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    context.view(spot, Kind::Hash)?;
    let (change, at) = match Unit::from_option(&args[2]) {
        Some(unit) => (Change::Set(parse_deadline(&args[3], unit, context.now_ms(), "hgetex")?), 4),
        None if args[2].eq_ignore_ascii_case(b"persist") => (Change::Persist, 3),
        None => (Change::None, 2),
    };
    let first = check_fields(args, at, NOT_POSITIVE)?;
    let mut edit = context.open(spot, Kind::Hash)?;
    let mut values = Vec::with_capacity(args.len() - first);
    let mut event = None;
    for field in args.iter_from(first) {
        let view = context.edited(&edit);
        let former = view.deadline(context.placer(), field);
        values.push(view.field(context.placer(), field).map(<[u8]>::to_vec));
        match (change, former) {
            (Change::None | Change::Keep, _) | (_, None) | (Change::Persist, Some(0)) => {}
            (Change::Persist, _) => {
                context.hash_set_deadline(&mut edit, key, field, 0)?;
                event = Some("hpersist");
            }
            (Change::Set(deadline), _) => event = Some(date(context, &mut edit, key, field, deadline)?),
        }
    }
    match event {
        Some(event) => drop(context.close_told(edit, key, EventClass::Hash, event)?),
        None => drop(context.close(edit, key)?),
    }
    answer(reply, &values);
    Ok(())
}

/// Sets when a field goes, which may be at once; the event of that.
fn date(context: &mut Context<'_>, edit: &mut Edit, key: &[u8], field: &[u8], deadline: u64) -> Result<&'static str> {
    if deadline == 0 || context.is_over(deadline) {
        context.hash_remove(edit, field)?;
        return Ok("hdel");
    }
    context.hash_set_deadline(edit, key, field, deadline)?;
    Ok("hexpire")
}

struct Options {
    /// Whether all fields must be there, or none.
    exist: Option<bool>,
    change: Change,
    /// The word of the first field.
    first: usize,
}

impl Options {
    fn parse(args: Args<'_>, now_ms: u64) -> Result<Options> {
        let mut options = Options { exist: None, change: Change::None, first: 0 };
        let mut at = 2;
        while let Some(word) = args.get(at) {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let unit = Unit::from_option(word);
            if is("fields") {
                options.first = first_pair(args, at)?;
                return Ok(options);
            } else if unit.is_some() || is("keepttl") {
                if options.change != Change::None {
                    let text = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
                    return Err(Error::text(text));
                }
                options.change = Change::Keep;
                if let Some(unit) = unit {
                    at += 1;
                    let amount = args.get(at).ok_or(Error::text("ERR missing expire time"))?;
                    options.change = Change::Set(parse_deadline(amount, unit, now_ms, "hsetex")?);
                }
            } else if is("fxx") || is("fnx") {
                if options.exist.replace(is("fxx")).is_some() {
                    return Err(Error::text("ERR Only one of FXX or FNX arguments can be specified"));
                }
            } else {
                let word = String::from_utf8_lossy(word);
                return Err(Error::Text(format!("ERR unknown argument: {word}").into()));
            }
            at += 1;
        }
        Err(Error::Syntax)
    }
}

/// The word of the first field behind FIELDS at word `at`.
fn first_pair(args: Args<'_>, at: usize) -> Result<usize> {
    let arity = || Error::Arity("hsetex".into());
    let words = args.len().checked_sub(at + 2).filter(|words| *words > 1).ok_or_else(arity)?;
    let count = parse_integer(&args[at + 1]).and_then(|count| i32::try_from(count).ok());
    let count = count.filter(|count| *count > 0).ok_or(Error::text("ERR invalid number of fields"))?;
    if words % 2 != 0 || count.unsigned_abs() as usize != words / 2 {
        return Err(arity());
    }
    Ok(at + 2)
}

fn hsetex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let Options { exist, change, first } = Options::parse(args, context.now_ms())?;
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    let view = context.view(spot, Kind::Hash)?;
    if let Some(wanted) = exist
        && args.iter_from(first).step_by(2).any(|field| view.field(context.placer(), field).is_some() != wanted)
    {
        reply.integer(0);
        return Ok(());
    }
    let mut edit = context.open(spot, Kind::Hash)?;
    let mut event = None;
    let mut words = args.iter_from(first);
    while let (Some(field), Some(value)) = (words.next(), words.next()) {
        let former = context.edited(&edit).deadline(context.placer(), field).unwrap_or(0);
        context.hash_set(&mut edit, key, field, value)?;
        context.note_field(&mut edit, field, value);
        match change {
            Change::Set(deadline) => event = Some(date(context, &mut edit, key, field, deadline)?),
            Change::Keep if former != 0 => context.hash_set_deadline(&mut edit, key, field, former)?,
            _ => {}
        }
    }
    context.note_fields(&mut edit);
    let spot = context.close(edit, key)?;
    context.notify(EventClass::Hash, "hset", key);
    if let Some(event) = event {
        context.notify(EventClass::Hash, event, key);
    }
    if !spot.exists() {
        context.notify(EventClass::Generic, "del", key);
    }
    reply.integer(1);
    Ok(())
}
