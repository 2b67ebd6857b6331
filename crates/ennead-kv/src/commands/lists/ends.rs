//! Adding and taking away at the ends of lists.

use super::End;
use crate::args::Args;
use crate::context::collections::Edit;
use crate::context::{Context, Lookup, Spot};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

const RANGE: Error = Error::text("ERR value is out of range, must be positive");
const KEYS: Error = Error::text("ERR numkeys should be greater than 0");
const COUNT: Error = Error::text("ERR count should be greater than 0");

pub(super) fn lpush(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    push(context, args, End::Left, false, reply)
}

pub(super) fn rpush(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    push(context, args, End::Right, false, reply)
}

pub(super) fn lpushx(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    push(context, args, End::Left, true, reply)
}

pub(super) fn rpushx(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    push(context, args, End::Right, true, reply)
}

fn push(context: &mut Context<'_>, args: Args<'_>, end: End, only_existing: bool, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let (front, back) = end.neighbours(1);
    let spot = context.find_ends(key, Lookup::Write, front, back)?;
    if only_existing && !spot.exists() {
        reply.integer(0);
        return Ok(());
    }
    let mut edit = context.open(spot, Kind::List)?;
    context.note_elements(&mut edit, args.iter_from(2));
    for element in args.iter_from(2) {
        add(context, &mut edit, key, end, element)?;
    }
    let len = context.edited(&edit).len();
    context.close_told(edit, key, EventClass::List, end.push_event())?;
    reply.integer(len as i64);
    Ok(())
}

fn add(context: &mut Context<'_>, edit: &mut Edit, key: &[u8], end: End, element: &[u8]) -> Result {
    match end {
        End::Left => context.list_insert(edit, key, 0, element),
        End::Right => context.list_push(edit, key, element),
    }
}

pub(super) fn lpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    pop(context, args, End::Left, reply)
}

pub(super) fn rpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    pop(context, args, End::Right, reply)
}

fn pop(context: &mut Context<'_>, args: Args<'_>, end: End, reply: &mut dyn Reply) -> Result {
    if args.len() > 3 {
        return Err(Error::Arity(String::from_utf8_lossy(&args[0]).to_ascii_lowercase()));
    }
    let count = match args.get(2) {
        Some(word) => Some(parse_integer(word).and_then(|count| usize::try_from(count).ok()).ok_or(RANGE)?),
        None => None,
    };
    let (front, back) = end.neighbours(count.unwrap_or(1));
    let spot = context.find_ends(&args[1], Lookup::Write, front, back)?;
    let len = context.view(spot, Kind::List)?.len();
    match count {
        _ if len > 0 => match count {
            Some(count) => {
                reply.array(count.min(len));
                take(context, spot, &args[1], end, count, reply)?;
            }
            None => take(context, spot, &args[1], end, 1, reply)?,
        },
        Some(_) => reply.null_array(),
        None => reply.null(),
    }
    Ok(())
}

/// Writes up to so many elements of a list that exists to the reply, from an end on, and takes them away. They were found
/// by [`Context::find_ends`].
pub(super) fn take(
    context: &mut Context<'_>,
    spot: Spot,
    key: &[u8],
    end: End,
    count: usize,
    reply: &mut dyn Reply,
) -> Result {
    let view = context.view(spot, Kind::List)?;
    let len = view.len();
    let range = match end {
        End::Left => {
            view.elements_from(0).take(count).for_each(|element| reply.bulk(element));
            0..count.min(len)
        }
        End::Right => {
            view.elements_back(len).take(count).for_each(|element| reply.bulk(element));
            len - count.min(len)..len
        }
    };
    if range.is_empty() {
        return Ok(());
    }
    context.notify(EventClass::List, end.pop_event(), key);
    if range.len() == len {
        context.delete_told(spot, key);
        return Ok(());
    }
    let mut edit = context.open(spot, Kind::List)?;
    context.list_drop(&mut edit, range)?;
    context.note_fewer_elements(&mut edit);
    context.close(edit, key).map(drop)
}

pub(super) fn lmove(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (from, to) = (End::parse(args, 3)?, End::parse(args, 4)?);
    if !move_element(context, args, from, to, reply)? {
        reply.null();
    }
    Ok(())
}

