//! What is committed becomes known once it is on disk, and not before: to whoever asked for it, to readers, to watches.
//!
//! Transactions wait here in the order of their revisions. The thread that synced the log tells how far it is durable;
//! what is covered moves the revision that readers see, and goes on to the watches. Invariant: a write is answered after
//! its revision is one that readers see.
//!
//! Who waits is woken by the thread that synced, one after the other, which for tasks of an event loop means as many calls
//! of the system. A loop with many that wait lets its [`Relay`](crate::Relay) be woken instead, once for all of them.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use ennead_store::Sequence;
use parking_lot::Mutex;

use crate::api::mvccpb::KeyValue;
use crate::error::{Error, Result};

/// One transaction that changed keys.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) revision: i64,
    pub(crate) sequence: Sequence,
    /// By sub revision; one without a version deleted its key.
    pub(crate) changes: Vec<KeyValue>,
    /// What watches are told of each of them, made when the first is told.
    encoded: OnceLock<Box<[OnceLock<Bytes>]>>,
}

impl Committed {
    pub(crate) fn new(revision: i64, sequence: Sequence, changes: Vec<KeyValue>) -> Committed {
        Committed { revision, sequence, changes, encoded: OnceLock::new() }
    }

    /// A change as one event of an answer, tag and length included: however many watches are told, it is encoded once.
    pub(crate) fn encoded(&self, at: u32) -> Option<&Bytes> {
        let change = self.changes.get(at as usize)?;
        let all = self.encoded.get_or_init(|| self.changes.iter().map(|_| OnceLock::new()).collect());
        all.get(at as usize).map(|one| one.get_or_init(|| crate::watch::encode(change)))
    }
}

type Next = Box<dyn Fn(Arc<Committed>) + Send + Sync>;

pub(crate) struct Publication {
    /// The log is durable up to here.
    durable: AtomicU64,
    /// The newest revision of which that covers all.
    revision: AtomicI64,
    queue: Mutex<VecDeque<Arc<Committed>>>,
    waiting: Mutex<Waiting>,
    /// Takes what is published, in order; must not block.
    next: Next,
}

#[derive(Default)]
struct Waiting {
    /// Why nothing more will become durable.
    failed: Option<String>,
    wakers: BTreeMap<(Sequence, u64), Waker>,
    last_ticket: u64,
    relay: Option<RelayPlace>,
    last_relay: u64,
}

/// Where the relay is reached.
struct RelayPlace {
    number: u64,
    /// None while it is being woken.
    waker: Option<Waker>,
    /// It has to ask for a sync up to here.
    wanted: Sequence,
}

impl Waiting {
    /// Wakers of those whose sequence is durable; of all when nothing more will be.
    fn take_ready(&mut self, durable: Sequence) -> BTreeMap<(Sequence, u64), Waker> {
        if self.failed.is_some() {
            return std::mem::take(&mut self.wakers);
        }
        let later = self.wakers.split_off(&(durable + 1, 0));
        std::mem::replace(&mut self.wakers, later)
    }
}

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication").field("durable", &self.durable).field("revision", &self.revision).finish()
    }
}

impl Publication {
    pub(crate) fn new(durable: Sequence, revision: i64, next: Next) -> Publication {
        Publication {
            durable: AtomicU64::new(durable),
            revision: AtomicI64::new(revision),
            queue: Mutex::default(),
            waiting: Mutex::default(),
            next,
        }
    }

    /// The newest revision that readers may see.
    pub(crate) fn revision(&self) -> i64 {
        self.revision.load(Ordering::Acquire)
    }

    /// Takes the transaction behind all those that were committed before it.
    pub(crate) fn enqueue(&self, committed: Committed) {
        let sequence = committed.sequence;
        self.queue.lock().push_back(Arc::new(committed));
        // The log thread may have been quicker than the line above.
        if self.durable.load(Ordering::SeqCst) >= sequence {
            self.publish();
        }
    }

