//! A request is executed: looked up, admitted, made to wait where it has to, run and counted.

use std::time::Duration;

use ennead_kv::{Args, Call, Effect, Error, Flag, KeySpec};

use super::{HELD_WAIT, Hold, Outcome, Output, ReplyMode, Request, Session, secrets};
use crate::Clock;
use crate::clients::{FLAG_CLOSING, FLAG_NO_TOUCH};
use crate::latency::Sample;
use crate::registry::{Command, Handler, Lookup, Registry};
use crate::settings::{DURABILITY, LATENCY_MONITOR_THRESHOLD, SLOWLOG_MAX_LEN, SLOWLOG_SLOWER_THAN};

impl Session {
    /// Executes one request of at least one word. `clock` was read when the request before it ended, or when the turn
    /// began.
    ///
    /// # Durability
    /// The reply must not be sent before what the outcome's [`Hold`] asks for has happened.
    pub fn execute(&mut self, args: Args<'_>, reply: &mut dyn Output, clock: &mut Clock) -> Outcome {
        self.execute_as(Registry::get().lookup(&args), args, reply, clock)
    }

    /// [`Session::execute`] for a request whose command was looked up before, in [`Registry::lookup`].
    pub fn execute_as(&mut self, found: Lookup, args: Args<'_>, reply: &mut dyn Output, clock: &mut Clock) -> Outcome {
        let command = match found {
            Lookup::Found(command) => command,
            Lookup::Unknown => {
                self.spoil();
                return self.refuse_unknown(args, reply);
            }
            Lookup::UnknownSubcommand(container) => {
                self.spoil();
                return self.refuse_subcommand(container, args, reply);
            }
        };
        if let Some(blocked) = self.blocked.take() {
            return self.resume(blocked, command, args, reply, clock);
        }
        if let Err(error) = self.admit(command, args, clock) {
            self.spoil();
            return self.refuse(command, &error, reply);
        }
        if let Some(busy) = self.engine.scripts().stage.busy_for()
            && let Some(outcome) = self.meet_script(busy, command, reply)
        {
            return outcome;
        }
        if let Some(wait) = self.wait(command, args, clock) {
            return match wait {
                Ok(wait) => Outcome::Later(wait),
                Err(error) => self.refuse(command, &error, reply),
            };
        }
        if self.queue.is_some() && !command.is_immediate() {
            return self.queue(command, args, reply, clock);
        }
        self.run(command, args, reply, clock)
    }

    /// What must hold before a request may run, in the order in which Redis checks it.
    #[inline]
    fn admit(&mut self, command: &Command, args: Args<'_>, clock: &Clock) -> Result<(), Error> {
        if !command.spec.accepts(args.len()) || matches!(command.handler, Handler::Container) {
            return Err(Error::Arity(command.spec.name.to_owned()));
        }
        if !self.authenticated && !command.has(Flag::NoAuth) && !self.is_authenticated() {
            return Err(Error::text("NOAUTH Authentication required."));
        }
        if self.queue.is_some() {
            command.may_be_queued()?;
        }
        self.may_run(command)?;
        self.permit(command, args, clock)?;
        if let Some(fence) = &self.fence {
            self.pass(fence, command)?;
        }
        self.may_touch_keys(command)
    }

    /// Runs an admitted command and counts it.
    pub(crate) fn run(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        reply: &mut dyn Output,
        clock: &mut Clock,
    ) -> Outcome {
        self.note_request(command, clock);
        self.evict_first(command, reply, clock);
        let mark = reply.mark();
        let result = match command.handler {
            Handler::Keyspace(row) => {
                let call = self.call_for(command, args, clock);
                if command.has(Flag::Blocking) {
                    self.run_or_wait(row, &call, args, reply, clock)
                } else {
                    let ran = self.engine.keyspace().execute(row, &call, args, reply);
                    ran.map(|effect| self.hold(effect).longer(std::mem::replace(&mut self.held, Hold::None)))
                }
            }
            Handler::Engine(run) => {
                let request = Request { command, args, clock };
                run(self, &request, reply).map(|()| std::mem::replace(&mut self.held, Hold::None))
            }
            Handler::Container => Err(Error::Arity(command.spec.name.to_owned())),
        };
        if let Err(Error::Held) = result {
            self.later = Some(HELD_WAIT);
        }
        if let Some(wait) = self.later.take() {
            reply.rewind(mark);
            if self.blocked.is_some() {
                self.show(command, args, clock);
            }
            return Outcome::Later(wait);
        }
        self.show(command, args, clock);
        self.conclude(command, args, mark, result, reply, clock)
    }

