//! How far watches are, while the threads that tell them stand still: the tests do their work, step by step.

use std::task::{Context, Poll, Waker};

use ennead_store::Store;
use tempfile::TempDir;

use super::{Round, WatchStream, history};
use crate::api::etcdserverpb::watch_request::RequestUnion;
use crate::api::etcdserverpb::{PutRequest, WatchCreateRequest, WatchProgressRequest, WatchRequest, WatchResponse};
use crate::{Coord, Options};

/// A keyspace whose watches are told by nobody but the test.
struct Still {
    coord: Coord,
    _directory: TempDir,
}

impl Still {
    fn new() -> Still {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(ennead_store::Options::new(directory.path())).unwrap();
        let coord = Coord::open(store, &Options { seed: 7, quota_bytes: 0 }).unwrap();
        coord.shared().hub.stop();
        Still { coord, _directory: directory }
    }

    /// Puts, and comes back when the client could know it.
    fn put(&self, key: &'static str) -> i64 {
        let before = self.coord.revision();
        drop(self.coord.put(&PutRequest { key: key.into(), ..PutRequest::default() }).unwrap());
        while self.coord.revision() == before {
            std::thread::yield_now();
        }
        before + 1
    }

    fn watch(&self, key: &'static str, start_revision: i64) -> WatchStream {
        let stream = self.coord.watch();
        let request = WatchCreateRequest { key: key.into(), start_revision, ..WatchCreateRequest::default() };
        stream.request(WatchRequest { request_union: Some(RequestUnion::CreateRequest(request)) });
        assert!(poll(&stream).is_some_and(|response| response.created));
        stream
    }

    /// Tells the watches what has been published; one transaction of it.
    fn tell(&self) {
        let (hub, mut round) = (&self.coord.shared().hub, Round::default());
        assert!(hub.tell_next(&mut hub.level.lock(), &mut round), "something to tell");
        round.end();
    }

    /// Reads history for the stream that has asked for it.
    fn read_history(&self) {
        let shared = self.coord.shared();
        let mailbox = shared.hub.readers.lock().queue.pop_front().expect("a stream that is behind");
        history::advance(shared, &mailbox).unwrap();
        mailbox.0.lock().reading = false;
    }
}

fn ask(stream: &WatchStream) {
    stream.request(WatchRequest { request_union: Some(RequestUnion::ProgressRequest(WatchProgressRequest {})) });
}

fn poll(stream: &WatchStream) -> Option<WatchResponse> {
    match stream.poll_next(&Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => Some(response.expect("the stream to be open").into_response()),
        Poll::Pending => None,
    }
}

/// The revision of an answer, and how many events it has; -1 for one that tells of progress.
fn told(stream: &WatchStream) -> Option<(i64, i64)> {
    let response = poll(stream)?;
    let events = if response.watch_id == -1 { -1 } else { response.events.len() as i64 };
    Some((response.header.unwrap().revision, events))
}

/// Nobody has told the watches yet what the client knows by the answers to its writes.
#[test]
fn progress_comes_behind_what_the_client_knows() {
    let still = Still::new();
    let stream = still.watch("a", 0);
    let known = [still.put("a"), still.put("b"), still.put("a")];
    ask(&stream);
    assert_eq!((told(&stream), told(&stream)), (Some((known[2], 2)), Some((known[2], -1))));
    assert_eq!(told(&stream), None);
}

#[test]
fn progress_waits_for_watches_that_are_behind() {
    let still = Still::new();
    let before = still.watch("none", 0);
    let known = [still.put("a"), still.put("b")];
    still.tell();
    still.tell();
    let stream = still.watch("a", known[0]);
    ask(&stream);
    assert_eq!(told(&stream), None);
    still.read_history();
    assert_eq!((told(&stream), told(&stream)), (Some((known[1], 1)), Some((known[1], -1))));
    // Another stream is not held up by it.
    ask(&before);
    assert_eq!(told(&before), Some((known[1], -1)));
}

/// Unasked progress names what was told, not what is only published.
#[test]
fn notified_progress_is_what_was_told() {
    let still = Still::new();
    let stream = still.coord.watch();
    let request = WatchCreateRequest { key: "a".into(), progress_notify: true, ..WatchCreateRequest::default() };
    stream.request(WatchRequest { request_union: Some(RequestUnion::CreateRequest(request)) });
    assert!(poll(&stream).is_some_and(|response| response.created));
    let known = still.put("a");
    stream.notify_progress();
    assert_eq!(
        poll(&stream).map(|response| (response.header.unwrap().revision, response.watch_id)),
        Some((known - 1, 0))
    );
    still.tell();
    assert_eq!(told(&stream), Some((known, 1)));
    // It has just been told of something.
    stream.notify_progress();
    assert_eq!(told(&stream), None);
    stream.notify_progress();
    assert_eq!(told(&stream), Some((known, 0)));
}
