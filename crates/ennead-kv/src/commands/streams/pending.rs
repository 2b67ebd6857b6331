//! What was given to consumers and is not acknowledged.

use super::words::{integer, interval, is, now, shown, write_id};
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::object::stream::Group;
use crate::reply::Reply;

pub(super) fn no_group(key: &[u8], group: &[u8]) -> Error {
    let (key, group) = (shown(key), shown(group));
    Error::Text(format!("NOGROUP No such key '{key}' or consumer group '{group}'").into())
}

pub(super) fn xpending(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, name) = (&args[1], &args[2]);
    if args.len() == 3 {
        let (_, stream) = context.find_stream(key, Lookup::Read)?;
        let group = stream.and_then(|stream| stream.group(name)).ok_or_else(|| no_group(key, name))?;
        summary(group, reply);
        return Ok(());
    }
    if !(6..=9).contains(&args.len()) {
        return Err(Error::Syntax);
    }
    let (mut idle_min, mut at) = (0, 3);
    if is(&args[3], "idle") {
        idle_min = integer(&args[4])?;
        if args.len() < 8 {
            return Err(Error::Syntax);
        }
        at = 5;
    }
    let count = integer(&args[at + 2])?.max(0) as usize;
    let ids = interval(&args[at], &args[at + 1])?;
    let consumer = args.get(at + 3);
    let now = now(context);
    let (_, stream) = context.find_stream(key, Lookup::Read)?;
    let group = stream.and_then(|stream| stream.group(name)).ok_or_else(|| no_group(key, name))?;
    let consumer = match consumer {
        None => None,
        Some(name) => match group.consumer_number(name).and_then(|number| group.consumer(number)) {
            Some(consumer) => Some(consumer),
            None => {
                reply.array(0);
                return Ok(());
            }
        },
    };
    // An interval that ends before it begins has nothing, and no tree takes it.
    let sound = ids.start() <= ids.end();
    let own = consumer.into_iter().filter(|_| sound).flat_map(|consumer| consumer.pending.range(ids.clone()).copied());
    let all = consumer.is_none().then_some(group).into_iter().filter(|_| sound);
    let all = all.flat_map(|group| group.pending().range(ids.clone()).map(|(id, _)| *id));
    let found = own.chain(all).filter_map(|id| Some((id, group.pending().get(&id)?)));
    let found = found.filter(|(_, pending)| idle_min == 0 || now.wrapping_sub(pending.delivered_ms) >= idle_min);
    let found: Vec<_> = found.take(count).collect();
    reply.array(found.len());
    for (id, pending) in found {
        reply.array(4);
        write_id(reply, id);
        reply.bulk(group.consumer(pending.consumer).map_or(&[][..], |consumer| &consumer.name));
        reply.integer(now.saturating_sub(pending.delivered_ms).max(0));
        reply.integer(pending.deliveries as i64);
    }
    Ok(())
}

fn summary(group: &Group, reply: &mut dyn Reply) {
    let pending = group.pending();
    reply.array(4);
    reply.integer(pending.len() as i64);
    let ends = pending.first_key_value().zip(pending.last_key_value());
    let Some(((first, _), (last, _))) = ends else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    write_id(reply, *first);
    write_id(reply, *last);
    let busy: Vec<_> = group.consumers().filter(|consumer| !consumer.pending.is_empty()).collect();
    reply.array(busy.len());
    for consumer in busy {
        reply.array(2);
        reply.bulk(&consumer.name);
        reply.bulk(consumer.pending.len().to_string().as_bytes());
    }
}
