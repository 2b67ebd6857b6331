//! Commands on strings.

use crate::args::Args;
use crate::command::{Access, Command, Flag, Group, KeySpec, Spec};
use crate::context::{Context, Lookup};
use crate::error::Result;
use crate::reply::Reply;

mod set;

const FIRST: KeySpec = KeySpec::Range { first: 1, last: 1, step: 1 };

pub(super) const COMMANDS: &[Command] = &[
    Command {
        spec: Spec {
            name: "get",
            arity: 2,
            keys: FIRST,
            flags: &[Flag::ReadOnly, Flag::Fast],
            categories: &[],
            group: Group::String,
            since: "1.0.0",
            complexity: "O(1)",
            summary: "Returns the string value of a key.",
            syntax: "key",
        },
        access: Access::Keys,
        run: get,
    },
    Command {
        spec: Spec {
            name: "set",
            arity: -3,
            keys: FIRST,
            flags: &[Flag::Write, Flag::DenyOom],
            categories: &[],
            group: Group::String,
            since: "1.0.0",
            complexity: "O(1)",
            summary: "Sets the string value of a key, ignoring its type. The key is created if it doesn't exist.",
            syntax: "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | \
                     PXAT unix-time-milliseconds | KEEPTTL]",
        },
        access: Access::Keys,
        run: set::set,
    },
];

fn get(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let spot = context.find(&args[1], Lookup::Read)?;
    match context.string(spot)? {
        Some(value) => reply.bulk(value),
        None => reply.null(),
    }
    Ok(())
}
