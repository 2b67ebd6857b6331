//! Parts of strings.

use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Hint;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

pub(super) fn getrange(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let start = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let end = parse_integer(&args[3]).ok_or(Error::NotInteger)?;
    let spot = context.find_key(&args[1], Lookup::Read)?;
    let value = context.string(spot)?.unwrap_or_default();
    reply.bulk(part(value, start, end));
    Ok(())
}

/// The bytes from `start` to `end`, both included and counted from the end when negative.
fn part(value: &[u8], start: i64, end: i64) -> &[u8] {
    let len = value.len() as i64;
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let from_end = |index: i64| if index < 0 { index.saturating_add(len).max(0) } else { index };
    let (start, end) = (from_end(start), from_end(end).min(len - 1));
    if start > end { &[] } else { &value[start as usize..=end as usize] }
}

pub(super) fn setrange(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, value) = (&args[1], &args[3]);
    let offset = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let offset = usize::try_from(offset).map_err(|_| Error::text("ERR offset is out of range"))?;
    let spot = context.find_key(key, Lookup::Write)?;
    let len = context.string(spot)?.map_or(0, <[u8]>::len);
    if value.is_empty() {
        reply.integer(len as i64);
        return Ok(());
    }
    check_length(context, offset, value.len())?;
    let len = context.write_string(spot, key, offset, value)?;
    context.notify(EventClass::String, "setrange", key);
    reply.integer(len as i64);
    Ok(())
}

pub(super) fn append(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, value) = (&args[1], &args[2]);
    let spot = context.find_key(key, Lookup::Write)?;
    let len = match context.string(spot)?.map(<[u8]>::len) {
        None => {
            context.set_string(spot, key, value, 0, Hint::Auto)?;
            value.len()
        }
        Some(len) => {
            check_length(context, len, value.len())?;
            context.write_string(spot, key, len, value)?
        }
    };
    context.notify(EventClass::String, "append", key);
    reply.integer(len as i64);
    Ok(())
}

fn check_length(context: &Context<'_>, offset: usize, len: usize) -> Result {
    let limit = context.keyspace().settings().proto_max_bulk_len();
    match offset.checked_add(len) {
        Some(end) if end as u64 <= limit => Ok(()),
        _ => Err(Error::text("ERR string exceeds maximum allowed size (proto-max-bulk-len)")),
    }
}
