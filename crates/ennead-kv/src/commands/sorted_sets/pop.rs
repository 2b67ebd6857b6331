//! ZPOPMIN, ZPOPMAX, ZMPOP: they wait for nothing.

use super::{row, write_members};
use crate::args::Args;
use crate::command::{Command, Flag, KeySpec, Text, WRITE_FAST};
use crate::context::{Context, Lookup, Spot};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

const POP: &str =
    "O(log(N)*M) with N being the number of elements in the sorted set, and M being the number of elements popped.";

pub(super) const COMMANDS: &[Command] = &[
    row(
        "zmpop",
        -4,
        &[Flag::Write, Flag::MovableKeys],
        Text {
            since: "7.0.0",
            complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the \
                         sorted set, and M being the number of elements popped.",
            syntax: "numkeys key [key ...] <MIN | MAX> [COUNT count]",
            summary: "Returns the highest- or lowest-scoring members from one or more sorted sets after removing them. Deletes the sorted set if the last member was popped.",
        },
        zmpop,
    )
    .keys(KeySpec::Counted { count: 1 }),
    row(
        "zpopmax",
        -2,
        WRITE_FAST,
        Text {
            since: "5.0.0",
            complexity: POP,
            syntax: "key [count]",
            summary: "Returns the highest-scoring members from a sorted set after removing them. Deletes the sorted set if the last member was popped.",
        },
        zpopmax,
    ),
    row(
        "zpopmin",
        -2,
        WRITE_FAST,
        Text {
            since: "5.0.0",
            complexity: POP,
            syntax: "key [count]",
            summary: "Returns the lowest-scoring members from a sorted set after removing them. Deletes the sorted set if the last member was popped.",
        },
        zpopmin,
    ),
];

/// Takes so many members with the lowest scores, or with the highest.
pub(super) fn pop(
    context: &mut Context<'_>,
    spot: Spot,
    key: &[u8],
    count: usize,
    highest: bool,
) -> Result<Vec<(Vec<u8>, f64)>> {
    let view = context.view(spot, Kind::Zset)?;
    let len = view.pair_count();
    let count = count.min(len);
    let ranks = if highest { len - count..len } else { 0..count };
    let members: Vec<(Vec<u8>, f64)> =
        view.ranked(ranks, highest).map(|(member, score)| (member.to_vec(), score)).collect();
    let mut edit = context.open(spot, Kind::Zset)?;
    for (member, _) in &members {
        context.zset_remove(&mut edit, member)?;
    }
    if members.is_empty() {
        context.close(edit, key)?;
    } else {
        context.close_told(edit, key, EventClass::Zset, if highest { "zpopmax" } else { "zpopmin" })?;
    }
    Ok(members)
}

fn pairs(members: &[(Vec<u8>, f64)]) -> impl Iterator<Item = (&[u8], f64)> {
    members.iter().map(|(member, score)| (member.as_slice(), *score))
}

fn zpopmin(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    pop_one_key(context, args, false, reply)
}

fn zpopmax(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    pop_one_key(context, args, true, reply)
}

fn pop_one_key(context: &mut Context<'_>, args: Args<'_>, highest: bool, reply: &mut dyn Reply) -> Result {
    const RANGE: Error = Error::text("ERR value is out of range, must be positive");
    let count = match args.len() {
        2 => None,
        3 => Some(parse_integer(&args[2]).and_then(|count| usize::try_from(count).ok()).ok_or(RANGE)?),
        _ => return Err(Error::Syntax),
    };
    let spot = context.find(&args[1], Lookup::Write)?;
    let members = pop(context, spot, &args[1], count.unwrap_or(1), highest)?;
    // Without a count the pair is not nested.
    match (members.as_slice(), count) {
        ([(member, score)], None) => {
            reply.array(2);
            reply.bulk(member);
            reply.double(*score);
        }
        (members, _) => write_members(reply, members.len(), true, pairs(members)),
    }
    Ok(())
}

fn zmpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    if !Popping::parse(args)?.run(context, reply)? {
        reply.null_array();
    }
    Ok(())
}

/// What ZMPOP and BZMPOP are asked for.
pub(super) struct Popping<'a> {
    args: Args<'a>,
    keys: usize,
    highest: bool,
    count: usize,
}

impl<'a> Popping<'a> {
    /// `args` are those of ZMPOP.
    pub(super) fn parse(args: Args<'a>) -> Result<Popping<'a>> {
        let positive =
            |word: &[u8]| parse_integer(word).and_then(|number| usize::try_from(number).ok()).filter(|n| *n > 0);
        let keys = positive(&args[1]).ok_or(Error::text("ERR numkeys should be greater than 0"))?;
        let side = keys.checked_add(2).and_then(|at| args.get(at)).ok_or(Error::Syntax)?;
        let highest = match side.to_ascii_lowercase().as_slice() {
            b"min" => false,
            b"max" => true,
            _ => return Err(Error::Syntax),
        };
        let mut count = None;
        let mut words = args.iter_from(keys + 3);
        while let Some(word) = words.next() {
            let value = words.next().filter(|_| count.is_none() && word.eq_ignore_ascii_case(b"count"));
            let value = value.ok_or(Error::Syntax)?;
            count = Some(positive(value).ok_or(Error::text("ERR count should be greater than 0"))?);
        }
        Ok(Popping { args, keys, highest, count: count.unwrap_or(1) })
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.args.iter_from(2).take(self.keys)
    }

    /// Pops from the first key that has members; whether there was one, and thus a reply.
    pub(super) fn run(&self, context: &mut Context<'_>, reply: &mut dyn Reply) -> Result<bool> {
        for key in self.keys() {
            let spot = context.find(key, Lookup::Write)?;
            if !spot.exists() {
                continue;
            }
            let members = pop(context, spot, key, self.count, self.highest)?;
            reply.array(2);
            reply.bulk(key);
            reply.array(members.len());
            for (member, score) in pairs(&members) {
                reply.array(2);
                reply.bulk(member);
                reply.double(score);
            }
            return Ok(true);
        }
        Ok(false)
    }
}
