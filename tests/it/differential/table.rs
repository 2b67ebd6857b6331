//! The command table beside redis-server's: which commands are there, and their arity, flags and key positions.

use std::collections::{BTreeMap, BTreeSet};

use crate::server::Server;
use crate::wire::{Reply, show};

/// Commands that take more words in 7.2 than in 7.0, or fewer.
const NEWER: &[(&str, i64)] =
    &[("zrank", -3), ("zrevrank", -3), ("command|getkeys", -3), ("command|getkeysandflags", -3)];
/// Flags that describe the inside of redis-server, that 7.2 changed, or that tell what is allowed while redis-server
/// loads its file or follows a master.
pub(super) const FLAGS_NOT_COMPARED: &[&str] =
    &["no_async_loading", "no_multi", "noscript", "allow_busy", "skip_monitor", "skip_slowlog", "loading", "stale"];

#[derive(Debug, PartialEq)]
struct Facts {
    arity: i64,
    flags: BTreeSet<String>,
    keys: [i64; 3],
}

/// Every difference, one a line.
pub(super) fn differences(peer: &Server, ours: &Server) -> String {
    let own = facts(ours);
    let mut text = String::new();
    for (name, mut peers) in facts(peer) {
        if let Some((_, arity)) = NEWER.iter().find(|(newer, _)| *newer == name) {
            peers.arity = *arity;
        }
        match own.get(&name) {
            None => text += &format!("{name}: not there\n"),
            Some(own) if *own != peers => text += &format!("{name}:\n  redis:  {peers:?}\n  ennead: {own:?}\n"),
            _ => {}
        }
    }
    text
}

fn facts(server: &Server) -> BTreeMap<String, Facts> {
    let Reply::List(commands) = server.connect().call(&[b"COMMAND"]).unwrap() else { panic!("COMMAND gives a list") };
    let mut facts = BTreeMap::new();
    for command in &commands {
        let Reply::List(parts) = command else { panic!("a command is a list: {command:?}") };
        let Some(Reply::List(subcommands)) = parts.last() else { panic!("subcommands are a list: {command:?}") };
        facts.extend(subcommands.iter().chain([command]).map(one));
    }
    facts
}

fn one(command: &Reply) -> (String, Facts) {
    let Reply::List(parts) = command else { panic!("a command is a list: {command:?}") };
    let [
        Reply::Bulk(name),
        Reply::Integer(arity),
        Reply::List(flags),
        Reply::Integer(first),
        Reply::Integer(last),
        Reply::Integer(step),
        ..,
    ] = parts.as_slice()
    else {
        panic!("not a command: {command:?}")
    };
    let flags = flags
        .iter()
        .map(|flag| match flag {
            Reply::Simple(flag) => show(flag),
            other => panic!("a flag is a simple string: {other:?}"),
        })
        .filter(|flag| !FLAGS_NOT_COMPARED.contains(&flag.as_str()))
        .collect();
    (show(name), Facts { arity: *arity, flags, keys: [*first, *last, *step] })
}
