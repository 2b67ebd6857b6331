//! Reading several streams from where one stopped, alone or as a member of a group, and waiting for more.

use super::groups::note_consumer;
use super::range::write_entries;
use super::words::{is, now, shown, strict_id, write_id};
use crate::args::Args;
use crate::context::waiting::Waited;
use crate::context::{Context, Lookup, Spot};
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::object::stream::{Id, Pending};
use crate::reply::{Recorded, Reply};

/// What is asked for.
#[derive(Debug, Default)]
struct Reading<'a> {
    /// Entries of each stream, at most.
    count: usize,
    /// How long to wait, ms; 0 without an end.
    block_ms: Option<u64>,
    group: Option<Membership<'a>>,
    /// The first key's word.
    first: usize,
    streams: usize,
}

#[derive(Debug, Clone, Copy)]
struct Membership<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    /// Whether what is read need not be acknowledged.
    no_ack: bool,
}

/// From where a stream is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Behind(Id),
    /// What no member of the group has got.
    New,
}

impl<'a> Reading<'a> {
    fn parse(args: Args<'a>, grouped: bool) -> Result<Reading<'a>> {
        let only_group = |option: &str| {
            let text = format!("ERR The {option} option is only supported by XREADGROUP. You called XREAD instead.");
            if grouped { Ok(()) } else { Err(Error::Text(text.into())) }
        };
        let mut reading = Reading { count: usize::MAX, ..Reading::default() };
        let (mut group, mut no_ack) = (None, false);
        let mut at = 1;
        while reading.first == 0 {
            let Some(word) = args.get(at) else { return Err(Error::Syntax) };
            let more = args.len() - 1 - at;
            if is(word, "block") && more > 0 {
                reading.block_ms = Some(timeout(&args[at + 1])?);
                at += 1;
            } else if is(word, "count") && more > 0 {
                reading.count = super::words::integer(&args[at + 1])?.max(0) as usize;
                at += 1;
            } else if is(word, "streams") && more > 0 {
                if !more.is_multiple_of(2) {
                    return Err(unbalanced(grouped));
                }
                (reading.first, reading.streams) = (at + 1, more / 2);
            } else if is(word, "group") && more >= 2 {
                only_group("GROUP")?;
                group = args.get(at + 1).zip(args.get(at + 2));
                at += 2;
            } else if is(word, "noack") {
                only_group("NOACK")?;
                no_ack = true;
            } else {
                return Err(Error::Syntax);
            }
            at += 1;
        }
        if reading.count == 0 {
            reading.count = usize::MAX;
        }
        reading.group = group.map(|(group, consumer)| Membership { group, consumer, no_ack });
        if grouped && reading.group.is_none() {
            return Err(Error::text("ERR Missing GROUP option for XREADGROUP"));
        }
        Ok(reading)
    }

    fn key(&self, args: Args<'a>, number: usize) -> &'a [u8] {
        args.get(self.first + number).unwrap_or_default()
    }

    /// Where each stream is to be read from.
    fn starts(&self, context: &mut Context<'_>, args: Args<'a>) -> Result<Vec<From>> {
        (0..self.streams).map(|number| self.start(context, args, number)).collect()
    }

    fn start(&self, context: &mut Context<'_>, args: Args<'a>, number: usize) -> Result<From> {
        let key = self.key(args, number);
        let (_, stream) = context.find_stream(key, Lookup::Read)?;
        if let Some(Membership { group, .. }) = self.group
            && stream.is_none_or(|stream| stream.group(group).is_none())
        {
            let (key, group) = (shown(key), shown(group));
            return Err(Error::Text(
                format!("NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option")
                    .into(),
            ));
        }
        match (&args[self.first + self.streams + number], self.group.is_some()) {
            (b"$", true) => Err(Error::text(
                "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
                 specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
            )),
            (b"$", false) => Ok(From::Behind(stream.map_or(Id::MIN, |stream| stream.meta.last))),
            (b">", true) => Ok(From::New),
            (b">", false) => Err(Error::text(
                "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
            )),
            (word, grouped) => match strict_id(word, 0)? {
                Id::MAX if grouped => Ok(From::New),
                id => Ok(From::Behind(id)),
            },
        }
    }

    /// Waits for any of the streams, or answers that there is nothing.
    fn wait(&self, context: &mut Context<'_>, args: Args<'a>, starts: &[From], reply: &mut dyn Reply) {
        let waits = self.block_ms.is_some_and(|timeout_ms| {
            let behind_keys = self.first + self.streams;
            // The end of a stream is where it is now, also when this is run again.
            let dollars = (0..self.streams).filter(|number| &args[behind_keys + number] == b"$");
            let replaced = dollars.filter_map(|number| match starts[number] {
                From::Behind(id) => Some((behind_keys + number, id.to_string().into_bytes().into())),
                From::New => None,
            });
            let waited = Waited { replaced: replaced.collect(), also_gone: self.group.is_some() };
            context.wait_for_streams((0..self.streams).map(|number| self.key(args, number)), timeout_ms, waited)
        });
        if !waits {
            reply.null_array();
        }
    }
}

fn unbalanced(grouped: bool) -> Error {
    let (name, symbol) = if grouped { ("xreadgroup", '>') } else { ("xread", '$') };
    Error::Text(
        format!("ERR Unbalanced '{name}' list of streams: for each stream key an ID or '{symbol}' must be specified.")
            .into(),
    )
}

fn timeout(word: &[u8]) -> Result<u64> {
    let millis = parse_integer(word).ok_or(Error::text("ERR timeout is not an integer or out of range"))?;
    u64::try_from(millis).map_err(|_| Error::text("ERR timeout is negative"))
}

/// How many streams there are in a reply.
fn write_head(reply: &mut dyn Reply, streams: usize) {
    if reply.protocol() >= 3 { reply.map(streams) } else { reply.array(streams) }
}

/// What comes before a stream's entries.
fn write_key(reply: &mut dyn Reply, key: &[u8]) {
    if reply.protocol() < 3 {
        reply.array(2);
    }
    reply.bulk(key);
}

pub(super) fn xread(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let reading = Reading::parse(args, false)?;
    let starts = reading.starts(context, args)?;
    let mut ready = Vec::new();
    for (number, from) in starts.iter().enumerate() {
        let From::Behind(id) = *from else { continue };
        let (_, stream) = context.find_stream(reading.key(args, number), Lookup::Peek)?;
        if stream.is_some_and(|stream| stream.len() > 0 && stream.top() > id) {
            ready.push((number, id));
        }
    }
    if ready.is_empty() {
        reading.wait(context, args, &starts, reply);
        return Ok(());
    }
    write_head(reply, ready.len());
    for (number, id) in ready {
        let key = reading.key(args, number);
        write_key(reply, key);
        let (_, stream) = context.find_stream(key, Lookup::Write)?;
        let first = id.next().unwrap_or(Id::MAX);
        let entries = stream.into_iter().flat_map(|stream| stream.range(first..=Id::MAX));
        write_entries(reply, entries.take(reading.count));
    }
    Ok(())
}

pub(super) fn xreadgroup(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let reading = Reading::parse(args, true)?;
    let starts = reading.starts(context, args)?;
    let Some(member) = reading.group else { return Err(Error::Syntax) };
    // How many streams have something is known at the end; one is not worth keeping its reply for.
    let mut recorded = Recorded::new(reply.protocol());
    let mut served = 0;
    for (number, from) in starts.iter().enumerate() {
        let key = reading.key(args, number);
        let out: &mut dyn Reply = if reading.streams == 1 { &mut *reply } else { &mut recorded };
        served += usize::from(serve(context, key, member, *from, &reading, out)?);
    }
    if served == 0 {
        reading.wait(context, args, &starts, reply);
    } else if reading.streams > 1 {
        write_head(reply, served);
        recorded.replay(reply);
    }
    Ok(())
}

/// Gives a consumer what there is for it in a stream, if it is to be served.
fn serve(
    context: &mut Context<'_>,
    key: &[u8],
    member: Membership<'_>,
    from: From,
    reading: &Reading<'_>,
    reply: &mut dyn Reply,
) -> Result<bool> {
    let now = now(context);
    let (spot, _) = context.find_stream(key, Lookup::Write)?;
    let head = |reply: &mut dyn Reply| {
        if reading.streams == 1 {
            write_head(reply, 1);
        }
        write_key(reply, key);
    };
    let (consumer, made, served) = context.change_stream(spot, key, |stream, rows| {
        let (consumer, made) = stream.make_consumer(member.group, member.consumer, now, &mut *rows);
        let group = stream.group(member.group).filter(|group| stream.len() > 0 && stream.top() > group.last);
        let served = match (from, group) {
            (From::Behind(_), _) | (From::New, None) => {
                stream.touch(member.group, consumer, now, false, rows);
                from != From::New
            }
            (From::New, Some(group)) => {
                head(reply);
                let entries: Vec<_> = stream.unread(group).take(reading.count).collect();
                let given: Vec<_> = entries.iter().map(|entry| (entry.id, entry.mark())).collect();
                write_entries(reply, entries.into_iter());
                stream.deliver(member.group, consumer, &given, now, member.no_ack, rows);
                true
            }
        };
        (consumer, made, served)
    })?;
    note_consumer(context, key, made);
    if let From::Behind(id) = from {
        head(reply);
        give_again(context, spot, key, member, (consumer, id), reading.count, reply)?;
    }
    Ok(served)
}

/// Gives a consumer what it has got behind an id and not acknowledged.
fn give_again(
    context: &mut Context<'_>,
    spot: Spot,
    key: &[u8],
    member: Membership<'_>,
    (consumer, behind): (u32, Id),
    count: usize,
    reply: &mut dyn Reply,
) -> Result {
    let now = now(context);
    let Some(stream) = context.stream(spot)? else { return Ok(()) };
    let Some(group) = stream.group(member.group) else { return Ok(()) };
    let first = behind.next().unwrap_or(Id::MAX);
    let pending = group.consumer(consumer).into_iter().flat_map(|consumer| consumer.pending.range(first..));
    let ids: Vec<Id> = pending.take(count).copied().collect();
    reply.array(ids.len());
    let mut again = Vec::new();
    for id in ids {
        match (stream.entry(id), group.pending().get(&id)) {
            (Some(entry), Some(pending)) => {
                entry.write(reply);
                again.push((id, *pending));
            }
            _ => {
                reply.array(2);
                write_id(reply, id);
                reply.null_array();
            }
        }
    }
    context.change_stream(spot, key, |stream, rows| {
        for (id, pending) in again {
            let pending = Pending { delivered_ms: now, deliveries: pending.deliveries + 1, ..pending };
            stream.give(member.group, id, pending, &mut *rows);
        }
    })
}
