//! Transactions of several requests: MULTI, EXEC, DISCARD, WATCH, UNWATCH. How they work is the session's.

use ennead_kv::{Error, Flag, Group, Result, Spec};

use super::{CONNECTION, Row};
use crate::session::{Output, Request, Session};

const CONTROL: &[Flag] = &[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::Fast, Flag::AllowBusy];
const TRANSACTION: Spec = Spec { flags: CONTROL, group: Group::Transactions, ..CONNECTION };

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
            flags: &[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::SkipSlowlog],
            complexity: "Depends on commands in the transaction",
            summary: "Executes all commands in a transaction.",
            ..TRANSACTION
        },
        run: exec,
    },
    Row {
        spec: Spec { name: "multi", arity: 1, since: "1.2.0", summary: "Starts a transaction.", ..TRANSACTION },
        run: multi,
    },
    Row {
        spec: Spec {
            name: "unwatch",
            arity: 1,
            since: "2.2.0",
            flags: CONTROL,
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
            flags: CONTROL,
            complexity: "O(1) for every key.",
            summary: "Monitors changes to keys to determine the execution of a transaction.",
            syntax: "key [key ...]",
            ..TRANSACTION
        },
        run: watch,
    },
];

fn multi(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.begin()?;
    reply.ok();
    Ok(())
}

fn exec(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.execute_queue(request.clock, reply)
}

fn discard(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if !session.discard() {
        return Err(Error::text("ERR DISCARD without MULTI"));
    }
    reply.ok();
    Ok(())
}

fn watch(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    for key in request.args.iter_from(1) {
        session.watch(key, request.clock)?;
    }
    reply.ok();
    Ok(())
}

fn unwatch(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.unwatch();
    reply.ok();
    Ok(())
}
