//! CONFIG: the settings by Redis's names.

use ennead_kv::{Category, Error, Result, Spec, glob};

use super::{PLAIN, Row, SERVER, error, help};
use crate::session::{Hold, Output, Request, Session};

const CONFIG: Spec = Spec { since: "2.0.0", categories: &[Category::Dangerous], ..SERVER };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "config|get",
            arity: -3,
            complexity: "O(N) when N is the number of configuration parameters provided",
            summary: "Returns the effective values of configuration parameters.",
            syntax: "parameter [parameter ...]",
            ..CONFIG
        },
        run: get,
    },
    Row {
        spec: Spec {
            name: "config|help",
            arity: 2,
            since: "5.0.0",
            summary: "Returns helpful text about the different subcommands.",
            flags: PLAIN,
            categories: &[],
            ..CONFIG
        },
        run: help::help,
    },
    Row {
        spec: Spec { name: "config|resetstat", arity: 2, summary: "Resets the server's statistics.", ..CONFIG },
        run: resetstat,
    },
    Row {
        spec: Spec {
            name: "config|rewrite",
            arity: 2,
            since: "2.8.0",
            summary: "Persists the effective configuration to file.",
            ..CONFIG
        },
        run: rewrite,
    },
    Row {
        spec: Spec {
            name: "config|set",
            arity: -4,
            complexity: "O(N) when N is the number of configuration parameters provided",
            summary: "Sets configuration parameters in-flight.",
            syntax: "parameter value [parameter value ...]",
            ..CONFIG
        },
        run: set,
    },
];

fn get(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let patterns: Vec<Vec<u8>> = request.args.iter_from(2).map(<[u8]>::to_ascii_lowercase).collect();
    let found = session
        .engine
        .settings()
        .redis_get(|name| patterns.iter().any(|pattern| glob::matches(pattern, name.as_bytes())));
    reply.map(found.len());
    for (name, value) in found {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    Ok(())
}

fn set(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let words: Vec<&[u8]> = request.args.iter_from(2).collect();
    if !words.len().is_multiple_of(2) {
        return Err(Error::Syntax);
    }
    let mut pairs = Vec::with_capacity(words.len() / 2);
    for pair in words.chunks_exact(2) {
        let name = std::str::from_utf8(pair[0]);
        let value = std::str::from_utf8(pair[1]);
        match (name, value) {
            (Ok(name), Ok(value)) => pairs.push((name, value)),
            (Ok(name), Err(_)) => {
                return Err(error(format!(
                    "ERR CONFIG SET failed (possibly related to argument '{name}') - not UTF-8"
                )));
            }
            (Err(_), _) => return Err(unknown(&String::from_utf8_lossy(pair[0]))),
        }
    }
    session.engine.settings().redis_set(&pairs).map_err(|problem| match problem {
        crate::settings::SettingError::Unknown { name, .. } => unknown(&name),
        problem => error(format!(
            "ERR CONFIG SET failed (possibly related to argument '{}') - {}",
            problem.name(),
            problem.reason()
        )),
    })?;
    if pairs.iter().any(|(name, _)| name.eq_ignore_ascii_case("requirepass")) {
        session.held = Hold::Durable(session.engine.users().store_default()?);
    }
    reply.ok();
    Ok(())
}

fn unknown(name: &str) -> Error {
    error(format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'"))
}

fn resetstat(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    session.engine.figures().reset();
    session.engine.errors().reset();
    session.engine.keyspace().reset_counters();
    session.engine.clients().reset_counters();
    session.engine.users().reset_counters();
    reply.ok();
    Ok(())
}

fn rewrite(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let host = session.engine.host().ok_or(Error::text("ERR The server is running without a config file"))?;
    (host.rewrite_config)().map_err(|reason| error(format!("ERR Rewriting config file: {reason}")))?;
    reply.ok();
    Ok(())
}
