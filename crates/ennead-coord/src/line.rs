//! Standing in line: keys under a prefix, each on a lease, of which the one that was made first is at the front.
//!
//! Locks and elections are made of it, as etcd's are, so that clients that do the same by themselves stand in the same line.

mod election;
mod lock;

use std::future::poll_fn;

use bytes::Bytes;

use crate::api::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::api::etcdserverpb::range_request::{SortOrder, SortTarget};
use crate::api::etcdserverpb::request_op::Request;
use crate::api::etcdserverpb::watch_create_request::FilterType;
use crate::api::etcdserverpb::watch_request::RequestUnion;
use crate::api::etcdserverpb::{
    Compare, DeleteRangeRequest, LeaseGrantRequest, LeaseTimeToLiveRequest, PutRequest, RangeRequest, RequestOp,
    ResponseHeader, TxnRequest, WatchCreateRequest, WatchRequest, WatchResponse,
};
use crate::api::mvccpb::KeyValue;
use crate::api::mvccpb::event::EventType;
use crate::coord::Coord;
use crate::error::{Error, Result};
use crate::watch::WatchStream;

pub use election::Observation;

/// Seconds of a lease that is granted to whoever brings none.
const OWN_TTL: i64 = 60;

/// A key in a line. Dropped before it is kept, as when the client goes away, it leaves the line.
struct Place<'a> {
    coord: &'a Coord,
    prefix: Bytes,
    key: Bytes,
    /// Its create revision.
    revision: i64,
    kept: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // Fails when the store does, and then the lease ends it.
        let leave = self.coord.txn(&if_created(&self.key, self.revision, delete(&self.key), None));
        drop(leave);
    }
}

/// The lease to stand on: that of the request, or a new one.
async fn lease_for(coord: &Coord, lease: i64, now_ms: u64) -> Result<i64> {
    if lease != 0 {
        let request = LeaseTimeToLiveRequest { id: lease, keys: false };
        let there = coord.lease_time_to_live(&request, now_ms)?.ttl >= 0;
        return if there { Ok(lease) } else { Err(Error::LeaseNotFound) };
    }
    Ok(coord.lease_grant(&LeaseGrantRequest { ttl: OWN_TTL, id: 0 }, now_ms)?.await?.id)
}

fn prefix_of(name: &[u8]) -> Bytes {
    [name, b"/"].concat().into()
}

/// The key that a lease has in a line.
fn key_of(prefix: &[u8], lease: i64) -> Bytes {
    let sign = if lease < 0 { "-" } else { "" };
    [prefix, format!("{sign}{:x}", lease.unsigned_abs()).as_bytes()].concat().into()
}

/// A range over the keys of a line: the one made first, or last, of those made up to a revision; 0 for any.
fn end_of_line(prefix: &Bytes, order: SortOrder, max_create_revision: i64) -> RangeRequest {
    RangeRequest {
        key: prefix.clone(),
        range_end: ennead_store::prefix_end(prefix).unwrap_or_else(|| vec![0]).into(),
        limit: 1,
        sort_order: order as i32,
        sort_target: SortTarget::Create as i32,
        max_create_revision,
        ..RangeRequest::default()
    }
}

fn get(key: &Bytes) -> RequestOp {
    let request = RangeRequest { key: key.clone(), ..RangeRequest::default() };
    RequestOp { request: Some(Request::RequestRange(request)) }
}

fn put(key: &Bytes, value: Bytes, lease: i64) -> RequestOp {
    let request = PutRequest { key: key.clone(), value, lease, ..PutRequest::default() };
    RequestOp { request: Some(Request::RequestPut(request)) }
}

fn delete(key: &Bytes) -> RequestOp {
    let request = DeleteRangeRequest { key: key.clone(), ..DeleteRangeRequest::default() };
    RequestOp { request: Some(Request::RequestDeleteRange(request)) }
}

/// A transaction on the condition that a key was made by a revision; 0 when it is not there.
fn if_created(key: &Bytes, revision: i64, success: RequestOp, failure: Option<RequestOp>) -> TxnRequest {
    let compare = Compare {
        result: CompareResult::Equal as i32,
        target: CompareTarget::Create as i32,
        key: key.clone(),
        target_union: Some(TargetUnion::CreateRevision(revision)),
        range_end: Bytes::new(),
    };
    TxnRequest { compare: vec![compare], success: vec![success], failure: failure.into_iter().collect() }
}

impl<'a> Place<'a> {
    /// Stands in line, at the end, or where the lease stands already; answers the pair that is there then too.
    async fn take(
        coord: &'a Coord,
        name: &[u8],
        lease: i64,
        value: Bytes,
    ) -> Result<(Place<'a>, ResponseHeader, Option<KeyValue>)> {
        let prefix = prefix_of(name);
        let key = key_of(&prefix, lease);
        let request = if_created(&key, 0, put(&key, value, lease), Some(get(&key)));
        let response = coord.txn(&request)?.await?;
        let header = response.header.unwrap_or_default();
        let mut place = Place { coord, prefix, key, revision: header.revision, kept: false };
        let there = response.responses.into_iter().find_map(|response| match response.response {
            Some(crate::api::etcdserverpb::response_op::Response::ResponseRange(range)) => range.kvs.into_iter().next(),
            _ => None,
        });
        if let Some(pair) = &there {
            place.revision = pair.create_revision;
        }
        Ok((place, header, there))
    }

    /// Waits until nobody is before this place.
    async fn come_to_front(&self) -> Result<()> {
        loop {
            let before = end_of_line(&self.prefix, SortOrder::Descend, self.revision - 1);
            let response = self.coord.range(&before)?;
            let Some(last) = response.kvs.first() else { return Ok(()) };
            wait_for_delete(self.coord, &last.key, response.header.map_or(0, |header| header.revision)).await?;
        }
    }

    fn keep(mut self) -> Bytes {
        self.kept = true;
        self.key.clone()
    }
}

/// Opens a stream with one watch.
fn watch(coord: &Coord, request: WatchCreateRequest) -> WatchStream {
    let stream = coord.watch();
    stream.request(WatchRequest { request_union: Some(RequestUnion::CreateRequest(request)) });
    stream
}

/// The next answer of a stream that ends for no other reason than an error.
async fn next(stream: &WatchStream) -> Result<WatchResponse> {
    let answer = poll_fn(|context| stream.poll_next(context)).await.ok_or(Error::Stopped)?;
    let response = answer.into_response();
    if response.canceled { Err(Error::Compacted) } else { Ok(response) }
}

async fn wait_for_delete(coord: &Coord, key: &Bytes, revision: i64) -> Result<()> {
    let stream = watch(
        coord,
        WatchCreateRequest {
            key: key.clone(),
            start_revision: revision,
            filters: vec![FilterType::Noput as i32],
            ..WatchCreateRequest::default()
        },
    );
    loop {
        let response = next(&stream).await?;
        if response.events.iter().any(|event| event.r#type == EventType::Delete as i32) {
            return Ok(());
        }
    }
}
