//! Replication as a server has it that neither has replicas nor is one. What it can do for one that asks is to send a copy of
//! all data, as of one moment and with nothing behind it: SYNC and PSYNC after `REPLCONF RDB-ONLY 1`, as `redis-cli --rdb` and
//! `ennead export` ask.

use ennead_kv::{Args, Category, Error, Flag, Result, Spec};

use super::{Row, SERVER, error, integer, is};
use crate::copy::{Content, Copy};
use crate::session::{Output, Request, Session};

const SYNC: Spec = Spec {
    flags: &[Flag::Admin, Flag::NoScript, Flag::NoAsyncLoading, Flag::NoMulti],
    complexity: "O(N) where N is the total number of keys in all databases",
    ..SERVER
};

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "failover",
            arity: -1,
            flags: &[Flag::Admin, Flag::NoScript, Flag::Stale],
            since: "6.2.0",
            summary: "Starts a coordinated failover to a replica: there are none.",
            syntax: "[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]",
            ..SERVER
        },
        run: failover,
    },
    Row {
        spec: Spec {
            name: "psync",
            arity: -3,
            since: "2.8.0",
            summary: "Sends a copy of all data, after REPLCONF RDB-ONLY 1.",
            syntax: "replicationid offset",
            ..SYNC
        },
        run: sync,
    },
    Row {
        spec: Spec {
            name: "replconf",
            arity: -1,
            flags: &[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale, Flag::AllowBusy],
            since: "3.0.0",
            summary: "Says what the client is as a replica, and what it wants.",
            ..SERVER
        },
        run: replconf,
    },
    Row {
        spec: Spec {
            name: "replicaof",
            arity: 3,
            since: "5.0.0",
            summary: "Configures a server as replica of another, or promotes it to a master.",
            syntax: "<host port | NO ONE>",
            ..SERVER
        },
        run: replicaof,
    },
    Row {
        spec: Spec {
            name: "role",
            arity: 1,
            flags: &[Flag::NoScript, Flag::Loading, Flag::Stale, Flag::Fast],
            categories: &[Category::Admin, Category::Dangerous],
            since: "2.8.12",
            summary: "Returns the replication role.",
            ..SERVER
        },
        run: role,
    },
    Row {
        spec: Spec {
            name: "slaveof",
            arity: 3,
            summary: "Sets a server as a replica of another, or promotes it to being a master.",
            syntax: "<host port | NO ONE>",
            ..SERVER
        },
        run: replicaof,
    },
    Row {
        spec: Spec { name: "sync", arity: 1, summary: "Sends a copy of all data, after REPLCONF RDB-ONLY 1.", ..SYNC },
        run: sync,
    },
];

/// What a client said of itself by REPLCONF.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Replica {
    /// It finds the end of a copy by the mark behind it.
    reads_marks: bool,
    /// It wants no changes behind the copy.
    copy_only: bool,
    content: Content,
}

fn replconf(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let args = request.args;
    if args.len().is_multiple_of(2) {
        return Err(Error::Syntax);
    }
    for at in (1..args.len()).step_by(2) {
        let (option, value) = (&args[at], &args[at + 1]);
        let replica = &mut session.replica;
        if is(option, "capa") {
            // What is not known is no capability that anybody asks for.
            replica.reads_marks |= is(value, "eof");
        } else if is(option, "rdb-only") {
            replica.copy_only = match integer(value)? {
                flag @ 0..=1 => flag == 1,
                _ => return Err(Error::text("ERR value is out of range, value must between 0 and 1")),
            };
        } else if is(option, "rdb-filter-only") {
            replica.content = filter(value)?;
        } else if is(option, "listening-port") {
            // Where replicas can be found is shown of those that follow, which none does.
            integer(value)?;
        } else if is(option, "ack") || is(option, "getack") {
            // Not answered: replicas say it all the time.
            return Ok(());
        } else if !is(option, "ip-address") {
            return Err(error(format!("ERR Unrecognized REPLCONF option: {}", String::from_utf8_lossy(option))));
        }
    }
    reply.ok();
    Ok(())
}

/// What of the data is wanted: only what is named.
fn filter(words: &[u8]) -> Result<Content> {
    let mut content = Content { keys: false, functions: false };
    for word in words.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        if !is(word, "functions") {
            return Err(error(format!("ERR Unsupported rdb-filter-only option: {}", String::from_utf8_lossy(word))));
        }
        content.functions = true;
    }
    Ok(content)
}

fn sync(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let is_psync = request.command.spec.name == "psync";
    if is_psync && request.args.get(3).is_some_and(|word| is(word, "failover")) {
        return Err(Error::text("ERR PSYNC FAILOVER can't be sent to a master."));
    }
    let Replica { reads_marks, copy_only, content } = session.replica;
    if is_psync {
        integer(&request.args[2])?;
    }
    if !copy_only {
        return Err(Error::text(
            "ERR replicas cannot follow this server; for a copy without what comes after it say REPLCONF RDB-ONLY 1 before",
        ));
    }
    if !reads_marks {
        return Err(Error::text(
            "ERR the length of a copy is not known before it is sent; say REPLCONF CAPA EOF before to find its end by a mark",
        ));
    }
    let copy = Copy::begin(&session.engine, session.client(), content, request.clock.unix_ms().cast_unsigned())
        .map_err(|problem| error(format!("ERR cannot begin a copy: {problem}")))?;
    if is_psync {
        // Changes are not counted: the place in their stream is the one that INFO tells.
        reply.simple(&format!("FULLRESYNC {} 0", session.engine.run_id()));
    }
    tracing::info!(client = %session.client.origin.address, "sends a copy of all data");
    session.copy = Some(Box::new(copy));
    Ok(())
}

fn role(_session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.array(3);
    reply.bulk(b"master");
    reply.integer(0);
    reply.array(0);
    Ok(())
}

fn replicaof(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let (host, port) = (&request.args[1], &request.args[2]);
    if is(host, "no") && is(port, "one") {
        reply.ok();
        return Ok(());
    }
    match integer(port) {
        Ok(0..=65535) => {
            Err(Error::text("ERR this server cannot be a replica; `ennead import` copies another and follows it"))
        }
        _ => Err(Error::text("ERR Invalid master port")),
    }
}

fn failover(_session: &mut Session, request: &Request<'_>, _reply: &mut dyn Output) -> Result {
    let args = request.args;
    if args.len() == 2 && is(&args[1], "abort") {
        return Err(Error::text("ERR No failover in progress."));
    }
    check_failover(args)?;
    Err(Error::text("ERR FAILOVER requires connected replicas."))
}

/// Reads the words of a FAILOVER.
fn check_failover(args: Args<'_>) -> Result {
    let (mut timeout, mut to, mut force) = (false, false, false);
    let mut at = 1;
    while let Some(word) = args.get(at) {
        let left = args.len() - at - 1;
        if is(word, "timeout") && left >= 1 && !timeout {
            if integer(&args[at + 1])? <= 0 {
                return Err(Error::text("ERR FAILOVER timeout must be greater than 0"));
            }
            timeout = true;
            at += 2;
        } else if is(word, "to") && left >= 2 && !to {
            integer(&args[at + 2])?;
            to = true;
            at += 3;
        } else if is(word, "force") && !force {
            force = true;
            at += 1;
        } else {
            return Err(Error::Syntax);
        }
    }
    Ok(())
}
