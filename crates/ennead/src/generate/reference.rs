//! `docs/reference/commands.md`, from the table of commands.

use std::fmt::Write;

use ennead_engine::{Command, Group, Registry};

pub(super) fn page() -> String {
    let mut page = String::from(
        "# Commands\n\n\
         This page is generated from the table of commands; `make docs` rewrites it. Commands behave as in Redis 7.2\n\
         unless [COMPATIBILITY.md](../../COMPATIBILITY.md) says otherwise.\n",
    );
    let commands: Vec<&Command> =
        Registry::get().commands().iter().filter(|command| command.children.is_empty()).collect();
    let sections = GROUPS.iter().map(|(group, title)| (Some(*group), *title)).chain([(None, "Pub/Sub")]);
    for (group, title) in sections {
        let belongs = |command: &&&Command| match group {
            None => command.is_pubsub(),
            Some(group) => command.spec.group == group && !command.is_pubsub(),
        };
        let members: Vec<_> = commands.iter().filter(belongs).collect();
        if members.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## {title}\n");
        for command in members {
            let spec = &command.spec;
            let name = spec.name.replace('|', " ").to_uppercase();
            let _ = write!(page, "\n### {name}\n\n");
            let _ = writeln!(page, "`{}`\n", format!("{name} {}", spec.syntax).trim_end());
            let _ = writeln!(page, "{}\n", spec.summary);
            let _ = writeln!(page, "- Complexity: {}", spec.complexity);
            if spec.group == Group::Ennead {
                let _ = writeln!(page, "- Not in Redis; since {}", spec.since);
            } else {
                let _ = writeln!(page, "- In Redis since {}", spec.since);
            }
            let mut flags: Vec<_> = spec.flags.iter().map(|flag| format!("{flag:?}").to_lowercase()).collect();
            flags.sort_unstable();
            if !flags.is_empty() {
                let _ = writeln!(page, "- Flags: {}", flags.join(", "));
            }
        }
    }
    page
}

pub(super) const GROUPS: &[(Group, &str)] = &[
    (Group::Generic, "Generic"),
    (Group::String, "String"),
    (Group::Hash, "Hash"),
    (Group::List, "List"),
    (Group::Set, "Set"),
    (Group::SortedSet, "Sorted set"),
    (Group::Scripting, "Scripting"),
    (Group::Bitmap, "Bitmap"),
    (Group::HyperLogLog, "HyperLogLog"),
    (Group::Geo, "Geo"),
    (Group::Stream, "Stream"),
    (Group::Connection, "Connection"),
    (Group::Server, "Server"),
    (Group::Cluster, "Cluster"),
    (Group::Transactions, "Transactions"),
    (Group::Ennead, "Of Ennead itself"),
];
