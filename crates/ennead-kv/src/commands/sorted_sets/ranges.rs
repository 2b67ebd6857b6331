//! ZRANGE and its relatives.

use std::ops::Range;

use super::bounds::{By, Interval};
use super::{row, store, write_members};
use crate::args::Args;
use crate::command::{Command, FIRST_TWO, GROW, READ, Text};
use crate::context::collections::View;
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::number::parse_integer;
use crate::reply::Reply;

const RANGE: &str =
    "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements returned.";
const LIMITED: &str = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements being \
                       returned. If M is constant (e.g. always asking for the first 10 elements with LIMIT), you can \
                       consider it O(log(N)).";

pub(super) const COMMANDS: &[Command] = &[
    row(
        "zrange",
        -4,
        READ,
        Text {
            since: "1.2.0",
            complexity: RANGE,
            syntax: "key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
            summary: "Returns members in a sorted set within a range of indexes.",
        },
        zrange,
    ),
    row(
        "zrangebylex",
        -4,
        READ,
        Text {
            since: "2.8.9",
            complexity: LIMITED,
            syntax: "key min max [LIMIT offset count]",
            summary: "Returns members in a sorted set within a lexicographical range.",
        },
        zrangebylex,
    ),
    row(
        "zrangebyscore",
        -4,
        READ,
        Text {
            since: "1.0.5",
            complexity: LIMITED,
            syntax: "key min max [WITHSCORES] [LIMIT offset count]",
            summary: "Returns members in a sorted set within a range of scores.",
        },
        zrangebyscore,
    ),
    row(
        "zrangestore",
        -5,
        GROW,
        Text {
            since: "6.2.0",
            complexity: "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements \
                         stored into the destination key.",
            syntax: "dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]",
            summary: "Stores a range of members from sorted set in a key.",
        },
        zrangestore,
    )
    .keys(FIRST_TWO),
    row(
        "zrevrange",
        -4,
        READ,
        Text {
            since: "1.2.0",
            complexity: RANGE,
            syntax: "key start stop [WITHSCORES]",
            summary: "Returns members in a sorted set within a range of indexes in reverse order.",
        },
        zrevrange,
    ),
    row(
        "zrevrangebylex",
        -4,
        READ,
        Text {
            since: "2.8.9",
            complexity: LIMITED,
            syntax: "key max min [LIMIT offset count]",
            summary: "Returns members in a sorted set within a lexicographical range in reverse order.",
        },
        zrevrangebylex,
    ),
    row(
        "zrevrangebyscore",
        -4,
        READ,
        Text {
            since: "2.2.0",
            complexity: LIMITED,
            syntax: "key max min [WITHSCORES] [LIMIT offset count]",
            summary: "Returns members in a sorted set within a range of scores in reverse order.",
        },
        zrevrangebyscore,
    ),
];

/// What a command leaves open.
#[derive(Debug, Clone, Copy, Default)]
struct Form {
    by: Option<By>,
    reverse: Option<bool>,
    /// Whether the result is stored: scores cannot be asked for.
    stores: bool,
}

/// A whole request: source, range, options.
#[derive(Debug)]
struct Query<'a> {
    key: &'a [u8],
    interval: Interval<'a>,
    reverse: bool,
    with_scores: bool,
    offset: i64,
    limit: i64,
}

impl<'a> Query<'a> {
    /// The source stands at word `at`.
    fn parse(args: Args<'a>, at: usize, form: Form) -> Result<Query<'a>> {
        let Form { mut by, mut reverse, stores } = form;
        let (mut with_scores, mut offset, mut limit) = (false, 0, -1);
        let mut words = args.iter_from(at + 3);
        while let Some(word) = words.next() {
            match word.to_ascii_lowercase().as_slice() {
                b"withscores" if !stores => with_scores = true,
                b"limit" if words.len() >= 2 => {
                    let mut number = || words.next().and_then(parse_integer).ok_or(Error::NotInteger);
                    (offset, limit) = (number()?, number()?);
                }
                b"rev" if reverse.is_none() => reverse = Some(true),
                // What was given first counts for Redis, too: a second one is a syntax error.
                b"bylex" if by.is_none() => by = Some(By::Name),
                b"byscore" if by.is_none() => by = Some(By::Score),
                _ => return Err(Error::Syntax),
            }
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if limit != -1 && by == By::Rank {
            return Err(Error::text(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if with_scores && by == By::Name {
            return Err(Error::text("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
        }
        let (mut from, mut to) = (args.get(at + 1).ok_or(Error::Syntax)?, args.get(at + 2).ok_or(Error::Syntax)?);
        if reverse && by != By::Rank {
            std::mem::swap(&mut from, &mut to);
        }
        let key = args.get(at).ok_or(Error::Syntax)?;
        Ok(Query { key, interval: Interval::parse(by, from, to)?, reverse, with_scores, offset, limit })
    }

    /// The ranks that it asks for.
    fn ranks(&self, view: View<'_>) -> Range<usize> {
        let Range { start, end } = self.interval.ranks(view, self.reverse);
        // What is allowed as LIMIT there means nothing.
        if matches!(self.interval, Interval::Ranks(..)) {
            return start..end;
        }
        let Ok(offset) = usize::try_from(self.offset) else { return 0..0 };
        let left = (end - start).saturating_sub(offset);
        let count = usize::try_from(self.limit).map_or(left, |limit| limit.min(left));
        if self.reverse {
            let end = end.saturating_sub(offset).max(start);
            end - count..end
        } else {
            let start = start.saturating_add(offset).min(end);
            start..start + count
        }
    }
}

fn answer(context: &mut Context<'_>, args: Args<'_>, form: Form, reply: &mut dyn Reply) -> Result {
    let query = Query::parse(args, 1, form)?;
    let spot = context.find(query.key, Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    let ranks = query.ranks(view);
    write_members(reply, ranks.len(), query.with_scores, view.ranked(ranks, query.reverse));
    Ok(())
}

fn zrange(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Form::default(), reply)
}

fn zrevrange(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Form { by: Some(By::Rank), reverse: Some(true), stores: false }, reply)
}

fn zrangebyscore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Form { by: Some(By::Score), reverse: Some(false), stores: false }, reply)
}

fn zrevrangebyscore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Form { by: Some(By::Score), reverse: Some(true), stores: false }, reply)
}

fn zrangebylex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Form { by: Some(By::Name), reverse: Some(false), stores: false }, reply)
}

fn zrevrangebylex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    answer(context, args, Form { by: Some(By::Name), reverse: Some(true), stores: false }, reply)
}

fn zrangestore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let query = Query::parse(args, 2, Form { stores: true, ..Form::default() })?;
    let spot = context.find(query.key, Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    let ranks = query.ranks(view);
    let members: Vec<_> = view.ranked(ranks, false).map(|(member, score)| (member.to_vec(), score)).collect();
    store(context, &args[1], &members, "zrangestore", reply)
}
