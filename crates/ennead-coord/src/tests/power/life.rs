//! One life of the machine: a keyspace, what clients wait for, and one who watches all of it.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ennead_store::disk::simulated::{Random, SimulatedDisk};
use ennead_store::{Sequence, Store};

use super::super::{PATIENCE, poll_until};
use super::model::{History, Model};
use crate::api::etcdserverpb::watch_request::RequestUnion;
use crate::api::etcdserverpb::{WatchCreateRequest, WatchRequest, WatchResponse};
use crate::{Answer, Coord, Options, Result, WatchStream};

/// Answers that have not come yet, with the commit they wait for and the revision they are to name.
pub(super) type Waiting = Vec<(Sequence, i64, Answer<i64>)>;

pub(super) struct Life {
    // Before the store: it has a hold of it.
    watch: WatchStream,
    pub(super) coord: Coord,
    pub(super) store: Store,
    pub(super) waiting: Waiting,
    /// The commit that the store began with.
    pub(super) recovered: Sequence,
}

impl Life {
    /// `told` is the newest revision that the watch of an earlier life has told of.
    pub(super) fn open(
        random: &mut Random,
        disk: &SimulatedDisk,
        options: &ennead_store::Options,
        threaded: bool,
        told: i64,
    ) -> Result<Life> {
        let store = if threaded {
            Store::open_on(std::sync::Arc::new(disk.clone()), options.clone())?
        } else {
            disk.open_store(options)?
        };
        let recovered = store.committed();
        let coord = Coord::open(store.clone(), &Options { seed: random.next(), quota_bytes: 0 })?;
        let watch = watch_all(&coord, told + 1);
        Ok(Life { watch, coord, store, waiting: Vec::new(), recovered })
    }

    /// The newest change of the keyspace that is committed.
    pub(super) fn sequence(&self) -> Sequence {
        self.coord.shared().state.read().sequence
    }

    /// Collects the answers that have come: they must be on disk. Answers the newest of their commits.
    pub(super) fn collect_answers(&mut self) -> Sequence {
        let mut newest = 0;
        let store = &self.store;
        self.waiting.retain_mut(|(sequence, revision, answer)| {
            match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => return true,
                Poll::Ready(Ok(told)) => {
                    assert_eq!(told, *revision, "the revision of an answer");
                    assert!(store.durable() >= *sequence, "revision {told} was answered before it was on disk");
                    newest = newest.max(*sequence);
                }
                Poll::Ready(Err(error)) => assert!(store.poisoned().is_some(), "refused by a healthy store: {error}"),
            }
            false
        });
        newest
    }

    /// Nobody waits for ever for what will not come any more. Answers the newest commit that was answered.
    pub(super) fn expect_all_answers(&mut self) -> Sequence {
        let mut newest = 0;
        for (sequence, _, answer) in self.waiting.drain(..) {
            let mut answer = pin!(answer);
            let answered = poll_until(|context| answer.as_mut().poll(context), PATIENCE);
            let answered = answered.expect("an answer to come, or an error");
            assert!(answered.is_err() || self.store.durable() >= sequence);
            if answered.is_ok() {
                newest = newest.max(sequence);
            }
        }
        newest
    }

    /// Collects what the watch tells: it must be on disk, whole, and the next. `told` is the newest revision so far.
    pub(super) fn collect_events(&mut self, history: &History, told: &mut i64) {
        while let Poll::Ready(Some(answer)) = self.watch.poll_next(&Context::from_waker(Waker::noop())) {
            let response = answer.into_response();
            if response.canceled {
                // A compaction has overtaken it.
                *told = (*told).max(response.compact_revision);
                self.watch = watch_all(&self.coord, *told + 1);
                continue;
            }
            take_events(&response, history.now(), told);
            let durable = self.store.durable();
            assert!(history.sequence_of(*told) <= durable, "revision {told} was told before it was on disk");
        }
    }
}

/// A stream with a watch on all keys.
pub(super) fn watch_all(coord: &Coord, start_revision: i64) -> WatchStream {
    let watch = coord.watch();
    let (key, range_end) = (vec![0].into(), vec![0].into());
    let request = WatchCreateRequest { key, range_end, start_revision, ..WatchCreateRequest::default() };
    watch.request(WatchRequest { request_union: Some(RequestUnion::CreateRequest(request)) });
    watch
}

/// Compares the events of an answer with the revisions that come next.
pub(super) fn take_events(response: &WatchResponse, model: &Model, told: &mut i64) {
    assert!(!response.canceled, "{response:?}");
    let pairs: Vec<_> = response.events.iter().map(|event| event.kv.clone().unwrap()).collect();
    for pairs in pairs.chunk_by(|one, other| one.mod_revision == other.mod_revision) {
        *told += 1;
        assert!(*told <= model.revision(), "told of revision {told}, which is not there");
        assert_eq!(pairs, model.changes(*told), "what a watch told of revision {told}");
    }
}
