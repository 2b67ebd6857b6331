//! The engine's own commands: about connections and about the server. One row each, beside its function.

mod acl;
mod client;
mod cluster;
mod config;
mod connection;
mod debug;
pub(crate) mod fence;
mod functions;
mod hello;
mod help;
mod info;
mod introspection;
mod latency;
mod memory;
mod migrate;
mod module;
mod pubsub;
mod replication;
pub(crate) mod scripting;
mod server;
mod slowlog;
mod syntax;
mod tracking;
mod transaction;
mod wait;

pub(crate) use introspection::categories;
pub(crate) use migrate::Migrating;
pub(crate) use replication::Replica;
pub(crate) use wait::{Awaited, Notice};

use ennead_kv::{Error, Flag, Group, KeySpec, Result, Spec};

use crate::session::{Output, Request, Session};

/// What a command of the engine does. What it wrote to the output is void when it gives an error.
pub(crate) type Run = fn(&mut Session, &Request<'_>, &mut dyn Output) -> Result;

/// One row of the table.
pub(crate) struct Row {
    pub(crate) spec: Spec,
    pub(crate) run: Run,
}

/// What rows of this group have in common.
const CONNECTION: Spec = Spec {
    name: "",
    arity: 0,
    keys: KeySpec::None,
    flags: &[],
    categories: &[],
    group: Group::Connection,
    since: "1.0.0",
    complexity: "O(1)",
    summary: "",
    syntax: "",
};
const SERVER: Spec = Spec { group: Group::Server, flags: ADMIN, ..CONNECTION };

const ADMIN: &[Flag] = &[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale];
const HARMLESS: &[Flag] = &[Flag::NoScript, Flag::Loading, Flag::Stale];
const PLAIN: &[Flag] = &[Flag::Loading, Flag::Stale];

/// All rows.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [
        acl::ROWS,
        client::ROWS,
        cluster::ROWS,
        cluster::SUBCOMMANDS,
        config::ROWS,
        connection::ROWS,
        debug::ROWS,
        fence::ROWS,
        functions::ROWS,
        info::ROWS,
        introspection::ROWS,
        latency::ROWS,
        memory::ROWS,
        migrate::ROWS,
        module::ROWS,
        scripting::ROWS,
        pubsub::ROWS,
        replication::ROWS,
        server::ROWS,
        slowlog::ROWS,
        tracking::ROWS,
        transaction::ROWS,
        wait::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// A word as a number, as strictly as Redis reads it: no blanks, no plus sign, no leading zeros.
pub(crate) fn integer(word: &[u8]) -> Result<i64> {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    let canonical = match digits {
        [b'0'] => word.len() == 1,
        [first, ..] => (b'1'..=b'9').contains(first),
        [] => false,
    };
    let number = if canonical { std::str::from_utf8(word).ok().and_then(|text| text.parse().ok()) } else { None };
    number.ok_or(Error::NotInteger)
}

/// Whether a word is this one, which is in lower case, in any case.
fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// An error with a text made at run time, prefix included.
fn error(text: String) -> Error {
    Error::Text(text.into())
}
