//! Taking over what was given to another consumer.

use super::groups::note_consumer;
use super::pending::no_group;
use super::words::{is, now, shown, start, strict_id, write_id};
use crate::args::Args;
use crate::context::{Context, Lookup, Spot};
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::object::stream::{Id, Pending};
use crate::reply::Reply;

/// Entries looked at for each that is to be claimed.
const LOOKS: usize = 10;
const COUNT_DEFAULT: usize = 100;
const COUNT_MAX: i64 = i64::MAX / 16;

/// Who claims, and how.
#[derive(Debug)]
struct Claim<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    idle_min: i64,
    just_ids: bool,
    force: bool,
    /// Unix ms.
    delivered_ms: i64,
    deliveries: Option<u64>,
}

fn number(word: &[u8], option: &str, command: &str) -> Result<i64> {
    let text = || Error::Text(format!("ERR Invalid {option} argument for {command}").into());
    parse_integer(word).ok_or_else(text)
}

/// The ids of XCLAIM, and its options.
fn parse<'a>(args: Args<'a>, now: i64) -> Result<(Claim<'a>, Vec<Id>, Id)> {
    let idle_min = number(&args[4], "min-idle-time", "XCLAIM")?.max(0);
    let ids: Vec<Id> = args.iter_from(5).map_while(|word| strict_id(word, 0).ok()).collect();
    let (mut force, mut just_ids, mut delivered, mut deliveries, mut last) = (false, false, None, None, Id::MIN);
    let mut words = args.iter_from(5 + ids.len());
    while let Some(word) = words.next() {
        let more = words.len() > 0;
        let mut value = || words.next().unwrap_or_default();
        if is(word, "force") {
            force = true;
        } else if is(word, "justid") {
            just_ids = true;
        } else if is(word, "idle") && more {
            delivered = Some(now.wrapping_sub(number(value(), "IDLE option", "XCLAIM")?));
        } else if is(word, "time") && more {
            delivered = Some(number(value(), "TIME option", "XCLAIM")?);
        } else if is(word, "retrycount") && more {
            deliveries = u64::try_from(number(value(), "RETRYCOUNT option", "XCLAIM")?).ok();
        } else if is(word, "lastid") && more {
            last = strict_id(value(), 0)?;
        } else {
            return Err(Error::Text(format!("ERR Unrecognized XCLAIM option '{}'", shown(word)).into()));
        }
    }
    let delivered_ms = delivered.filter(|time| (0..=now).contains(time)).unwrap_or(now);
    let name = |index| args.get(index).unwrap_or_default();
    let (group, consumer) = (name(2), name(3));
    let claim = Claim { group, consumer, idle_min, just_ids, force, delivered_ms, deliveries };
    Ok((claim, ids, last))
}

impl Claim<'_> {
    /// Makes the consumer where there is none; its number.
    fn make_consumer(&self, context: &mut Context<'_>, spot: Spot, key: &[u8]) -> Result<u32> {
        let now = now(context);
        let (consumer, made) = context.change_stream(spot, key, |stream, rows| {
            let (consumer, made) = stream.make_consumer(self.group, self.consumer, now, &mut *rows);
            stream.touch(self.group, consumer, now, false, rows);
            (consumer, made)
        })?;
        note_consumer(context, key, made);
        Ok(consumer)
    }

    /// What becomes of an entry that is, or is to be, pending; none if it is not to be claimed.
    fn claimed(&self, pending: Option<&Pending>, consumer: u32, now: i64) -> Option<Pending> {
        let deliveries = match pending {
            Some(pending) => {
                if self.idle_min > 0 && now.wrapping_sub(pending.delivered_ms) < self.idle_min {
                    return None;
                }
                pending.deliveries
            }
            None if self.force => 1,
            None => return None,
        };
        let counted = deliveries + u64::from(!self.just_ids);
        let deliveries = self.deliveries.unwrap_or(counted);
        Some(Pending { consumer, delivered_ms: self.delivered_ms, deliveries })
    }

    /// Makes the claimed entries the consumer's, and ends what is pending of entries that are gone.
    fn settle(
        &self,
        context: &mut Context<'_>,
        spot: Spot,
        key: &[u8],
        consumer: u32,
        claimed: &[(Id, Pending)],
        gone: &[Id],
    ) -> Result {
        let now = now(context);
        context.change_stream(spot, key, |stream, rows| {
            for id in gone {
                stream.acknowledge(self.group, *id, &mut *rows);
            }
            for (id, pending) in claimed {
                stream.give(self.group, *id, *pending, &mut *rows);
            }
            stream.touch(self.group, consumer, now, !claimed.is_empty(), rows);
        })
    }

    fn write(&self, context: &Context<'_>, spot: Spot, claimed: &[(Id, Pending)], reply: &mut dyn Reply) -> Result {
        reply.array(claimed.len());
        for (id, _) in claimed {
            match context.stream(spot)?.and_then(|stream| stream.entry(*id)) {
                Some(entry) if !self.just_ids => entry.write(reply),
                _ => write_id(reply, *id),
            }
        }
        Ok(())
    }
}

