//! Adding entries, and trimming.

use super::words::{Wish, added_id, integer, is, strict_id, write_id};
use crate::args::Args;
use crate::context::{Context, Lookup};
use crate::encoding::Threshold;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::object::stream::{Id, Limit, Meta, Room, Trim};
use crate::reply::Reply;

/// Entries that approximate trimming takes away at once: a hundred chunks.
const TRIMMED_CHUNKS: u64 = 100;
/// The same in entries where chunks have no limit of them, and in any case.
const TRIMMED_DEFAULT: u64 = 10_000;
const TRIMMED_MAX: u64 = 1_000_000;
/// Bytes of a chunk without a limit.
const CHUNK_BYTES_MAX: usize = 1 << 30;
/// Bytes of an entry's fields and values.
const ENTRY_BYTES_MAX: usize = 1 << 30;
const NOT_HIGHER: Error =
    Error::text("ERR The ID specified in XADD is equal or smaller than the target stream top item");

/// The options of XADD and XTRIM.
#[derive(Debug, Default)]
struct Options {
    trim: Option<Trim>,
    no_stream: bool,
    /// None for `*`.
    wish: Option<Wish>,
    /// The first word behind them, or behind the id.
    next: usize,
}

impl Options {
    fn parse(args: Args<'_>, adds: bool, chunk_entries: u64) -> Result<Options> {
        let mut options = Options::default();
        let mut most = None;
        let mut at = 2;
        while let Some(word) = args.get(at) {
            let more = args.len() - 1 - at;
            if adds && word == b"*" {
                break;
            } else if (is(word, "maxlen") || is(word, "minid")) && more > 0 {
                at = options.parse_limit(args, at)?;
            } else if is(word, "limit") && more > 0 {
                let count = integer(&args[at + 1])?;
                most = Some(u64::try_from(count).map_err(|_| Error::text("ERR The LIMIT argument must be >= 0."))?);
                at += 1;
            } else if adds && is(word, "nomkstream") {
                options.no_stream = true;
            } else if adds {
                options.wish = Some(added_id(word)?);
                break;
            } else {
                return Err(Error::Syntax);
            }
            at += 1;
        }
        options.next = at + 1;
        options.set_most(most, adds, chunk_entries)?;
        Ok(options)
    }

    /// MAXLEN or MINID at `at`; where its last word is.
    fn parse_limit(&mut self, args: Args<'_>, at: usize) -> Result<usize> {
        if self.trim.is_some() {
            return Err(Error::text("ERR syntax error, MAXLEN and MINID options at the same time are not compatible"));
        }
        let marked = args.len() - 1 - at >= 2 && matches!(&args[at + 1], b"~" | b"=");
        let value = at + 1 + usize::from(marked);
        let limit = if is(&args[at], "maxlen") {
            let length = u64::try_from(integer(&args[value])?);
            Limit::Length(length.map_err(|_| Error::text("ERR The MAXLEN argument must be >= 0."))?)
        } else {
            Limit::Lowest(strict_id(&args[value], 0)?)
        };
        self.trim = Some(Trim { limit, roughly: marked && &args[at + 1] == b"~", most: 0 });
        Ok(value)
    }

    fn set_most(&mut self, most: Option<u64>, adds: bool, chunk_entries: u64) -> Result {
        let Some(trim) = &mut self.trim else {
            return match most {
                Some(1..) => {
                    Err(Error::text("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"))
                }
                _ if !adds => Err(Error::text("ERR syntax error, XTRIM must be called with a trimming strategy")),
                Some(0) => Err(Error::text("ERR syntax error, LIMIT cannot be used without the special ~ option")),
                None => Ok(()),
            };
        };
        trim.most = match (most, trim.roughly) {
            (Some(_), false) => {
                return Err(Error::text("ERR syntax error, LIMIT cannot be used without the special ~ option"));
            }
            (Some(most), true) => most,
            (None, true) => match chunk_entries.saturating_mul(TRIMMED_CHUNKS) {
                0 => TRIMMED_DEFAULT,
                most => most.min(TRIMMED_MAX),
            },
            (None, false) => 0,
        };
        Ok(())
    }
}

fn chunk_entries(context: &Context<'_>) -> u64 {
    context.keyspace().settings().thresholds().get(Threshold::StreamEntries).max(0).cast_unsigned()
}

/// How much goes into the last chunk; 0 in the settings is no limit.
fn room(context: &Context<'_>) -> Room {
    let limit = |threshold| usize::try_from(context.keyspace().settings().thresholds().get(threshold)).ok();
    let limit = |threshold| limit(threshold).filter(|limit| *limit > 0);
    Room {
        entries: limit(Threshold::StreamEntries).unwrap_or(usize::MAX),
        bytes: limit(Threshold::StreamBytes).unwrap_or(CHUNK_BYTES_MAX).min(CHUNK_BYTES_MAX),
    }
}

