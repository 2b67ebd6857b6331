//! What waits for one stream's client, and the watches of that stream.
//!
//! The memory of a stream is bounded: where a client does not keep up, its watches fall behind, which means that they get
//! nothing more until the client has taken what is there, and then read on in the history. Before that, what a watch is
//! told while its last answer still waits goes into that answer: the slower a client is, the fewer answers it gets for
//! the same events.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::api::etcdserverpb::WatchResponse;
use crate::api::mvccpb::{Event, KeyValue};
use crate::publication::Committed;
use crate::span::Span;

/// What waits at one stream, counted by transactions, beyond which watches fall behind.
const WAITING_MAX: usize = 1 << 16;
/// Bytes of transactions that wait at one stream, beyond which they do.
const BYTES_MAX: usize = 16 << 20;
/// Transactions, and their bytes, beyond which an answer takes no more of them.
const ANSWER_TRANSACTIONS_MAX: usize = 1000;
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// No item has this number.
const NO_ITEM: u64 = u64::MAX;

/// What a watch leaves out, and how its answers look.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wishes {
    pub(crate) no_puts: bool,
    pub(crate) no_deletes: bool,
    pub(crate) previous: bool,
    pub(crate) fragment: bool,
    pub(crate) progress: bool,
}

impl Wishes {
    /// Whether the watch is told of this change.
    pub(crate) fn wants(self, change: &KeyValue) -> bool {
        if change.version == 0 { !self.no_deletes } else { !self.no_puts }
    }
}

/// A watch as its stream knows it.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) span: Span<Bytes>,
    pub(crate) wishes: Wishes,
    /// The first revision that was asked for, 0 for what is still to come: before it there is no progress to tell of.
    pub(crate) asked: i64,
    /// The next revision to read, when it is behind; otherwise it is told as things happen.
    pub(crate) behind: Option<i64>,
    /// It was told of something since the last look.
    pub(crate) busy: bool,
    /// The number of the last item with what it was told, which may have been taken.
    last_item: u64,
}

impl Watch {
    pub(crate) fn new(span: Span<Bytes>, wishes: Wishes, asked: i64) -> Watch {
        Watch { span, wishes, asked, behind: None, busy: false, last_item: NO_ITEM }
    }
}

/// Changes of one transaction, by their places in it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) committed: Arc<Committed>,
    pub(crate) which: SmallVec<[u32; 2]>,
}

impl Told {
    pub(crate) fn changes(&self) -> impl Iterator<Item = &KeyValue> {
        self.which.iter().filter_map(|at| self.committed.changes.get(*at as usize))
    }
}

/// One answer, or what becomes one.
#[derive(Debug)]
pub(crate) enum Item {
    /// Changes of transactions, in their order.
    Live {
        id: i64,
        wishes: Wishes,
        told: Vec<Told>,
        bytes: usize,
    },
    /// Events read from history; `revision` is the newest that was looked at.
    Past {
        id: i64,
        wishes: Wishes,
        revision: i64,
        events: Vec<Event>,
    },
    Control(WatchResponse),
}

impl Item {
    /// The watch whose events these are.
    pub(crate) fn watch(&self) -> Option<i64> {
        match self {
            Item::Live { id, .. } | Item::Past { id, .. } => Some(*id),
            Item::Control(_) => None,
        }
    }
}

/// One stream of watches.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(pub(crate) Mutex<Contents>);

#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) watches: BTreeMap<i64, Watch>,
    pub(crate) next_id: i64,
    /// Watches that compaction ended and their client did not: as in etcd their ids are still taken.
    pub(crate) ended: BTreeSet<i64>,
    items: VecDeque<Item>,
    /// Items that were taken so far: the number of the first one that is there.
    taken: u64,
    /// Transactions, and other items, that wait.
    waiting: usize,
    bytes: usize,
    waker: Option<Waker>,
    /// How many watches are behind.
    pub(crate) behind: usize,
    /// Somebody reads history for them.
    pub(crate) reading: bool,
    /// The client asked how far its watches are, when this was the newest revision.
    pub(crate) progress_asked: Option<i64>,
    pub(crate) closed: bool,
}

fn pair_bytes(pair: &KeyValue) -> usize {
    pair.key.len() + pair.value.len() + size_of::<KeyValue>()
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Item::Live { bytes, .. } => *bytes,
            Item::Past { events, .. } => events.iter().filter_map(|event| event.kv.as_ref()).map(pair_bytes).sum(),
            Item::Control(_) => 0,
        }
    }

    fn waiting(&self) -> usize {
        match self {
            Item::Live { told, .. } => told.len(),
            Item::Past { .. } | Item::Control(_) => 1,
        }
    }
}

impl Contents {
    pub(crate) fn is_taken(&self, id: i64) -> bool {
        self.watches.contains_key(&id) || self.ended.contains(&id)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.waiting < WAITING_MAX && self.bytes < BYTES_MAX
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.waiting == 0
    }

    pub(crate) fn push(&mut self, item: Item) {
        if let Some(id) = item.watch() {
            self.close_answer(id);
        }
        self.add(item);
        self.wake();
    }

    /// What a watch is told from now on goes behind what is there.
    pub(crate) fn close_answer(&mut self, id: i64) {
        if let Some(watch) = self.watches.get_mut(&id) {
            watch.last_item = NO_ITEM;
        }
    }

    fn add(&mut self, item: Item) {
        self.bytes += item.bytes();
        self.waiting += item.waiting();
        self.items.push_back(item);
    }

    /// Takes what a watch is told, without waking the stream.
    pub(crate) fn tell(&mut self, id: i64, news: Told) {
        let Some(watch) = self.watches.get_mut(&id) else { return };
        watch.busy = true;
        let more: usize = news.changes().map(pair_bytes).sum();
        let last = watch.last_item.checked_sub(self.taken).and_then(|at| self.items.get_mut(usize::try_from(at).ok()?));
        if let Some(Item::Live { told, bytes, .. }) = last
            && told.len() < ANSWER_TRANSACTIONS_MAX
            && *bytes < ANSWER_BYTES_MAX
        {
            told.push(news);
            *bytes += more;
            self.bytes += more;
            self.waiting += 1;
            return;
        }
        watch.last_item = self.taken + self.items.len() as u64;
        let wishes = watch.wishes;
        self.add(Item::Live { id, wishes, told: vec![news], bytes: more });
    }

    pub(crate) fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.taken += 1;
        self.bytes -= item.bytes();
        self.waiting -= item.waiting();
        Some(item)
    }

    /// Whom to wake, once.
    pub(crate) fn take_waker(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(crate) fn set_waker(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
    }

    /// Makes a watch fall behind, at a revision that it has not been told of.
    pub(crate) fn fall_behind(&mut self, id: i64, revision: i64) {
        if let Some(watch) = self.watches.get_mut(&id)
            && watch.behind.is_none()
        {
            watch.behind = Some(revision);
            self.behind += 1;
        }
    }
}
