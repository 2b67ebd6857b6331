//! Plays a sequence on a server and writes down what it says.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ennead_engine::coord::api::etcdserverpb as pb;
use tonic::{Status, Streaming};

use super::super::client::{Client, Requests, cancel, create, progress};
use super::generator::Step;
use super::observation::{Origin, by_watch, told};
use crate::wait::TIMEOUT;

/// Between two questions whether all watches are up to date.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Watches that only show that what was sent before them has arrived have numbers from here on.
const MARKS: i64 = 1_000;

/// A client of one server.
pub(super) struct Player {
    client: Client,
}

/// The watch stream of a sequence and all that came on it.
struct Stream {
    requests: Requests<pb::WatchRequest>,
    answers: Streaming<pb::WatchResponse>,
    got: Vec<pb::WatchResponse>,
    marks: i64,
    /// How many answers came before the player cancelled watches itself.
    closing: usize,
    /// The latest revision that a watch begins with.
    newest: i64,
}

impl Player {
    pub(super) async fn connect(address: SocketAddr) -> Player {
        Player { client: Client::connect(address).await }
    }

    /// The answer to each step, then what each watch got, on an emptied server.
    pub(super) async fn play(&mut self, steps: &[Step]) -> Vec<String> {
        let origin = self.empty().await;
        let mut stream = None;
        let mut answers = Vec::new();
        for step in steps {
            answers.push(self.step(&origin, step, &mut stream).await);
        }
        if let Some(stream) = &mut stream {
            self.reach(stream.newest).await;
            stream.catch_up().await;
            let (before, after) = stream.got.split_at(stream.closing);
            let own = |answer: &&pb::WatchResponse| !answer.canceled || answer.compact_revision > 0;
            let told: Vec<_> = before.iter().chain(after.iter().filter(own)).collect();
            answers.extend(by_watch(&origin, &told, MARKS));
        }
        answers
    }

    /// Writes until the revision is reached: while a watch begins later, etcd does not say how far a stream is.
    async fn reach(&self, revision: i64) {
        let mut reached = 0;
        while reached < revision {
            let filler = pb::PutRequest { key: "filler".into(), ..Default::default() };
            reached = self.client.call(filler).await.unwrap().header.unwrap().revision;
        }
    }

    /// Removes all keys and leases, and all that could be read from before.
    async fn empty(&self) -> Origin {
        let everything = pb::DeleteRangeRequest { key: "\0".into(), range_end: "\0".into(), ..Default::default() };
        self.client.call(everything).await.unwrap();
        let leases = self.client.call(pb::LeaseLeasesRequest::default()).await.unwrap().leases;
        for lease in leases {
            self.client.call(pb::LeaseRevokeRequest { id: lease.id }).await.unwrap();
        }
        let answer = self.client.call(pb::RangeRequest { key: "x".into(), ..Default::default() }).await.unwrap();
        let revision = answer.header.unwrap().revision;
        // It may be the newest already, and compacted.
        let _ = self.client.call(pb::CompactionRequest { revision, physical: true }).await;
        Origin { revision }
    }

    async fn step(&self, origin: &Origin, step: &Step, stream: &mut Option<Stream>) -> String {
        let client = &self.client;
        match step {
            Step::Range(request) => told(origin, client.call(origin.range(request.clone())).await),
            Step::Put(request) => told(origin, client.call(request.clone()).await),
            Step::Delete(request) => told(origin, client.call(request.clone()).await),
            Step::Txn(request) => told(origin, client.call(origin.transaction(request.clone())).await),
            Step::Compact(request) => {
                let request = pb::CompactionRequest { revision: origin.real(request.revision), ..*request };
                told(origin, client.call(request).await)
            }
            Step::Grant(request) => told(origin, client.call(*request).await),
            Step::Revoke(id) => told(origin, client.call(pb::LeaseRevokeRequest { id: *id }).await),
            Step::TimeToLive(id, keys) => {
                told(origin, client.call(pb::LeaseTimeToLiveRequest { id: *id, keys: *keys }).await)
            }
            Step::Leases => told(origin, client.call(pb::LeaseLeasesRequest::default()).await),
            Step::KeepAlive(id) => told(origin, self.keep_alive(*id).await),
            Step::Watch(request) => {
                let request = origin.watch(request.clone());
                let start = request.start_revision;
                match stream {
                    Some(stream) => stream.send(create(request)),
                    None => *stream = Some(Stream::open(client, request).await),
                }
                let stream = stream.as_mut().unwrap();
                stream.newest = stream.newest.max(start);
                stream.read_until("the watch to be made", |answer| answer.created).await;
                "a watch".into()
            }
            Step::CancelWatch(id) => {
                if let Some(stream) = stream {
                    stream.send(cancel(*id));
                    stream.mark().await;
                }
                "a cancel".into()
            }
        }
    }

    async fn keep_alive(&self, id: i64) -> Result<pb::LeaseKeepAliveResponse, Status> {
        let (_requests, mut answers) = self.client.keep_alive(pb::LeaseKeepAliveRequest { id }).await?;
        answers.message().await?.ok_or_else(|| Status::aborted("the stream ended"))
    }
}

impl Stream {
    async fn open(client: &Client, first: pb::WatchCreateRequest) -> Stream {
        let (requests, answers) = client.watch(create(first)).await.unwrap();
        Stream { requests, answers, got: Vec::new(), marks: MARKS, closing: 0, newest: 0 }
    }

    fn send(&self, request: pb::WatchRequest) {
        self.requests.send(request).expect("the stream stands");
    }

    async fn read_until(&mut self, what: &str, wanted: impl Fn(&pb::WatchResponse) -> bool) {
        loop {
            let answer = tokio::time::timeout(TIMEOUT, self.answers.message()).await;
            let answer = answer.unwrap_or_else(|_| panic!("waited in vain for {what}"));
            let answer = answer.unwrap_or_else(|status| panic!("waiting for {what}: {status:?}"));
            let answer = answer.unwrap_or_else(|| panic!("the stream ended before {what}"));
            let found = wanted(&answer);
            self.got.push(answer);
            if found {
                return;
            }
        }
    }

    /// Waits until all that was sent has arrived.
    async fn mark(&mut self) {
        self.marks += 1;
        let mark = self.marks;
        let request = pb::WatchCreateRequest { key: "never put".into(), watch_id: mark, ..Default::default() };
        self.send(create(request));
        self.read_until("a mark", |answer| answer.created && answer.watch_id == mark).await;
    }

    /// Waits until every watch has got what there is: only then a server says how far the stream is. etcd says it only
    /// while there is a watch, and none that compaction ended and the client did not cancel.
    async fn catch_up(&mut self) {
        self.mark().await;
        self.closing = self.got.len();
        let begun = Instant::now();
        loop {
            let ended = self.got.iter().filter(|answer| answer.compact_revision > 0).map(|answer| answer.watch_id);
            for id in ended.collect::<Vec<_>>() {
                self.send(cancel(id));
            }
            self.send(progress());
            let done = |answer: &pb::WatchResponse| answer.watch_id == -1 && !answer.created && !answer.canceled;
            match tokio::time::timeout(ASK_EVERY, self.read_until("progress", done)).await {
                Ok(()) => return,
                Err(_) => assert!(begun.elapsed() < TIMEOUT, "the watches do not catch up: {:?}", self.got),
            }
        }
    }
}