/// Where a stream is that has a group.
fn find_group(context: &mut Context<'_>, args: Args<'_>) -> Result<Spot> {
    let (key, group) = (&args[1], &args[2]);
    let (spot, stream) = context.find_stream(key, Lookup::Read)?;
    match stream.and_then(|stream| stream.group(group)) {
        Some(_) => Ok(spot),
        None => Err(no_group(key, group)),
    }
}

pub(super) fn xclaim(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = find_group(context, args)?;
    let now = now(context);
    let (claim, ids, last) = parse(args, now)?;
    let consumer = claim.make_consumer(context, spot, key)?;
    let group_facts = context.stream(spot)?.and_then(|stream| stream.group(claim.group)).map(|g| (g.last, g.read));
    if let Some((_, read)) = group_facts.filter(|(at, _)| last > *at) {
        context.change_stream(spot, key, |stream, rows| stream.set_group(claim.group, last, read, rows))?;
    }
    let (mut claimed, mut gone): (Vec<(Id, Pending)>, Vec<Id>) = (Vec::new(), Vec::new());
    if let Some(stream) = context.stream(spot)?
        && let Some(group) = stream.group(claim.group)
    {
        for id in ids {
            // An id that is given twice is claimed twice.
            let before = claimed.iter().rev().find(|(other, _)| *other == id).map(|(_, pending)| pending);
            match stream.entry(id) {
                None => gone.push(id),
                Some(_) => {
                    let pending = before.or_else(|| group.pending().get(&id));
                    claimed.extend(claim.claimed(pending, consumer, now).map(|pending| (id, pending)));
                }
            }
        }
    }
    claim.settle(context, spot, key, consumer, &claimed, &gone)?;
    claim.write(context, spot, &claimed, reply)
}

pub(super) fn xautoclaim(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let idle_min = number(&args[4], "min-idle-time", "XAUTOCLAIM")?.max(0);
    let first = start(&args[5])?;
    let (mut count, mut just_ids) = (COUNT_DEFAULT, false);
    let mut words = args.iter_from(6);
    while let Some(word) = words.next() {
        if is(word, "count") && words.len() > 0 {
            let number = parse_integer(words.next().unwrap_or_default());
            let number = number.filter(|number| (1..=COUNT_MAX).contains(number));
            count = number.ok_or(Error::text("ERR COUNT must be > 0"))? as usize;
        } else if is(word, "justid") {
            just_ids = true;
        } else {
            return Err(Error::Syntax);
        }
    }
    let key = &args[1];
    let spot = find_group(context, args)?;
    let now = now(context);
    let (group, consumer) = (&args[2], &args[3]);
    let claim = Claim { group, consumer, idle_min, just_ids, force: false, delivered_ms: now, deliveries: None };
    let consumer = claim.make_consumer(context, spot, key)?;
    let (mut claimed, mut gone, mut next) = (Vec::new(), Vec::new(), Id::MIN);
    if let Some(stream) = context.stream(spot)?
        && let Some(group) = stream.group(claim.group)
    {
        for (looked, (id, pending)) in group.pending().range(first..).enumerate() {
            if looked == count.saturating_mul(LOOKS) || claimed.len() + gone.len() == count {
                next = *id;
                break;
            }
            if stream.entry(*id).is_none() {
                gone.push(*id);
            } else {
                claimed.extend(claim.claimed(Some(pending), consumer, now).map(|pending| (*id, pending)));
            }
        }
    }
    claim.settle(context, spot, key, consumer, &claimed, &gone)?;
    reply.array(3);
    write_id(reply, next);
    claim.write(context, spot, &claimed, reply)?;
    reply.array(gone.len());
    gone.iter().for_each(|id| write_id(reply, *id));
    Ok(())
}
