//! What waits for one stream's client, and the watches of that stream.
//!
//! The memory of a stream is bounded: where a client does not keep up, its watches fall behind, which means that they get
//! nothing more until the client has taken what is there, and then read on in the history.

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

/// Answers that wait at one stream, beyond which watches fall behind.
const ITEMS_MAX: usize = 1 << 16;
/// Bytes of transactions that wait at one stream, beyond which they do.
const BYTES_MAX: usize = 16 << 20;

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
}

/// One answer, or what becomes one.
#[derive(Debug)]
pub(crate) enum Item {
    /// Changes of one transaction, by their places in it.
    Live {
        id: i64,
        committed: Arc<Committed>,
        which: SmallVec<[u32; 2]>,
    },
    /// Events read from history; `revision` is the newest that was looked at.
    Past {
        id: i64,
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

fn weight(item: &Item) -> usize {
    let pair = |pair: &KeyValue| pair.key.len() + pair.value.len() + size_of::<KeyValue>();
    match item {
        Item::Live { committed, which, .. } => {
            which.iter().filter_map(|at| committed.changes.get(*at as usize)).map(pair).sum()
        }
        Item::Past { events, .. } => events.iter().filter_map(|event| event.kv.as_ref()).map(pair).sum(),
        Item::Control(_) => 0,
    }
}

impl Contents {
    pub(crate) fn is_taken(&self, id: i64) -> bool {
        self.watches.contains_key(&id) || self.ended.contains(&id)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.items.len() < ITEMS_MAX && self.bytes < BYTES_MAX
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn push(&mut self, item: Item) {
        self.bytes += weight(&item);
        self.items.push_back(item);
        self.wake();
    }

    pub(crate) fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= weight(&item);
        Some(item)
    }

    /// Forgets the events that wait for one watch.
    pub(crate) fn forget(&mut self, id: i64) {
        let before = std::mem::take(&mut self.items);
        self.bytes = 0;
        for item in before.into_iter().filter(|item| item.watch() != Some(id)) {
            self.bytes += weight(&item);
            self.items.push_back(item);
        }
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
