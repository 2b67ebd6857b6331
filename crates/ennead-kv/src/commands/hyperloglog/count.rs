//! PFCOUNT.

use super::view;
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::error::Result;
use crate::hyperloglog::{Registers, cache};
use crate::reply::Reply;

pub(super) fn pfcount(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let estimate = if args.len() == 2 { of_one(context, &args[1])? } else { of_union(context, args)? };
    reply.integer(estimate as i64);
    Ok(())
}

/// The estimate of one key is kept in its value, so this read may write.
fn of_one(context: &mut Context<'_>, key: &[u8]) -> Result<u64> {
    let spot = context.find_key(key, Lookup::Read)?;
    let Some(sketch) = view(context, spot)? else { return Ok(0) };
    let estimate = match sketch.cached() {
        Some(estimate) => {
            context.note_raw(spot);
            estimate
        }
        None => {
            let estimate = sketch.estimate()?;
            let (at, bytes) = cache(estimate);
            context.write_string(spot, key, at, &bytes)?;
            estimate
        }
    };
    Ok(estimate)
}

fn of_union(context: &mut Context<'_>, args: Args<'_>) -> Result<u64> {
    let mut registers = Registers::new();
    for key in args.iter_from(1) {
        let spot = context.find_key(key, Lookup::Read)?;
        if let Some(sketch) = view(context, spot)? {
            sketch.merge_into(&mut registers)?;
        }
    }
    Ok(registers.estimate())
}
