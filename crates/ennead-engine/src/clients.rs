//! The registry of connected clients: what CLIENT LIST shows and CLIENT KILL reaches, across all workers.
//!
//! The session's worker writes a [`Client`]'s fields as it goes, with relaxed stores; everybody may read them.

mod filter;
mod unblocker;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::task::Waker;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

pub(crate) use filter::{Filter, Kind};
pub(crate) use unblocker::Unblocker;

use crate::Registry;
use crate::pubsub::{Mailbox, Topic};
use crate::users::Account;

/// Where a connection comes from, as the listener knows it.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// `host:port` of the other side.
    pub address: String,
    /// `host:port` of this side.
    pub local_address: String,
    /// File descriptor, for CLIENT LIST only.
    pub descriptor: i32,
    /// Whether the other side is this machine.
    pub local: bool,
}

/// What a client says about itself.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    pub name: String,
    pub library_name: String,
    pub library_version: String,
}

pub(crate) const NO_COMMAND: u32 = u32::MAX;
pub(crate) const FLAG_NO_EVICT: u16 = 1;
pub(crate) const FLAG_NO_TOUCH: u16 = 2;
pub(crate) const FLAG_PAUSED: u16 = 4;
pub(crate) const FLAG_BLOCKED: u16 = 8;
pub(crate) const FLAG_CLOSING: u16 = 16;
pub(crate) const FLAG_MONITOR: u16 = 32;
pub(crate) const FLAG_TRACKING: u16 = 64;
pub(crate) const FLAG_BROADCAST: u16 = 128;
pub(crate) const FLAG_REDIRECTION_BROKEN: u16 = 256;

/// One connection.
#[derive(Debug)]
pub struct Client {
    pub id: u64,
    pub origin: Origin,
    created_ms: i64,
    identity: Mutex<Identity>,
    account: ArcSwap<Account>,
    pub(crate) database: AtomicU32,
    pub(crate) protocol: AtomicU8,
    pub(crate) flags: AtomicU16,
    /// Who gets its tracking messages: 0 for itself, -1 if it does not track.
    redirect: AtomicI64,
    pub(crate) last_command: AtomicU32,
    active_ms: AtomicI64,
    /// Requests queued since MULTI; -1 outside of a transaction.
    pub(crate) queued: AtomicI32,
    /// Bytes read and not executed yet, and room for more; written by the listener.
    pub query_bytes: AtomicU64,
    pub query_free: AtomicU64,
    /// Bytes of replies not written yet, and the memory that holds them; written by the listener.
    pub output_bytes: AtomicU64,
    pub output_capacity: AtomicU64,
    /// Messages of the channels that it listens to.
    pub mailbox: Mailbox,
    /// How many channels, patterns and shard channels these are.
    subscriptions: [AtomicU32; 3],
    killed: AtomicBool,
    waker: Mutex<Option<Waker>>,
    /// Has a request end that waits.
    unblocker: Mutex<Option<Unblocker>>,
}

impl Client {
    pub fn identity(&self) -> Identity {
        self.identity.lock().clone()
    }

    pub(crate) fn change_identity(&self, change: impl FnOnce(&mut Identity)) {
        change(&mut self.identity.lock());
    }

    /// The user that the client is.
    pub fn account(&self) -> Arc<Account> {
        self.account.load_full()
    }

    pub(crate) fn set_account(&self, account: &Arc<Account>) {
        self.account.store(Arc::clone(account));
    }

