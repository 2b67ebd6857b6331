//! A session: one client's state, and the execution of its requests.
//!
//! It never blocks and never sees a socket: what a listener must do about the reply (hold it back, close afterwards, try
//! the request again later) is said by the [`Outcome`].

mod attention;
mod blocking;
mod hold;
mod permission;
mod pipeline;
mod refusal;
mod secrets;
mod subscriptions;
#[cfg(test)]
mod tests;
mod transaction;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ennead_kv::{Args, Call, Effect, Error, Flag, Keeping, KeySpec, Reply};
use ennead_store::Durability;

use crate::clients::{Client, FLAG_CLOSING, FLAG_NO_TOUCH, Origin};
use crate::commands::{Awaited, Migrating};
use crate::figures::Shard;
use crate::latency::Sample;
use crate::registry::{Command, Handler, Lookup, Registry};
use crate::settings::{DURABILITY, LATENCY_MONITOR_THRESHOLD, MAXCLIENTS, SLOWLOG_MAX_LEN, SLOWLOG_SLOWER_THAN};
use crate::users::Account;
use crate::{Clock, Engine};

use crate::scripting::Answer;

pub(crate) use attention::Attention;
use blocking::Blocked;
pub use hold::Hold;
pub use pipeline::Together;
use subscriptions::Subscriptions;
use transaction::Queue;
pub(crate) use transaction::Watches;

/// Until a request is tried again that found the keyspace held.
pub(crate) const HELD_WAIT: Duration = Duration::from_millis(1);

