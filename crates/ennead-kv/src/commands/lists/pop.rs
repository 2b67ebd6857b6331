//! Elements that leave a list, or go from one to another.

use super::{Side, push};
use crate::args::Args;
use crate::context::{Context, Lookup, Spot};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

/// Takes up to so many elements from an end, the outermost first.
fn take(context: &mut Context<'_>, spot: Spot, key: &[u8], side: Side, count: usize) -> Result<Vec<Box<[u8]>>> {
    let mut edit = context.open(spot, Kind::List)?;
    let len = context.edited(&edit).len();
    let mut taken = Vec::with_capacity(count.min(len));
    for turn in 0..count.min(len) {
        let index = if side == Side::Left { 0 } else { len - 1 - turn };
        taken.extend(context.list_remove(&mut edit, index)?);
    }
    context.note_elements_gone(&mut edit);
    context.close(edit, key)?;
    Ok(taken)
}

fn pop(context: &mut Context<'_>, args: Args<'_>, side: Side, reply: &mut dyn Reply) -> Result {
    const POSITIVE: Error = Error::text("ERR value is out of range, must be positive");
    let key = &args[1];
    let count = match args.len() {
        2 => None,
        3 => {
            let count = parse_integer(&args[2]).ok_or(POSITIVE)?;
            Some(usize::try_from(count).map_err(|_| POSITIVE)?)
        }
        _ => return Err(Error::Arity(String::from_utf8_lossy(&args[0]).to_ascii_lowercase())),
    };
    let spot = context.find(key, Lookup::Write)?;
    context.view(spot, Kind::List)?;
    let Some(count) = count else {
        match take(context, spot, key, side, 1)?.pop() {
            Some(element) => reply.bulk(&element),
            None => reply.null(),
        }
        return Ok(());
    };
    if !spot.exists() {
        reply.null_array();
        return Ok(());
    }
    let taken = take(context, spot, key, side, count)?;
    reply.array(taken.len());
    taken.iter().for_each(|element| reply.bulk(element));
    Ok(())
}

pub(super) fn lpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    pop(context, args, Side::Left, reply)
}

pub(super) fn rpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    pop(context, args, Side::Right, reply)
}

pub(super) fn lmove(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (from, to) = (Side::parse(&args[3])?, Side::parse(&args[4])?);
    transfer(context, args, from, to, reply)
}

pub(super) fn rpoplpush(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    transfer(context, args, Side::Right, Side::Left, reply)
}

fn transfer(context: &mut Context<'_>, args: Args<'_>, from: Side, to: Side, reply: &mut dyn Reply) -> Result {
    let (source_key, target_key) = (&args[1], &args[2]);
    let source = context.find(source_key, Lookup::Write)?;
    if !source.exists() {
        reply.null();
        return Ok(());
    }
    context.view(source, Kind::List)?;
    let target = context.find(target_key, Lookup::Write)?;
    context.view(target, Kind::List)?;
    let source = context.again(source, source_key);
    let Some(element) = take(context, source, source_key, from, 1)?.pop() else {
        reply.null();
        return Ok(());
    };
    let target = context.again(target, target_key);
    push(context, target, target_key, std::iter::once(&*element), to)?;
    reply.bulk(&element);
    Ok(())
}

pub(super) fn lmpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let keys = parse_integer(&args[1]).and_then(|keys| usize::try_from(keys).ok()).filter(|keys| *keys > 0);
    let keys = keys.ok_or(Error::text("ERR numkeys should be greater than 0"))?;
    let side_index = keys.checked_add(2).filter(|index| *index < args.len()).ok_or(Error::Syntax)?;
    let side = Side::parse(&args[side_index])?;
    let mut count = None;
    let mut words = args.iter_from(side_index + 1);
    while let Some(word) = words.next() {
        let value = words.next().filter(|_| word.eq_ignore_ascii_case(b"count") && count.is_none());
        let number = parse_integer(value.ok_or(Error::Syntax)?).and_then(|count| usize::try_from(count).ok());
        count = number.filter(|count| *count > 0);
        if count.is_none() {
            return Err(Error::text("ERR count should be greater than 0"));
        }
    }
    for key in args.iter_from(2).take(keys) {
        let spot = context.find(key, Lookup::Write)?;
        context.view(spot, Kind::List)?;
        if spot.exists() {
            let taken = take(context, spot, key, side, count.unwrap_or(1))?;
            reply.array(2);
            reply.bulk(key);
            reply.array(taken.len());
            taken.iter().for_each(|element| reply.bulk(element));
            return Ok(());
        }
    }
    reply.null_array();
    Ok(())
}
