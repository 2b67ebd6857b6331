//! The model over a store in a directory of its own, through its public face.

mod fences;
mod keys;
mod leases;
mod maintenance;
mod power;
mod relays;
mod users;
mod watches;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use ennead_store::Store;
use prost::Message;
use tempfile::TempDir;

use crate::api::etcdserverpb::request_op::Request;
use crate::api::etcdserverpb::{
    CompactionRequest, DeleteRangeRequest, PutRequest, PutResponse, RangeRequest, RangeResponse, RequestOp, TxnRequest,
    TxnResponse, WatchResponse,
};
use crate::{Answer, Coord, Options, Result, WatchStream};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls until something comes; nothing when it took too long.
fn poll_until<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>, patience: Duration) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let end = Instant::now() + patience;
    loop {
        if let Poll::Ready(value) = poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
        let left = end.checked_duration_since(Instant::now())?;
        std::thread::park_timeout(left);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    poll_until(|context| future.as_mut().poll(context), PATIENCE).expect("the answer came too late")
}

/// A keyspace that can be closed and opened again.
struct World {
    directory: TempDir,
    store: Store,
    coord: Coord,
}

impl World {
    fn new() -> World {
        World::open(tempfile::tempdir().unwrap(), 0)
    }

    fn with_quota(quota_bytes: u64) -> World {
        World::open(tempfile::tempdir().unwrap(), quota_bytes)
    }

    fn open(directory: TempDir, quota_bytes: u64) -> World {
        let store = Store::open(ennead_store::Options::new(directory.path())).unwrap();
        let coord = Coord::open(store.clone(), &Options { seed: 7, quota_bytes }).unwrap();
        World { directory, store, coord }
    }

    fn reopen(self) -> World {
        let World { directory, store, coord } = self;
        drop(coord);
        store.close().unwrap();
        drop(store);
        World::open(directory, 0)
    }

    fn wait<T: Unpin>(&self, answer: Result<Answer<T>>) -> Result<T> {
        block_on(answer?)
    }

    fn put_with(&self, request: PutRequest) -> Result<PutResponse> {
        self.wait(self.coord.put(&request))
    }

    /// Puts, and answers the revision.
    fn put(&self, key: &str, value: &str) -> i64 {
        let response = self.put_with(put_request(key, value)).unwrap();
        response.header.unwrap().revision
    }

    fn delete(&self, key: &str, end: &str) -> (i64, i64) {
        let request = DeleteRangeRequest { key: bytes(key), range_end: bytes(end), prev_kv: false };
        let response = self.wait(self.coord.delete_range(&request)).unwrap();
        (response.deleted, response.header.unwrap().revision)
    }

    fn txn(&self, request: &TxnRequest) -> Result<TxnResponse> {
        self.wait(self.coord.txn(request))
    }

    fn range(&self, key: &str, end: &str, revision: i64) -> Result<RangeResponse> {
        self.coord.range(&RangeRequest { key: bytes(key), range_end: bytes(end), revision, ..Default::default() })
    }

    /// Keys and values of all keys at a revision.
    fn all(&self, revision: i64) -> Vec<(String, String)> {
        let response = self.range("\0", "\0", revision).unwrap();
        response.kvs.iter().map(|pair| (text(&pair.key), text(&pair.value))).collect()
    }

    fn compact(&self, revision: i64) -> Result<()> {
        block_on(self.coord.compact(&CompactionRequest { revision, physical: true })).map(|_| ())
    }
}

fn bytes(text: &str) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(text.as_bytes())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn put_request(key: &str, value: &str) -> PutRequest {
    PutRequest { key: bytes(key), value: bytes(value), ..Default::default() }
}

fn operation(request: Request) -> RequestOp {
    RequestOp { request: Some(request) }
}

/// The next answer of a stream.
fn next(stream: &WatchStream) -> WatchResponse {
    let answer = poll_until(|context| stream.poll_next(context), PATIENCE);
    let answer = answer.expect("an answer came too late").expect("the stream ended");
    let encoded = answer.encode_to_vec();
    let response = answer.into_response();
    // Events that are shared look on the wire like others.
    assert_eq!(encoded, response.encode_to_vec());
    response
}

/// The types, keys and revisions of an answer's events.
fn events(response: &WatchResponse) -> Vec<(char, String, i64)> {
    let event = |event: &crate::api::mvccpb::Event| {
        let pair = event.kv.clone().unwrap();
        (if event.r#type == 0 { 'p' } else { 'd' }, text(&pair.key), pair.mod_revision)
    };
    response.events.iter().map(event).collect()
}
