//! ZRANDMEMBER.

use super::write_members;
use crate::args::Args;
use crate::commands::sampling::{Wanted, below, distinct};
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::reply::Reply;

pub(super) fn zrandmember(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    if args.len() == 2 {
        return one(context, args, reply);
    }
    let wanted = Wanted::parse(args, 2)?;
    let with_scores = match args.len() {
        3 => false,
        4 if args[3].eq_ignore_ascii_case(b"withscores") => true,
        _ => return Err(Error::Syntax),
    };
    if with_scores {
        wanted.check_pairs()?;
    }
    let spot = context.find(&args[1], Lookup::Read)?;
    let len = context.view(spot, Kind::Zset)?.pair_count();
    let chosen: Vec<usize> = match wanted {
        _ if len == 0 => Vec::new(),
        Wanted::Distinct(count) if count >= len => (0..len).collect(),
        Wanted::Distinct(count) => distinct(context, len, count),
        Wanted::Repeated(count) => (0..count).map(|_| below(context, len)).collect(),
    };
    let view = context.view(spot, Kind::Zset)?;
    let count = chosen.len();
    let members = chosen.into_iter().filter_map(|rank| view.ranked(rank..rank + 1, false).next());
    write_members(reply, count, with_scores, members);
    Ok(())
}

fn one(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let len = context.view(spot, Kind::Zset)?.pair_count();
    let rank = if len == 0 { 0 } else { below(context, len) };
    match context.view(spot, Kind::Zset)?.ranked(rank..rank + 1, false).next() {
        Some((member, _)) => reply.bulk(member),
        None => reply.null(),
    }
    Ok(())
}
