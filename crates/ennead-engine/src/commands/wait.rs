//! WAIT and WAITAOF: a reply once what was written so far is where it was asked to be. There are no replicas, so who waits
//! for some waits until the time is over, as with a Redis that has none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::time::{Duration, Instant};

use ennead_kv::{Category, Error, Group, Result, Spec};
use ennead_store::Sequence;

use super::{CONNECTION, PLAIN, Row, error, integer};
use crate::clients::{Client, Unblocker};
use crate::session::{FOR_EVER, Output, Request, Session};

/// How often a waiting client looks at the log.
const INTERVAL: Duration = Duration::from_millis(1);

const WAIT: Spec = Spec {
    name: "wait",
    arity: 3,
    group: Group::Generic,
    flags: PLAIN,
    categories: &[Category::Connection],
    since: "3.0.0",
    summary: "Blocks until the preceding write commands of the connection are at a number of replicas.",
    syntax: "numreplicas timeout",
    ..CONNECTION
};

pub(super) const ROWS: &[Row] = &[
    Row { spec: WAIT, run: wait },
    Row {
        spec: Spec {
            name: "waitaof",
            arity: 4,
            flags: CONNECTION.flags,
            since: "7.2.0",
            summary: "Blocks until all of the preceding write commands sent by the connection are written to the log of this server and of replicas.",
            syntax: "numlocal numreplicas timeout",
            ..WAIT
        },
        run: waitaof,
    },
];

const WAITING: u8 = 0;
const ENDED: u8 = 1;
const FAILED: u8 = 2;

/// What CLIENT UNBLOCK said to a client that waits here.
#[derive(Debug)]
pub(crate) struct Notice {
    said: AtomicU8,
    client: std::sync::Weak<Client>,
}

impl Notice {
    /// Has the wait end, as if its time was over or with an error; whether nobody did before.
    pub(crate) fn unblock(&self, error: bool) -> bool {
        let said = if error { FAILED } else { ENDED };
        let first = self.said.compare_exchange(WAITING, said, SeqCst, SeqCst).is_ok();
        if first && let Some(client) = self.client.upgrade() {
            client.wake();
        }
        first
    }
}

/// What a session waits for. Dropped, it can be unblocked no more.
#[derive(Debug)]
pub(crate) struct Awaited {
    sequence: Sequence,
    /// None to wait without an end.
    until: Option<Instant>,
    notice: Arc<Notice>,
    client: Arc<Client>,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.client.set_unblocker(None);
    }
}

impl Awaited {
    /// The one that the request at hand began, or a new one.
    fn of(session: &mut Session, timeout: Option<Duration>, now: Instant) -> Awaited {
        session.awaited.take().unwrap_or_else(|| {
            let client = Arc::clone(session.client());
            let notice = Arc::new(Notice { said: AtomicU8::new(WAITING), client: Arc::downgrade(&client) });
            client.set_unblocker(Some(Unblocker::Wait(Arc::clone(&notice))));
            // Whatever this connection wrote is among all that was written.
            let sequence = session.engine.store().committed();
            Awaited { sequence, until: timeout.and_then(|timeout| now.checked_add(timeout)), notice, client }
        })
    }

    /// Whether the time is over, or was ended.
    fn is_over(&self, now: Instant) -> Result<bool> {
        match self.notice.said.load(SeqCst) {
            FAILED => Err(Error::text("UNBLOCKED client unblocked via CLIENT UNBLOCK")),
            said => Ok(said == ENDED || self.until.is_some_and(|until| until <= now)),
        }
    }

    /// Has the request tried again when the time is over, or after `interval`.
    fn put_off(self, session: &mut Session, now: Instant, interval: Duration) {
        let left = self.until.map_or(FOR_EVER, |until| until.saturating_duration_since(now));
        session.later = Some(left.min(interval));
        session.awaited = Some(self);
    }
}

/// None for no end.
fn timeout(word: &[u8], request: &Request<'_>) -> Result<Option<Duration>> {
    let millis = integer(word).map_err(|_| Error::text("ERR timeout is not an integer or out of range"))?;
    let millis = u64::try_from(millis).map_err(|_| Error::text("ERR timeout is negative"))?;
    if request.clock.unix_ms().checked_add_unsigned(millis).is_none() {
        return Err(Error::text("ERR timeout is out of range"));
    }
    Ok((millis > 0).then(|| Duration::from_millis(millis)))
}

fn wait(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let replicas = integer(&request.args[1])?;
    let timeout = timeout(&request.args[2], request)?;
    let now = request.clock.instant();
    if replicas > 0 && !session.executing {
        let awaited = Awaited::of(session, timeout, now);
        if !awaited.is_over(now)? {
            awaited.put_off(session, now, FOR_EVER);
            return Ok(());
        }
    }
    reply.integer(0);
    Ok(())
}

fn waitaof(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let local = integer(&request.args[1])?;
    if !(0..=1).contains(&local) {
        return Err(Error::text("ERR value is out of range, value must between 0 and 1"));
    }
    let replicas = integer(&request.args[2]).ok().filter(|replicas| *replicas >= 0);
    let replicas = replicas.ok_or(Error::text("ERR value is out of range, must be positive"))?;
    let timeout = timeout(&request.args[3], request)?;
    let now = request.clock.instant();
    let awaited = Awaited::of(session, timeout, now);
    let store = session.engine.store();
    let durable = store.durable() >= awaited.sequence;
    let met = (durable || local == 0) && replicas == 0;
    if met || session.executing || awaited.is_over(now)? {
        reply.array(2);
        reply.integer(i64::from(durable));
        reply.integer(0);
        return Ok(());
    }
    let mut interval = FOR_EVER;
    if local > 0 && !durable {
        if let Some(reason) = store.poisoned() {
            return Err(error(format!("MISCONF {reason}")));
        }
        store.request_sync(awaited.sequence);
        interval = INTERVAL;
    }
    awaited.put_off(session, now, interval);
    Ok(())
}
