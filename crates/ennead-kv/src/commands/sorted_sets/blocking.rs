//! Commands that wait for a member when there is none.

use super::pop::{Popping, pop};
use super::row;
use crate::args::Args;
use crate::command::{Command, Flag, KeySpec, Text};
use crate::context::{Context, Lookup};
use crate::entry::Kind;
use crate::error::Result;
use crate::number::timeout_ms;
use crate::reply::Reply;

const WAIT_FAST: &[Flag] = &[Flag::Write, Flag::Blocking, Flag::Fast];
/// The last word is the timeout.
const ALL_BUT_LAST: KeySpec = KeySpec::Range { first: 1, last: -2, step: 1 };
const COMPLEXITY: &str = "O(log(N)) with N being the number of elements in the sorted set.";

pub(super) const COMMANDS: &[Command] = &[
    row(
        "bzmpop",
        -5,
        &[Flag::Write, Flag::Blocking, Flag::MovableKeys],
        Text {
            since: "7.0.0",
            complexity: "O(K) + O(M*log(N)) where K is the number of provided keys, N being the number of elements in the \
                         sorted set, and M being the number of elements popped.",
            syntax: "timeout numkeys key [key ...] <MIN | MAX> [COUNT count]",
            summary: "Removes and returns a member by score from one or more sorted sets. Blocks until a member is available \
                      otherwise. Deletes the sorted set if the last element was popped.",
        },
        bzmpop,
    )
    .keys(KeySpec::Counted { count: 2 }),
    row(
        "bzpopmax",
        -3,
        WAIT_FAST,
        Text {
            since: "5.0.0",
            complexity: COMPLEXITY,
            syntax: "key [key ...] timeout",
            summary: "Removes and returns the member with the highest score from one or more sorted sets. Blocks until a member \
                      available otherwise.  Deletes the sorted set if the last element was popped.",
        },
        |context, args, reply| pop_or_wait(context, args, true, reply),
    )
    .keys(ALL_BUT_LAST),
    row(
        "bzpopmin",
        -3,
        WAIT_FAST,
        Text {
            since: "5.0.0",
            complexity: COMPLEXITY,
            syntax: "key [key ...] timeout",
            summary: "Removes and returns the member with the lowest score from one or more sorted sets. Blocks until a member \
                      is available otherwise. Deletes the sorted set if the last element was popped.",
        },
        |context, args, reply| pop_or_wait(context, args, false, reply),
    )
    .keys(ALL_BUT_LAST),
];

fn pop_or_wait(context: &mut Context<'_>, args: Args<'_>, highest: bool, reply: &mut dyn Reply) -> Result {
    let keys = args.len() - 2;
    let timeout = timeout_ms(&args[keys + 1])?;
    for key in args.iter_from(1).take(keys) {
        let spot = context.find(key, Lookup::Write)?;
        context.view(spot, Kind::Zset)?;
        if !spot.exists() {
            continue;
        }
        if let Some((member, score)) = pop(context, spot, key, 1, highest)?.pop() {
            reply.array(3);
            reply.bulk(key);
            reply.bulk(&member);
            reply.double(score);
            return Ok(());
        }
    }
    if !context.wait_for(Kind::Zset, args.iter_from(1).take(keys), timeout) {
        reply.null_array();
    }
    Ok(())
}

fn bzmpop(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let popping = Popping::parse(args.skip(1))?;
    let timeout = timeout_ms(&args[1])?;
    if !popping.run(context, reply)? && !context.wait_for(Kind::Zset, popping.keys(), timeout) {
        reply.null_array();
    }
    Ok(())
}
