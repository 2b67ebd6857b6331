//! Plays a sequence on a server and writes down what it says.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ennead_engine::coord::api::etcdserverpb as pb;
use tonic::{Status, Streaming};

use super::generator::Step;
use super::observation::{Origin, by_watch, told};
use crate::grpc::{Client, Requests, cancel, create, progress};
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
    /// Watches that compaction ended and the player cancelled itself, of so many answers.
    own: BTreeSet<i64>,
    looked_at: usize,
    /// Whether a watch begins in the past.
    past: bool,
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
            let reached = self.reach(stream.newest).await;
            stream.catch_up(reached).await;
            let is_own = |answer: &pb::WatchResponse| ends(answer) && stream.own.contains(&answer.watch_id);
            let told: Vec<_> = stream.got.iter().filter(|answer| !is_own(answer)).collect();
            answers.extend(by_watch(&origin, &told, MARKS));
        }
        answers
    }

    /// Writes until the revision is reached, and at least once; the revision then. While a watch begins later, etcd does not
    /// say how far a stream is, and only a new revision shows that the answer is not an old one.
    async fn reach(&self, revision: i64) -> i64 {
        loop {
            let filler = pb::PutRequest { key: "filler".into(), ..Default::default() };
            let reached = self.client.call(filler).await.unwrap().header.unwrap().revision;
            if reached >= revision {
                return reached;
            }
        }
    }

    /// Waits until watches of the past have come as far as there is: how far they are when what they want is compacted, or
    /// when they are cancelled, would be a matter of time.
    async fn settle(&self, stream: &mut Option<Stream>) {
        if let Some(stream) = stream.as_mut().filter(|stream| stream.past) {
            let reached = self.reach(stream.newest).await;
            stream.catch_up(reached).await;
        }
    }

    /// Removes all keys and leases, and all that could be read from before.
    async fn empty(&self) -> Origin {
        let everything = pb::DeleteRangeRequest { key: "\0".into(), range_end: "\0".into(), ..Default::default() };
        self.client.call(everything).await.unwrap();
        let leases = self.client.call(pb::LeaseLeasesRequest::default()).await.unwrap().leases;
        for lease in leases {
            match self.client.call(pb::LeaseRevokeRequest { id: lease.id }).await {
                // A short one may have ended meanwhile.
                Err(status) if status.code() != tonic::Code::NotFound => panic!("{status:?}"),
                _ => {}
            }
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
                self.settle(stream).await;
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
                stream.past |= start > 0;
                stream.read_until("the watch to be made", |answer| answer.created).await;
                "a watch".into()
            }
            Step::CancelWatch(id) => {
                self.settle(stream).await;
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

/// Whether a watch is over because somebody cancelled it.
fn ends(answer: &pb::WatchResponse) -> bool {
    answer.canceled && answer.compact_revision == 0
}

impl Stream {
    async fn open(client: &Client, first: pb::WatchCreateRequest) -> Stream {
        let (requests, answers) = client.watch(create(first)).await.unwrap();
        Stream {
            requests,
            answers,
            got: Vec::new(),
            marks: MARKS,
            own: BTreeSet::new(),
            looked_at: 0,
            past: false,
            newest: 0,
        }
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

    /// Cancels the watches that compaction ended, once. Whether there were any.
    async fn cancel_ended(&mut self) -> bool {
        let answers = self.got[self.looked_at..].iter();
        let new: Vec<i64> =
            answers.filter(|answer| answer.compact_revision > 0).map(|answer| answer.watch_id).collect();
        self.looked_at = self.got.len();
        for id in &new {
            self.own.insert(*id);
            self.send(cancel(*id));
        }
        if !new.is_empty() {
            self.mark().await;
        }
        !new.is_empty()
    }

    /// Waits until every watch has got what there is up to a revision: only then a server says how far the stream is. etcd says it only
    /// while there is a watch, and none that compaction ended and the client did not cancel.
    async fn catch_up(&mut self, revision: i64) {
        self.mark().await;
        let begun = Instant::now();
        loop {
            self.cancel_ended().await;
            self.send(progress());
            let done = |answer: &pb::WatchResponse| {
                let reached = answer.header.is_some_and(|header| header.revision >= revision);
                answer.watch_id == -1 && !answer.created && !answer.canceled && reached
            };
            match tokio::time::timeout(ASK_EVERY, self.read_until("progress", done)).await {
                // The last word may have been that another is ended.
                Ok(()) if !self.cancel_ended().await => return,
                Ok(()) => {}
                Err(_) => assert!(begun.elapsed() < TIMEOUT, "the watches do not catch up: {:?}", self.got),
            }
        }
    }
}
