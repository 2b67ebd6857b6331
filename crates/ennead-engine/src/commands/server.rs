//! Commands about the server as a whole, except those with a family of their own.

use std::time::Duration;

use ennead_kv::{Category, Error, Flag, Result, Spec};

use super::{Row, SERVER, error, integer, is};
use crate::host::ShutdownRequest;
use crate::session::{Output, Request, Session};
use crate::version::{ENNEAD_VERSION, REDIS_VERSION};

/// How often SAVE looks whether its copy is written.
const SAVE_INTERVAL: Duration = Duration::from_millis(5);
const POWERFUL: &[Category] = &[Category::Admin, Category::Dangerous];

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "bgrewriteaof",
            arity: 1,
            summary: "Asynchronously rewrites the append-only file to disk.",
            ..SERVER
        },
        run: bgrewriteaof,
    },
    Row {
        spec: Spec {
            name: "bgsave",
            arity: -1,
            summary: "Asynchronously writes a copy of the data into the backup directory.",
            syntax: "[SCHEDULE]",
            ..SERVER
        },
        run: bgsave,
    },
    Row {
        spec: Spec {
            name: "lastsave",
            arity: 1,
            flags: &[Flag::Loading, Flag::Stale, Flag::Fast],
            categories: POWERFUL,
            summary: "Returns the Unix timestamp of the last successful save to disk.",
            ..SERVER
        },
        run: lastsave,
    },
    Row {
        spec: Spec {
            name: "lolwut",
            arity: -1,
            flags: &[Flag::ReadOnly, Flag::Fast],
            since: "5.0.0",
            summary: "Displays computer art and the version.",
            syntax: "[VERSION version]",
            ..SERVER
        },
        run: lolwut,
    },
    Row {
        spec: Spec {
            name: "save",
            arity: 1,
            flags: &[Flag::Admin, Flag::NoScript, Flag::NoMulti],
            complexity: "O(N) where N is the total number of keys in all databases",
            summary: "Writes a copy of the data into the backup directory.",
            ..SERVER
        },
        run: save,
    },
    Row {
        spec: Spec {
            name: "shutdown",
            arity: -1,
            flags: &[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale, Flag::NoMulti, Flag::AllowBusy],
            summary: "Synchronously saves the database to disk and shuts down the server.",
            syntax: "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
            ..SERVER
        },
        run: shutdown,
    },
    Row {
        spec: Spec {
            name: "time",
            arity: 1,
            flags: &[Flag::Loading, Flag::Stale, Flag::Fast],
            since: "2.6.0",
            summary: "Returns the server time.",
            ..SERVER
        },
        run: time,
    },
];

fn time(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let micros = request.clock.unix_us();
    reply.array(2);
    reply.bulk((micros / 1_000_000).to_string().as_bytes());
    reply.bulk((micros % 1_000_000).to_string().as_bytes());
    Ok(())
}

fn lastsave(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.integer(session.engine.backups().last_success());
    Ok(())
}

fn start_backup(session: &Session) -> Result {
    let engine = &session.engine;
    match engine.backups().start(engine.store().clone(), engine.backup_directory()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::text("ERR Background save already in progress")),
        Err(problem) => Err(error(format!("ERR cannot start the backup: {problem}"))),
    }
}

fn bgsave(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let scheduled = match request.args.get(1) {
        None => false,
        Some(word) if request.args.len() == 2 && is(word, "schedule") => true,
        Some(_) => return Err(Error::Syntax),
    };
    match start_backup(session) {
        // What was asked for is on its way already.
        Err(_) if scheduled && session.engine.backups().is_running() => reply.simple("Background saving scheduled"),
        result => {
            result?;
            reply.simple("Background saving started");
        }
    }
    Ok(())
}

/// As BGSAVE, but the reply comes when the copy is written.
fn save(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if !session.saving {
        start_backup(session)?;
        session.saving = true;
    }
    if session.engine.backups().is_running() {
        session.later = Some(SAVE_INTERVAL);
        return Ok(());
    }
    session.saving = false;
    if session.engine.backups().last_failed() {
        return Err(Error::text("ERR the copy could not be written, see the log"));
    }
    reply.ok();
    Ok(())
}

fn bgrewriteaof(_session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    // The log is flushed into the B-tree and recycled all the time: there is nothing to start.
    reply.simple("Background append only file rewriting started");
    Ok(())
}

fn shutdown(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let mut asked = ShutdownRequest::default();
    let mut abort = false;
    for word in request.args.iter_from(1) {
        if is(word, "nosave") && asked.save.is_none() {
            asked.save = Some(false);
        } else if is(word, "save") && asked.save.is_none() {
            asked.save = Some(true);
        } else if is(word, "now") {
            asked.now = true;
        } else if is(word, "force") {
            asked.force = true;
        } else if is(word, "abort") {
            abort = true;
        } else {
            return Err(Error::Syntax);
        }
    }
    if abort {
        if asked != ShutdownRequest::default() {
            return Err(Error::Syntax);
        }
        return Err(Error::text("ERR No shutdown in progress."));
    }
    let host = session.engine.host().ok_or(Error::text("ERR this server cannot be stopped by a command"))?;
    tracing::warn!(client = %session.client.origin.address, ?asked, "SHUTDOWN");
    (host.shutdown)(asked);
    // A client of Redis takes the end of the connection for the answer.
    let _ = reply;
    session.closing = true;
    Ok(())
}

fn lolwut(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if let (Some(word), Some(version)) = (request.args.get(1), request.args.get(2))
        && is(word, "version")
    {
        integer(version)?;
    }
    // Nine of them.
    let art = "  * * *\n  * * *\n  * * *\n";
    reply.verbatim("txt", format!("{art}\nRedis ver. {REDIS_VERSION}, by Ennead {ENNEAD_VERSION}\n").as_bytes());
    Ok(())
}
