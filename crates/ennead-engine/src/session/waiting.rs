//! Why a request may have to wait: CLIENT PAUSE, or no room for what it writes.

use std::time::Duration;

use ennead_kv::{Args, Error, Flag};
use ennead_store::Pressure;

use super::{Outcome, Output, Session};
use crate::Clock;
use crate::clients::FLAG_PAUSED;
use crate::commands::scripting;
use crate::registry::Command;
use crate::settings::BUSY_REPLY_THRESHOLD;

/// A script that takes no longer is waited for where it is.
const SCRIPT_SHORT: Duration = Duration::from_millis(2);

impl Session {
    /// How long the request has to wait before it may run, if it has to; an error when it waited for too long.
    #[inline]
    pub(super) fn wait(&mut self, command: &Command, args: Args<'_>, clock: &Clock) -> Option<Result<Duration, Error>> {
        let write = command.has(Flag::Write) || (self.queue.is_some() && self.executes_writes(command));
        if self.engine.pause().is_on() {
            let name = command.spec.name;
            let changes = write || self.executes_replicated(command) || self.may_replicate(command, args);
            if name != "client|unpause"
                && let Some(wait) = self.engine.pause().left(changes, clock.instant())
            {
                self.client.set_flag(FLAG_PAUSED, true);
                self.paused = true;
                return Some(Ok(wait));
            }
        }
        if self.paused {
            self.paused = false;
            self.client.set_flag(FLAG_PAUSED, false);
        }
        if write && !self.only_queues(command) { self.wait_for_room(clock) } else { None }
    }

    /// Whether replicas may hear of what the request does although it is no write: a pause of writes is for these as well.
    pub(crate) fn may_replicate(&self, command: &Command, args: Args<'_>) -> bool {
        command.may_replicate() && !scripting::declares_no_writes(&self.engine, command, args)
    }

    /// What a request does while a script runs: it waits, or is refused once that takes long. None for one that may run: a
    /// script is most likely over before this thread could be told of its end.
    #[cold]
    pub(super) fn meet_script(&mut self, busy: Duration, command: &Command, reply: &mut dyn Output) -> Option<Outcome> {
        if command.has(Flag::AllowBusy) || self.scripted.is_some() || busy < SCRIPT_SHORT {
            return None;
        }
        if busy < self.engine.settings().read(BUSY_REPLY_THRESHOLD) {
            return Some(Outcome::Later(SCRIPT_SHORT));
        }
        self.spoil();
        let is_function = self.engine.scripts().stage.running().is_some_and(|running| running.function.is_some());
        Some(self.refuse(command, &scripting::busy(is_function), reply))
    }

    #[inline]
    fn wait_for_room(&mut self, clock: &Clock) -> Option<Result<Duration, Error>> {
        match self.engine.store().pressure() {
            Pressure::None => {}
            // Held back once, then let through.
            Pressure::Slow(wait) if self.stalled.is_none() => {
                self.stalled = Some(clock.instant());
                return Some(Ok(wait));
            }
            Pressure::Slow(_) => {}
            Pressure::Stopped => {
                let since = *self.stalled.get_or_insert(clock.instant());
                let timeout = self.engine.stall_timeout();
                if clock.instant().duration_since(since) < timeout {
                    return Some(Ok(Duration::from_millis(2)));
                }
                self.stalled = None;
                let text =
                    format!("MISCONF writes are refused: no room in memory for {timeout:?}, the disk is too slow");
                return Some(Err(Error::Text(text.into())));
            }
        }
        self.stalled = None;
        None
    }
}
