//! Reads that also change: GETEX and GETDEL.

use crate::args::Args;
use crate::commands::deadline::{Unit, deadline};
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::reply::Reply;

pub(super) fn getdel(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find_key(key, Lookup::Read)?;
    match context.string(spot)? {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    }
    context.delete_told(spot, key);
    Ok(())
}

enum Change<'a> {
    None,
    Persist,
    Expire(&'a [u8], Unit),
}

fn parse(args: Args<'_>) -> Result<Change<'_>> {
    let mut change = Change::None;
    let mut words = args.iter_from(2);
    while let Some(word) = words.next() {
        change = match (Unit::from_option(word), change) {
            (Some(unit), Change::None) => Change::Expire(words.next().ok_or(Error::Syntax)?, unit),
            (Some(unit), Change::Expire(_, known)) if known == unit => {
                Change::Expire(words.next().ok_or(Error::Syntax)?, unit)
            }
            (None, Change::None | Change::Persist) if word.eq_ignore_ascii_case(b"persist") => Change::Persist,
            _ => return Err(Error::Syntax),
        };
    }
    Ok(change)
}

pub(super) fn getex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let change = parse(args)?;
    let key = &args[1];
    let spot = context.find_key(key, Lookup::Read)?;
    match context.string(spot)? {
        Some(value) => reply.bulk(value),
        None => {
            reply.null();
            return Ok(());
        }
    }
    match change {
        Change::None => {}
        Change::Persist => {
            if context.expiry(spot) != 0 {
                context.set_expiry(spot, key, 0);
                context.notify(EventClass::Generic, "persist", key);
            }
        }
        Change::Expire(amount, unit) => {
            let expiry = deadline(amount, unit, context.now_ms(), "getex")?;
            if context.is_over(expiry) {
                context.delete_told(spot, key);
            } else {
                context.set_expiry(spot, key, expiry);
                context.notify(EventClass::Generic, "expire", key);
            }
        }
    }
    Ok(())
}