/// Where replies are written: a [`Reply`] whose end can be taken back.
pub trait Output: Reply {
    /// The place that [`Output::rewind`] goes back to.
    fn mark(&self) -> usize;
    /// Forgets what was written since the mark was taken.
    fn rewind(&mut self, mark: usize);
    /// From here on replies are written in this version, 2 or 3.
    fn set_protocol(&mut self, version: u8);
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The reply, if there is one, is in the output.
    Done { hold: Hold, close: bool },
    /// Nothing was done yet: call again with the same request after so long, or when the client is woken. Replies of
    /// requests before this one are not affected.
    Later(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyMode {
    On,
    Off,
    /// The next reply is not sent.
    SkipNext,
    Skip,
}

/// One client's state. Belongs to one thread at a time.
pub struct Session {
    pub(crate) engine: Engine,
    pub(crate) client: Arc<Client>,
    shard: Arc<Shard>,
    pub(crate) database: usize,
    pub(crate) protocol: u8,
    /// The user it logged in as, or the default one.
    pub(crate) account: Arc<Account>,
    pub(crate) authenticated: bool,
    pub(crate) durability: Option<Durability>,
    pub(crate) reply_mode: ReplyMode,
    pub(crate) closing: bool,
    /// What the reply of the engine's own command at hand waits for.
    pub(crate) held: Hold,
    /// The request at hand has written an error by itself, and is counted as failed.
    pub(crate) failed: bool,
    /// The request at hand has to be tried again after so long.
    pub(crate) later: Option<Duration>,
    /// The request at hand was put off by CLIENT PAUSE.
    paused: bool,
    /// SAVE waits for the copy that it began.
    pub(crate) saving: bool,
    /// WAITAOF waits for the log.
    pub(crate) awaited: Option<Awaited>,
    /// MIGRATE waits for the other server.
    pub(crate) migrating: Option<Box<Migrating>>,
    /// While the connection brings the changes of another server.
    pub(crate) keeping: Option<Keeping>,
    /// EVAL waits for its script.
    pub(crate) scripted: Option<Answer>,
    /// Whether it is the session of a script, which shares the client of another.
    borrowed: bool,
    /// The request at hand waits for keys.
    blocked: Option<Box<Blocked>>,
    /// The requests since MULTI.
    queue: Option<Box<Queue>>,
    pub(crate) watches: Watches,
    subscriptions: Subscriptions,
    pub(crate) attention: Attention,
    /// The request at hand was answered by frames that CLIENT REPLY does not keep back.
    pushed: bool,
    /// EXEC has the keyspace: commands of the engine must not ask for it.
    pub(crate) executing: bool,
    /// When the request at hand was first held back, for want of room.
    stalled: Option<Instant>,
    random: u64,
}

impl Session {
    /// A session for a new connection, or `None` when there are `maxclients` already. Requests are counted in `shard`.
    pub fn open(engine: &Engine, shard: Arc<Shard>, origin: Origin, clock: &Clock) -> Option<Session> {
        let clients_max = engine.settings().read(MAXCLIENTS) as usize;
        let account = engine.users().default_account();
        let client = engine.clients().register(origin, account, clients_max, clock.unix_ms())?;
        let random = engine.seed() ^ client.id;
        let mut session = Session::new(engine, client, shard, account, random);
        session.authenticated = engine.users().is_open();
        Some(session)
    }

    /// A session for the commands of a script that this one runs: with its client and database, and a state of its own. They
    /// are counted in `shard`.
    pub(crate) fn for_script(&mut self, shard: Arc<Shard>) -> Session {
        let random = self.next_random();
        let mut session = Session::new(&self.engine, Arc::clone(&self.client), shard, &self.account, random);
        (session.authenticated, session.borrowed, session.executing) = (true, true, true);
        (session.database, session.durability, session.attention) = (self.database, self.durability, self.attention);
        session
    }

    /// A session at its beginning.
    fn new(engine: &Engine, client: Arc<Client>, shard: Arc<Shard>, account: &Arc<Account>, random: u64) -> Session {
        Session {
            random,
            engine: engine.clone(),
            client,
            shard,
            database: 0,
            protocol: 2,
            account: Arc::clone(account),
            authenticated: false,
            durability: None,
            reply_mode: ReplyMode::On,
            closing: false,
            held: Hold::None,
            failed: false,
            later: None,
            paused: false,
            saving: false,
            awaited: None,
            migrating: None,
            keeping: None,
            scripted: None,
            borrowed: false,
            blocked: None,
            queue: None,
            watches: Watches::default(),
            subscriptions: Subscriptions::default(),
            attention: Attention::default(),
            pushed: false,
            executing: false,
            stalled: None,
        }
    }

    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }

    /// Counts requests in another shard from now on: the session goes to another thread.
    pub fn set_shard(&mut self, shard: Arc<Shard>) {
        self.shard = shard;
    }

    /// Whether the client logged in, or need not do so.
    pub fn is_authenticated(&self) -> bool {
        self.authenticated || self.engine.users().is_open()
    }

    /// Overrides the server's durability for this session; `None` follows it again.
    pub fn set_durability(&mut self, durability: Option<Durability>) {
        self.durability = durability;
    }

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
    fn conclude(
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

    fn note_slowness(&self, command: &Command, args: Args<'_>, time: Duration, clock: &Clock) {
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

    fn apply_reply_mode(&mut self, mark: usize, reply: &mut dyn Output) {
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
    fn done(&mut self, hold: Hold) -> Outcome {
        if self.closing {
            self.client.set_flag(FLAG_CLOSING, true);
        }
        Outcome::Done { hold, close: self.closing }
    }

    /// Back to the state of a new connection, except for the identity (RESET).
    pub(crate) fn reset(&mut self, reply: &mut dyn Output) {
        self.discard();
        self.end_subscriptions();
        self.end_attention();
        self.send_mail(reply);
        self.select(0);
        self.set_protocol(2, reply);
        self.reply_mode = ReplyMode::On;
        self.become_default();
        self.client.change_identity(|identity| identity.name.clear());
        self.keeping = None;
        self.client.flags.store(0, Ordering::Relaxed);
    }

    pub(crate) fn select(&mut self, database: usize) {
        self.database = database;
        if !self.borrowed {
            self.client.database.store(database as u32, Ordering::Relaxed);
        }
    }

    pub(crate) fn set_protocol(&mut self, version: u8, reply: &mut dyn Output) {
        self.protocol = version;
        self.client.protocol.store(version, Ordering::Relaxed);
        reply.set_protocol(version);
    }

    /// xorshift64*: for choices that need no secrecy, such as RANDOMKEY's.
    #[inline]
    fn next_random(&mut self) -> u64 {
        let mut x = self.random | 1;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.random = x;
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end_subscriptions();
        if !self.borrowed {
            self.end_attention();
            self.client.mailbox.end();
            self.engine.clients().remove(self.client.id);
        }
    }
}

/// What a handler of the engine's own commands is given beside the session.
pub(crate) struct Request<'r> {
    pub(crate) command: &'static Command,
    pub(crate) args: Args<'r>,
    pub(crate) clock: &'r Clock,
}
