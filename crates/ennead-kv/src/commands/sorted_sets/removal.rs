//! Removing and counting ranges.

use super::bounds::{By, Interval};
use super::row;
use crate::args::Args;
use crate::command::{Command, READ_FAST, Text, WRITE};
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::Result;
use crate::notice::EventClass;
use crate::reply::Reply;

const COUNT: &str = "O(log(N)) with N being the number of elements in the sorted set.";
const REMOVAL: &str = "O(log(N)+M) with N being the number of elements in the sorted set and M the number of elements removed \
                       by the operation.";

pub(super) const COMMANDS: &[Command] = &[
    row(
        "zcount",
        4,
        READ_FAST,
        Text {
            since: "2.0.0",
            complexity: COUNT,
            syntax: "key min max",
            summary: "Returns the count of members in a sorted set that have scores within a range.",
        },
        zcount,
    ),
    row(
        "zlexcount",
        4,
        READ_FAST,
        Text {
            since: "2.8.9",
            complexity: COUNT,
            syntax: "key min max",
            summary: "Returns the number of members in a sorted set within a lexicographical range.",
        },
        zlexcount,
    ),
    row(
        "zremrangebylex",
        4,
        WRITE,
        Text {
            since: "2.8.9",
            complexity: REMOVAL,
            syntax: "key min max",
            summary: "Removes members in a sorted set within a lexicographical range. Deletes the sorted set if all members were removed.",
        },
        zremrangebylex,
    ),
    row(
        "zremrangebyrank",
        4,
        WRITE,
        Text {
            since: "2.0.0",
            complexity: REMOVAL,
            syntax: "key start stop",
            summary: "Removes members in a sorted set within a range of indexes. Deletes the sorted set if all members were removed.",
        },
        zremrangebyrank,
    ),
    row(
        "zremrangebyscore",
        4,
        WRITE,
        Text {
            since: "1.2.0",
            complexity: REMOVAL,
            syntax: "key min max",
            summary: "Removes members in a sorted set within a range of scores. Deletes the sorted set if all members were removed.",
        },
        zremrangebyscore,
    ),
];

fn zcount(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    count(context, args, By::Score, reply)
}

fn zlexcount(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    count(context, args, By::Name, reply)
}

fn count(context: &mut Context<'_>, args: Args<'_>, by: By, reply: &mut dyn Reply) -> Result {
    let interval = Interval::parse(by, &args[2], &args[3])?;
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Zset)?;
    reply.integer(interval.ranks(view, false).len() as i64);
    Ok(())
}

fn zremrangebyrank(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    remove(context, args, By::Rank, reply)
}

fn zremrangebyscore(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    remove(context, args, By::Score, reply)
}

fn zremrangebylex(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    remove(context, args, By::Name, reply)
}

fn remove(context: &mut Context<'_>, args: Args<'_>, by: By, reply: &mut dyn Reply) -> Result {
    let event = match by {
        By::Rank => "zremrangebyrank",
        By::Score => "zremrangebyscore",
        By::Name => "zremrangebylex",
    };
    let interval = Interval::parse(by, &args[2], &args[3])?;
    let key = &args[1];
    let spot = context.find(key, Lookup::Write)?;
    let view = context.view(spot, Kind::Zset)?;
    let ranks = interval.ranks(view, false);
    let members: Vec<Vec<u8>> = view.ranked(ranks, false).map(|(member, _)| member.to_vec()).collect();
    let mut edit = context.open(spot, Kind::Zset)?;
    for member in &members {
        context.zset_remove(&mut edit, member)?;
    }
    if members.is_empty() {
        context.close(edit, key)?;
    } else {
        context.close_told(edit, key, EventClass::Zset, event)?;
    }
    reply.integer(members.len() as i64);
    Ok(())
}