    /// The log is durable up to `sequence`; or it never will be further, for the reason given.
    pub(crate) fn advance(&self, sequence: Sequence, failure: Option<String>) {
        self.durable.fetch_max(sequence, Ordering::SeqCst);
        self.publish();
        let woken = {
            let mut waiting = self.waiting.lock();
            waiting.failed = failure.or(waiting.failed.take());
            if let Some(relay) = &mut waiting.relay {
                relay.waker.take().into_iter().collect()
            } else {
                waiting.take_ready(self.durable.load(Ordering::SeqCst)).into_values().collect::<Vec<_>>()
            }
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Whether a relay will ask for the sync of this sequence.
    pub(crate) fn leaves_sync_to_relay(&self, sequence: Sequence) -> bool {
        let waker = {
            let mut waiting = self.waiting.lock();
            let Some(relay) = &mut waiting.relay else { return false };
            relay.wanted = relay.wanted.max(sequence);
            relay.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Makes place for a relay; one that was there before ends.
    pub(crate) fn add_relay(&self) -> u64 {
        let mut waiting = self.waiting.lock();
        waiting.last_relay += 1;
        let number = waiting.last_relay;
        let wanted = waiting.relay.take().map_or(0, |before| {
            if let Some(waker) = before.waker {
                waker.wake();
            }
            before.wanted
        });
        waiting.relay = Some(RelayPlace { number, waker: None, wanted });
        number
    }

    /// Wakes those who have waited long enough, and answers up to where a sync is wanted; none when there is another relay.
    pub(crate) fn poll_relay(&self, number: u64, context: &Context<'_>) -> Option<Sequence> {
        let (ready, wanted) = {
            let mut waiting = self.waiting.lock();
            let relay = waiting.relay.as_mut().filter(|relay| relay.number == number)?;
            relay.waker = Some(context.waker().clone());
            let wanted = relay.wanted;
            (waiting.take_ready(self.durable.load(Ordering::SeqCst)), wanted)
        };
        ready.into_values().for_each(Waker::wake);
        Some(wanted)
    }

    /// Ends a relay, and answers up to where it should have asked for a sync.
    pub(crate) fn remove_relay(&self, number: u64) -> Option<Sequence> {
        let (ready, wanted) = {
            let mut waiting = self.waiting.lock();
            let relay = waiting.relay.take_if(|relay| relay.number == number)?;
            (waiting.take_ready(self.durable.load(Ordering::SeqCst)), relay.wanted)
        };
        ready.into_values().for_each(Waker::wake);
        Some(wanted)
    }

    fn publish(&self) {
        let mut queue = self.queue.lock();
        let durable = self.durable.load(Ordering::SeqCst);
        while let Some(committed) = queue.pop_front_if(|committed| committed.sequence <= durable) {
            self.revision.store(committed.revision, Ordering::Release);
            (self.next)(committed);
        }
    }

    fn poll(&self, sequence: Sequence, ticket: &mut Option<u64>, context: &Context<'_>) -> Poll<Result<()>> {
        if self.durable.load(Ordering::SeqCst) >= sequence {
            self.publish();
            return Poll::Ready(Ok(()));
        }
        let mut waiting = self.waiting.lock();
        // Again, now that nobody can be woken in between.
        if self.durable.load(Ordering::SeqCst) >= sequence {
            drop(waiting);
            self.publish();
            return Poll::Ready(Ok(()));
        }
        if let Some(reason) = &waiting.failed {
            return Poll::Ready(Err(Error::Store(reason.clone())));
        }
        let ticket = *ticket.get_or_insert_with(|| {
            waiting.last_ticket += 1;
            waiting.last_ticket
        });
        waiting.wakers.insert((sequence, ticket), context.waker().clone());
        Poll::Pending
    }
}

/// An answer that is known but not given before what it tells is on disk.
#[derive(Debug)]
#[must_use = "an answer is given when it is waited for"]
pub struct Answer<T> {
    value: Option<T>,
    sequence: Sequence,
    ticket: Option<u64>,
    publication: Arc<Publication>,
}

impl<T> Answer<T> {
    pub(crate) fn new(value: T, sequence: Sequence, publication: Arc<Publication>) -> Answer<T> {
        Answer { value: Some(value), sequence, ticket: None, publication }
    }

    /// What has to be durable before it is given.
    pub(crate) fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// The same answer in another form.
    pub fn map<U>(mut self, map: impl FnOnce(T) -> U) -> Answer<U> {
        let value = self.value.take().map(map);
        Answer { value, sequence: self.sequence, ticket: None, publication: Arc::clone(&self.publication) }
    }
}

impl<T: Unpin> Future for Answer<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let this = self.get_mut();
        match this.publication.poll(this.sequence, &mut this.ticket, context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(durable) => Poll::Ready(durable.and_then(|()| this.value.take().ok_or(Error::Stopped))),
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.publication.waiting.lock().wakers.remove(&(self.sequence, ticket));
        }
    }
}
