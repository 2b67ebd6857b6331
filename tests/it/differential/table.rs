//! The command table beside redis-server's: which commands are there, and their arity, flags and key positions.

use std::collections::{BTreeMap, BTreeSet};

use crate::server::Server;
use crate::wire::{Reply, show};

/// Groups whose commands Ennead has, in the words of COMMAND DOCS.
const GROUPS: &[&[u8]] = &[
    b"string",
    b"hash",
    b"list",
    b"set",
    b"sorted-set",
    b"scripting",
    b"bitmap",
    b"hyperloglog",
    b"stream",
    b"pubsub",
    b"generic",
    b"connection",
    b"server",
    b"transactions",
];
/// Commands of these groups that are not there, by what they need.
const MISSING: &[(&str, &str)] = &[
    ("sort sort_ro", "lists and sets"),
    ("restore-asking", "the cluster"),
    ("wait waitaof replicaof slaveof psync replconf sync failover role", "replication"),
    ("bgrewriteaof", "an append-only file, which Ennead does not rewrite"),
];
/// Commands that take more words in 7.2 than in 7.0.
const NEWER: &[(&str, i64)] = &[("zrank", -3), ("zrevrank", -3)];
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
    let scope = groups(peer);
    for (name, mut peers) in facts(peer) {
        if let Some((_, arity)) = NEWER.iter().find(|(newer, _)| *newer == name) {
            peers.arity = *arity;
        }
        if is_missing(name.as_bytes()) {
            continue;
        }
        let expected = scope.get(&name).is_some_and(|group| GROUPS.contains(&group.as_slice()));
        match own.get(&name) {
            None if expected => text += &format!("{name}: not there\n"),
            Some(own) if *own != peers => text += &format!("{name}:\n  redis:  {peers:?}\n  ennead: {own:?}\n"),
            _ => {}
        }
    }
    text
}

/// Whether the command of this name is known not to be there.
pub(super) fn is_missing(name: &[u8]) -> bool {
    MISSING.iter().any(|(names, _)| names.split(' ').any(|missing| name.eq_ignore_ascii_case(missing.as_bytes())))
}

fn facts(server: &Server) -> BTreeMap<String, Facts> {
    let Reply::List(commands) = server.connect().call(&[b"COMMAND"]).unwrap() else { panic!("COMMAND gives a list") };
    commands.iter().map(one).collect()
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

/// The group of each command.
fn groups(server: &Server) -> BTreeMap<String, Vec<u8>> {
    let Reply::List(docs) = server.connect().call(&[b"COMMAND", b"DOCS"]).unwrap() else { panic!("DOCS gives a map") };
    let group = |doc: &Reply| match doc {
        Reply::List(fields) => fields.chunks(2).find_map(|field| match field {
            [Reply::Bulk(name), Reply::Bulk(value)] if name == b"group" => Some(value.clone()),
            _ => None,
        }),
        _ => None,
    };
    docs.chunks(2)
        .filter_map(|entry| match entry {
            [Reply::Bulk(name), doc] => Some((show(name), group(doc)?)),
            _ => None,
        })
        .collect()
}
