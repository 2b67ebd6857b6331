//! Elements by their index or value.

use std::ops::Range;

use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

const RANGE: Error =
    Error::text("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");

pub(super) fn llen(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(&args[1], Lookup::Read)?;
    reply.integer(context.view(spot, Kind::List)?.len() as i64);
    Ok(())
}

/// An index of a request, which is negative from the end on, as one of a list of so many elements.
fn element_index(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(index).ok().filter(|index| *index < len)
}

/// First and last of a range of a request, as a range in a list of so many elements.
fn element_range(first: i64, last: i64, len: usize) -> Range<usize> {
    let from_start = |index: i64| if index < 0 { index.saturating_add(len as i64) } else { index };
    let first = from_start(first).max(0);
    let end = from_start(last).saturating_add(1).clamp(0, len as i64);
    if first >= end { 0..0 } else { first as usize..end as usize }
}

pub(super) fn lindex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(&args[1], Lookup::Read)?;
    let len = context.view(spot, Kind::List)?.len();
    if len == 0 {
        reply.null();
        return Ok(());
    }
    let index = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let index = element_index(index, len);
    if let Some(index) = index {
        context.fetch_range(spot, index..index + 1, len)?;
    }
    let view = context.view(spot, Kind::List)?;
    match index.and_then(|index| view.nth(index)) {
        Some(element) => reply.bulk(element),
        None => reply.null(),
    }
    Ok(())
}

pub(super) fn lset(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, element) = (&args[1], &args[3]);
    let spot = context.find_key(key, Lookup::Write)?;
    if !spot.exists() {
        return Err(Error::NoSuchKey);
    }
    let len = context.view(spot, Kind::List)?.len();
    let index = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let index = element_index(index, len).ok_or(Error::text("ERR index out of range"))?;
    context.fetch_range(spot, index..index + 1, len)?;
    let mut edit = context.open(spot, Kind::List)?;
    context.note_elements(&mut edit, [element].into_iter());
    context.list_replace(&mut edit, key, index, element)?;
    context.note_fewer_elements(&mut edit);
    context.close_told(edit, key, EventClass::List, "lset")?;
    reply.ok();
    Ok(())
}

pub(super) fn lrange(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let first = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let last = parse_integer(&args[3]).ok_or(Error::NotInteger)?;
    let spot = context.find_key(&args[1], Lookup::Read)?;
    let len = context.view(spot, Kind::List)?.len();
    let range = element_range(first, last, len);
    context.fetch_range(spot, range.clone(), len)?;
    let view = context.view(spot, Kind::List)?;
    reply.array(range.len());
    view.elements_from(range.start).take(range.len()).for_each(|element| reply.bulk(element));
    Ok(())
}

pub(super) fn ltrim(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let first = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let last = parse_integer(&args[3]).ok_or(Error::NotInteger)?;
    let spot = context.find_key(key, Lookup::Write)?;
    let len = context.view(spot, Kind::List)?.len();
    let range = element_range(first, last, len);
    if !range.is_empty() {
        context.fetch_ends(spot, range.start, len - range.end)?;
    }
    if len > 0 {
        context.note_changed(key);
        context.notify(EventClass::List, "ltrim", key);
    }
    if range.is_empty() {
        context.delete_told(spot, key);
    } else if range.len() < len {
        let mut edit = context.open(spot, Kind::List)?;
        context.list_drop(&mut edit, range.end..len)?;
        context.list_drop(&mut edit, 0..range.start)?;
        context.note_fewer_elements(&mut edit);
        context.close(edit, key)?;
    }
    reply.ok();
    Ok(())
}

pub(super) fn linsert(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, pivot, element) = (&args[1], &args[3], &args[4]);
    let after = match &args[2] {
        word if word.eq_ignore_ascii_case(b"after") => 1,
        word if word.eq_ignore_ascii_case(b"before") => 0,
        _ => return Err(Error::Syntax),
    };
    let spot = context.find(key, Lookup::Write)?;
    let view = context.view(spot, Kind::List)?;
    let len = view.len();
    let at = view.items().position(|item| item == pivot);
    let length = match at {
        Some(index) => {
            let mut edit = context.open(spot, Kind::List)?;
            context.note_elements(&mut edit, [element].into_iter());
            context.list_insert(&mut edit, key, index + after, element)?;
            context.close_told(edit, key, EventClass::List, "linsert")?;
            len as i64 + 1
        }
        None if len == 0 => 0,
        None => -1,
    };
    reply.integer(length);
    Ok(())
}

pub(super) fn lrem(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, element) = (&args[1], &args[3]);
    let count = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    if count == i64::MIN {
        return Err(RANGE);
    }
    let spot = context.find(key, Lookup::Write)?;
    let view = context.view(spot, Kind::List)?;
    let len = view.len();
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let mut found: Vec<usize> = if count < 0 {
        let back = view.elements_back(len).enumerate().filter(|(_, item)| *item == element);
        back.map(|(distance, _)| len - 1 - distance).take(most).collect()
    } else {
        let items = view.items().enumerate().filter(|(_, item)| *item == element);
        items.map(|(index, _)| index).take(most).collect()
    };
    if !found.is_empty() {
        context.notify(EventClass::List, "lrem", key);
    }
    if found.len() == len {
        context.delete_told(spot, key);
    } else if !found.is_empty() {
        // The last one first: those before it stay where they are.
        found.sort_unstable_by(|left, right| right.cmp(left));
        let mut edit = context.open(spot, Kind::List)?;
        for index in &found {
            context.list_drop(&mut edit, *index..*index + 1)?;
        }
        context.note_fewer_elements(&mut edit);
        context.close(edit, key)?;
    }
    reply.integer(found.len() as i64);
    Ok(())
}
