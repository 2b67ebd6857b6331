//! Commands about the connection itself, except CLIENT.

use ennead_kv::{Category, Error, Flag, Result, Spec};

use super::{CONNECTION, Row, hello};
use crate::session::{Output, Request, Session};

const ALWAYS_ALLOWED: &[Flag] =
    &[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::Fast, Flag::NoAuth, Flag::AllowBusy];

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "auth",
            arity: -2,
            flags: ALWAYS_ALLOWED,
            complexity: "O(N) where N is the number of passwords defined for the user",
            summary: "Authenticates the connection.",
            syntax: "[username] password",
            ..CONNECTION
        },
        run: hello::auth,
    },
    Row {
        spec: Spec {
            name: "echo",
            arity: 2,
            flags: &[Flag::Loading, Flag::Stale, Flag::Fast],
            summary: "Returns the given string.",
            syntax: "message",
            ..CONNECTION
        },
        run: echo,
    },
    Row {
        spec: Spec {
            name: "hello",
            arity: -1,
            flags: ALWAYS_ALLOWED,
            since: "6.0.0",
            summary: "Handshakes with the server.",
            syntax: "[protover [AUTH username password] [SETNAME clientname]]",
            ..CONNECTION
        },
        run: hello::hello,
    },
    Row {
        spec: Spec {
            name: "ping",
            arity: -1,
            flags: &[Flag::Fast],
            summary: "Returns the server's liveliness response.",
            syntax: "[message]",
            ..CONNECTION
        },
        run: ping,
    },
    Row {
        spec: Spec { name: "quit", arity: -1, flags: ALWAYS_ALLOWED, summary: "Closes the connection.", ..CONNECTION },
        run: quit,
    },
    Row {
        spec: Spec {
            name: "reset",
            arity: 1,
            flags: ALWAYS_ALLOWED,
            since: "6.2.0",
            summary: "Resets the connection.",
            ..CONNECTION
        },
        run: reset,
    },
    Row {
        spec: Spec {
            name: "select",
            arity: 2,
            flags: &[Flag::Loading, Flag::Stale, Flag::Fast],
            categories: &[Category::Keyspace],
            summary: "Changes the selected database.",
            syntax: "index",
            ..CONNECTION
        },
        run: select,
    },
];

fn echo(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.bulk(&request.args[1]);
    Ok(())
}

fn ping(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    match request.args.len() {
        words @ (1 | 2) if session.only_listens() => {
            reply.array(2);
            reply.bulk(b"pong");
            reply.bulk(if words == 2 { &request.args[1] } else { b"" });
        }
        1 => reply.simple("PONG"),
        2 => reply.bulk(&request.args[1]),
        _ => return Err(Error::Arity("ping".to_owned())),
    }
    Ok(())
}

fn quit(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.closing = true;
    reply.ok();
    Ok(())
}

fn reset(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.reset(reply);
    reply.simple("RESET");
    Ok(())
}

fn select(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let index = super::integer(&request.args[1])?;
    if i32::try_from(index).is_err() {
        return Err(Error::text("ERR value is out of range, value must between -2147483648 and 2147483647"));
    }
    let databases = session.engine.keyspace().databases();
    let index = usize::try_from(index).ok().filter(|index| *index < databases);
    session.select(index.ok_or(Error::text("ERR DB index is out of range"))?);
    reply.ok();
    Ok(())
}
