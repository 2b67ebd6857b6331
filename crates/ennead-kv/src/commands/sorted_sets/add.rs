//! ZADD and ZINCRBY.

use smallvec::SmallVec;

use super::set_score;
use crate::args::Args;
use crate::context::collections::Edit;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::double::parse_double;
use crate::reply::Reply;

/// What ZADD is allowed to do.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::commands) struct Options {
    /// Only members that are not there.
    pub(in crate::commands) new_only: bool,
    /// Only members that are there.
    pub(in crate::commands) present_only: bool,
    greater: bool,
    less: bool,
    /// Count changed members as well as new ones.
    pub(in crate::commands) changed: bool,
    /// Add to the score; the reply is the new one.
    increment: bool,
}

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Added(f64),
    Updated(f64),
    /// It had the score already.
    Same(f64),
    /// The options forbid it.
    Skipped,
}

impl Options {
    /// The options from word 2 on, and the first word behind them.
    fn parse(args: Args<'_>) -> Result<(Options, usize)> {
        let mut options = Options::default();
        let mut at = 2;
        while let Some(word) = args.get(at) {
            let option = match word.to_ascii_lowercase().as_slice() {
                b"nx" => &mut options.new_only,
                b"xx" => &mut options.present_only,
                b"gt" => &mut options.greater,
                b"lt" => &mut options.less,
                b"ch" => &mut options.changed,
                b"incr" => &mut options.increment,
                _ => break,
            };
            *option = true;
            at += 1;
        }
        Ok((options, at))
    }

    fn check(&self, words: usize) -> Result {
        if words == 0 || words % 2 == 1 {
            return Err(Error::Syntax);
        }
        if self.new_only && self.present_only {
            return Err(Error::text("ERR XX and NX options at the same time are not compatible"));
        }
        if self.new_only && (self.greater || self.less) || self.greater && self.less {
            return Err(Error::text("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.increment && words > 2 {
            return Err(Error::text("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }
}

pub(super) fn zadd(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (options, first) = Options::parse(args)?;
    options.check(args.len() - first)?;
    let members = parse_members(args, first)?;
    add_members(context, &args[1], members, options, reply)
}

pub(super) fn zincrby(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = Options { increment: true, ..Options::default() };
    let members = parse_members(args, 2)?;
    add_members(context, &args[1], members, options, reply)
}

type Members<'a> = SmallVec<[(&'a [u8], f64); 4]>;

/// Members with their scores, which stand in turn from a word on.
fn parse_members(args: Args<'_>, first: usize) -> Result<Members<'_>> {
    let mut words = args.iter_from(first);
    let mut members = SmallVec::new();
    while let (Some(score), Some(member)) = (words.next(), words.next()) {
        members.push((member, parse_double(score).ok_or(Error::NotFloat)?));
    }
    Ok(members)
}

/// Adds members and answers as ZADD does.
pub(in crate::commands) fn add_members<'m>(
    context: &mut Context<'_>,
    key: &[u8],
    members: impl IntoIterator<Item = (&'m [u8], f64), IntoIter: Clone>,
    options: Options,
    reply: &mut dyn Reply,
) -> Result {
    let members = members.into_iter();
    let spot = context.find_members(key, Lookup::Write, members.clone().map(|(member, _)| member))?;
    let mut edit = context.open(spot, Kind::Zset)?;
    let (mut added, mut updated, mut last) = (0, 0, Outcome::Skipped);
    for member in members {
        last = add(context, &mut edit, key, member, options)?;
        match last {
            Outcome::Added(_) => added += 1,
            Outcome::Updated(_) => updated += 1,
            Outcome::Same(_) | Outcome::Skipped => {}
        }
    }
    let event = if options.increment { "zincr" } else { "zadd" };
    if added + updated > 0 {
        context.close_told(edit, key, EventClass::Zset, event)?;
    } else {
        context.close(edit, key)?;
    }
    if options.increment {
        write_increment(reply, last);
    } else {
        reply.integer(if options.changed { added + updated } else { added });
    }
    Ok(())
}

fn write_increment(reply: &mut dyn Reply, outcome: Outcome) {
    match outcome {
        Outcome::Added(score) | Outcome::Updated(score) | Outcome::Same(score) => reply.double(score),
        Outcome::Skipped => reply.null(),
    }
}

fn add(
    context: &mut Context<'_>,
    edit: &mut Edit,
    key: &[u8],
    (member, given): (&[u8], f64),
    options: Options,
) -> Result<Outcome> {
    let former = context.edited(edit).score(context.placer(), member);
    let Some(former) = former else {
        if options.present_only {
            return Ok(Outcome::Skipped);
        }
        set_score(context, edit, key, member, given)?;
        return Ok(Outcome::Added(given));
    };
    let score = if options.increment { former + given } else { given };
    if options.new_only {
        return Ok(Outcome::Skipped);
    }
    if score.is_nan() {
        return Err(Error::text("ERR resulting score is not a number (NaN)"));
    }
    if options.less && score >= former || options.greater && score <= former {
        return Ok(Outcome::Skipped);
    }
    if score == former {
        return Ok(Outcome::Same(score));
    }
    set_score(context, edit, key, member, score)?;
    Ok(Outcome::Updated(score))
}
