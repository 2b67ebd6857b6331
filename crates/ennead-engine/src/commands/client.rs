//! CLIENT and its subcommands.

use std::time::Duration;

use ennead_kv::{Category, Error, Result, Spec};

use super::{ADMIN, CONNECTION, HARMLESS, Row, error, hello, help, integer, is, tracking};
use crate::clients::{FLAG_NO_EVICT, FLAG_NO_TOUCH, Filter, Kind};
use crate::session::{Output, ReplyMode, Request, Session};

const CLIENT: Spec = Spec { flags: HARMLESS, ..CONNECTION };
const CLIENT_ADMIN: Spec = Spec { flags: ADMIN, categories: &[Category::Dangerous], ..CONNECTION };

macro_rules! rows {
    ($($base:ident $name:literal $arity:literal $since:literal $syntax:literal $summary:literal $run:expr;)+) => {
        &[$(Row {
            spec: Spec {
                name: concat!("client|", $name),
                arity: $arity,
                since: $since,
                syntax: $syntax,
                summary: $summary,
                ..$base
            },
            run: $run,
        }),+]
    };
}

pub(super) const ROWS: &[Row] = rows! {
    CLIENT "caching" 3 "6.0.0" "<YES | NO>" "Instructs the server whether to track the keys in the next request." tracking::caching;
    CLIENT "getname" 2 "2.6.9" "" "Returns the name of the connection." getname;
    CLIENT "getredir" 2 "6.0.0" "" "Returns the client ID to which the connection's tracking notifications are redirected." tracking::getredir;
    CLIENT "help" 2 "5.0.0" "" "Returns helpful text about the different subcommands." help::help;
    CLIENT "id" 2 "5.0.0" "" "Returns the unique client ID of the connection." id;
    CLIENT_ADMIN "import-source" 3 "0.1.0" "<ON | OFF>" "Takes what the connection sends for changes that another server made: keys whose time is over stay until it deletes them." import_source;
    CLIENT "info" 2 "6.2.0" "" "Returns information about the connection." info;
    CLIENT_ADMIN "kill" -3 "2.4.0" "<ip:port | <[ID client-id] | [TYPE <NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | [ADDR ip:port] | [LADDR ip:port] | [SKIPME <YES | NO>] | [MAXAGE maxage] ...>>" "Terminates open connections." kill;
    CLIENT_ADMIN "list" -2 "2.4.0" "[TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]" "Lists open connections." list;
    CLIENT_ADMIN "no-evict" 3 "7.0.0" "<ON | OFF>" "Sets the client eviction mode of the connection." no_evict;
    CLIENT "no-touch" 3 "7.2.0" "<ON | OFF>" "Controls whether commands sent by the client affect the LRU/LFU of accessed keys." no_touch;
    CLIENT_ADMIN "pause" -3 "3.0.0" "timeout [WRITE | ALL]" "Suspends commands processing." pause;
    CLIENT "reply" 3 "3.2.0" "<ON | OFF | SKIP>" "Instructs the server whether to reply to commands." reply_mode;
    CLIENT "setinfo" 4 "7.2.0" "<LIB-NAME libname | LIB-VER libver>" "Sets information specific to the client or connection." setinfo;
    CLIENT "setname" 3 "2.6.9" "connection-name" "Sets the connection name." setname;
    CLIENT "tracking" -3 "6.0.0" "<ON | OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]" "Controls server-assisted client-side caching for the connection." tracking::tracking;
    CLIENT "trackinginfo" 2 "6.2.0" "" "Returns information about server-assisted client-side caching for the connection." tracking::trackinginfo;
    CLIENT_ADMIN "unblock" -3 "5.0.0" "client-id [TIMEOUT | ERROR]" "Unblocks a client blocked by a blocking command from a different connection." unblock;
    CLIENT_ADMIN "unpause" 2 "6.2.0" "" "Resumes processing commands from paused clients." unpause;
};

fn id(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.integer(session.client.id as i64);
    Ok(())
}

fn getname(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let name = session.client.identity().name;
    if name.is_empty() {
        reply.null()
    } else {
        reply.bulk(name.as_bytes())
    }
    Ok(())
}

fn setname(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let name = hello::client_name(&request.args[2])?;
    session.client.change_identity(|identity| identity.name = name);
    reply.ok();
    Ok(())
}

fn setinfo(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let (attribute, word) = (&request.args[2], &request.args[3]);
    let lib_name = is(attribute, "lib-name");
    if !lib_name && !is(attribute, "lib-ver") {
        return Err(error(format!("ERR Unrecognized option '{}'", String::from_utf8_lossy(attribute))));
    }
    let value = hello::client_name(word).map_err(|_| {
        let attribute = if lib_name { "lib-name" } else { "lib-ver" };
        error(format!("ERR {attribute} cannot contain spaces, newlines or special characters."))
    })?;
    session.client.change_identity(|identity| {
        *(if lib_name { &mut identity.library_name } else { &mut identity.library_version }) = value;
    });
    reply.ok();
    Ok(())
}