pub(super) fn rpoplpush(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    if !move_element(context, args, End::Right, End::Left, reply)? {
        reply.null();
    }
    Ok(())
}

/// Moves an element from the list of word 1 to that of word 2, and writes it to the reply; not if there is none.
pub(super) fn move_element(
    context: &mut Context<'_>,
    args: Args<'_>,
    from: End,
    to: End,
    reply: &mut dyn Reply,
) -> Result<bool> {
    let (source_key, target_key) = (&args[1], &args[2]);
    // One that is taken away or gets a neighbour, and for a list that is both, the next one.
    let (front, back) = from.neighbours(2);
    let source = context.find_ends(source_key, Lookup::Write, front, back)?;
    let view = context.view(source, Kind::List)?;
    let element = match from {
        End::Left => view.elements_from(0).next(),
        End::Right => view.elements_back(view.len()).next(),
    };
    let Some(element) = element.map(Box::<[u8]>::from) else { return Ok(false) };
    let index = if from == End::Left { 0 } else { view.len() - 1 };
    let (front, back) = to.neighbours(2);
    let target = context.find_ends(target_key, Lookup::Write, front, back)?;
    context.view(target, Kind::List)?;

    let source = context.again(source, source_key);
    let mut edit = context.open(source, Kind::List)?;
    context.list_drop(&mut edit, index..index + 1)?;
    let mut emptied = false;
    let mut edit = if source_key == target_key {
        edit
    } else {
        context.note_fewer_elements(&mut edit);
        emptied = !context.close(edit, source_key)?.exists();
        let target = context.again(target, target_key);
        context.open(target, Kind::List)?
    };
    context.note_elements(&mut edit, [&*element].into_iter());
    add(context, &mut edit, target_key, to, &element)?;
    context.close_told(edit, target_key, EventClass::List, to.push_event())?;
    // Redis adds the element before it takes it away.
    context.notify(EventClass::List, from.pop_event(), source_key);
    if emptied {
        context.notify(EventClass::Generic, "del", source_key);
    }
    reply.bulk(&element);
    Ok(true)
}

/// What LMPOP and BLMPOP ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Popping {
    /// The first key's word, and how many keys there are.
    first: usize,
    keys: usize,
    end: End,
    count: usize,
}

impl Popping {
    /// From the word that is the number of keys on.
    pub(super) fn parse(args: Args<'_>, at: usize) -> Result<Popping> {
        let positive = |word: Option<&[u8]>, error: Error| {
            let number = word.and_then(parse_integer).and_then(|number| usize::try_from(number).ok());
            number.filter(|number| *number > 0).ok_or(error)
        };
        let keys = positive(args.get(at), KEYS)?;
        let where_at = (at + 1).checked_add(keys).ok_or(Error::Syntax)?;
        let end = End::parse(args, where_at)?;
        let mut count = None;
        let mut words = args.iter_from(where_at + 1);
        while let Some(word) = words.next() {
            match words.next() {
                Some(number) if count.is_none() && word.eq_ignore_ascii_case(b"count") => {
                    count = Some(positive(Some(number), COUNT)?);
                }
                _ => return Err(Error::Syntax),
            }
        }
        Ok(Popping { first: at + 1, keys, end, count: count.unwrap_or(1) })
    }

    pub(super) fn keys<'a>(self, args: Args<'a>) -> impl Iterator<Item = &'a [u8]> {
        args.iter_from(self.first).take(self.keys)
    }

    /// Takes elements of the first key that has a list, and writes both to the reply; not if no key has one.
    pub(super) fn run(self, context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result<bool> {
        for key in self.keys(args) {
            let (front, back) = self.end.neighbours(self.count);
            let spot = context.find_ends(key, Lookup::Write, front, back)?;
            let len = context.view(spot, Kind::List)?.len();
            if len > 0 {
                reply.array(2);
                reply.bulk(key);
                reply.array(self.count.min(len));
                take(context, spot, key, self.end, self.count, reply)?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(super) fn lmpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    if !Popping::parse(args, 1)?.run(context, args, reply)? {
        reply.null_array();
    }
    Ok(())
}
