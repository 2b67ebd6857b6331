//! CLIENT TRACKING and what belongs to it, and MONITOR.

use ennead_kv::{Error, Result, Spec};

use super::{ADMIN, Row, SERVER, error, integer, is};
use crate::session::{Output, Request, Session};
use crate::tracking::Mode;

pub(super) const ROWS: &[Row] = &[Row {
    spec: Spec {
        name: "monitor",
        arity: 1,
        flags: ADMIN,
        summary: "Listens for all requests received by the server in real-time.",
        ..SERVER
    },
    run: monitor,
}];

fn monitor(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if session.executing {
        return Err(Error::text("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    // Redis says nothing to one who asks again.
    if session.engine.monitors().enter(&session.client) {
        reply.ok();
    }
    Ok(())
}

/// What CLIENT TRACKING is asked for.
#[derive(Debug, Default)]
struct Options<'a> {
    mode: Mode,
    redirect: Option<u64>,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(session: &Session, request: &Request<'a>) -> Result<Options<'a>> {
        let mut options = Options::default();
        let mut words = request.args.iter_from(3);
        while let Some(word) = words.next() {
            let left = words.len() > 0;
            if is(word, "redirect") && left {
                if options.redirect.is_some() {
                    return Err(Error::text("ERR A client can only redirect to a single other client"));
                }
                let id = integer(words.next().ok_or(Error::Syntax)?)?;
                let id = u64::try_from(id).ok().filter(|id| session.engine.clients().get(*id).is_some());
                let gone = Error::text("ERR The client ID you want redirect to does not exist");
                options.redirect = Some(id.ok_or(gone)?);
            } else if is(word, "prefix") && left {
                options.prefixes.push(words.next().ok_or(Error::Syntax)?);
            } else if is(word, "bcast") {
                options.mode.broadcast = true;
            } else if is(word, "optin") {
                options.mode.opt_in = true;
            } else if is(word, "optout") {
                options.mode.opt_out = true;
            } else if is(word, "noloop") {
                options.mode.no_loop = true;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// Whether the options go together, and with how the client tracks already.
    fn check(&self, former: Option<Mode>) -> Result {
        let Mode { broadcast, opt_in, opt_out, .. } = self.mode;
        let text = if !broadcast && !self.prefixes.is_empty() {
            "ERR PREFIX option requires BCAST mode to be enabled"
        } else if former.is_some_and(|former| former.broadcast != broadcast) {
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with \
             a different mode."
        } else if broadcast && (opt_in || opt_out) {
            "ERR OPTIN and OPTOUT are not compatible with BCAST"
        } else if opt_in && opt_out {
            "ERR You can't specify both OPTIN mode and OPTOUT mode"
        } else if former.is_some_and(|former| opt_in && former.opt_out || opt_out && former.opt_in) {
            "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with \
             a different mode."
        } else {
            return Ok(());
        };
        Err(Error::text(text))
    }
}

pub(super) fn tracking(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let options = Options::parse(session, request)?;
    let word = &request.args[2];
    if is(word, "on") {
        options.check(session.attention.mode)?;
        let Options { mode, redirect, prefixes } = options;
        let engine = &session.engine;
        let followed = engine.tracking().follow(engine.keyspace(), &session.client, mode, redirect, &prefixes);
        followed.map_err(|overlap| {
            let (prefix, other) = (String::from_utf8_lossy(overlap.prefix), String::from_utf8_lossy(&overlap.other));
            let which = if overlap.existing { "an existing" } else { "another provided" };
            error(format!(
                "ERR Prefix '{prefix}' overlaps with {which} prefix '{other}'. Prefixes for a single client must not \
                 overlap."
            ))
        })?;
        session.attention.mode = Some(mode);
    } else if is(word, "off") {
        if session.attention.mode.take().is_some() {
            session.engine.tracking().leave(session.engine.keyspace(), &session.client);
        }
        session.attention.caching = false;
    } else {
        return Err(Error::Syntax);
    }
    reply.ok();
    Ok(())
}

pub(super) fn caching(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let Some(mode) = session.attention.mode else {
        return Err(Error::text(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        ));
    };
    let word = &request.args[2];
    if is(word, "yes") {
        if !mode.opt_in {
            return Err(Error::text("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."));
        }
    } else if !is(word, "no") {
        return Err(Error::Syntax);
    } else if !mode.opt_out {
        return Err(Error::text("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."));
    }
    session.attention.caching = true;
    reply.ok();
    Ok(())
}

pub(super) fn getredir(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let details = session.engine.tracking().details(session.client.id);
    reply.integer(details.map_or(-1, |details| details.redirect.unwrap_or(0) as i64));
    Ok(())
}

pub(super) fn trackinginfo(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let details = session.engine.tracking().details(session.client.id);
    let mode = session.attention.mode.unwrap_or_default();
    let caching = session.attention.caching;
    let flags: Vec<&[u8]> = [
        (details.is_some(), &b"on"[..]),
        (details.is_none(), b"off"),
        (mode.broadcast, b"bcast"),
        (mode.opt_in, b"optin"),
        (mode.opt_in && caching, b"caching-yes"),
        (mode.opt_out, b"optout"),
        (mode.opt_out && caching, b"caching-no"),
        (mode.no_loop, b"noloop"),
        (details.as_ref().is_some_and(|details| details.broken), b"broken_redirect"),
    ]
    .into_iter()
    .filter_map(|(set, word)| set.then_some(word))
    .collect();
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.bulk(flag));
    reply.bulk(b"redirect");
    reply.integer(details.as_ref().map_or(-1, |details| details.redirect.unwrap_or(0) as i64));
    reply.bulk(b"prefixes");
    let prefixes = details.map_or_else(Vec::new, |details| details.prefixes);
    reply.array(prefixes.len());
    prefixes.iter().for_each(|prefix| reply.bulk(prefix));
    Ok(())
}
