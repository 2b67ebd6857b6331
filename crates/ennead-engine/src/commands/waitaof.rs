//! WAITAOF: a reply once what was written so far is on disk.

use std::time::{Duration, Instant};

use ennead_kv::{Category, Error, Group, Result, Spec};
use ennead_store::Sequence;

use super::{CONNECTION, Row, error, integer};
use crate::session::{Output, Request, Session};

/// How often a waiting client looks at the log.
const INTERVAL: Duration = Duration::from_millis(1);

pub(super) const ROWS: &[Row] = &[Row {
    spec: Spec {
        name: "waitaof",
        arity: 4,
        group: Group::Generic,
        categories: &[Category::Connection],
        since: "7.2.0",
        summary: "Blocks until all of the preceding write commands sent by the connection are written to the log of this server and of replicas.",
        syntax: "numlocal numreplicas timeout",
        ..CONNECTION
    },
    run: waitaof,
}];

/// What a session waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Awaited {
    sequence: Sequence,
    /// None to wait without an end.
    until: Option<Instant>,
}

fn waitaof(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let local = integer(&request.args[1])?;
    if !(0..=1).contains(&local) {
        return Err(Error::text("ERR value is out of range, value must between 0 and 1"));
    }
    let replicas = integer(&request.args[2]).ok().filter(|replicas| *replicas >= 0);
    let replicas = replicas.ok_or(Error::text("ERR value is out of range, must be positive"))?;
    let timeout =
        integer(&request.args[3]).map_err(|_| Error::text("ERR timeout is not an integer or out of range"))?;
    let timeout = u64::try_from(timeout).map_err(|_| Error::text("ERR timeout is negative"))?;
    if replicas > 0 && timeout == 0 {
        return Err(Error::text("ERR WAITAOF without a timeout would wait for ever: there are no replicas"));
    }
    let now = request.clock.instant();
    let store = session.engine.store();
    let awaited = session.awaited.take().unwrap_or_else(|| Awaited {
        // Whatever this connection wrote is among all that was written.
        sequence: store.committed(),
        until: (timeout > 0).then(|| now.checked_add(Duration::from_millis(timeout))).flatten(),
    });
    let durable = store.durable() >= awaited.sequence;
    if durable || local == 0 || session.executing || awaited.until.is_some_and(|until| until <= now) {
        reply.array(2);
        reply.integer(i64::from(durable));
        reply.integer(0);
        return Ok(());
    }
    if let Some(reason) = store.poisoned() {
        return Err(error(format!("MISCONF {reason}")));
    }
    store.request_sync(awaited.sequence);
    session.awaited = Some(awaited);
    session.later = Some(INTERVAL);
    Ok(())
}
