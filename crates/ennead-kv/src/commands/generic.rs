//! Commands on keys of any kind.

use crate::args::Args;
use crate::command::{Access, Category, Command, Flag, Group, KeySpec, Spec};
use crate::context::{Context, Lookup};
use crate::error::Result;
use crate::reply::Reply;

pub(super) const COMMANDS: &[Command] = &[Command {
    spec: Spec {
        name: "del",
        arity: -2,
        keys: KeySpec::Range { first: 1, last: -1, step: 1 },
        flags: &[Flag::Write],
        categories: &[Category::Keyspace],
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(N) where N is the number of keys",
        summary: "Deletes one or more keys.",
        syntax: "key [key ...]",
    },
    access: Access::Keys,
    run: del,
}];

fn del(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let mut deleted = 0;
    for key in args.iter_from(1) {
        let spot = context.find(key, Lookup::Write)?;
        deleted += i64::from(context.delete(spot, key));
    }
    reply.integer(deleted);
    Ok(())
}
