//! DEBUG: what test suites use of it. Refused unless the settings allow it.

use std::time::Duration;

use ennead_kv::{Category, Error, Result, Spec, glob};

use super::{ADMIN, Row, SERVER, error, integer, is};
use crate::session::{Output, Request, Session};
use crate::settings::{DEBUG_COMMAND, DebugAccess};

pub(super) const ROWS: &[Row] = &[Row {
    spec: Spec {
        name: "debug",
        arity: -2,
        flags: ADMIN,
        categories: &[Category::Dangerous],
        complexity: "Depends on subcommand.",
        summary: "A container for debugging commands.",
        syntax: "subcommand [arg [arg ...]]",
        ..SERVER
    },
    run: debug,
}];

type Subcommand = fn(&mut Session, &Request<'_>, &mut dyn Output) -> Result;

/// Name, number of words with DEBUG, what it does.
const SUBCOMMANDS: &[(&str, usize, Subcommand, &str)] = &[
    ("change-repl-id", 2, nothing, "Accepted: there are no replicas that could notice."),
    ("error", 3, refuse, "Returns the text as an error."),
    ("help", 2, help, "Prints this help."),
    ("loadaof", 2, reload, "As RELOAD: the log is in the B-tree then."),
    ("log", 3, log, "Writes the text to the log."),
    ("object", 3, object, "Shows low level facts about a key and its value."),
    (
        "protocol",
        3,
        protocol,
        "Returns a value of the type: string, integer, double, null, array, set, map, attrib, push, verbatim, true, false, bignum.",
    ),
    ("reload", 2, reload, "Flushes the data into the B-tree, drops what is in memory and reads it again."),
    (
        "set-active-expire",
        3,
        set_active_expire,
        "Turns the deletion of expired keys in the background off (0) or on (1).",
    ),
    ("sleep", 3, sleep, "Stops the connection's worker for so many seconds."),
    ("stringmatch-len", 4, stringmatch_len, "Matches a text of so many letters with a pattern."),
];

fn debug(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let allowed = match session.engine.settings().read(DEBUG_COMMAND) {
        DebugAccess::No => false,
        DebugAccess::Local => session.client.origin.local,
        DebugAccess::Yes => true,
    };
    if !allowed {
        return Err(Error::text(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
             from a local connection, otherwise you need to set this option in the configuration file, and then \
             restart the server.",
        ));
    }
    let word = &request.args[1];
    let subcommand = SUBCOMMANDS.iter().find(|(name, words, ..)| is(word, name) && request.args.len() >= *words);
    match subcommand {
        Some((.., run, _)) => run(session, request, reply),
        None => {
            let word = String::from_utf8_lossy(word);
            Err(error(format!("ERR unknown subcommand or wrong number of arguments for '{word}'. Try DEBUG HELP.")))
        }
    }
}

fn help(_session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.array(1 + 2 * SUBCOMMANDS.len());
    reply.simple("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    for (name, _, _, text) in SUBCOMMANDS {
        reply.simple(&name.to_uppercase());
        reply.simple(&format!("    {text}"));
    }
    Ok(())
}

fn nothing(_session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.ok();
    Ok(())
}

fn refuse(_session: &mut Session, request: &Request<'_>, _reply: &mut dyn Output) -> Result {
    Err(error(String::from_utf8_lossy(&request.args[2]).into_owned()))
}

fn log(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    tracing::warn!(text = %String::from_utf8_lossy(&request.args[2]), "DEBUG LOG");
    reply.ok();
    Ok(())
}

fn object(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if session.executing {
        return Err(Error::text("ERR DEBUG OBJECT is not supported inside a transaction"));
    }
    let call = session.call(request.clock);
    let found = session.engine.keyspace().inspect(&call, &request.args[2])?.ok_or(Error::NoSuchKey)?;
    reply.simple(&format!(
        "Value at:0x0 refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        found.encoding, found.serialized_len, found.access, found.idle_seconds
    ));
    Ok(())
}

/// This stops all connections of the worker, which is what it is for.
fn sleep(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let seconds = std::str::from_utf8(&request.args[2]).ok().and_then(|text| text.parse::<f64>().ok());
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or(Error::NotFloat)?;
    std::thread::sleep(seconds);
    reply.ok();
    Ok(())
}

fn set_active_expire(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.engine.keyspace().settings().set_active_expire(integer(&request.args[2])? != 0);
    reply.ok();
    Ok(())
}

/// This stops all connections of the worker, as a server that loads its data does.
fn reload(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if session.executing {
        return Err(Error::text("ERR DEBUG RELOAD is not supported inside a transaction"));
    }
    session.engine.store().flush().map_err(Error::Store)?;
    session.engine.keyspace().reload(request.clock.unix_ms().cast_unsigned())?;
    reply.ok();
    Ok(())
}

fn stringmatch_len(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let len = integer(&request.args[2])?;
    let len = usize::try_from(len).ok().filter(|len| *len <= 64 << 20).ok_or(Error::NotInteger)?;
    reply.integer(i64::from(glob::matches(&request.args[3], &vec![b'a'; len])));
    Ok(())
}

#[expect(clippy::approx_constant, reason = "the number that test suites expect")]
fn protocol(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let word = &request.args[2];
    let series = |reply: &mut dyn Output| {
        for number in 0..3 {
            reply.integer(number);
        }
    };
    match word.to_ascii_lowercase().as_slice() {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(3.141),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            series(reply);
        }
        b"set" => {
            reply.set(3);
            series(reply);
        }
        b"map" => {
            reply.map(3);
            for number in 0..3 {
                reply.integer(number);
                reply.boolean(number == 1);
            }
        }
        b"attrib" => {
            if reply.protocol() >= 3 {
                reply.attribute(1);
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.integer(90);
            }
            reply.bulk(b"Some real reply following the attribute");
        }
        b"push" if reply.protocol() < 3 => return Err(Error::text("ERR RESP2 is not supported by this command")),
        b"push" => {
            reply.push(2);
            reply.bulk(b"server-cpu-usage");
            reply.integer(42);
        }
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        b"bignum" => reply.big_number("1234567999999999999999999999999999999"),
        _ => {
            return Err(Error::text(
                "ERR Wrong protocol type name. Please use one of the following: \
                 string|integer|double|null|array|set|map|attrib|push|verbatim|true|false|bignum",
            ));
        }
    }
    Ok(())
}
