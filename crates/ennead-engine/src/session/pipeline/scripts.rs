//! Scripts of a pipeline, one behind the other: they have the keyspace to themselves once, and become durable together.

use ennead_kv::{Error, Transaction};

use super::{Last, REPLY_BYTES_MAX, Request, Together};
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
        let first = self.quick_script(&together[0], clock)?;
        let (start, call) = (reply.mark(), self.call(clock));
        let mut held = Hold::None;
        let mut count = 0;
        let ran = keyspace.transaction(&call, false, |transaction| {
            let mut scripts = Scripts { inner: self.for_script(), transaction, held: &mut held };
            scripts.inner.set_shard(self.shard.clone());
            let mut next = Some(first);
            let mut last: Option<Last> = None;
            while let Some(invocation) = next.take() {
                if let Some(Last { count, mark, result }) = last.take() {
                    let Request { command, args, .. } = together[count - 1];
                    self.conclude(command, args, mark, result, reply, clock);
                }
                count += 1;
                last = Some(scripts.run(self, &together[count - 1], &invocation, count, reply, clock)?);
                // Who waits has to be served between the scripts.
                if count < together.len() && reply.mark() - start <= REPLY_BYTES_MAX && !scripts.transaction.is_awaited() {
                    next = self.quick_script(&together[count], clock);
                }
            }
            last.ok_or(Error::Syntax)
        });
        Some(match ran {
            Ok((Last { mark, result, .. }, effect)) => {
                let Request { command, args, .. } = together[count - 1];
                let outcome = self.conclude(command, args, mark, result.map(|hold| hold.longer(held)), reply, clock);
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
    fn run(
        &mut self,
        session: &mut Session,
        request: &Request<'_>,
        invocation: &Invocation,
        count: usize,
        reply: &mut dyn Output,
        clock: &Clock,
    ) -> Result<Last, Error> {
        session.note_request(request.command, clock);
        let mark = reply.mark();
        (self.inner.database, self.inner.attention) = (session.database, session.attention);
        let (item, hold) = run_inside(&mut self.inner, self.transaction, invocation, false, clock)?;
        *self.held = self.held.longer(hold);
        scripting::write(session, &item, Hold::None, reply);
        Ok(Last { count, mark, result: Ok(Hold::None) })
    }
}
