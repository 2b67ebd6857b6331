//! MIGRATE: keys move to another server.
//!
//! The host sends the values; meanwhile the request is put off, and other clients go on. So a key may be changed after
//! its value was read: it is then not deleted but sent again, over what was sent before.

use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::Duration;

use ennead_kv::{Args, Category, Effect, Error, Export, Flag, Group, KeySpec, Result, Spec};
use ennead_store::Sequence;

use super::{Row, error, integer, is};
use crate::migration::{Parcel, Report, Target};
use crate::session::{Output, Request, Session};

/// How often a waiting client looks for the report, should it miss the call.
const INTERVAL: Duration = Duration::from_millis(50);
/// A timeout of 0 or less.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(1);
/// How often keys that others keep changing are sent.
const ATTEMPTS_MAX: usize = 16;

pub(super) const ROWS: &[Row] = &[Row {
    spec: Spec {
        name: "migrate",
        arity: -6,
        keys: KeySpec::OneOrBehind { index: 3, keyword: "keys", from: 6 },
        flags: &[Flag::Write, Flag::MovableKeys, Flag::NoMulti],
        categories: &[Category::Dangerous],
        group: Group::Generic,
        since: "2.6.0",
        complexity: "As DUMP and DEL here and RESTORE on the other server, and O(N) for the transfer.",
        summary: "Moves keys to another server.",
        syntax: "host port <key | \"\"> destination-db timeout [COPY] [REPLACE] [AUTH password | AUTH2 username password] [KEYS key [key ...]]",
    },
    run: migrate,
}];

/// What a client asked for.
#[derive(Debug)]
struct Order {
    target: Target,
    copy: bool,
    keys: Vec<Vec<u8>>,
}

/// A MIGRATE whose values are on their way.
#[derive(Debug)]
pub(crate) struct Migrating {
    order: Order,
    reports: Receiver<Report>,
    sent: Vec<Export>,
    attempts: usize,
    /// The newest batch that the reply tells of.
    saw: Sequence,
}

impl Order {
    fn parse(args: Args<'_>) -> Result<Order> {
        let (mut copy, mut replace, mut credentials) = (false, false, Vec::new());
        let mut keys = vec![args[3].to_vec()];
        let mut at = 6;
        while let Some(word) = args.get(at) {
            let words = |count: usize| -> Result<Vec<Vec<u8>>> {
                let words: Vec<Vec<u8>> = args.iter_from(at + 1).take(count).map(<[u8]>::to_vec).collect();
                if words.len() == count { Ok(words) } else { Err(Error::Syntax) }
            };
            if is(word, "copy") {
                copy = true;
            } else if is(word, "replace") {
                replace = true;
            } else if is(word, "auth") {
                credentials = words(1)?;
            } else if is(word, "auth2") {
                credentials = words(2)?;
            } else if is(word, "keys") {
                if !args[3].is_empty() {
                    return Err(Error::text(
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                    ));
                }
                keys = args.iter_from(at + 1).map(<[u8]>::to_vec).collect();
                break;
            } else {
                return Err(Error::Syntax);
            }
            at += if is(word, "auth") {
                2
            } else if is(word, "auth2") {
                3
            } else {
                1
            };
        }
        let timeout = integer(&args[5])?;
        let database = integer(&args[4])?;
        let timeout = u64::try_from(timeout).ok().filter(|millis| *millis > 0).map(Duration::from_millis);
        let port = std::str::from_utf8(&args[2]).ok().and_then(|text| text.parse().ok());
        let target = Target {
            host: String::from_utf8_lossy(&args[1]).into_owned(),
            port: port.ok_or(Error::text("ERR Invalid TCP port specified"))?,
            database,
            timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
            credentials,
            replace,
        };
        Ok(Order { target, copy, keys })
    }
}

fn migrate(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let Some(mut migrating) = session.migrating.take() else {
        let order = Order::parse(request.args)?;
        if !send(session, request, order, 1, 0)? {
            reply.simple("NOKEY");
        }
        return Ok(());
    };
    match migrating.reports.try_recv() {
        Err(TryRecvError::Empty) => {
            session.later = Some(INTERVAL);
            session.migrating = Some(migrating);
            Ok(())
        }
        Err(TryRecvError::Disconnected) => Err(Error::text("IOERR the transfer broke off")),
        Ok(report) => {
            let changed = delete(session, request, &mut migrating, &report.taken)?;
            session.held = session.hold(Effect { wrote: None, saw: migrating.saw });
            if let Some(failure) = report.failure {
                return Err(error(failure));
            }
            if !changed.is_empty() {
                let Migrating { mut order, attempts, saw, .. } = *migrating;
                if attempts == ATTEMPTS_MAX {
                    return Err(Error::text("IOERR keys are changed faster than they can be sent: they stay here"));
                }
                order.keys = changed;
                order.target.replace = true;
                if send(session, request, order, attempts + 1, saw)? {
                    return Ok(());
                }
            }
            reply.ok();
            Ok(())
        }
    }
}

/// Begins to send the keys that exist; whether there are any.
fn send(session: &mut Session, request: &Request<'_>, order: Order, attempts: usize, saw: Sequence) -> Result<bool> {
    let call = session.call(request.clock);
    let mut saw = saw;
    let mut sent: Vec<Export> = Vec::new();
    let mut parcels = Vec::new();
    for key in &order.keys {
        let Some(mut export) = session.engine.keyspace().export(&call, key)? else { continue };
        saw = saw.max(export.effect.saw);
        let ttl_ms = if export.deadline == 0 { 0 } else { export.deadline.saturating_sub(call.now_ms).max(1) };
        parcels.push(Parcel { key: key.clone(), payload: std::mem::take(&mut export.payload), ttl_ms });
        sent.push(export);
    }
    if parcels.is_empty() {
        return Ok(false);
    }
    let host = session.engine.host().ok_or(Error::text("ERR this server cannot send keys"))?;
    let client = std::sync::Arc::clone(&session.client);
    let (sender, reports) = mpsc::channel();
    let done = move |report| {
        // Nobody listens when the client has gone: its keys stay where they are.
        let _ = sender.send(report);
        client.wake();
    };
    (host.migrate)(order.target.clone(), parcels, Box::new(done))
        .map_err(|problem| error(format!("IOERR cannot send: {problem}")))?;
    session.migrating = Some(Box::new(Migrating { order, reports, sent, attempts, saw }));
    session.later = Some(INTERVAL);
    Ok(true)
}

/// Deletes the keys that the other server has; gives those that were changed meanwhile.
fn delete(
    session: &mut Session,
    request: &Request<'_>,
    migrating: &mut Migrating,
    taken: &[bool],
) -> Result<Vec<Vec<u8>>> {
    let mut changed = Vec::new();
    if migrating.order.copy {
        return Ok(changed);
    }
    let call = session.call(request.clock);
    for (export, _) in migrating.sent.iter().zip(taken).filter(|(_, taken)| **taken) {
        let (deleted, effect) = session.engine.keyspace().delete_unchanged(&call, &export.watched)?;
        migrating.saw = migrating.saw.max(effect.saw).max(effect.wrote.unwrap_or(0));
        if !deleted {
            changed.push(export.watched.key.clone());
        }
    }
    Ok(changed)
}
