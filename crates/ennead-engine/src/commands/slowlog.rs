//! SLOWLOG.

use ennead_kv::{Error, Result, Spec};

use super::{PLAIN, Row, SERVER, error, help, integer};
use crate::session::{Output, Request, Session};

const SLOWLOG: Spec = Spec { since: "2.2.12", complexity: "O(N) where N is the number of entries", ..SERVER };
const DEFAULT_COUNT: usize = 10;

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "slowlog|get",
            arity: -2,
            summary: "Returns the slow log's entries.",
            syntax: "[count]",
            ..SLOWLOG
        },
        run: get,
    },
    Row {
        spec: Spec {
            name: "slowlog|help",
            arity: 2,
            summary: "Show helpful text about the different subcommands",
            flags: PLAIN,
            categories: &[],
            ..SLOWLOG
        },
        run: help::help,
    },
    Row {
        spec: Spec {
            name: "slowlog|len",
            arity: 2,
            summary: "Returns the number of entries in the slow log.",
            ..SLOWLOG
        },
        run: len,
    },
    Row {
        spec: Spec { name: "slowlog|reset", arity: 2, summary: "Clears all entries from the slow log.", ..SLOWLOG },
        run: reset,
    },
];

fn get(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if request.args.len() > 3 {
        let word = String::from_utf8_lossy(&request.args[1]);
        return Err(error(format!(
            "ERR unknown subcommand or wrong number of arguments for '{word}'. Try SLOWLOG HELP."
        )));
    }
    let count = match request.args.get(2) {
        None => DEFAULT_COUNT,
        Some(word) => match integer(word) {
            Ok(-1) => usize::MAX,
            Ok(count @ 0..) => count as usize,
            _ => return Err(Error::text("ERR count should be greater than or equal to -1")),
        },
    };
    let entries = session.engine.slowlog().entries(count);
    reply.array(entries.len());
    for entry in entries {
        reply.array(6);
        reply.integer(entry.id as i64);
        reply.integer(entry.unix_seconds);
        reply.integer(entry.micros as i64);
        reply.array(entry.words.len());
        for word in &entry.words {
            reply.bulk(word);
        }
        reply.bulk(entry.client_address.as_bytes());
        reply.bulk(entry.client_name.as_bytes());
    }
    Ok(())
}

fn len(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.integer(session.engine.slowlog().len() as i64);
    Ok(())
}

fn reset(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.engine.slowlog().reset();
    reply.ok();
    Ok(())
}
