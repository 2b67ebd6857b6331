//! Strings as numbers.

use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Hint;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::extended::Extended;
use crate::number::parse_integer;
use crate::reply::Reply;

pub(super) fn incr(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    add(context, &args[1], 1, reply)
}

pub(super) fn decr(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    add(context, &args[1], -1, reply)
}

pub(super) fn incrby(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let increment = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    add(context, &args[1], increment, reply)
}

pub(super) fn decrby(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let decrement = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let increment = decrement.checked_neg().ok_or(Error::text("ERR decrement would overflow"))?;
    add(context, &args[1], increment, reply)
}

fn add(context: &mut Context<'_>, key: &[u8], increment: i64, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(key, Lookup::Write)?;
    let former = match context.string(spot)? {
        Some(value) => parse_integer(value).ok_or(Error::NotInteger)?,
        None => 0,
    };
    let sum = former.checked_add(increment).ok_or(Error::text("ERR increment or decrement would overflow"))?;
    let expiry = context.expiry(spot);
    context.set_string(spot, key, itoa::Buffer::new().format(sum).as_bytes(), expiry, Hint::Auto)?;
    context.notify(EventClass::String, "incrby", key);
    reply.integer(sum);
    Ok(())
}

pub(super) fn incrbyfloat(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find_key(key, Lookup::Write)?;
    let former = match context.string(spot)? {
        Some(value) => Extended::parse(value).ok_or(Error::NotFloat)?,
        None => Extended::ZERO,
    };
    let increment = Extended::parse(&args[2]).ok_or(Error::NotFloat)?;
    let sum = former.add(increment).ok_or(Error::text("ERR increment would produce NaN or Infinity"))?;
    let text = sum.to_text();
    let expiry = context.expiry(spot);
    context.set_string(spot, key, text.as_bytes(), expiry, Hint::Text)?;
    context.notify(EventClass::String, "incrbyfloat", key);
    reply.bulk(text.as_bytes());
    Ok(())
}
