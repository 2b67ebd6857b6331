//! Scripts of a pipeline, one behind the other: they have the keyspace to themselves once, and become durable together.

use ennead_kv::{Error, Transaction};
use smallvec::SmallVec;

use super::{REPLY_BYTES_MAX, Request, Together};
use crate::Clock;
use crate::commands::scripting;
use crate::scripting::{Invocation, run_inside};
use crate::session::{Hold, Outcome, Output, Session};

impl Session {
    /// [`Session::execute_together`] for scripts and functions that were over at once so far.
    pub(super) fn execute_scripts(
        &mut self,
        together: &Together<'_>,
        reply: &mut dyn Output,
        clock: &mut Clock,
    ) -> Option<(Outcome, usize)> {
        let keyspace = self.engine.keyspace().clone();
        // Whether there is room is asked for each script. Messages stand between the replies of those they came between.
        if keyspace.settings().maxmemory() != 0 || self.client.is_subscriber() || self.scripted.is_some() {
            return None;
        }
        // Before anybody has to wait.
        let scripts = together.iter().map_while(|request| self.quick_script(request, clock));
        let scripts: SmallVec<[Invocation; 16]> = scripts.collect();
        if scripts.is_empty() {
            return None;
        }
        let (start, call) = (reply.mark(), self.call(clock));
        let mut held = Hold::None;
        let mut count = 0;
        let ran = keyspace.transaction(&call, false, |transaction| {
            let mut running = Scripts { inner: self.for_script(self.shard.clone()), transaction, held: &mut held };
            loop {
                let index = count;
                count += 1;
                let mark = running.run(self, &together[index], &scripts[index], reply, clock)?;
                // Who waits has to be served between the scripts.
                let ends = count == scripts.len() || reply.mark() - start > REPLY_BYTES_MAX;
                if ends || running.transaction.is_awaited() {
                    return Ok(mark);
                }
                let Request { command, args, .. } = together[index];
                self.conclude(command, args, mark, Ok(Hold::None), reply, clock);
            }
        });
        Some(match ran {
            Ok((mark, effect)) => {
                let Request { command, args, .. } = together[count - 1];
                let outcome = self.conclude(command, args, mark, Ok(held), reply, clock);
                (self.held_by(effect, outcome), count)
            }
            Err(error) => (self.fail_together(&together[..count], start, &error, reply), count),
        })
    }

    /// What the request runs; none if that may take long, or the request is wrong.
    fn quick_script(&self, request: &Request<'_>, clock: &Clock) -> Option<Invocation> {
        let request = crate::session::Request { command: request.command, args: request.args, clock };
        scripting::invocation(self, &request).ok().filter(|invocation| invocation.program.pace().is_quick())
    }
}

/// Scripts at work.
struct Scripts<'s, 't> {
    /// What their commands run in.
    inner: Session,
    transaction: &'s mut Transaction<'t>,
    /// What their replies wait for, beside the transaction.
    held: &'s mut Hold,
}

impl Scripts<'_, '_> {
    /// Gives where the reply begins.
    fn run(
        &mut self,
        session: &mut Session,
        request: &Request<'_>,
        invocation: &Invocation,
        reply: &mut dyn Output,
        clock: &Clock,
    ) -> Result<usize, Error> {
        session.note_request(request.command, clock);
        let mark = reply.mark();
        (self.inner.database, self.inner.attention) = (session.database, session.attention);
        let (item, hold) = run_inside(&mut self.inner, self.transaction, invocation, false, clock)?;
        *self.held = self.held.longer(hold);
        scripting::write(session, &item, Hold::None, reply);
        Ok(mark)
    }
}
