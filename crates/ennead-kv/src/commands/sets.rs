//! Commands on sets.

use crate::args::Args;
use crate::command::{
    ALL, Command, FIRST_TWO, Flag, GROW, GROW_FAST, Group, KeySpec, READ, READ_FAST, Run, Text, WRITE_FAST,
};
use crate::context::{Context, Lookup, Spot};
use crate::entry::Kind;
use crate::error::Result;
use crate::notice::EventClass;
use crate::reply::Reply;

mod algebra;
mod random;
mod scan;
#[cfg(test)]
mod tests;

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], text: Text, run: Run) -> Command {
    Command::of(Group::Set, name, arity, flags, text, run)
}

const INTERSECTION: &str =
    "O(N*M) worst case where N is the cardinality of the smallest set and M is the number of sets.";
const TOTAL: &str = "O(N) where N is the total number of elements in all given sets.";

pub(super) const COMMANDS: &[Command] = &[
    row(
        "sadd",
        -3,
        GROW_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1) for each element added, so O(N) to add N elements when the command is called with multiple \
                         arguments.",
            syntax: "key member [member ...]",
            summary: "Adds one or more members to a set. Creates the key if it doesn't exist.",
        },
        sadd,
    )
    .member(2),
    row(
        "scard",
        2,
        READ_FAST,
        Text { since: "1.0.0", complexity: "O(1)", syntax: "key", summary: "Returns the number of members in a set." },
        scard,
    ),
    row(
        "sdiff",
        -2,
        READ,
        Text {
            since: "1.0.0",
            complexity: TOTAL,
            syntax: "key [key ...]",
            summary: "Returns the difference of multiple sets.",
        },
        algebra::sdiff,
    )
    .keys(ALL),
    row(
        "sdiffstore",
        -3,
        GROW,
        Text {
            since: "1.0.0",
            complexity: TOTAL,
            syntax: "destination key [key ...]",
            summary: "Stores the difference of multiple sets in a key.",
        },
        algebra::sdiffstore,
    )
    .keys(ALL),
    row(
        "sinter",
        -2,
        READ,
        Text {
            since: "1.0.0",
            complexity: INTERSECTION,
            syntax: "key [key ...]",
            summary: "Returns the intersect of multiple sets.",
        },
        algebra::sinter,
    )
    .keys(ALL),
    row(
        "sintercard",
        -3,
        &[Flag::ReadOnly, Flag::MovableKeys],
        Text {
            since: "7.0.0",
            complexity: INTERSECTION,
            syntax: "numkeys key [key ...] [LIMIT limit]",
            summary: "Returns the number of members of the intersect of multiple sets.",
        },
        algebra::sintercard,
    )
    .keys(KeySpec::Counted { count: 1 }),
    row(
        "sinterstore",
        -3,
        GROW,
        Text {
            since: "1.0.0",
            complexity: INTERSECTION,
            syntax: "destination key [key ...]",
            summary: "Stores the intersect of multiple sets in a key.",
        },
        algebra::sinterstore,
    )
    .keys(ALL),
    row(
        "sismember",
        3,
        READ_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key member",
            summary: "Determines whether a member belongs to a set.",
        },
        sismember,
    )
    .member(2),
    row(
        "smembers",
        2,
        READ,
        Text {
            since: "1.0.0",
            complexity: "O(N) where N is the set cardinality.",
            syntax: "key",
            summary: "Returns all members of a set.",
        },
        smembers,
    ),
    row(
        "smismember",
        -3,
        READ_FAST,
        Text {
            since: "6.2.0",
            complexity: "O(N) where N is the number of elements being checked for membership",
            syntax: "key member [member ...]",
            summary: "Determines whether multiple members belong to a set.",
        },
        smismember,
    ),
    row(
        "smove",
        4,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "source destination member",
            summary: "Moves a member from one set to another.",
        },
        smove,
    )
    .keys(FIRST_TWO),
    row(
        "spop",
        -2,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: "Without the count argument O(1), otherwise O(N) where N is the value of the passed count.",
            syntax: "key [count]",
            summary: "Returns one or more random members from a set after removing them. Deletes the set if the last member was popped.",
        },
        random::spop,
    ),
    row(
        "srandmember",
        -2,
        READ,
        Text {
            since: "1.0.0",
            complexity: "Without the count argument O(1), otherwise O(N) where N is the absolute value of the passed count.",
            syntax: "key [count]",
            summary: "Get one or multiple random members from a set",
        },
        random::srandmember,
    ),
    row(
        "srem",
        -3,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(N) where N is the number of members to be removed.",
            syntax: "key member [member ...]",
            summary: "Removes one or more members from a set. Deletes the set if the last member was removed.",
        },
        srem,
    )
    .member(2),
    row(
        "sscan",
        -3,
        READ,
        Text {
            since: "2.8.0",
            complexity: "O(1) for every call. O(N) for a complete iteration, including enough command calls for the cursor \
                         to return back to 0. N is the number of elements inside the collection.",
            syntax: "key cursor [MATCH pattern] [COUNT count]",
            summary: "Iterates over members of a set.",
        },
        scan::sscan,
    ),
    row(
        "sunion",
        -2,
        READ,
        Text {
            since: "1.0.0",
            complexity: TOTAL,
            syntax: "key [key ...]",
            summary: "Returns the union of multiple sets.",
        },
        algebra::sunion,
    )
    .keys(ALL),
    row(
        "sunionstore",
        -3,
        GROW,
        Text {
            since: "1.0.0",
            complexity: TOTAL,
            syntax: "destination key [key ...]",
            summary: "Stores the union of multiple sets in a key.",
        },
        algebra::sunionstore,
    )
    .keys(ALL),
];