    /// Ends a request that ran: an error takes the place of its reply, and it is counted.
    pub(super) fn conclude(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        mark: usize,
        result: Result<Hold, Error>,
        reply: &mut dyn Output,
        clock: &mut Clock,
    ) -> Outcome {
        let (hold, failed) = match result {
            Ok(hold) => (hold, std::mem::take(&mut self.failed)),
            Err(error) => {
                reply.rewind(mark);
                let text = error.to_string();
                self.engine.errors().count(&text);
                reply.error(&text);
                (std::mem::replace(&mut self.held, Hold::None), true)
            }
        };
        self.end_caching(command);
        let time = clock.lap();
        self.shard.executed(command.index, time, failed);
        if command.is_exclusive() {
            self.shard.exclusive_nanos.add(time.as_nanos() as u64);
        }
        self.note_slowness(command, args, time, clock);
        self.apply_reply_mode(mark, reply);
        self.done(hold)
    }

    pub(crate) fn call(&mut self, clock: &Clock) -> Call {
        Call {
            db: self.database,
            now_ms: clock.unix_ms().cast_unsigned(),
            seed: self.next_random(),
            no_touch: self.client.has_flag(FLAG_NO_TOUCH),
            named_only: !self.account.is_unrestricted(),
            client: self.client.id,
            remembers: self.attention.remembers(),
            keep_expired: self.keeping.is_some(),
            fence: self.fence(),
        }
    }

    /// [`Session::call`] for one request.
    pub(crate) fn call_for(&mut self, command: &Command, args: Args<'_>, clock: &Clock) -> Call {
        let mut call = self.call(clock);
        let finds_keys = matches!(command.spec.keys, KeySpec::Sorted { .. });
        call.named_only = call.named_only && finds_keys && !self.may_read_everything(command, args);
        call
    }

    /// How long replies to something with this effect are held back.
    #[inline]
    pub(crate) fn hold(&self, effect: Effect) -> Hold {
        Hold::of(effect, self.durability.unwrap_or_else(|| self.engine.settings().read(DURABILITY)))
    }

    pub(super) fn note_slowness(&self, command: &Command, args: Args<'_>, time: Duration, clock: &Clock) {
        let micros = time.as_micros() as i64;
        let settings = self.engine.settings();
        let threshold = settings.read(SLOWLOG_SLOWER_THAN);
        if threshold >= 0 && micros >= threshold && !command.has(Flag::SkipSlowlog) {
            let client = (self.client.origin.address.clone(), self.client.identity().name);
            let len_max = settings.read(SLOWLOG_MAX_LEN) as usize;
            self.engine.slowlog().push(
                args,
                &secrets::words(command, args),
                time,
                clock.unix_ms() / 1000,
                client,
                len_max,
            );
        }
        // Only times of a millisecond and more can reach its threshold.
        if micros >= 1000 {
            let threshold = settings.read(LATENCY_MONITOR_THRESHOLD);
            let millis = micros as u64 / 1000;
            if threshold > 0 && millis >= threshold {
                let event = if command.has(Flag::Fast) { "fast-command" } else { "command" };
                self.engine.latency().record(event, Sample { unix_seconds: clock.unix_ms() / 1000, millis });
            }
        }
    }

    pub(super) fn apply_reply_mode(&mut self, mark: usize, reply: &mut dyn Output) {
        let mark = if std::mem::take(&mut self.pushed) { reply.mark() } else { mark };
        match self.reply_mode {
            ReplyMode::On => {}
            ReplyMode::Off => reply.rewind(mark),
            ReplyMode::SkipNext => self.reply_mode = ReplyMode::Skip,
            ReplyMode::Skip => {
                reply.rewind(mark);
                self.reply_mode = ReplyMode::On;
            }
        }
    }

    #[inline]
    pub(super) fn done(&mut self, hold: Hold) -> Outcome {
        if self.closing {
            self.client.set_flag(FLAG_CLOSING, true);
        }
        Outcome::Done { hold, close: self.closing }
    }
}
