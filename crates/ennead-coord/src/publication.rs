//! What is committed becomes known once it is on disk, and not before: to whoever asked for it, to readers, to watches.
//!
//! Transactions wait here in the order of their revisions. The thread that synced the log tells how far it is durable;
//! what is covered moves the revision that readers see, and goes on to the watches. Invariant: a write is answered after
//! its revision is one that readers see.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

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
            if failure.is_some() {
                waiting.failed = failure;
                std::mem::take(&mut waiting.wakers)
            } else {
                let later = waiting.wakers.split_off(&(sequence + 1, 0));
                std::mem::replace(&mut waiting.wakers, later)
            }
        };
        woken.into_values().for_each(Waker::wake);
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
