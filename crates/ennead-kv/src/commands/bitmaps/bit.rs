//! Single bits: SETBIT and GETBIT.

use super::bit_offset;
use crate::args::Args;
use crate::bits;
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

pub(super) fn setbit(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let offset = bit_offset(context, &args[2], None)?;
    let set = match parse_integer(&args[3]) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(Error::text("ERR bit is not an integer or out of range")),
    };
    let spot = context.find_key(key, Lookup::Write)?;
    let former = context.string(spot)?.and_then(|bytes| bytes.get(offset / 8)).copied();
    let (mask, byte) = (bits::mask(offset), former.unwrap_or(0));
    let changed = if set { byte | mask } else { byte & !mask };
    if former == Some(changed) {
        context.note_raw(spot);
    } else {
        context.write_string(spot, key, offset / 8, &[changed])?;
        context.notify(EventClass::String, "setbit", key);
    }
    reply.integer(i64::from(byte & mask != 0));
    Ok(())
}

pub(super) fn getbit(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let offset = bit_offset(context, &args[2], None)?;
    let spot = context.find_key(&args[1], Lookup::Read)?;
    let byte = context.string(spot)?.and_then(|bytes| bytes.get(offset / 8)).copied().unwrap_or(0);
    reply.integer(i64::from(byte & bits::mask(offset) != 0));
    Ok(())
}
