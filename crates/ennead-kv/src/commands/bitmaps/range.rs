//! Bits of a part of a string: BITCOUNT and BITPOS.

use super::integer;
use crate::args::Args;
use crate::bits;
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

/// A part of a string as the request gives it: both ends included, counted from the end when negative.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: i64,
    /// None: to the end of the string.
    end: Option<i64>,
    in_bits: bool,
}

impl Range {
    const WHOLE: Range = Range { start: 0, end: None, in_bits: false };

    /// The first and the last bit in a string of so many bytes; none when the range is empty.
    fn bits(self, len: usize) -> Option<(usize, usize)> {
        let len = if self.in_bits { len as i64 * 8 } else { len as i64 };
        let from_end = |index: i64| if index < 0 { (index + len).max(0) } else { index };
        let start = from_end(self.start);
        let end = self.end.map_or(len, from_end).min(len - 1);
        if start > end {
            return None;
        }
        let (start, end) = (start as usize, end as usize);
        Some(if self.in_bits { (start, end) } else { (start * 8, end * 8 + 7) })
    }
}

fn in_bits(unit: &[u8]) -> Result<bool> {
    if unit.eq_ignore_ascii_case(b"bit") {
        Ok(true)
    } else if unit.eq_ignore_ascii_case(b"byte") {
        Ok(false)
    } else {
        Err(Error::Syntax)
    }
}

pub(super) fn bitcount(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let range = match args.len() {
        2 => Range::WHOLE,
        4 | 5 => {
            let (start, end) = (integer(args, 2)?, integer(args, 3)?);
            Range { start, end: Some(end), in_bits: args.get(4).map_or(Ok(false), in_bits)? }
        }
        _ => return Err(Error::Syntax),
    };
    let spot = context.find_key(&args[1], Lookup::Read)?;
    let bytes = context.string(spot)?.unwrap_or_default();
    // Both before the start of the string would be moved to its first byte, the wrong way round as well.
    let backwards = matches!(range, Range { start: ..0, end: Some(end @ ..0), .. } if range.start > end);
    let ones = match range.bits(bytes.len()) {
        Some((first, last)) if !backwards => bits::count(bytes, first, last),
        _ => 0,
    };
    reply.integer(ones as i64);
    Ok(())
}

pub(super) fn bitpos(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let set = match parse_integer(&args[2]).ok_or(Error::NotInteger)? {
        0 => false,
        1 => true,
        _ => return Err(Error::text("ERR The bit argument must be 1 or 0.")),
    };
    let range = match args.len() {
        3 => Range::WHOLE,
        4..=6 => {
            let start = integer(args, 3)?;
            let in_bits = args.get(5).map_or(Ok(false), in_bits)?;
            let end = if args.len() > 4 { Some(integer(args, 4)?) } else { None };
            Range { start, end, in_bits }
        }
        _ => return Err(Error::Syntax),
    };
    let spot = context.find_key(&args[1], Lookup::Read)?;
    let Some(bytes) = context.string(spot)? else {
        // A missing key is zeros without end.
        reply.integer(if set { -1 } else { 0 });
        return Ok(());
    };
    let found = match range.bits(bytes.len()) {
        None => None,
        Some((first, last)) => match bits::position(bytes, first, last, set) {
            // Without an end the string goes on with zeros.
            None if !set && range.end.is_none() => Some(last + 1),
            found => found,
        },
    };
    reply.integer(found.map_or(-1, |at| at as i64));
    Ok(())
}
