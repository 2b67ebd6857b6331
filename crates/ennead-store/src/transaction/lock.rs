//! Key locks that live as long as a transaction, with timeouts and deadlock detection.
//!
//! Locks are exclusive and a transaction waits for one key at a time, so "who waits for whom" has one edge per
//! transaction, and a deadlock is found by following it when a wait begins. A released lock is handed to the first
//! waiter: nobody overtakes, nobody starves.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::{Error, Result, Table};

pub(super) type TransactionId = u64;
type Key = (Table, Vec<u8>);
type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

#[derive(Default)]
pub(super) struct LockTable {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    locks: Map<Key, Lock>,
    waiting: Map<TransactionId, Key>,
    next_id: TransactionId,
}

struct Lock {
    owner: TransactionId,
    waiters: VecDeque<(TransactionId, Arc<Condvar>)>,
}

/// How a wait may end.
pub(super) struct Patience {
    pub(super) deadline: Instant,
    pub(super) detect_deadlocks: bool,
    pub(super) locks_max: usize,
}

impl LockTable {
    pub(super) fn begin(&self) -> TransactionId {
        let mut state = self.state.lock();
        state.next_id += 1;
        state.next_id
    }

    /// Locks `key` for `id`; true when it was not its already.
    pub(super) fn lock(&self, id: TransactionId, table: Table, key: &[u8], patience: &Patience) -> Result<bool> {
        let mut state = self.state.lock();
        let key = (table, key.to_vec());
        let full = state.locks.len() >= patience.locks_max;
        let Some(lock) = state.locks.get_mut(&key) else {
            if full {
                return Err(Error::Stalled(format!("transactions hold {} key locks, the limit", patience.locks_max)));
            }
            state.locks.insert(key, Lock { owner: id, waiters: VecDeque::new() });
            return Ok(true);
        };
        if lock.owner == id {
            return Ok(false);
        }
        let holder = lock.owner;
        if patience.detect_deadlocks && state.waits_for(holder, id) {
            return Err(Error::Deadlock(format!("transaction {id} and transaction {holder} wait for each other")));
        }
        let wake = Arc::new(Condvar::new());
        if let Some(lock) = state.locks.get_mut(&key) {
            lock.waiters.push_back((id, Arc::clone(&wake)));
        }
        state.waiting.insert(id, key.clone());
        loop {
            let timed_out = wake.wait_until(&mut state, patience.deadline).timed_out();
            if !state.waiting.contains_key(&id) {
                return Ok(true);
            }
            if timed_out {
                state.waiting.remove(&id);
                let mut owner = holder;
                if let Some(lock) = state.locks.get_mut(&key) {
                    lock.waiters.retain(|(waiter, _)| *waiter != id);
                    owner = lock.owner;
                }
                return Err(Error::Timeout(format!("transaction {owner} holds the lock of a key")));
            }
        }
    }

    pub(super) fn unlock(&self, id: TransactionId, keys: impl IntoIterator<Item = Key>) {
        let mut state = self.state.lock();
        for key in keys {
            let Some(lock) = state.locks.get_mut(&key).filter(|lock| lock.owner == id) else { continue };
            match lock.waiters.pop_front() {
                Some((next, wake)) => {
                    lock.owner = next;
                    state.waiting.remove(&next);
                    wake.notify_one();
                }
                None => {
                    state.locks.remove(&key);
                }
            }
        }
    }

    /// How many keys are locked, and how many transactions wait.
    pub(super) fn sizes(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.locks.len(), state.waiting.len())
    }
}

impl State {
    /// Whether `from` waits, directly or through others, for `target`.
    fn waits_for(&self, from: TransactionId, target: TransactionId) -> bool {
        let mut current = from;
        // One step per waiting transaction at most: without a cycle through `target` the chain may still end in one
        // that was entered with detection switched off.
        for _ in 0..=self.waiting.len() {
            if current == target {
                return true;
            }
            let Some(lock) = self.waiting.get(&current).and_then(|key| self.locks.get(key)) else { return false };
            current = lock.owner;
        }
        false
    }
}