/// Adds members to the set of a key; how many are new.
fn add<'m>(context: &mut Context<'_>, spot: Spot, key: &[u8], members: impl Iterator<Item = &'m [u8]>) -> Result<i64> {
    let mut edit = context.open(spot, Kind::Set)?;
    let mut new = 0;
    for member in members {
        if context.set_add(&mut edit, key, member)? {
            context.note_member(&mut edit, member);
            new += 1;
        }
    }
    if new > 0 {
        context.close_told(edit, key, EventClass::Set, "sadd")?;
    } else {
        context.close(edit, key)?;
    }
    Ok(new)
}

fn sadd(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Write, args.iter_from(2))?;
    let new = add(context, spot, &args[1], args.iter_from(2))?;
    reply.integer(new);
    Ok(())
}

fn srem(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let spot = context.find_members(key, Lookup::Write, args.iter_from(2))?;
    let mut edit = context.open(spot, Kind::Set)?;
    let mut removed = 0;
    for member in args.iter_from(2) {
        removed += i64::from(context.set_remove(&mut edit, member)?);
    }
    if removed > 0 {
        context.close_told(edit, key, EventClass::Set, "srem")?;
    } else {
        context.close(edit, key)?;
    }
    reply.integer(removed);
    Ok(())
}

fn smove(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (source_key, target_key, member) = (&args[1], &args[2], &args[3]);
    let source = context.find_members(source_key, Lookup::Write, [member])?;
    if !source.exists() {
        reply.integer(0);
        return Ok(());
    }
    context.view(source, Kind::Set)?;
    let target = context.find_members(target_key, Lookup::Write, [member])?;
    context.view(target, Kind::Set)?;
    let source = context.again(source, source_key);
    let found = context.view(source, Kind::Set)?.contains(context.placer(), member);
    if found && source_key != target_key {
        let mut edit = context.open(source, Kind::Set)?;
        context.set_remove(&mut edit, member)?;
        context.close_told(edit, source_key, EventClass::Set, "srem")?;
        let target = context.again(target, target_key);
        add(context, target, target_key, std::iter::once(member))?;
    }
    reply.integer(i64::from(found));
    Ok(())
}

fn sismember(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, [&args[2]])?;
    let is_member = context.view(spot, Kind::Set)?.contains(context.placer(), &args[2]);
    reply.integer(i64::from(is_member));
    Ok(())
}

fn smismember(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_members(&args[1], Lookup::Read, args.iter_from(2))?;
    let view = context.view(spot, Kind::Set)?;
    reply.array(args.len() - 2);
    args.iter_from(2).for_each(|member| reply.integer(i64::from(view.contains(context.placer(), member))));
    Ok(())
}

fn scard(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find_key(&args[1], Lookup::Read)?;
    reply.integer(context.view(spot, Kind::Set)?.len() as i64);
    Ok(())
}

fn smembers(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    let view = context.view(spot, Kind::Set)?;
    reply.set(view.len());
    view.items().for_each(|member| reply.bulk(member));
    Ok(())
}
