//! Runs clients and watchers against a server that is killed in between, and keeps what each was told and when.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ennead_engine::coord::api::etcdserverpb as pb;
use tokio::sync::watch;
use tonic::{Code, Status};

use super::super::keeper::{Keeper, Kind};
use super::translation::{FROM, TO, ask};
use super::watcher::follow;
use crate::grpc::Client;
use crate::linearizability::history::{NEVER, Operation};
use crate::linearizability::model::{Action, Answer, Compare, Entry, Key, Outcome, Relation, Request, Target, Value};
use crate::linearizability::watch::{Log, Message, Watch};
use crate::random::Random;
use crate::server::free_address;

const CLIENTS: usize = 8;
const KEYS: usize = 5;
/// Each client's share of a history.
const REQUESTS: usize = 120;
/// At most, in one history.
const KILLS: usize = 3;

pub(super) struct Recording {
    pub(super) history: Vec<Operation>,
    /// What a watcher that came last was told of everything.
    pub(super) log: Log,
    pub(super) watches: Vec<Watch>,
    /// The revision that all watchers had to reach.
    pub(super) end: i64,
}

pub(super) async fn record(kind: Kind, seed: u64) -> Recording {
    let mut random = Random::new(seed);
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut keeper = Keeper::start_in(kind, folder.path(), address, kind.hasty());
    Client::connect(address).await;
    let begun = Instant::now();
    let (end, ended) = watch::channel(None);
    let watchers: Vec<_> =
        wanted(&mut random).into_iter().map(|watch| tokio::spawn(follow(address, watch, ended.clone()))).collect();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let random = Random::new(random.next());
            tokio::spawn(Asking::new(number, random, address, begun).run())
        })
        .collect();
    for _ in 0..=random.below(KILLS) {
        // Not a wait for anything: the moment of the kill is the random choice.
        tokio::time::sleep(Duration::from_millis(20 + random.below(150) as u64)).await;
        keeper.kill();
        keeper = Keeper::start_in(kind, folder.path(), address, kind.hasty());
    }
    let mut history = Vec::new();
    for client in clients {
        history.extend(client.await.unwrap());
    }
    let client = Client::connect(address).await;
    let last = client.call(pb::PutRequest { key: "i".into(), ..Default::default() }).await.unwrap();
    let revision = last.header.map_or(0, |header| header.revision) - 1;
    // One that starts now and asks for all that ever happened.
    let all = follow(address, everything(), ended);
    end.send(Some(revision)).unwrap();
    let all = all.await;
    let events = all.messages.into_iter().flat_map(|message| match message {
        Message::Events { events, .. } => events,
        Message::Progress(_) => Vec::new(),
    });
    let log = Log::new(events, revision);
    let mut watches = Vec::new();
    for watcher in watchers {
        watches.push(watcher.await.unwrap());
    }
    Recording { history, log, watches, end: revision }
}

fn everything() -> Watch {
    let (from, to) = (Key::from(FROM), Key::from(TO));
    Watch { from, to, start: 1, puts: true, deletes: true, before: true, messages: Vec::new() }
}

/// Watchers of everything, of one key, of one kind of event, from the beginning and from later.
fn wanted(random: &mut Random) -> Vec<Watch> {
    let one = key(random.below(KEYS));
    let after = Key::from([&one[..], &[0]].concat());
    vec![
        everything(),
        everything(),
        Watch { from: one.clone(), to: after, ..everything() },
        Watch { from: one, deletes: false, before: false, ..everything() },
        Watch { puts: false, start: 1 + random.below(200) as i64, ..everything() },
    ]
}

fn key(number: usize) -> Key {
    Key::from([FROM, &[b'a' + number as u8]].concat())
}

/// A client that waits for each answer.
struct Asking {
    number: usize,
    random: Random,
    address: SocketAddr,
    begun: Instant,
    /// What it saw last, for transactions that compare with it.
    seen: HashMap<Key, Entry>,
    values: u32,
    history: Vec<Operation>,
}

impl Asking {
    fn new(number: usize, random: Random, address: SocketAddr, begun: Instant) -> Asking {
        Asking { number, random, address, begun, seen: HashMap::new(), values: 0, history: Vec::new() }
    }

    async fn run(mut self) -> Vec<Operation> {
        let mut client = Client::connect(self.address).await;
        for _ in 0..REQUESTS {
            let request = self.request();
            let called = self.now();
            let answer = ask(&client, &request).await;
            let returned = self.now();
            let (answer, returned) = match answer {
                Ok(answer) => {
                    self.see(&answer);
                    (Some(answer), returned)
                }
                Err(status) => {
                    assert!(is_unknown(&status), "{request:?}: {status:?}");
                    client = Client::connect(self.address).await;
                    (None, NEVER)
                }
            };
            self.history.push(Operation { client: self.number, request, answer, called, returned });
        }
        self.history
    }

    fn now(&self) -> u64 {
        self.begun.elapsed().as_nanos() as u64
    }

    fn see(&mut self, answer: &Answer) {
        for outcome in &answer.outcomes {
            if let Outcome::Read(entries) = outcome {
                self.seen.extend(entries.iter().cloned());
            }
        }
    }

    fn value(&mut self) -> Value {
        self.values += 1;
        // Nobody else writes it, so that it says who wrote it.
        Value::from(format!("{}-{}", self.number, self.values).into_bytes())
    }

    fn request(&mut self) -> Request {
        let (one, other) = (key(self.random.below(KEYS)), key(self.random.below(KEYS)));
        let value = self.value();
        match self.random.below(20) {
            0..5 => Request::of(Action::Get(one)),
            5..7 => Request::of(Action::List),
            7..12 => Request::of(Action::Put(one, value)),
            12..14 => Request::of(Action::Delete(one)),
            14 => Request { success: vec![Action::Get(one), Action::List], ..Request::default() },
            15 | 16 if one != other => Request {
                success: vec![Action::Put(one.clone(), value.clone()), Action::Delete(other), Action::Get(one)],
                ..Request::default()
            },
            _ => Request {
                compares: vec![self.compare(&one)],
                success: vec![Action::Put(one.clone(), value)],
                failure: if self.random.one_in(4) { vec![Action::Delete(one)] } else { vec![Action::Get(one)] },
            },
        }
    }

    /// With what it last saw, which may be true no longer.
    fn compare(&mut self, key: &Key) -> Compare {
        let (relation, target) = match self.seen.get(key) {
            None => (Relation::Equal, Target::Version(0)),
            Some(entry) => match self.random.below(5) {
                0 => (Relation::Equal, Target::Value(entry.value.clone())),
                1 => (Relation::Greater, Target::Version(entry.version)),
                2 => (Relation::NotEqual, Target::Created(entry.created)),
                3 => (Relation::Less, Target::Modified(entry.modified + 3)),
                _ => (Relation::Equal, Target::Modified(entry.modified)),
            },
        };
        Compare { key: key.clone(), relation, target }
    }
}

/// The server died before it answered, or cannot say what became of it. Anything else is a refusal that nothing here earns.
fn is_unknown(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable | Code::Unknown | Code::Cancelled | Code::DeadlineExceeded | Code::Internal
    )
}
