//! A session: one client's state, and the execution of its requests.
//!
//! It never blocks and never sees a socket: what a listener must do about the reply (hold it back, close afterwards, try
//! the request again later) is said by the [`Outcome`].

mod attention;
mod blocking;
mod execution;
mod fencing;
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

use ennead_kv::{Args, Keeping, Reply};
use ennead_store::Durability;

use crate::clients::{Client, Origin};
use crate::commands::{Awaited, Migrating, Replica};
use crate::copy::{Copy, Made};
use crate::fence::Barrier;
use crate::figures::Shard;
use crate::registry::Command;
use crate::settings::MAXCLIENTS;
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
/// How long a session that waits without an end sleeps at once.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

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
    /// What it writes is written only while this holds.
    pub(crate) fence: Option<Arc<Barrier>>,
    /// What it said about itself as a replica.
    pub(crate) replica: Replica,
    /// The copy of all data that is its last reply.
    pub(crate) copy: Option<Box<Copy>>,
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
        session.fence = self.fence.clone();
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
            fence: None,
            replica: Replica::default(),
            copy: None,
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

    /// Whether a copy of all data is under way to the client: no other request is executed any more.
    pub fn is_copying(&self) -> bool {
        self.copy.is_some()
    }

    /// What the copy under way has to be sent now; none without one.
    pub fn take_copied(&mut self) -> Option<Made> {
        self.copy.as_mut().map(|copy| copy.next())
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
        self.fence = None;
        self.replica = Replica::default();
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
