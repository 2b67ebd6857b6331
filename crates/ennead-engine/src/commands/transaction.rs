//! Transactions of several requests, which are not supported yet and say so.

use ennead_kv::{Category, Error, Flag, Result, Spec};

use super::{CONNECTION, HARMLESS, Row};
use crate::session::{Output, Request, Session};

const TRANSACTION: Spec = Spec { flags: HARMLESS, ..CONNECTION };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "discard",
            arity: 1,
            since: "2.0.0",
            complexity: "O(N), when N is the number of queued commands",
            summary: "Discards a transaction.",
            ..TRANSACTION
        },
        run: discard,
    },
    Row {
        spec: Spec {
            name: "exec",
            arity: 1,
            since: "1.2.0",
            complexity: "Depends on commands in the transaction",
            summary: "Executes all commands in a transaction.",
            ..TRANSACTION
        },
        run: exec,
    },
    Row {
        spec: Spec { name: "multi", arity: 1, since: "1.2.0", summary: "Starts a transaction.", ..TRANSACTION },
        run: unsupported,
    },
    Row {
        spec: Spec {
            name: "unwatch",
            arity: 1,
            since: "2.2.0",
            flags: &[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::Fast],
            summary: "Forgets about watched keys of a transaction.",
            ..TRANSACTION
        },
        run: unwatch,
    },
    Row {
        spec: Spec {
            name: "watch",
            arity: -2,
            since: "2.2.0",
            keys: ennead_kv::KeySpec::Range { first: 1, last: -1, step: 1 },
            flags: &[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::Fast],
            categories: &[Category::Keyspace],
            complexity: "O(1) for every key.",
            summary: "Monitors changes to keys to determine the execution of a transaction.",
            syntax: "key [key ...]",
            ..TRANSACTION
        },
        run: unsupported,
    },
];

fn unsupported(_session: &mut Session, _request: &Request<'_>, _reply: &mut dyn Output) -> Result {
    Err(Error::text("ERR transactions (MULTI, WATCH) are not supported yet"))
}

fn exec(_session: &mut Session, _request: &Request<'_>, _reply: &mut dyn Output) -> Result {
    Err(Error::text("ERR EXEC without MULTI"))
}

fn discard(_session: &mut Session, _request: &Request<'_>, _reply: &mut dyn Output) -> Result {
    Err(Error::text("ERR DISCARD without MULTI"))
}

/// Without WATCH there is nothing to forget.
fn unwatch(_session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.ok();
    Ok(())
}