fn info(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let line = session.client.describe(request.clock.unix_ms());
    reply.verbatim("txt", format!("{line}\n").as_bytes());
    Ok(())
}

fn list(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let args = request.args;
    let filter = match args.get(2) {
        None => Filter::default(),
        Some(word) if args.len() == 4 && is(word, "type") => Filter::of_kind(Kind::parse(&args[3])?),
        Some(word) if args.len() > 3 && is(word, "id") => {
            let ids: Result<Vec<u64>> = args
                .iter_from(3)
                .map(|word| match integer(word) {
                    Ok(id @ 0..) => Ok(id as u64),
                    _ => Err(Error::text("ERR Invalid client ID")),
                })
                .collect();
            Filter::of_ids(ids?)
        }
        Some(_) => return Err(Error::Syntax),
    };
    let now_ms = request.clock.unix_ms();
    let mut lines = String::new();
    for client in session.engine.clients().list().iter().filter(|client| filter.matches(client, now_ms)) {
        lines.push_str(&client.describe(now_ms));
        lines.push('\n');
    }
    reply.verbatim("txt", lines.as_bytes());
    Ok(())
}

fn kill(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let args = request.args;
    let by_address = args.len() == 3;
    let filter =
        if by_address { Filter::of_address(&args[2]) } else { Filter::of_kill(args.skip(2), session.engine.users())? };
    let now_ms = request.clock.unix_ms();
    let mut killed = 0;
    for client in session.engine.clients().list().iter().filter(|client| filter.matches(client, now_ms)) {
        if client.id != session.client.id {
            client.kill();
        } else if filter.skip_me {
            continue;
        } else {
            session.closing = true;
        }
        killed += 1;
    }
    match (by_address, killed) {
        (true, 0) => return Err(Error::text("ERR No such client")),
        (true, _) => reply.ok(),
        (false, _) => reply.integer(killed),
    }
    Ok(())
}

fn on_or_off(word: &[u8]) -> Result<bool> {
    match (is(word, "on"), is(word, "off")) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(Error::Syntax),
    }
}

fn no_evict(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.client.set_flag(FLAG_NO_EVICT, on_or_off(&request.args[2])?);
    reply.ok();
    Ok(())
}

fn no_touch(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.client.set_flag(FLAG_NO_TOUCH, on_or_off(&request.args[2])?);
    reply.ok();
    Ok(())
}

fn import_source(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let on = on_or_off(&request.args[2])?;
    match session.keeping.take() {
        Some(keeping) if !on => keeping.end(),
        kept if on => session.keeping = kept.or_else(|| Some(session.engine.keyspace().keep_expired())),
        _ => {}
    }
    reply.ok();
    Ok(())
}

fn reply_mode(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let word = &request.args[2];
    if is(word, "on") {
        session.reply_mode = ReplyMode::On;
        reply.ok();
    } else if is(word, "off") {
        session.reply_mode = ReplyMode::Off;
    } else if is(word, "skip") {
        if session.reply_mode != ReplyMode::Off {
            session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(Error::Syntax);
    }
    Ok(())
}

fn pause(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let args = request.args;
    let writes_only = match args.get(3) {
        None => false,
        Some(word) if is(word, "write") => true,
        Some(word) if is(word, "all") => false,
        Some(_) => return Err(Error::text("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    if args.len() > 4 {
        return Err(Error::Syntax);
    }
    let millis = integer(&args[2]).map_err(|_| Error::text("ERR timeout is not an integer or out of range"))?;
    let millis = u64::try_from(millis).map_err(|_| Error::text("ERR timeout is negative"))?;
    let until = request.clock.instant().checked_add(Duration::from_millis(millis));
    let until = until.ok_or(Error::text("ERR timeout is out of range"))?;
    session.engine.pause().start(until, writes_only);
    // A pause that is on is never made shorter.
    let until_ms = request.clock.unix_ms().saturating_add_unsigned(millis).cast_unsigned();
    let settings = session.engine.keyspace().settings();
    settings.keep_keys_until(until_ms.max(settings.kept_until()));
    reply.ok();
    Ok(())
}

fn unpause(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.engine.pause().end();
    session.engine.keyspace().settings().keep_keys_until(0);
    session.engine.clients().wake_all();
    reply.ok();
    Ok(())
}

fn unblock(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let error = match request.args.get(3) {
        None => false,
        Some(word) if is(word, "timeout") || is(word, "error") => is(word, "error"),
        Some(_) => return Err(Error::text("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
    };
    let id = integer(&request.args[2])?;
    let client = u64::try_from(id).ok().and_then(|id| session.engine.clients().get(id));
    reply.integer(i64::from(client.is_some_and(|client| client.unblock(error))));
    Ok(())
}
