//! FENCE: what the connection writes is written only while it holds a lock of the coordination model.

use ennead_coord::Fence;
use ennead_coord::fence::number;
use ennead_kv::{Args, Category, Error, Flag, Group, Result, Spec};

use super::{CONNECTION, HARMLESS, PLAIN, Row, error, help, is};
use crate::fence::Barrier;
use crate::session::{Output, Request, Session};

const FENCE: Spec =
    Spec { group: Group::Ennead, flags: HARMLESS, categories: &[Category::Connection], since: "0.1.0", ..CONNECTION };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "fence|get",
            arity: 2,
            summary: "Returns the fence of the connection, and whether it holds.",
            ..FENCE
        },
        run: get,
    },
    Row {
        spec: Spec {
            name: "fence|help",
            arity: 2,
            summary: "Returns helpful text about the different subcommands.",
            flags: PLAIN,
            ..FENCE
        },
        run: help::help,
    },
    Row {
        spec: Spec {
            name: "fence|off",
            arity: 2,
            flags: &[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::NoMulti],
            summary: "Takes the fence of the connection away.",
            ..FENCE
        },
        run: off,
    },
    Row {
        spec: Spec {
            name: "fence|on",
            arity: -5,
            summary: "Refuses what the connection, or the transaction that it is queued in, writes once a lock is lost: a key of etcd's API, with its create revision or its lease.",
            syntax: "key [REVISION create-revision] [LEASE lease-id]",
            ..FENCE
        },
        run: on,
    },
];

/// The fence that the words of FENCE ON ask for.
pub(crate) fn parse(args: Args<'_>) -> Result<Fence> {
    let key = args.get(2).ok_or(Error::Syntax)?.to_vec();
    let mut fence = Fence { key: key.into(), revision: None, lease: None };
    let mut at = 3;
    while at < args.len() {
        let place = match &args[at] {
            word if is(word, "revision") => &mut fence.revision,
            word if is(word, "lease") => &mut fence.lease,
            _ => return Err(Error::Syntax),
        };
        let word = args.get(at + 1).ok_or(Error::Syntax)?;
        let text = std::str::from_utf8(word).map_err(|_| Error::NotInteger)?;
        if place.replace(number(text).map_err(refusal)?).is_some() {
            return Err(Error::Syntax);
        }
        at += 2;
    }
    fence.checked().map_err(refusal)
}

fn refusal(text: &str) -> Error {
    error(format!("ERR {text}"))
}

fn on(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let fence = Barrier::new(&session.engine, &session.account, parse(request.args)?);
    fence.check()?;
    // In a transaction it was put up before the first of its requests.
    if !session.executing {
        session.fence = Some(fence);
    }
    reply.ok();
    Ok(())
}

fn off(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.fence = None;
    reply.ok();
    Ok(())
}

fn get(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let Some(barrier) = session.fence.clone() else {
        reply.null_array();
        return Ok(());
    };
    let Fence { key, revision, lease } = barrier.fence();
    reply.map(4);
    reply.bulk(b"key");
    reply.bulk(key);
    for (name, number) in [("revision", revision), ("lease", lease)] {
        reply.bulk(name.as_bytes());
        match number {
            Some(number) => reply.integer(*number),
            None => reply.null(),
        }
    }
    reply.bulk(b"holds");
    reply.integer(i64::from(barrier.check().is_ok()));
    Ok(())
}
