//! Fields as numbers.

use super::set_field;
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::extended::Extended;
use crate::number::parse_integer;
use crate::reply::Reply;

pub(super) fn hincrby(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, field) = (&args[1], &args[2]);
    let increment = parse_integer(&args[3]).ok_or(Error::NotInteger)?;
    let spot = context.find_members(key, Lookup::Write, [field])?;
    let former = match context.view(spot, Kind::Hash)?.field(context.placer(), field) {
        Some(value) => parse_integer(value).ok_or(Error::text("ERR hash value is not an integer"))?,
        None => 0,
    };
    let sum = former.checked_add(increment).ok_or(Error::text("ERR increment or decrement would overflow"))?;
    set_field(context, key, field, itoa::Buffer::new().format(sum).as_bytes(), "hincrby")?;
    reply.integer(sum);
    Ok(())
}

pub(super) fn hincrbyfloat(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, field) = (&args[1], &args[2]);
    let increment = Extended::parse(&args[3]).ok_or(Error::NotFloat)?;
    if !increment.is_finite() {
        return Err(Error::text("ERR value is NaN or Infinity"));
    }
    let spot = context.find_members(key, Lookup::Write, [field])?;
    let former = match context.view(spot, Kind::Hash)?.field(context.placer(), field) {
        Some(value) => Extended::parse(value).ok_or(Error::text("ERR hash value is not a float"))?,
        None => Extended::ZERO,
    };
    let sum = former.add(increment).ok_or(Error::text("ERR increment would produce NaN or Infinity"))?;
    let text = sum.to_text();
    set_field(context, key, field, text.as_bytes(), "hincrbyfloat")?;
    reply.bulk(text.as_bytes());
    Ok(())
}
