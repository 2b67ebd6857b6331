//! A request that waits for keys. The keyspace runs it when they come to be, in whichever thread brings them; this session
//! is woken and writes the reply.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ennead_kv::{Args, Call, Ended, Error, Ran, Result, Waiting};

use super::{FOR_EVER, Hold, Outcome, Output, Session};
use crate::Clock;
use crate::clients::{Client, Unblocker};
use crate::registry::Command;

/// The request at hand waits.
#[derive(Debug)]
pub(super) struct Blocked {
    waiting: Waiting,
    /// None to wait without an end.
    until: Option<Instant>,
    client: Arc<Client>,
}

impl Blocked {
    fn left(&self, now: Instant) -> Duration {
        self.until.map_or(FOR_EVER, |until| until.saturating_duration_since(now))
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        self.client.set_unblocker(None);
    }
}

impl Session {
    /// Whether the request at hand waits, maybe for ever: the listener should look whether its client is still there.
    pub fn is_blocked(&self) -> bool {
        self.blocked.is_some() || self.awaited.is_some()
    }

    /// Whether messages must not be sent before the request at hand is taken up again: it waits for keys no more, or is a
    /// script, and what it brings about comes behind its reply.
    pub fn defers_mail(&self) -> bool {
        self.scripted.is_some() || self.blocked.as_ref().is_some_and(|blocked| blocked.waiting.has_ended())
    }

    /// Runs a command that may have to wait; if so, [`Session::later`] says for how long.
    pub(super) fn run_or_wait(
        &mut self,
        command: &'static ennead_kv::Command,
        call: &Call,
        args: Args<'_>,
        reply: &mut dyn Output,
        clock: &Clock,
    ) -> Result<Hold> {
        let client = Arc::clone(&self.client);
        let wake = Box::new(move || client.wake());
        match self.engine.keyspace().execute_or_wait(command, call, args, reply, wake)? {
            Ran::Done(effect) => Ok(self.hold(effect)),
            Ran::Waits(waiting) => {
                let now = clock.instant();
                let timeout = Some(waiting.timeout_ms()).filter(|timeout| *timeout > 0);
                let until = timeout.and_then(|timeout| now.checked_add(Duration::from_millis(timeout)));
                self.client.set_unblocker(Some(Unblocker::Keys(waiting.unblocker())));
                let blocked = Blocked { waiting, until, client: Arc::clone(&self.client) };
                self.later = Some(blocked.left(now));
                self.blocked = Some(Box::new(blocked));
                Ok(Hold::None)
            }
        }
    }

    /// Goes on with the request that waits.
    pub(super) fn resume(
        &mut self,
        blocked: Box<Blocked>,
        command: &'static Command,
        args: Args<'_>,
        reply: &mut dyn Output,
        clock: &mut Clock,
    ) -> Outcome {
        let now = clock.instant();
        let over = blocked.until.is_some_and(|until| until <= now);
        let ended = if over { blocked.waiting.give_up() } else { blocked.waiting.ended() };
        if ended.is_none() && !over {
            let left = blocked.left(now);
            self.blocked = Some(blocked);
            return Outcome::Later(left);
        }
        drop(blocked);
        let mark = reply.mark();
        let result = match ended {
            Some(Ended::Replied { reply: recorded, effect }) => {
                recorded.replay(reply);
                Ok(self.hold(effect))
            }
            Some(Ended::Failed(error)) => Err(error),
            Some(Ended::Unblocked { error: true }) => Err(Error::text("UNBLOCKED client unblocked via CLIENT UNBLOCK")),
            Some(Ended::Unblocked { error: false }) | None => {
                reply.null_array();
                Ok(Hold::None)
            }
        };
        self.conclude(command, args, mark, result, reply, clock)
    }
}
