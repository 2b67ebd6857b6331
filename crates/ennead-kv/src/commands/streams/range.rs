//! Entries by their ids.

use super::words::{integer, interval, is};
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::object::stream::Entry;
use crate::reply::Reply;

pub(super) fn xlen(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (_, stream) = context.find_stream(&args[1], Lookup::Read)?;
    reply.integer(stream.map_or(0, |stream| stream.len()) as i64);
    Ok(())
}

pub(super) fn xrange(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    range(context, args, false, reply)
}

pub(super) fn xrevrange(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    range(context, args, true, reply)
}

fn range(context: &mut Context<'_>, args: Args<'_>, reverse: bool, reply: &mut dyn Reply) -> Result {
    let ids = if reverse { interval(&args[3], &args[2])? } else { interval(&args[2], &args[3])? };
    let mut count = usize::MAX;
    let mut words = args.iter_from(4);
    while let Some(word) = words.next() {
        if !is(word, "count") {
            return Err(Error::Syntax);
        }
        count = integer(words.next().ok_or(Error::Syntax)?)?.max(0) as usize;
    }
    let (_, stream) = context.find_stream(&args[1], Lookup::Read)?;
    match stream {
        None => reply.array(0),
        Some(_) if count == 0 => reply.null_array(),
        Some(stream) if reverse => write_entries(reply, stream.range_back(ids).take(count)),
        Some(stream) => write_entries(reply, stream.range(ids).take(count)),
    }
    Ok(())
}

pub(super) fn write_entries<'e>(reply: &mut dyn Reply, entries: impl Iterator<Item = Entry<'e>>) {
    let entries: Vec<Entry<'_>> = entries.collect();
    reply.array(entries.len());
    entries.into_iter().for_each(|entry| entry.write(reply));
}
