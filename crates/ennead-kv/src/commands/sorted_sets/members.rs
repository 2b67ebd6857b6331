//! Members one by one: their scores and ranks.

use super::{add, random, row, scan};
use crate::args::Args;
use crate::command::{Command, GROW_FAST, READ, READ_FAST, Text, WRITE_FAST};
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::reply::Reply;

pub(super) const COMMANDS: &[Command] = &[
    row(
        "zadd",
        -4,
        GROW_FAST,
        Text {
            since: "1.2.0",
            complexity: "O(log(N)) for each item added, where N is the number of elements in the sorted set.",
            syntax: "key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]",
            summary: "Adds one or more members to a sorted set, or updates their scores. Creates the key if it doesn't exist.",
        },
        add::zadd,
    )
    .member(3),
    row(
        "zcard",
        2,
        READ_FAST,
        Text {
            since: "1.2.0",
            complexity: "O(1)",
            syntax: "key",
            summary: "Returns the number of members in a sorted set.",
        },
        zcard,
    ),
    row(
        "zincrby",
        4,
        GROW_FAST,
        Text {
            since: "1.2.0",
            complexity: "O(log(N)) where N is the number of elements in the sorted set.",
            syntax: "key increment member",
            summary: "Increments the score of a member in a sorted set.",
        },
        add::zincrby,
    )
    .member(3),
    row(
        "zmscore",
        -3,
        READ_FAST,
        Text {
            since: "6.2.0",
            complexity: "O(N) where N is the number of members being requested.",
            syntax: "key member [member ...]",
            summary: "Returns the score of one or more members in a sorted set.",
        },
        zmscore,
    ),
    row(
        "zrandmember",
        -2,
        READ,
        Text {
            since: "6.2.0",
            complexity: "O(N) where N is the number of members returned",
            syntax: "key [count [WITHSCORES]]",
            summary: "Returns one or more random members from a sorted set.",
        },
        random::zrandmember,
    ),
    row(
        "zrank",
        -3,
        READ_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(log(N))",
            syntax: "key member [WITHSCORE]",
            summary: "Returns the index of a member in a sorted set ordered by ascending scores.",
        },
        zrank,
    )
    .member(2),
    row(
        "zrem",
        -3,
        WRITE_FAST,
        Text {
            since: "1.2.0",
            complexity: "O(M*log(N)) with N being the number of elements in the sorted set and M the number of elements to be \
                         removed.",
            syntax: "key member [member ...]",
            summary: "Removes one or more members from a sorted set. Deletes the sorted set if all members were removed.",
        },
        zrem,
    )
    .member(2),
    row(
        "zrevrank",
        -3,
        READ_FAST,
        Text {
            since: "2.0.0",
            complexity: "O(log(N))",
            syntax: "key member [WITHSCORE]",
            summary: "Returns the index of a member in a sorted set ordered by descending scores.",
        },
        zrevrank,
    )
    .member(2),
    row(
        "zscan",
        -3,
        READ,
        Text {
            since: "2.8.0",
            complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor \
                         to return back to 0. N is the number of elements inside the collection.",
            syntax: "key cursor [MATCH pattern] [COUNT count]",
            summary: "Iterates over members and scores of a sorted set.",
        },
        scan::zscan,
    ),
    row(
        "zscore",
        3,
        READ_FAST,
        Text {
            since: "1.2.0",
            complexity: "O(1)",
            syntax: "key member",
            summary: "Returns the score of a member in a sorted set.",
        },
        zscore,
    )
    .member(2),
];

fn zcard(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(&args[1], Lookup::Read)?;
    reply.integer(context.view(spot, Kind::Zset)?.pair_count() as i64);
    Ok(())
}

fn write_score(reply: &mut dyn Reply, score: Option<f64>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

fn zscore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, [&args[2]])?;
    write_score(reply, context.view(spot, Kind::Zset)?.score(context.placer(), &args[2]));
    Ok(())
}

fn zmscore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, args.iter_from(2))?;
    let view = context.view(spot, Kind::Zset)?;
    reply.array(args.len() - 2);
    args.iter_from(2).for_each(|member| write_score(reply, view.score(context.placer(), member)));
    Ok(())
}

fn zrem(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find_members(key, Lookup::Write, args.iter_from(2))?;
    let mut edit = context.open(spot, Kind::Zset)?;
    let mut removed = 0;
    for member in args.iter_from(2) {
        removed += i64::from(context.zset_remove(&mut edit, member)?);
    }
    if removed > 0 {
        context.close_told(edit, key, EventClass::Zset, "zrem")?;
    } else {
        context.close(edit, key)?;
    }
    reply.integer(removed);
    Ok(())
}

fn zrank(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    rank(context, args, false, reply)
}

fn zrevrank(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    rank(context, args, true, reply)
}

fn rank(context: &mut Context<'_>, args: Args<'_>, reverse: bool, reply: &mut dyn Reply) -> Result {
    let with_score = match args.len() {
        3 => false,
        4 if args[3].eq_ignore_ascii_case(b"withscore") => true,
        4 => return Err(Error::Syntax),
        _ => return Err(Error::Arity(if reverse { "zrevrank" } else { "zrank" }.into())),
    };
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    match view.rank(context.placer(), &args[2]) {
        Some((before, score)) => {
            let rank = if reverse { view.pair_count() - 1 - before } else { before };
            if with_score {
                reply.array(2);
            }
            reply.integer(rank as i64);
            if with_score {
                reply.double(score);
            }
        }
        None if with_score => reply.null_array(),
        None => reply.null(),
    }
    Ok(())
}
