//! Intersections, unions and differences.

use std::collections::HashSet;

use crate::args::Args;
use crate::context::collections::View;
use crate::context::{Context, Lookup, Spot};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

/// What is made of several sets: an iterator would borrow the sets, which a destination may be one of.
type Algebra = fn(&Context<'_>, &[View<'_>], usize) -> Vec<Vec<u8>>;

/// The members that are in all sets, at most so many.
fn intersection(context: &Context<'_>, sets: &[View<'_>], most: usize) -> Vec<Vec<u8>> {
    // An absent set makes it empty.
    let mut sets: Vec<(usize, View<'_>)> = sets.iter().map(|set| (set.len(), *set)).collect();
    sets.sort_by_key(|(len, _)| *len);
    let Some(((_, smallest), others)) = sets.split_first() else { return Vec::new() };
    let in_all = |member: &&[u8]| others.iter().all(|(_, set)| set.contains(context.placer(), member));
    smallest.items().filter(in_all).take(most).map(<[u8]>::to_vec).collect()
}

fn union(_context: &Context<'_>, sets: &[View<'_>], _most: usize) -> Vec<Vec<u8>> {
    if let [only] = sets {
        return only.items().map(<[u8]>::to_vec).collect();
    }
    let mut seen = HashSet::new();
    sets.iter().flat_map(|set| set.items()).filter(|member| seen.insert(*member)).map(<[u8]>::to_vec).collect()
}

/// The members of the first set that are in no other.
fn difference(context: &Context<'_>, sets: &[View<'_>], _most: usize) -> Vec<Vec<u8>> {
    let Some((first, others)) = sets.split_first() else { return Vec::new() };
    let in_none = |member: &&[u8]| !others.iter().any(|set| set.contains(context.placer(), member));
    first.items().filter(in_none).map(<[u8]>::to_vec).collect()
}

/// Applies it to the sets of keys.
fn compute<'k>(
    context: &mut Context<'_>,
    keys: impl Iterator<Item = &'k [u8]>,
    algebra: Algebra,
    most: usize,
) -> Result<Vec<Vec<u8>>> {
    let mut found: Vec<(&[u8], Spot)> = Vec::new();
    for key in keys {
        let spot = context.find(key, Lookup::Read)?;
        // A key of another type ends it: those behind it are not looked up.
        context.view(spot, Kind::Set)?;
        found.push((key, spot));
    }
    let mut sets = Vec::with_capacity(found.len());
    for (key, spot) in found {
        sets.push(context.view(context.again(spot, key), Kind::Set)?);
    }
    Ok(algebra(context, &sets, most))
}

fn answer(context: &mut Context<'_>, args: Args<'_>, algebra: Algebra, reply: &mut dyn Reply) -> Result {
    let members = compute(context, args.iter_from(1), algebra, usize::MAX)?;
    reply.set(members.len());
    members.iter().for_each(|member| reply.bulk(member));
    Ok(())
}

fn store(
    context: &mut Context<'_>,
    args: Args<'_>,
    algebra: Algebra,
    event: &'static str,
    reply: &mut dyn Reply,
) -> Result {
    let members = compute(context, args.iter_from(2), algebra, usize::MAX)?;
    let key = &args[1];
    let spot = context.find_key(key, Lookup::Write)?;
    if members.is_empty() {
        context.delete_told(spot, key);
    } else {
        let mut edit = context.open_new(spot, key, Kind::Set);
        for member in &members {
            context.set_add(&mut edit, key, member)?;
            context.note_member(&mut edit, member);
        }
        context.close_told(edit, key, EventClass::Set, event)?;
    }
    reply.integer(members.len() as i64);
    Ok(())
}

pub(super) fn sinter(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, intersection, reply)
}

pub(super) fn sunion(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, union, reply)
}

pub(super) fn sdiff(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, difference, reply)
}

pub(super) fn sinterstore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    store(context, args, intersection, "sinterstore", reply)
}

pub(super) fn sunionstore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    store(context, args, union, "sunionstore", reply)
}

pub(super) fn sdiffstore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    store(context, args, difference, "sdiffstore", reply)
}

pub(super) fn sintercard(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let count = parse_integer(&args[1]).and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
    let count = count.ok_or(Error::text("ERR numkeys should be greater than 0"))?;
    if count > args.len() - 2 {
        return Err(Error::text("ERR Number of keys can't be greater than number of args"));
    }
    let mut limit = 0;
    let mut words = args.iter_from(2 + count);
    while let Some(word) = words.next() {
        let value = words.next().filter(|_| word.eq_ignore_ascii_case(b"limit")).ok_or(Error::Syntax)?;
        let number = parse_integer(value).and_then(|limit| usize::try_from(limit).ok());
        limit = number.ok_or(Error::text("ERR LIMIT can't be negative"))?;
    }
    let most = if limit == 0 { usize::MAX } else { limit };
    let members = compute(context, args.iter_from(2).take(count), intersection, most)?;
    reply.integer(members.len() as i64);
    Ok(())
}