    /// Whether the listener is to close the connection without another word.
    #[inline]
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    /// Has the listener close the connection.
    pub fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        self.wake();
    }

    pub(crate) fn subscriptions(&self, topic: Topic) -> u32 {
        self.subscriptions[topic as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn set_subscriptions(&self, topic: Topic, count: usize) {
        self.subscriptions[topic as usize].store(count as u32, Ordering::Relaxed);
    }

    /// Whether it listens to anything.
    #[inline]
    pub fn is_subscriber(&self) -> bool {
        self.subscriptions.iter().any(|count| count.load(Ordering::Relaxed) > 0)
    }

    /// Bytes of replies not written yet.
    pub(crate) fn output_bytes(&self) -> u64 {
        self.output_bytes.load(Ordering::Relaxed)
    }

    /// Gives the way to make the connection's task look at this client again.
    pub fn set_waker(&self, waker: Waker) {
        *self.waker.lock() = Some(waker);
    }

    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.lock().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// The client waits until this is used, or waits no more.
    pub(crate) fn set_unblocker(&self, unblocker: Option<Unblocker>) {
        self.set_flag(FLAG_BLOCKED, unblocker.is_some());
        *self.unblocker.lock() = unblocker;
    }

    /// Has a request end that waits, as if its time was over or with an error; whether one did.
    pub(crate) fn unblock(&self, error: bool) -> bool {
        let unblocker = self.unblocker.lock().clone();
        unblocker.is_some_and(|unblocker| unblocker.unblock(error))
    }

    /// The version of the protocol that it speaks, 2 or 3.
    pub(crate) fn protocol(&self) -> u8 {
        self.protocol.load(Ordering::Relaxed)
    }

    /// Whether it is shown all requests.
    pub fn is_monitor(&self) -> bool {
        self.has_flag(FLAG_MONITOR)
    }

    pub(crate) fn set_redirect(&self, redirect: Option<u64>) {
        let id = redirect.map_or(-1, |id| id as i64);
        self.redirect.store(id, Ordering::Relaxed);
    }

    pub(crate) fn set_flag(&self, flag: u16, on: bool) {
        if on {
            self.flags.fetch_or(flag, Ordering::Relaxed);
        } else {
            self.flags.fetch_and(!flag, Ordering::Relaxed);
        }
    }

    pub(crate) fn has_flag(&self, flag: u16) -> bool {
        self.flags.load(Ordering::Relaxed) & flag != 0
    }

    #[inline]
    pub(crate) fn touch(&self, now_ms: i64) {
        self.active_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Milliseconds since the last request.
    pub fn idle_ms(&self, now_ms: i64) -> i64 {
        (now_ms - self.active_ms.load(Ordering::Relaxed)).max(0)
    }

    /// The line of CLIENT LIST, without its end.
    pub(crate) fn describe(&self, now_ms: i64) -> String {
        let identity = self.identity();
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let query = load(&self.query_bytes);
        let query_free = load(&self.query_free);
        let output = load(&self.output_bytes) + self.mailbox.bytes();
        let capacity = load(&self.output_capacity);
        let command = match self.last_command.load(Ordering::Relaxed) {
            NO_COMMAND => "NULL",
            index => Registry::get().commands().get(index as usize).map_or("NULL", |command| command.spec.name),
        };
        let mut line = String::with_capacity(320);
        let _ = write!(
            line,
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} \
             qbuf={query} qbuf-free={query_free} argv-mem=0 multi-mem=0 rbs={capacity} rbp={capacity} obl={output} oll=0 \
             omem={output} tot-mem={} events={} cmd={command} user={} redir={} resp={} lib-name={} lib-ver={}",
            self.id,
            self.origin.address,
            self.origin.local_address,
            self.origin.descriptor,
            identity.name,
            (now_ms - self.created_ms).max(0) / 1000,
            self.idle_ms(now_ms) / 1000,
            self.flag_letters(),
            self.database.load(Ordering::Relaxed),
            self.subscriptions(Topic::Channel),
            self.subscriptions(Topic::Pattern),
            self.subscriptions(Topic::Shard),
            self.queued.load(Ordering::Relaxed),
            query + query_free + capacity + size_of::<Client>() as u64,
            if output > 0 { "rw" } else { "r" },
            String::from_utf8_lossy(self.account.load().name()),
            self.redirect.load(Ordering::Relaxed),
            self.protocol.load(Ordering::Relaxed),
            identity.library_name,
            identity.library_version,
        );
        line
    }

    fn flag_letters(&self) -> String {
        let flags = self.flags.load(Ordering::Relaxed);
        let letters = [
            (flags & FLAG_MONITOR != 0, 'O'),
            (self.is_subscriber(), 'P'),
            (self.queued.load(Ordering::Relaxed) >= 0, 'x'),
            (flags & (FLAG_PAUSED | FLAG_BLOCKED) != 0, 'b'),
            (flags & FLAG_TRACKING != 0, 't'),
            (flags & FLAG_REDIRECTION_BROKEN != 0, 'R'),
            (flags & FLAG_BROADCAST != 0, 'B'),
            (flags & FLAG_CLOSING != 0, 'c'),
            (flags & FLAG_NO_EVICT != 0, 'e'),
            (flags & FLAG_NO_TOUCH != 0, 'T'),
        ];
        let text: String = letters.iter().filter(|(set, _)| *set).map(|(_, letter)| letter).collect();
        if text.is_empty() { "N".to_owned() } else { text }
    }
}

/// All connected clients by id.
#[derive(Debug, Default)]
pub struct Clients {
    last_id: AtomicU64,
    connected: Mutex<BTreeMap<u64, Arc<Client>>>,
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
}

impl Clients {
    /// Takes a client in, unless there are `clients_max` already.
    pub(crate) fn register(
        &self,
        origin: Origin,
        account: &Arc<Account>,
        clients_max: usize,
        now_ms: i64,
    ) -> Option<Arc<Client>> {
        let mut connected = self.connected.lock();
        if connected.len() >= clients_max {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let client = Arc::new(Client {
            id: self.last_id.fetch_add(1, Ordering::Relaxed) + 1,
            origin,
            created_ms: now_ms,
            identity: Mutex::default(),
            account: ArcSwap::new(Arc::clone(account)),
            database: AtomicU32::new(0),
            protocol: AtomicU8::new(2),
            flags: AtomicU16::new(0),
            redirect: AtomicI64::new(-1),
            last_command: AtomicU32::new(NO_COMMAND),
            active_ms: AtomicI64::new(now_ms),
            queued: AtomicI32::new(-1),
            query_bytes: AtomicU64::new(0),
            query_free: AtomicU64::new(0),
            output_bytes: AtomicU64::new(0),
            output_capacity: AtomicU64::new(0),
            mailbox: Mailbox::default(),
            subscriptions: Default::default(),
            killed: AtomicBool::new(false),
            waker: Mutex::new(None),
            unblocker: Mutex::new(None),
        });
        connected.insert(client.id, Arc::clone(&client));
        Some(client)
    }

    pub(crate) fn remove(&self, id: u64) {
        self.connected.lock().remove(&id);
    }

    pub fn len(&self) -> usize {
        self.connected.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.connected.lock().get(&id).cloned()
    }

    /// All of them, oldest first.
    pub fn list(&self) -> Vec<Arc<Client>> {
        self.connected.lock().values().cloned().collect()
    }

    pub(crate) fn reset_counters(&self) {
        self.accepted.store(0, Ordering::Relaxed);
        self.refused.store(0, Ordering::Relaxed);
    }

    /// Connections accepted, and refused for want of room, since the start or CONFIG RESETSTAT.
    pub fn counts(&self) -> (u64, u64) {
        (self.accepted.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    pub(crate) fn wake_all(&self) {
        for client in self.list() {
            client.wake();
        }
    }
}
