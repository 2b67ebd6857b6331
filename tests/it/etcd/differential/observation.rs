//! What a server said, without what may differ: who it is, where its revisions began, how it cut watch streams into
//! messages.

use std::collections::BTreeMap;
use std::fmt::Debug;

use ennead_engine::coord::api::etcdserverpb::compare::TargetUnion;
use ennead_engine::coord::api::etcdserverpb::{self as pb, request_op, response_op};
use ennead_engine::coord::api::mvccpb;
use tonic::Status;

use super::generator::BASE;

/// Revisions of a sequence are this near to where it begins.
const REACH: i64 = 1_000;
/// Leases that a sequence names are smaller, those that a server names larger.
const NAMED_LEASES: i64 = 100;
/// Seconds that may pass between a grant and a question.
const PASSED_MAX_S: i64 = 30;

/// Where a sequence begins on a server.
pub(in crate::etcd) struct Origin {
    pub(in crate::etcd) revision: i64,
}

impl Origin {
    /// The server's revision for that of a sequence.
    pub(in crate::etcd) fn real(&self, revision: i64) -> i64 {
        if (revision - 1).abs_diff(BASE) <= REACH as u64 { revision - BASE + self.revision } else { revision }
    }

    fn told(&self, revision: &mut i64) {
        if *revision > 0 {
            *revision = *revision - self.revision + BASE;
        }
    }

    pub(in crate::etcd) fn range(&self, mut request: pb::RangeRequest) -> pb::RangeRequest {
        for revision in [
            &mut request.revision,
            &mut request.min_mod_revision,
            &mut request.max_mod_revision,
            &mut request.min_create_revision,
            &mut request.max_create_revision,
        ] {
            *revision = self.real(*revision);
        }
        request
    }

    pub(in crate::etcd) fn watch(&self, mut request: pb::WatchCreateRequest) -> pb::WatchCreateRequest {
        request.start_revision = self.real(request.start_revision);
        request
    }

    pub(in crate::etcd) fn transaction(&self, mut request: pb::TxnRequest) -> pb::TxnRequest {
        for compare in &mut request.compare {
            if let Some(TargetUnion::CreateRevision(revision) | TargetUnion::ModRevision(revision)) =
                &mut compare.target_union
            {
                *revision = self.real(*revision);
            }
        }
        for operation in request.success.iter_mut().chain(&mut request.failure) {
            operation.request = operation.request.take().map(|request| match request {
                request_op::Request::RequestRange(request) => request_op::Request::RequestRange(self.range(request)),
                request_op::Request::RequestTxn(request) => request_op::Request::RequestTxn(self.transaction(request)),
                request => request,
            });
        }
        request
    }
}

/// An answer or a refusal as text.
pub(super) fn told<A: Comparable + Debug>(origin: &Origin, answer: Result<A, Status>) -> String {
    match answer {
        Ok(mut answer) => {
            answer.generalise(origin);
            format!("{answer:?}")
        }
        Err(status) => format!("{:?}: {}", status.code(), status.message()),
    }
}

/// An answer that can be made comparable with that of another server.
pub(super) trait Comparable {
    fn generalise(&mut self, origin: &Origin);
}

impl Comparable for pb::ResponseHeader {
    fn generalise(&mut self, origin: &Origin) {
        self.cluster_id = u64::from(self.cluster_id != 0);
        self.member_id = u64::from(self.member_id != 0);
        self.raft_term = u64::from(self.raft_term != 0);
        origin.told(&mut self.revision);
    }
}

impl Comparable for mvccpb::KeyValue {
    fn generalise(&mut self, origin: &Origin) {
        origin.told(&mut self.create_revision);
        origin.told(&mut self.mod_revision);
        name_lease(&mut self.lease);
    }
}

impl<T: Comparable> Comparable for Option<T> {
    fn generalise(&mut self, origin: &Origin) {
        if let Some(inner) = self {
            inner.generalise(origin);
        }
    }
}

impl<T: Comparable> Comparable for Vec<T> {
    fn generalise(&mut self, origin: &Origin) {
        self.iter_mut().for_each(|inner| inner.generalise(origin));
    }
}

macro_rules! comparable {
    ($($answer:ident: $($field:ident)*;)*) => {
        $(impl Comparable for pb::$answer {
            fn generalise(&mut self, origin: &Origin) {
                $(self.$field.generalise(origin);)*
            }
        })*
    };
}

comparable! {
    RangeResponse: header kvs;
    PutResponse: header prev_kv;
    DeleteRangeResponse: header prev_kvs;
    TxnResponse: header responses;
    CompactionResponse: header;
    LeaseRevokeResponse: header;
}

impl Comparable for pb::ResponseOp {
    fn generalise(&mut self, origin: &Origin) {
        match &mut self.response {
            Some(response_op::Response::ResponseRange(answer)) => answer.generalise(origin),
            Some(response_op::Response::ResponsePut(answer)) => answer.generalise(origin),
            Some(response_op::Response::ResponseDeleteRange(answer)) => answer.generalise(origin),
            Some(response_op::Response::ResponseTxn(answer)) => answer.generalise(origin),
            None => {}
        }
    }
}

impl Comparable for pb::LeaseGrantResponse {
    fn generalise(&mut self, origin: &Origin) {
        self.header.generalise(origin);
        name_lease(&mut self.id);
    }
}

impl Comparable for pb::LeaseKeepAliveResponse {
    fn generalise(&mut self, origin: &Origin) {
        self.header.generalise(origin);
        name_lease(&mut self.id);
    }
}

impl Comparable for pb::LeaseTimeToLiveResponse {
    fn generalise(&mut self, origin: &Origin) {
        self.header.generalise(origin);
        // The time goes on between two servers; and the keys of a lease are in no order.
        if (0..PASSED_MAX_S).contains(&(self.granted_ttl - self.ttl)) {
            self.ttl = self.granted_ttl;
        }
        self.keys.sort();
    }
}

impl Comparable for pb::LeaseLeasesResponse {
    fn generalise(&mut self, origin: &Origin) {
        self.header.generalise(origin);
        self.leases.iter_mut().for_each(|lease| name_lease(&mut lease.id));
        self.leases.sort_by_key(|lease| lease.id);
    }
}

fn name_lease(id: &mut i64) {
    if *id > NAMED_LEASES {
        *id = NAMED_LEASES;
    }
}

/// What each watch got, in its order: how events were put into messages is the server's choice, and watches do not wait
/// for each other. Watches from `marks` on are not the sequence's own.
pub(super) fn by_watch(origin: &Origin, answers: &[&pb::WatchResponse], marks: i64) -> Vec<String> {
    let mut watches: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| answer.watch_id < marks) {
        let told = watches.entry(answer.watch_id).or_default();
        let mut header = answer.header;
        header.generalise(origin);
        if answer.created {
            told.push(format!("created {header:?}"));
        }
        for event in &answer.events {
            let mut event = event.clone();
            event.kv.generalise(origin);
            event.prev_kv.generalise(origin);
            told.push(format!("{event:?}"));
        }
        if answer.canceled {
            let mut compacted = answer.compact_revision;
            origin.told(&mut compacted);
            told.push(format!("cancelled {:?}, compacted {compacted}", answer.cancel_reason));
        }
    }
    watches.into_iter().map(|(id, told)| format!("watch {id}: {}", told.join("; "))).collect()
}
