//! The command table: one file for each family, one row for each command.

use crate::command::Command;

mod bitmaps;
mod databases;
mod deadline;
mod generic;
mod geo;
mod hashes;
mod hyperloglog;
mod lists;
mod sampling;
mod scan;
mod sets;
mod sorted_sets;
mod streams;
mod strings;

/// Every command of this model.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    [
        strings::COMMANDS,
        bitmaps::COMMANDS,
        hyperloglog::COMMANDS,
        lists::COMMANDS,
        sets::COMMANDS,
        geo::COMMANDS,
        databases::COMMANDS,
    ]
    .into_iter()
    .chain(generic::TABLES)
    .chain(hashes::TABLES)
    .chain(sorted_sets::TABLES)
    .chain(streams::TABLES)
    .flatten()
}

/// The command of this name, in any case.
pub fn command(name: &str) -> Option<&'static Command> {
    commands().find(|command| command.spec.name.eq_ignore_ascii_case(name))
}
