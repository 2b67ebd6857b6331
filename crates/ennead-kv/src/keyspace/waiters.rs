//! Clients that wait for keys: who waits for which, in order of arrival.
//!
//! A client is entered under the locks of its keys' slots, by the command that found nothing there. So whoever changes
//! one of these keys, under the same lock, has it here before.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;
use smallvec::SmallVec;

use super::{Call, Effect, Keyspace};
use crate::args::Args;
use crate::command::Command;
use crate::context::waiting::{WaitedKey, Wanted};
use crate::error::Error;
use crate::place::key_slot;
use crate::reply::Recorded;

/// Called once, from any thread, when a client has waited long enough.
pub type Wake = Box<dyn Fn() + Send + Sync>;

/// How waiting ended.
#[derive(Debug)]
pub enum Ended {
    /// The command ran. Its reply must not leave before the effect is as durable as was promised.
    Replied { reply: Recorded, effect: Effect },
    /// The command ran into this.
    Failed(Error),
    /// Somebody had it end, as if its time was over or with an error.
    Unblocked { error: bool },
}

enum State {
    Waiting,
    Ended(Ended),
    /// Nobody waits any more.
    Over,
}

/// One command that waits.
pub(crate) struct Ticket {
    arrival: u64,
    pub(super) command: &'static Command,
    pub(super) call: Call,
    pub(super) protocol: u8,
    words: Box<[u8]>,
    spans: Box<[Range<usize>]>,
    pub(super) wanted: Wanted,
    /// Whether serving it takes more than the slot of the key that it waits for, or makes others ready.
    reaches_far: bool,
    state: Mutex<State>,
    wake: Wake,
}

impl Ticket {
    pub(super) fn args(&self) -> Args<'_> {
        Args::new(&self.words, &self.spans)
    }

    pub(super) fn arrival(&self) -> u64 {
        self.arrival
    }

    /// Has it end with what `serve` gives, unless it has ended already or nothing is given. Whether it ended.
    pub(super) fn end_with(&self, serve: impl FnOnce() -> Option<Ended>) -> bool {
        let mut state = self.state.lock();
        if !matches!(*state, State::Waiting) {
            return false;
        }
        let Some(ended) = serve() else { return false };
        *state = State::Ended(ended);
        drop(state);
        (self.wake)();
        true
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ticket").field("command", &self.command.spec.name).finish_non_exhaustive()
    }
}

/// A waiting command, in the hand of its client; dropped, it waits no more.
pub struct Waiting {
    keyspace: Keyspace,
    ticket: Arc<Ticket>,
}

impl Waiting {
    pub(super) fn new(keyspace: &Keyspace, ticket: Arc<Ticket>) -> Waiting {
        Waiting { keyspace: keyspace.clone(), ticket }
    }

    /// How long it wants to wait, ms; 0 without an end.
    pub fn timeout_ms(&self) -> u64 {
        self.ticket.wanted.timeout_ms
    }

    /// Whether it has ended, and how is still to be asked for. Waits for whoever serves it right now.
    pub fn has_ended(&self) -> bool {
        matches!(*self.ticket.state.lock(), State::Ended(_))
    }

    /// How it ended, once.
    pub fn ended(&self) -> Option<Ended> {
        let mut state = self.ticket.state.lock();
        if matches!(*state, State::Waiting) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Over) {
            State::Ended(ended) => Some(ended),
            _ => None,
        }
    }

    /// Waits no more; how it ended if it did before.
    pub fn give_up(&self) -> Option<Ended> {
        let former = std::mem::replace(&mut *self.ticket.state.lock(), State::Over);
        self.keyspace.shared().waiters.remove(&self.ticket);
        match former {
            State::Ended(ended) => Some(ended),
            State::Waiting | State::Over => None,
        }
    }

    /// What others can have it end by.
    pub fn unblocker(&self) -> Unblocker {
        Unblocker(Arc::clone(&self.ticket))
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Waiting").field(&self.ticket).finish()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.give_up();
    }
}

/// Has a waiting command end.
#[derive(Debug, Clone)]
pub struct Unblocker(Arc<Ticket>);

impl Unblocker {
    /// As if its time was over, or with an error; whether it was still waiting.
    pub fn unblock(&self, error: bool) -> bool {
        self.0.end_with(|| Some(Ended::Unblocked { error }))
    }
}

/// Who waits for one key, by arrival.
#[derive(Debug, Default)]
struct Queue {
    tickets: BTreeMap<u64, Arc<Ticket>>,
    /// How many of them reach far.
    far: usize,
    /// How many of them are to know when the key is gone.
    also_gone: usize,
}

