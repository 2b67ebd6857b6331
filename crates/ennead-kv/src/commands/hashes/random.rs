//! HRANDFIELD.

use crate::args::Args;
use crate::commands::sampling::{Wanted, below, distinct};
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::reply::Reply;

pub(super) fn hrandfield(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    if args.len() == 2 {
        return one(context, args, reply);
    }
    let wanted = Wanted::parse(args, 2)?;
    let with_values = match args.len() {
        3 => false,
        4 if args[3].eq_ignore_ascii_case(b"withvalues") => true,
        _ => return Err(Error::Syntax),
    };
    if with_values {
        wanted.check_pairs()?;
    }
    let spot = context.find(&args[1], Lookup::Read)?;
    let len = context.view(spot, Kind::Hash)?.pair_count();
    let chosen: Vec<usize> = match wanted {
        _ if len == 0 => Vec::new(),
        Wanted::Distinct(count) if count >= len => (0..len).collect(),
        Wanted::Distinct(count) => distinct(context, len, count),
        Wanted::Repeated(count) => (0..count).map(|_| below(context, len)).collect(),
    };
    let view = context.view(spot, Kind::Hash)?;
    let nested = with_values && reply.protocol() >= 3;
    reply.array(if with_values && !nested { chosen.len() * 2 } else { chosen.len() });
    for (field, value) in chosen.into_iter().filter_map(|index| view.nth_field(index)) {
        if nested {
            reply.array(2);
        }
        reply.bulk(field);
        if with_values {
            reply.bulk(value);
        }
    }
    Ok(())
}

fn one(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let len = context.view(spot, Kind::Hash)?.pair_count();
    let index = if len == 0 { 0 } else { below(context, len) };
    match context.view(spot, Kind::Hash)?.nth_field(index) {
        Some((field, _)) => reply.bulk(field),
        None => reply.null(),
    }
    Ok(())
}
