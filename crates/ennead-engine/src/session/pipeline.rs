//! Requests of a pipeline that are about one key: they take its lock once, and become durable together.

mod scripts;

use std::sync::atomic::Ordering;

use ennead_kv::{Args, Effect, Error, Run};
use ennead_store::Pressure;
use smallvec::SmallVec;

use super::{Hold, Outcome, Output, ReplyMode, Session};
use crate::Clock;
use crate::registry::{Command, Handler, Lookup};

/// After replies of so many bytes a run ends, so that a client that does not read them is noticed.
const REPLY_BYTES_MAX: usize = 64 << 10;

/// Requests that may run together: see [`Session::together`].
pub type Together<'r> = SmallVec<[Request<'r>; 16]>;

#[derive(Clone, Copy)]
pub struct Request<'r> {
    command: &'static Command,
    /// None for a script.
    row: Option<&'static ennead_kv::Command>,
    args: Args<'r>,
}

/// What requests that run together have in common.
#[derive(PartialEq, Eq)]
enum Subject<'r> {
    Key(&'r [u8]),
    /// They are scripts.
    Keyspace,
}

/// The last request of a run that was executed.
struct Last {
    /// How many there were up to it.
    count: usize,
    /// Where its reply begins.
    mark: usize,
    result: Result<Hold, Error>,
}

impl<'r> Request<'r> {
    /// With what it is about, if it can run together with others about that.
    #[inline]
    fn about(found: Lookup, args: Args<'r>) -> Option<(Request<'r>, Subject<'r>)> {
        match found {
            Lookup::Found(command) if command.spec.accepts(args.len()) => match command.handler {
                Handler::Keyspace(row) => {
                    Some((Request { command, row: Some(row), args }, Subject::Key(row.only_key(args)?)))
                }
                _ if command.runs_script() => Some((Request { command, row: None, args }, Subject::Keyspace)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Session {
    /// Fetches into the processor's caches what the next requests of a pipeline are going to touch.
    pub fn anticipate<'r>(&self, requests: impl Iterator<Item = (Lookup, Args<'r>)>) {
        if self.queue.is_some() {
            return;
        }
        let keys = requests.filter_map(|(found, args)| match found {
            Lookup::Found(command) if command.spec.accepts(args.len()) => command.sole_key(args),
            _ => None,
        });
        self.engine.keyspace().anticipate(self.database, keys);
    }

    /// The first of these requests, as far as they are about one key, or all are scripts, and nothing stands against running
    /// them together; none if that is fewer than two.
    pub fn together<'r>(&self, mut requests: impl Iterator<Item = (Lookup, Args<'r>)>) -> Together<'r> {
        let mut together = Together::new();
        let mut next = || requests.next().and_then(|(found, args)| Request::about(found, args));
        let Some((first, subject)) = next() else { return together };
        let Some((second, _)) = next().filter(|(_, other)| *other == subject) else { return together };
        if !self.may_run_together() {
            return together;
        }
        together.extend([first, second]);
        while let Some((request, _)) = next().filter(|(_, other)| *other == subject) {
            together.push(request);
        }
        together
    }

    /// Whether each request would be admitted and run at once, so that nothing is to be done between them.
    fn may_run_together(&self) -> bool {
        self.queue.is_none()
            && self.fence.is_none()
            && self.blocked.is_none()
            && self.stalled.is_none()
            && !self.paused
            && self.reply_mode == ReplyMode::On
            && self.attention.mode.is_none()
            && !self.engine.monitors().any()
            && self.account.is_unrestricted()
            && self.is_authenticated()
            && !self.only_listens()
            && !self.engine.pause().is_on()
            && self.engine.scripts().stage.busy_for().is_none()
            && self.engine.store().pressure() == Pressure::None
    }

    /// Executes requests together, and gives how many of them: some may be left. None if that can't be now: nothing was
    /// done, and each is to be executed by itself.
    pub fn execute_together(
        &mut self,
        together: &Together<'_>,
        reply: &mut dyn Output,
        clock: &mut Clock,
    ) -> Option<(Outcome, usize)> {
        let first = together.first()?;
        let Some(row) = first.row else { return self.execute_scripts(together, reply, clock) };
        let key = row.only_key(first.args)?;
        let (start, call) = (reply.mark(), self.call(clock));
        let engine = self.engine.clone();
        let ran = engine.keyspace().run(&call, key, |run| self.run_together(run, together, reply, clock));
        let (Last { count, mark, result }, effect) = ran?;
        let outcome = match effect {
            Ok(effect) => {
                let last = &together[count - 1];
                let outcome = self.conclude(last.command, last.args, mark, result, reply, clock);
                self.held_by(effect, outcome)
            }
            Err(error) => self.fail_together(&together[..count], start, &error, reply),
        };
        Some((outcome, count))
    }

    /// Answers requests with the error that came up when they were to be committed.
    fn fail_together(
        &mut self,
        requests: &[Request<'_>],
        start: usize,
        error: &Error,
        reply: &mut dyn Output,
    ) -> Outcome {
        // The replies tell of what did not happen.
        reply.rewind(start);
        let text = error.to_string();
        for request in requests {
            self.engine.errors().count(&text);
            self.shard.rejected(request.command.index);
            reply.error(&text);
        }
        self.done(Hold::None)
    }

    /// Gives the last request, which is concluded when the run is committed.
    fn run_together(
        &mut self,
        run: &mut Run<'_>,
        together: &Together<'_>,
        reply: &mut dyn Output,
        clock: &mut Clock,
    ) -> Last {
        run.anticipate(together.iter().filter_map(|request| Some((request.row?, request.args))));
        let start = reply.mark();
        let mut last = self.run_one(run, &together[0], 1, reply, clock);
        for (request, before) in together[1..].iter().zip(together) {
            if reply.mark() - start > REPLY_BYTES_MAX {
                break;
            }
            self.conclude(before.command, before.args, last.mark, last.result, reply, clock);
            last = self.run_one(run, request, last.count + 1, reply, clock);
        }
        last
    }

    /// Notes what the client does, for CLIENT LIST.
    #[inline]
    pub(super) fn note_request(&self, command: &Command, clock: &Clock) {
        self.client.last_command.store(command.index as u32, Ordering::Relaxed);
        self.client.touch(clock.unix_ms());
    }

    fn run_one(
        &mut self,
        run: &mut Run<'_>,
        request: &Request<'_>,
        count: usize,
        reply: &mut dyn Output,
        clock: &Clock,
    ) -> Last {
        self.note_request(request.command, clock);
        let (mark, call) = (reply.mark(), self.call(clock));
        let result = match request.row {
            Some(row) => run.execute(row, &call, request.args, reply).map(|()| Hold::None),
            None => Err(Error::Syntax),
        };
        Last { count, mark, result }
    }

    /// Replies of the run wait for all of it, also when the last of its requests failed.
    fn held_by(&mut self, effect: Effect, outcome: Outcome) -> Outcome {
        let held = std::mem::replace(&mut self.held, Hold::None);
        match outcome {
            Outcome::Done { hold, close } => Outcome::Done { hold: self.hold(effect).longer(hold).longer(held), close },
            later => later,
        }
    }
}