#[derive(Debug, Default)]
struct Queues {
    arrivals: u64,
    databases: BTreeMap<usize, HashMap<Box<[u8]>, Queue>>,
}

impl Queues {
    fn of(&self, db: usize, key: &[u8]) -> Option<&Queue> {
        self.databases.get(&db)?.get(key)
    }
}

/// All that wait.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    count: AtomicUsize,
    queues: Mutex<Queues>,
}

impl Waiters {
    /// Whether anybody waits for anything; for keys of a slot the answer holds as long as the slot is locked.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.count.load(Relaxed) > 0
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    pub(crate) fn is_waited_for(&self, db: usize, key: &[u8]) -> bool {
        self.queues.lock().of(db, key).is_some()
    }

    /// Whether serving those who wait for a key takes more than the key's slot.
    pub(crate) fn reach_far(&self, db: usize, key: &[u8]) -> bool {
        self.queues.lock().of(db, key).is_some_and(|queue| queue.far > 0)
    }

    /// Whether somebody who waits for a key is to know when it is gone.
    pub(super) fn want_gone(&self, db: usize, key: &[u8]) -> bool {
        self.queues.lock().of(db, key).is_some_and(|queue| queue.also_gone > 0)
    }

    /// All keys that somebody waits for.
    pub(crate) fn keys(&self) -> Vec<WaitedKey> {
        let queues = self.queues.lock();
        let keys = queues.databases.iter().flat_map(|(db, queues)| queues.keys().map(|key| (*db, key.clone())));
        keys.collect()
    }

    /// Who waits for a key and came next after an arrival.
    pub(crate) fn next(&self, db: usize, key: &[u8], arrival: u64) -> Option<Arc<Ticket>> {
        let queues = self.queues.lock();
        let (_, ticket) = queues.of(db, key)?.tickets.range(arrival + 1..).next()?;
        Some(Arc::clone(ticket))
    }

    /// Takes a command in, under the locks of its keys' slots.
    pub(super) fn enter(
        &self,
        command: &'static Command,
        call: &Call,
        args: Args<'_>,
        protocol: u8,
        wanted: Wanted,
        wake: Wake,
    ) -> Arc<Ticket> {
        let mut words = Vec::with_capacity(args.iter_from(0).map(<[u8]>::len).sum());
        let spans = args.iter_from(0).enumerate().map(|(number, word)| {
            let replaced = wanted.waited.replaced.iter().find(|(other, _)| *other == number);
            let word = replaced.map_or(word, |(_, word)| word);
            words.extend_from_slice(word);
            words.len() - word.len()..words.len()
        });
        let spans = spans.collect();
        let slots: SmallVec<[u16; 4]> = command.spec.keys(args).map(key_slot).collect();
        let reaches_far = slots.iter().any(|slot| *slot != slots[0]) || slots.len() > wanted.keys.len();
        let mut queues = self.queues.lock();
        queues.arrivals += 1;
        let ticket = Arc::new(Ticket {
            arrival: queues.arrivals,
            command,
            call: call.clone(),
            protocol,
            words: words.into(),
            spans,
            wanted,
            reaches_far,
            state: Mutex::new(State::Waiting),
            wake,
        });
        let database = queues.databases.entry(call.db).or_default();
        for key in &ticket.wanted.keys {
            let queue = database.entry(key.clone()).or_default();
            if queue.tickets.insert(ticket.arrival, Arc::clone(&ticket)).is_none() {
                queue.far += usize::from(reaches_far);
                queue.also_gone += usize::from(ticket.wanted.waited.also_gone);
            }
        }
        self.count.fetch_add(1, Relaxed);
        ticket
    }

    /// Takes a command out, if it is still in.
    pub(super) fn remove(&self, ticket: &Ticket) {
        let mut queues = self.queues.lock();
        let Some(database) = queues.databases.get_mut(&ticket.call.db) else { return };
        let mut found = false;
        for key in &ticket.wanted.keys {
            let Some(queue) = database.get_mut(key) else { continue };
            if queue.tickets.remove(&ticket.arrival).is_some() {
                queue.far -= usize::from(ticket.reaches_far);
                queue.also_gone -= usize::from(ticket.wanted.waited.also_gone);
                found = true;
            }
            if queue.tickets.is_empty() {
                database.remove(key);
            }
        }
        if database.is_empty() {
            queues.databases.remove(&ticket.call.db);
        }
        if found {
            self.count.fetch_sub(1, Relaxed);
        }
    }
}
