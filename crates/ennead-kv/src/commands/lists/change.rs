//! Changes in the middle of lists.

use super::{from_front, range};
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

pub(super) fn linsert(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, pivot) = (&args[1], &args[3]);
    let after = if args[2].eq_ignore_ascii_case(b"after") {
        true
    } else if args[2].eq_ignore_ascii_case(b"before") {
        false
    } else {
        return Err(Error::Syntax);
    };
    let spot = context.find(key, Lookup::Write)?;
    if !spot.exists() {
        reply.integer(0);
        return Ok(());
    }
    let Some(index) = context.view(spot, Kind::List)?.items().position(|element| element == pivot) else {
        reply.integer(-1);
        return Ok(());
    };
    let mut edit = context.open(spot, Kind::List)?;
    context.list_insert(&mut edit, key, index + usize::from(after), &args[4])?;
    context.note_elements(&mut edit);
    let len = context.edited(&edit).len();
    context.close(edit, key)?;
    reply.integer(len as i64);
    Ok(())
}

pub(super) fn lset(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    if !spot.exists() {
        return Err(Error::NoSuchKey);
    }
    let len = context.view(spot, Kind::List)?.len();
    let index = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let index = from_front(index, len).filter(|index| *index < len).ok_or(Error::text("ERR index out of range"))?;
    let mut edit = context.open(spot, Kind::List)?;
    context.list_replace(&mut edit, key, index, &args[3])?;
    context.note_elements(&mut edit);
    context.close(edit, key)?;
    reply.ok();
    Ok(())
}

pub(super) fn lrem(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    const RANGE: Error =
        Error::text("ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807");
    let (key, wanted) = (&args[1], &args[3]);
    let count = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    if count == i64::MIN {
        return Err(RANGE);
    }
    let spot = context.find(key, Lookup::Write)?;
    let view = context.view(spot, Kind::List)?;
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let equal = |(index, element): (usize, &[u8])| (element == wanted).then_some(index);
    let mut indexes: Vec<usize> = if count < 0 {
        let len = view.len();
        view.items_back(len).enumerate().filter_map(equal).map(|index| len - 1 - index).take(most).collect()
    } else {
        view.items().enumerate().filter_map(equal).take(most).collect()
    };
    // From the back, so that the indexes before stay what they are.
    indexes.sort_unstable_by(|left, right| right.cmp(left));
    let mut edit = context.open(spot, Kind::List)?;
    for index in &indexes {
        context.list_remove(&mut edit, *index)?;
    }
    context.note_elements_gone(&mut edit);
    context.close(edit, key)?;
    reply.integer(indexes.len() as i64);
    Ok(())
}

pub(super) fn ltrim(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let start = parse_integer(&args[2]).ok_or(Error::NotInteger)?;
    let stop = parse_integer(&args[3]).ok_or(Error::NotInteger)?;
    let spot = context.find(key, Lookup::Write)?;
    let len = context.view(spot, Kind::List)?.len();
    let kept = range(start, stop, len);
    if kept.is_empty() {
        context.delete(spot, key);
    } else {
        let mut edit = context.open(spot, Kind::List)?;
        for index in (kept.end..len).rev() {
            context.list_remove(&mut edit, index)?;
        }
        for _ in 0..kept.start {
            context.list_remove(&mut edit, 0)?;
        }
        context.note_elements_gone(&mut edit);
        context.close(edit, key)?;
    }
    reply.ok();
    Ok(())
}
