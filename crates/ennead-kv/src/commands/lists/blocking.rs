//! List commands that wait for an element when there is none.

use super::End;
use super::ends::{Popping, move_element, take};
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::Result;
use crate::number::timeout_ms;
use crate::reply::Reply;

pub(super) fn blpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    pop_or_wait(context, args, End::Left, reply)
}

pub(super) fn brpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    pop_or_wait(context, args, End::Right, reply)
}

fn pop_or_wait(context: &mut Context<'_>, args: Args<'_>, end: End, reply: &mut dyn Reply) -> Result {
    let keys = args.len() - 2;
    let timeout = timeout_ms(&args[keys + 1])?;
    for key in args.iter_from(1).take(keys) {
        let (front, back) = end.neighbours(1);
        let spot = context.find_ends(key, Lookup::Write, front, back)?;
        if !context.view(spot, Kind::List)?.is_empty() {
            reply.array(2);
            reply.bulk(key);
            return take(context, spot, key, end, 1, reply);
        }
    }
    if !context.wait_for(Kind::List, args.iter_from(1).take(keys), timeout) {
        reply.null_array();
    }
    Ok(())
}

pub(super) fn blmpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let popping = Popping::parse(args, 2)?;
    let timeout = timeout_ms(&args[1])?;
    if !popping.run(context, args, reply)? && !context.wait_for(Kind::List, popping.keys(args), timeout) {
        reply.null_array();
    }
    Ok(())
}

pub(super) fn blmove(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (from, to) = (End::parse(args, 3)?, End::parse(args, 4)?);
    move_or_wait(context, args, from, to, 5, reply)
}

pub(super) fn brpoplpush(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    move_or_wait(context, args, End::Right, End::Left, 3, reply)
}

fn move_or_wait(
    context: &mut Context<'_>,
    args: Args<'_>,
    from: End,
    to: End,
    timeout_at: usize,
    reply: &mut dyn Reply,
) -> Result {
    let timeout = timeout_ms(&args[timeout_at])?;
    let moved = move_element(context, args, from, to, reply)?;
    if !moved && !context.wait_for(Kind::List, args.iter_from(1).take(1), timeout) {
        reply.null();
    }
    Ok(())
}
