//! Commands on streams.

use crate::command::{Command, Flag, Group, Run, Text};

mod add;
mod claim;
mod entries;
mod groups;
mod info;
mod members;
mod pending;
mod range;
mod read;
#[cfg(test)]
mod tests;
mod words;

/// The rows, by what the commands are about.
pub(super) const TABLES: [&[Command]; 2] = [entries::COMMANDS, members::COMMANDS];

const fn row(name: &'static str, arity: i32, flags: &'static [Flag], text: Text, run: Run) -> Command {
    Command::of(Group::Stream, name, arity, flags, text, run)
}
