//! ZADD and ZINCRBY.

use super::set_score;
use crate::args::Args;
use crate::context::collections::Edit;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::double::parse_double;
use crate::reply::Reply;

/// What ZADD is allowed to do.
#[derive(Debug, Clone, Copy, Default)]
struct Options {
    /// Only members that are not there.
    new_only: bool,
    /// Only members that are there.
    present_only: bool,
    greater: bool,
    less: bool,
    /// Count changed members as well as new ones.
    changed: bool,
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
    let outcomes = apply(context, args, first, options)?;
    if options.increment {
        write_increment(reply, outcomes.last);
    } else {
        reply.integer(if options.changed { outcomes.added + outcomes.updated } else { outcomes.added });
    }
    Ok(())
}

pub(super) fn zincrby(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let options = Options { increment: true, ..Options::default() };
    let outcomes = apply(context, args, 2, options)?;
    write_increment(reply, outcomes.last);
    Ok(())
}

fn write_increment(reply: &mut dyn Reply, outcome: Outcome) {
    match outcome {
        Outcome::Added(score) | Outcome::Updated(score) | Outcome::Same(score) => reply.double(score),
        Outcome::Skipped => reply.null(),
    }
}

struct Outcomes {
    added: i64,
    updated: i64,
    last: Outcome,
}

/// Scores and members, in turn from a word on.
fn apply(context: &mut Context<'_>, args: Args<'_>, first: usize, options: Options) -> Result<Outcomes> {
    // All of them are read before the first is set.
    for score in args.iter_from(first).step_by(2) {
        parse_double(score).ok_or(Error::NotFloat)?;
    }
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    let mut edit = context.open(spot, Kind::Zset)?;
    let mut outcomes = Outcomes { added: 0, updated: 0, last: Outcome::Skipped };
    let mut words = args.iter_from(first);
    while let (Some(score), Some(member)) = (words.next(), words.next()) {
        let score = parse_double(score).ok_or(Error::NotFloat)?;
        outcomes.last = add(context, &mut edit, key, (member, score), options)?;
        match outcomes.last {
            Outcome::Added(_) => outcomes.added += 1,
            Outcome::Updated(_) => outcomes.updated += 1,
            Outcome::Same(_) | Outcome::Skipped => {}
        }
    }
    context.close(edit, key)?;
    Ok(outcomes)
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
