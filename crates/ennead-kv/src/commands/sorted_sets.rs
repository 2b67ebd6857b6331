//! Commands on sorted sets.

use crate::command::{Command, Flag, Group, Run, Text};
use crate::context::collections::Edit;
use crate::context::{Context, Lookup};
use crate::entry::{Hint, Kind};
use crate::error::Result;
use crate::notice::EventClass;
use crate::reply::Reply;

pub(super) mod add;
mod algebra;
mod blocking;
mod bounds;
mod members;
mod pop;
mod random;
mod ranges;
mod removal;
mod scan;
#[cfg(test)]
mod tests;

/// The rows, by what the commands do.
pub(super) const TABLES: [&[Command]; 6] =
    [members::COMMANDS, ranges::COMMANDS, removal::COMMANDS, pop::COMMANDS, blocking::COMMANDS, algebra::COMMANDS];

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], text: Text, run: Run) -> Command {
    Command::of(Group::SortedSet, name, arity, flags, text, run)
}

/// Sets the score of a member.
pub(super) fn set_score(
    context: &mut Context<'_>,
    edit: &mut Edit,
    key: &[u8],
    member: &[u8],
    score: f64,
) -> Result<bool> {
    // Redis's compact encoding keeps whole scores as integers, which have no -0.
    let compact = edit.hint != Hint::Text;
    let kept = if score == 0.0 && compact { 0.0 } else { score };
    let new = context.zset_set(edit, key, member, kept)?;
    if new {
        context.note_ranked(edit, member);
    }
    if score == 0.0 && score.is_sign_negative() && compact && edit.hint == Hint::Text {
        context.zset_set(edit, key, member, score)?;
    }
    Ok(new)
}

/// Replaces what a key has by a sorted set, or by nothing; the number of members is the reply.
pub(super) fn store(
    context: &mut Context<'_>,
    key: &[u8],
    members: &[(Vec<u8>, f64)],
    event: &'static str,
    reply: &mut dyn Reply,
) -> Result {
    let spot = context.find_key(key, Lookup::Write)?;
    if members.is_empty() {
        context.delete_told(spot, key);
        reply.integer(0);
        return Ok(());
    }
    let mut edit = context.open_new(spot, key, Kind::Zset);
    for (member, score) in members {
        set_score(context, &mut edit, key, member, *score)?;
    }
    context.close_told(edit, key, EventClass::Zset, event)?;
    reply.integer(members.len() as i64);
    Ok(())
}

/// Members with or without their scores: in RESP3 each with its score as a pair.
pub(super) fn write_members<'m>(
    reply: &mut dyn Reply,
    count: usize,
    with_scores: bool,
    members: impl Iterator<Item = (&'m [u8], f64)>,
) {
    let nested = with_scores && reply.protocol() >= 3;
    reply.array(if with_scores && !nested { count * 2 } else { count });
    for (member, score) in members {
        if nested {
            reply.array(2);
        }
        reply.bulk(member);
        if with_scores {
            reply.double(score);
        }
    }
}
