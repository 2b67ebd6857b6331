//! Running a command, and then serving those who waited for what it brought, before anybody else comes to it.
//!
//! Who waits for one key is served under the lock of its slot, which the command has. Who needs more has the command run
//! with the keyspace to itself. A served command commits a batch of its own, behind that of the command that woke it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::waiters::{Ended, Ticket, Waiting, Wake};
use super::{Call, Effect, GATE_WAIT_MAX, Gate, Keyspace};
use crate::args::Args;
use crate::command::{Access, Command, Flag};
use crate::context::Context;
use crate::context::waiting::WaitedKey;
use crate::error::{Error, Result};
use crate::reply::{Recorded, Reply};

/// What became of a command that may wait.
#[derive(Debug)]
pub enum Ran {
    /// The reply is written.
    Done(Effect),
    /// Nothing was done, and nothing written.
    Waits(Waiting),
}

impl Keyspace {
    /// [`Keyspace::execute`] for a command that may have to wait. If so it will be run again, by whoever brings what it
    /// waits for, and `wake` is called when it has ended, maybe before this returns.
    ///
    /// # Errors
    /// Those of [`Keyspace::execute`].
    pub fn execute_or_wait(
        &self,
        command: &'static Command,
        call: &Call,
        args: Args<'_>,
        reply: &mut dyn Reply,
        wake: Wake,
    ) -> Result<Ran> {
        let (effect, ticket) = self.run_command(command, call, args, reply, Some(wake))?;
        Ok(match ticket {
            Some(ticket) => Ran::Waits(Waiting::new(self, ticket)),
            None => Ran::Done(effect),
        })
    }

    /// How many commands wait for keys.
    pub fn waiting(&self) -> usize {
        self.shared().waiters.count()
    }

    pub(super) fn run_command(
        &self,
        command: &'static Command,
        call: &Call,
        args: Args<'_>,
        reply: &mut dyn Reply,
        wake: Option<Wake>,
    ) -> Result<(Effect, Option<Arc<Ticket>>)> {
        let shared = self.shared();
        if shared.settings.maxmemory() != 0 && !self.make_room(call)? && command.spec.is(Flag::DenyOom) {
            return Err(Error::OutOfMemory);
        }
        let writes = command.spec.is(Flag::Write);
        let access = command.access_for(args);
        if access == Access::Databases {
            let effect = Context::new(self, None, call, writes).run(command, args, reply)?;
            if writes && shared.waiters.any() {
                self.serve_all(&shared.gate.write(), call);
            }
            return Ok((effect, None));
        }
        if access == Access::Keys {
            let gate = shared.gate.try_read_for(GATE_WAIT_MAX).ok_or(Error::Held)?;
            let mut context = Context::new(self, Some(&gate), call, writes);
            context.lock_keys(&command.spec, args)?;
            // Since the slots are locked, nobody can begin to wait for these keys. A read may find one of them expired.
            let far = shared.waiters.any() && {
                let mut keys = command.spec.keys(args);
                keys.any(|key| shared.waiters.reach_far(call.db, key))
            };
            if !far {
                return self.run_and_serve(context, command, call, args, reply, wake);
            }
        }
        let gate = shared.gate.try_write_for(GATE_WAIT_MAX).ok_or(Error::Held)?;
        let mut context = Context::new(self, Some(&gate), call, writes);
        if access == Access::Keys {
            context.lock_keys(&command.spec, args)?;
        }
        self.run_and_serve(context, command, call, args, reply, wake)
    }

    fn run_and_serve(
        &self,
        mut context: Context<'_>,
        command: &'static Command,
        call: &Call,
        args: Args<'_>,
        reply: &mut dyn Reply,
        wake: Option<Wake>,
    ) -> Result<(Effect, Option<Arc<Ticket>>)> {
        context.allow_waiting(wake.is_some());
        let effect = context.run(command, args, reply)?;
        let ticket = match (context.take_wanted(), wake) {
            (Some(wanted), Some(wake)) => {
                Some(self.shared().waiters.enter(command, call, args, reply.protocol(), wanted, wake))
            }
            _ => None,
        };
        let ready = context.take_ready();
        if !ready.is_empty() {
            self.serve(&mut context, ready);
        }
        Ok((effect, ticket))
    }

    /// Serves who waits for keys that a transaction has set, or after databases were exchanged for any keys.
    pub(super) fn serve_after(&self, gate: &Gate, call: &Call, ready: Vec<WaitedKey>) {
        if !ready.is_empty() {
            self.serve(&mut Context::new(self, Some(gate), call, true), ready);
        }
    }

    pub(super) fn serve_all(&self, gate: &Gate, call: &Call) {
        self.serve_after(gate, call, self.shared().waiters.keys());
    }

    /// Serves who waits for keys that came to be: key by key in the order in which they did, and for each those who came
    /// first. What they bring is served behind.
    fn serve(&self, context: &mut Context<'_>, ready: Vec<WaitedKey>) {
        let waiters = &self.shared().waiters;
        context.allow_waiting(true);
        let mut ready = VecDeque::from(ready);
        while let Some((db, key)) = ready.pop_front() {
            let mut arrival = 0;
            while let Some(ticket) = waiters.next(db, &key, arrival) {
                arrival = ticket.arrival();
                match context.type_of(db, &key) {
                    Ok(Some(kind)) if kind == ticket.wanted.kind => {}
                    Ok(_) if ticket.wanted.waited.also_gone => {}
                    Ok(Some(_)) => continue,
                    Ok(None) if waiters.want_gone(db, &key) => continue,
                    // An error of the store: they wait on.
                    Ok(None) | Err(_) => break,
                }
                if ticket.end_with(|| self.attempt(context, &ticket)) {
                    waiters.remove(&ticket);
                }
                for key in context.take_ready() {
                    if !ready.contains(&key) {
                        ready.push_back(key);
                    }
                }
            }
        }
        // A key that was due when it was looked at is deleted now; if that fails it is due again.
        let _ = context.commit();
    }

    /// Runs a waiting command again; nothing if there is still nothing for it.
    fn attempt(&self, context: &mut Context<'_>, ticket: &Ticket) -> Option<Ended> {
        let call = Call { now_ms: context.now_ms(), ..ticket.call.clone() };
        context.next_batch(&call);
        let mut reply = Recorded::new(ticket.protocol);
        let args = ticket.args();
        let ran =
            context.lock_keys(&ticket.command.spec, args).and_then(|()| context.run(ticket.command, args, &mut reply));
        if context.take_wanted().is_some() {
            return None;
        }
        Some(match ran {
            Ok(effect) => Ended::Replied { reply, effect },
            Err(error) => Ended::Failed(error),
        })
    }
}
