//! Plays the random sequences over JSON. Watches are streams of their own here, each on all keys, so that a mark at the end
//! shows when all has come.

use ennead_engine::coord::api::etcdserverpb as pb;
use prost::Message;
use serde_json::{Value, json};

use super::document::{general, request};
use super::web::{Answer, Web};
use crate::etcd::differential::generator::Step;
use crate::etcd::differential::observation::Origin;
use crate::random::Random;

/// The key that is put and deleted at the end of a sequence, in base64.
const MARK: &str = "bWFyaw==";
const NODELETE: i32 = 1;

/// A client of one server.
pub(super) struct Player {
    web: Web,
}

/// A watch and what came on it.
struct Watch {
    answer: Answer,
    wants_deletes: bool,
    start: i64,
    got: Vec<Value>,
    /// The revision of the mark to read to.
    mark: i64,
    marked: bool,
    canceled: bool,
}

impl Player {
    pub(super) fn new(web: Web) -> Player {
        Player { web }
    }

    /// The answer to each step, then what each watch got, on an emptied server.
    pub(super) fn play(&self, steps: &[Step]) -> Vec<String> {
        let origin = self.empty();
        let mut watches = Vec::new();
        let mut answers = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            answers.push(self.step(&origin, &mut Random::new(at as u64), step, &mut watches));
        }
        let mark = self.mark(&watches);
        for mut watch in watches {
            watch.read_until_marked(mark);
            let events: Vec<_> = watch.got.into_iter().map(|told| general(&origin, told).to_string()).collect();
            answers.push(format!("watch: {}", events.join("; ")));
        }
        answers
    }

    fn ask(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.web.post(path, &body.to_string());
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }

    /// Removes all keys and leases, and all that could be read from before.
    fn empty(&self) -> Origin {
        self.ask("kv/deleterange", json!({"key": "AA==", "range_end": "AA=="}));
        let leases = self.ask("lease/leases", json!({}));
        for lease in leases["leases"].as_array().unwrap_or(&Vec::new()) {
            self.ask("lease/revoke", lease.clone());
        }
        let answer = self.ask("kv/range", json!({"key": "AA=="}));
        let revision = revision(&answer["header"]);
        // It may be the newest already, and compacted.
        self.web.post("kv/compaction", &json!({"revision": revision.to_string(), "physical": true}).to_string());
        Origin { revision }
    }

    fn step(&self, origin: &Origin, random: &mut Random, step: &Step, watches: &mut Vec<Watch>) -> String {
        match step {
            Step::Range(message) => {
                self.told(origin, random, "kv/range", "RangeRequest", &origin.range(message.clone()))
            }
            Step::Put(message) => self.told(origin, random, "kv/put", "PutRequest", message),
            Step::Delete(message) => self.told(origin, random, "kv/deleterange", "DeleteRangeRequest", message),
            Step::Txn(message) => {
                self.told(origin, random, "kv/txn", "TxnRequest", &origin.transaction(message.clone()))
            }
            Step::Compact(message) => {
                self.settle(watches);
                let message = pb::CompactionRequest { revision: origin.real(message.revision), ..*message };
                self.told(origin, random, "kv/compaction", "CompactionRequest", &message)
            }
            Step::Grant(message) => self.told(origin, random, "lease/grant", "LeaseGrantRequest", message),
            Step::Revoke(id) => {
                let path = *random.pick(&["lease/revoke", "kv/lease/revoke"]);
                self.told(origin, random, path, "LeaseRevokeRequest", &pb::LeaseRevokeRequest { id: *id })
            }
            Step::KeepAlive(id) => {
                let message = pb::LeaseKeepAliveRequest { id: *id };
                self.told(origin, random, "lease/keepalive", "LeaseKeepAliveRequest", &message)
            }
            Step::TimeToLive(id, keys) => {
                let path = *random.pick(&["lease/timetolive", "kv/lease/timetolive"]);
                let message = pb::LeaseTimeToLiveRequest { id: *id, keys: *keys };
                self.told(origin, random, path, "LeaseTimeToLiveRequest", &message)
            }
            Step::Leases => {
                let path = *random.pick(&["lease/leases", "kv/lease/leases"]);
                self.told(origin, random, path, "LeaseLeasesRequest", &pb::LeaseLeasesRequest {})
            }
            Step::Watch(message) => {
                let mut watch = Watch::open(&self.web, random, origin.watch(message.clone()));
                watch.read();
                watches.push(watch);
                "a watch".into()
            }
            // A stream's requests are in its body, which is over.
            Step::CancelWatch(_) => "nothing".into(),
        }
    }

    fn told<M: Message>(&self, origin: &Origin, random: &mut Random, path: &str, name: &str, message: &M) -> String {
        let (status, answer) = self.web.post(path, &request(random, name, message));
        format!("{status} {}", general(origin, answer))
    }

    /// Waits until watches of the past have come as far as there is: how far they are when what they want is compacted would be
    /// a matter of time.
    fn settle(&self, watches: &mut [Watch]) {
        if watches.iter().any(|watch| watch.start > 0) {
            let mark = self.mark(watches);
            watches.iter_mut().for_each(|watch| watch.read_until_marked(mark));
        }
    }

    /// Puts and deletes the mark, later than every watch begins. Answers the revision that put it: those of sequences before
    /// may be told as well.
    fn mark(&self, watches: &[Watch]) -> i64 {
        let newest = watches.iter().map(|watch| watch.start).max().unwrap_or_default();
        let mut reached = 0;
        while reached < newest {
            reached = revision(&self.ask("kv/put", json!({"key": "ZmlsbGVy"}))["header"]);
        }
        let put = revision(&self.ask("kv/put", json!({"key": MARK}))["header"]);
        self.ask("kv/deleterange", json!({"key": MARK}));
        put
    }
}

fn revision(header: &Value) -> i64 {
    header["revision"].as_str().unwrap().parse().unwrap()
}

impl Watch {
    fn open(web: &Web, random: &mut Random, mut message: pb::WatchCreateRequest) -> Watch {
        (message.key, message.range_end) = ("\0".into(), "\0".into());
        if message.filters.len() > 1 {
            message.filters.clear();
        }
        let (wants_deletes, start) = (!message.filters.contains(&NODELETE), message.start_revision);
        let name = *random.pick(&["create_request", "createRequest"]);
        let body = format!("{{\"{name}\":{}}}", request(random, "WatchCreateRequest", &message));
        Watch {
            answer: web.open("POST", "watch", &body),
            wants_deletes,
            start,
            got: Vec::new(),
            mark: i64::MAX,
            marked: false,
            canceled: false,
        }
    }

    /// Takes the next line: events one by one, and what else it says.
    fn read(&mut self) {
        let line = self.answer.line().expect("the watch stands");
        let result = &line["result"];
        if result["created"] == json!(true) || result["canceled"] == json!(true) {
            self.got.push(line.clone());
        }
        self.canceled |= result["canceled"] == json!(true);
        for event in result["events"].as_array().unwrap_or(&Vec::new()) {
            let is_mark =
                event["kv"]["key"] == json!(MARK) && (event["type"] == json!("DELETE") || !self.wants_deletes);
            self.marked |=
                is_mark && event["kv"]["mod_revision"].as_str().unwrap().parse::<i64>().unwrap() >= self.mark;
            self.got.push(event.clone());
        }
    }

    fn read_until_marked(&mut self, mark: i64) {
        (self.mark, self.marked) = (mark, false);
        while !self.marked && !self.canceled {
            self.read();
        }
    }
}