/// The id that an entry gets.
fn next_id(wish: Option<Wish>, last: Id, now_ms: u64) -> Result<Id> {
    let id = match wish {
        None if now_ms > last.ms => Id { ms: now_ms, sequence: 0 },
        None => last.next().ok_or(NOT_HIGHER)?,
        Some(Wish::Time(ms)) if ms == last.ms => Id { ms, sequence: last.sequence.checked_add(1).ok_or(NOT_HIGHER)? },
        Some(Wish::Time(ms)) => Id { ms, sequence: 0 },
        Some(Wish::Id(id)) => id,
    };
    if id > last { Ok(id) } else { Err(NOT_HIGHER) }
}

pub(super) fn xadd(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = Options::parse(args, true, chunk_entries(context))?;
    let fields = args.iter_from(options.next);
    if fields.len() < 2 || !fields.len().is_multiple_of(2) {
        return Err(Error::Arity("xadd".into()));
    }
    if options.wish == Some(Wish::Id(Id::MIN)) {
        return Err(Error::text("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let key = &args[1];
    let (spot, stream) = context.find_stream(key, Lookup::Write)?;
    let meta = stream.map_or(Meta::default(), |stream| stream.meta);
    if !spot.exists() && options.no_stream {
        reply.null();
        return Ok(());
    }
    if meta.last == Id::MAX {
        return Err(Error::text("ERR The stream has exhausted the last possible ID, unable to add more items"));
    }
    let id = next_id(options.wish, meta.last, context.now_ms())?;
    if args.iter_from(options.next).map(<[u8]>::len).sum::<usize>() > ENTRY_BYTES_MAX {
        return Err(Error::text("ERR Elements are too large to be stored"));
    }
    let spot = context.make_stream(spot, key)?;
    let room = room(context);
    let trimmed = context.change_stream(spot, key, |stream, rows| {
        let words: Vec<&[u8]> = args.iter_from(options.next).collect();
        stream.append(id, words.iter().copied(), room, rows);
        options.trim.map_or(0, |trim| stream.trim(trim, rows))
    })?;
    context.notify(EventClass::Stream, "xadd", key);
    if trimmed > 0 {
        context.notify(EventClass::Stream, "xtrim", key);
    }
    context.note_stream_ready(spot, key);
    write_id(reply, id);
    Ok(())
}

pub(super) fn xtrim(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = Options::parse(args, false, chunk_entries(context))?;
    let key = &args[1];
    let (spot, _) = context.find_stream(key, Lookup::Write)?;
    let went = match options.trim {
        Some(trim) if spot.exists() => context.change_stream(spot, key, |stream, rows| stream.trim(trim, rows))?,
        _ => 0,
    };
    if went > 0 {
        context.notify(EventClass::Stream, "xtrim", key);
    }
    reply.integer(went as i64);
    Ok(())
}

pub(super) fn xdel(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let (spot, _) = context.find_stream(key, Lookup::Write)?;
    if !spot.exists() {
        reply.integer(0);
        return Ok(());
    }
    let ids = super::words::ids_from(args, 2)?;
    let deleted = context
        .change_stream(spot, key, |stream, rows| ids.iter().filter(|id| stream.delete(**id, &mut *rows)).count())?;
    if deleted > 0 {
        context.notify(EventClass::Stream, "xdel", key);
    }
    reply.integer(deleted as i64);
    Ok(())
}

pub(super) fn xsetid(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let last = strict_id(&args[2], 0)?;
    let (mut added, mut deleted) = (None, Id::MIN);
    let mut words = args.iter_from(3);
    while let Some(word) = words.next() {
        if is(word, "entriesadded") {
            let count = integer(words.next().ok_or(Error::Syntax)?)?;
            added = Some(u64::try_from(count).map_err(|_| Error::text("ERR entries_added must be positive"))?);
        } else if is(word, "maxdeletedid") {
            deleted = strict_id(words.next().ok_or(Error::Syntax)?, 0)?;
            if last < deleted {
                return Err(Error::text(
                    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                ));
            }
        } else {
            return Err(Error::Syntax);
        }
    }
    let key = &args[1];
    let (spot, stream) = context.find_stream(key, Lookup::Write)?;
    let stream = stream.ok_or(Error::NoSuchKey)?;
    if last < stream.meta.deleted {
        return Err(Error::text("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"));
    }
    if stream.len() > 0 {
        if last < stream.top() {
            return Err(Error::text("ERR The ID specified in XSETID is smaller than the target stream top item"));
        }
        if added.is_some_and(|added| (stream.len() as u64) > added) {
            return Err(Error::text(
                "ERR The entries_added specified in XSETID is smaller than the target stream length",
            ));
        }
    }
    let former = stream.meta;
    let meta = Meta {
        last,
        added: added.unwrap_or(former.added),
        deleted: if deleted == Id::MIN { former.deleted } else { deleted },
    };
    context.change_stream(spot, key, |stream, rows| stream.set_meta(meta, rows))?;
    context.notify(EventClass::Stream, "xsetid", key);
    reply.ok();
    Ok(())
}
