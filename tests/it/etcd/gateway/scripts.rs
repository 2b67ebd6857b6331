//! Requests in turn, for what random sequences leave out: users and tokens, locks and elections, the server itself, streams,
//! and bodies that are not what they should be.

use serde_json::{Value, json};

use super::document::general;
use super::web::{Answer, Web};
use crate::etcd::differential::observation::Origin;
use crate::wait::until;

pub(super) type Script = fn(&mut Conversation);

pub(super) const ALL: &[(&str, Script)] = &[
    ("bodies that are wrong or odd", bodies),
    ("paths and methods", paths),
    ("the server and its member", server),
    ("users, roles and tokens", users),
    ("locks", locks),
    ("elections", elections),
    ("streams", streams),
    ("transactions", transactions),
];

/// A server that is asked, and what it said.
pub(super) struct Conversation {
    web: Web,
    origin: Origin,
    told: Vec<String>,
}

pub(super) fn run(web: Web, script: Script) -> Vec<String> {
    let mut conversation = Conversation { web, origin: Origin { revision: 1 }, told: Vec::new() };
    script(&mut conversation);
    conversation.told
}

impl Conversation {
    fn send(&mut self, path: &str, body: &str) -> Value {
        let (status, answer) = self.web.post(path, body);
        self.note(&format!("{path} {body}: {status}"), answer.clone());
        answer
    }

    /// The body may name what only one server knows.
    fn ask(&mut self, path: &str, body: Value) -> Value {
        let (status, answer) = self.web.post(path, &body.to_string());
        self.note(&format!("{} {path}: {status}", self.told.len()), answer.clone());
        answer
    }

    /// Asks for what the servers answer with texts or numbers of their own: only that it is there is noted.
    fn ask_for(&mut self, path: &str, body: Value, fields: &[&str]) -> Value {
        let (status, answer) = self.web.post(path, &body.to_string());
        let there: Vec<_> = fields.iter().map(|field| (field, answer.pointer(field).is_some())).collect();
        self.told.push(format!("{path}: {status} {there:?}"));
        answer
    }

    fn note(&mut self, what: &str, answer: Value) {
        self.told.push(format!("{what} {}", general(&self.origin, answer)));
    }
}

fn bodies(with: &mut Conversation) {
    with.ask("kv/put", json!({"key": "YQ==", "value": "MQ=="}));
    for body in [
        "",
        "  \n ",
        "{}",
        "[]",
        "null",
        "7",
        "nonsense",
        r#"{"key":"YQ=="} and more"#,
        r#"{"key":"YQ==""#,
        r#"{"key":"YQ==",}"#,
        r#"{"key":"YQ==","unknown":{"a":[1]}}"#,
        r#"{"key":null,"limit":null}"#,
        r#"{"key":"YQ"}"#,
        r#"{"key":"-_8"}"#,
        r#"{"key":"+/8="}"#,
        r#"{"key":"!"}"#,
        r#"{"key":5}"#,
        r#"{"key":"YQ==","limit":"x"}"#,
        r#"{"key":"YQ==","limit":1.0}"#,
        r#"{"key":"YQ==","limit":1.5}"#,
        r#"{"key":"YQ==","limit":true}"#,
        r#"{"key":"YQ==","limit":99999999999999999999}"#,
        r#"{"key":"YQ==","limit":"9223372036854775807","revision":"9223372036854775807"}"#,
        r#"{"key":"YQ==","serializable":"true"}"#,
        r#"{"key":"YQ==","sort_order":"ASCEND","sortTarget":"VALUE"}"#,
        r#"{"key":"YQ==","sort_order":"SIDEWAYS"}"#,
        r#"{"key":"YQ==","sort_order":77}"#,
        r#"{"key":"YQ==","sort_order":-1}"#,
        r#"{"KEY":"YQ=="}"#,
    ] {
        with.send("kv/range", body);
    }
    with.send("kv/txn", r#"{"compare":[{"key":"YQ==","version":"1","lease":"2"}]}"#);
    with.send("kv/txn", r#"{"compare":{"key":"YQ=="}}"#);
    with.send("kv/txn", r#"{"success":[{}]}"#);
    with.send("kv/txn", r#"{"success":[null]}"#);
}

fn paths(with: &mut Conversation) {
    for path in ["kv", "kv/", "kv/range/", "kv/nothing", "kv/Range", "lock", "watch/", "kv/lease/grant", "kv/range?a=b"]
    {
        with.ask(path, json!({"key": "YQ=="}));
    }
    for method in ["GET", "PUT", "DELETE"] {
        let mut answer = with.web.open(method, "kv/range", r#"{"key":"YQ=="}"#);
        let status = answer.status;
        with.told.push(format!("{method}: {status}"));
        drop(answer.line());
    }
}

fn server(with: &mut Conversation) {
    with.ask("kv/put", json!({"key": "YQ=="}));
    with.ask_for("maintenance/status", json!({}), &["/version", "/dbSize", "/leader", "/raftIndex", "/storageVersion"]);
    with.ask_for("maintenance/hash", json!({}), &["/hash", "/header/revision"]);
    with.ask_for("maintenance/hashkv", json!({}), &["/hash", "/hash_revision", "/compact_revision"]);
    with.ask("maintenance/hashkv", json!({"revision": "100"}));
    with.ask("maintenance/defragment", json!({}));
    let members = with.ask_for("cluster/member/list", json!({}), &["/members/0/ID", "/members/0/name", "/members/1"]);
    let id = members["members"][0]["ID"].clone();
    with.ask("cluster/member/remove", json!({"ID": "5"}));
    with.ask("cluster/member/promote", json!({"ID": id}));
    with.ask("maintenance/transfer-leadership", json!({"targetID": id}));
    with.ask("maintenance/transfer-leadership", json!({"targetID": "5"}));
    with.ask("maintenance/downgrade", json!({"action": "CANCEL"}));
    with.ask("maintenance/downgrade", json!({"action": "VALIDATE", "version": "x"}));
    for (action, alarm) in [("GET", "NONE"), ("ACTIVATE", "NOSPACE"), ("GET", "NOSPACE"), ("GET", "CORRUPT")] {
        with.ask("maintenance/alarm", json!({"action": action, "alarm": alarm, "memberID": id}));
    }
    with.ask("kv/put", json!({"key": "YQ=="}));
    with.ask("maintenance/alarm", json!({"action": "DEACTIVATE", "alarm": 1, "memberID": id}));
    with.ask("maintenance/alarm", json!({}));
    with.ask("kv/put", json!({"key": "YQ=="}));
}

fn users(with: &mut Conversation) {
    with.ask("auth/status", json!({}));
    with.ask("auth/enable", json!({}));
    with.ask("auth/user/add", json!({"name": "root", "password": "r"}));
    with.ask("auth/user/add", json!({"name": "root", "password": "r"}));
    with.ask("auth/user/add", json!({"name": "ann", "password": "a", "options": {"no_password": false}}));
    with.ask("auth/role/add", json!({"name": "root"}));
    with.ask("auth/role/add", json!({"name": "some"}));
    let perm = json!({"permType": "READWRITE", "key": "YQ==", "range_end": "Yg=="});
    with.ask("auth/role/grant", json!({"name": "some", "perm": perm}));
    with.ask("auth/role/grant", json!({"name": "some", "perm": {"permType": 0, "key": "eA=="}}));
    with.ask("auth/role/get", json!({"role": "some"}));
    with.ask("auth/role/revoke", json!({"role": "some", "key": "eA=="}));
    with.ask("auth/role/get", json!({"role": "some"}));
    with.ask("auth/user/grant", json!({"user": "root", "role": "root"}));
    with.ask("auth/user/grant", json!({"user": "ann", "role": "some"}));
    with.ask("auth/user/get", json!({"name": "ann"}));
    with.ask("auth/user/list", json!({}));
    with.ask("auth/role/list", json!({}));
    with.ask("auth/enable", json!({}));
    with.ask("kv/put", json!({"key": "YQ=="}));
    with.ask("auth/authenticate", json!({"name": "ann", "password": "wrong"}));
    let token = |with: &mut Conversation, name: &str, password: &str| {
        let answer = with.ask_for("auth/authenticate", json!({"name": name, "password": password}), &["/token"]);
        answer["token"].as_str().map(str::to_owned)
    };
    with.web.token = token(with, "ann", "a");
    with.ask("kv/put", json!({"key": "YQ=="}));
    with.ask("kv/put", json!({"key": "eA=="}));
    with.ask("kv/range", json!({"key": "AA==", "range_end": "AA=="}));
    with.ask("auth/user/list", json!({}));
    with.ask("lease/leases", json!({}));
    let denied = with.web.open("POST", "watch", r#"{"create_request":{"key":"eA=="}}"#).line().unwrap();
    with.note("a watch of another's key:", denied);
    with.web.token = Some("wrong".into());
    with.ask("kv/range", json!({"key": "YQ=="}));
    with.ask("lease/keepalive", json!({"ID": "1"}));
    with.ask("maintenance/snapshot", json!({}));
    with.web.token = token(with, "root", "r");
    with.ask("auth/user/changepw", json!({"name": "ann", "password": "b"}));
    with.ask("auth/user/revoke", json!({"name": "ann", "role": "some"}));
    with.ask("auth/user/delete", json!({"name": "ann"}));
    with.ask("auth/role/delete", json!({"role": "some"}));
    with.ask("auth/disable", json!({}));
    with.ask("auth/status", json!({}));
}

fn locks(with: &mut Conversation) {
    with.ask("lock/lock", json!({"name": "bA==", "lease": "77"}));
    with.ask("lease/grant", json!({"ID": "7", "TTL": "100"}));
    let held = with.ask("lock/lock", json!({"name": "bA==", "lease": "7"}));
    let waiting = with.web.send("POST", "lock/lock", r#"{"name":"bA=="}"#);
    let both = json!({"key": "bC8=", "range_end": "bDA=", "count_only": true}).to_string();
    until("the lock to be waited for", || (with.web.post("kv/range", &both).1["count"] == json!("2")).then_some(()));
    with.ask("lock/unlock", json!({"key": held["key"]}));
    let (_, next) = Answer::begin(waiting).whole();
    with.told.push(format!("the next has it: {}", next["key"].is_string()));
    with.ask("lock/unlock", json!({"key": next["key"]}));
    with.ask("lock/unlock", json!({"key": "bm9uZQ=="}));
}

fn elections(with: &mut Conversation) {
    with.ask("election/leader", json!({"name": "ZQ=="}));
    with.ask("election/campaign", json!({"name": "ZQ==", "lease": "77", "value": "MQ=="}));
    with.ask("lease/grant", json!({"ID": "7", "TTL": "100"}));
    let seen = with.web.send("POST", "election/observe", r#"{"name":"ZQ=="}"#);
    let won = with.ask("election/campaign", json!({"name": "ZQ==", "lease": "7", "value": "MQ=="}));
    let mut seen = Answer::begin(seen);
    let first = seen.line().unwrap();
    with.note("seen:", first);
    with.ask("election/proclaim", json!({"leader": won["leader"], "value": "Mg=="}));
    let second = seen.line().unwrap();
    with.note("seen:", second);
    with.ask("election/leader", json!({"name": "ZQ=="}));
    with.ask("election/proclaim", json!({"value": "Mg=="}));
    with.ask("election/resign", json!({"leader": won["leader"]}));
    with.ask("election/proclaim", json!({"leader": won["leader"], "value": "Mg=="}));
}

fn streams(with: &mut Conversation) {
    with.ask("kv/put", json!({"key": "YQ==", "value": "MQ=="}));
    with.ask("kv/put", json!({"key": "YQ==", "value": "Mg=="}));
    let mut all = with.web.open(
        "POST",
        "watch",
        r#"{"create_request":{"key":"YQ==","start_revision":"2","prev_kv":true}} {"createRequest":{"key":"Yg==","watch_id":5}}
           {"cancel_request":{"watch_id":"5"}}"#,
    );
    let lines: Vec<_> = (0..4).map(|_| all.line().unwrap()).collect();
    // Watches of the past do not wait for what else is asked.
    let (past, other): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| line["result"].get("events").is_some());
    past.into_iter().chain(other).for_each(|line| with.note("watched:", line));
    with.ask("kv/compaction", json!({"revision": "3", "physical": true}));
    let mut late = with.web.open("POST", "watch", r#"{"create_request":{"key":"YQ==","start_revision":2}}"#);
    for _ in 0..2 {
        let line = late.line().unwrap();
        with.note("too late:", line);
    }
    let mut empty = with.web.open("POST", "watch", r#"{"create_request":{"key":"Yg==","range_end":"YQ=="}}"#);
    let line = empty.line().unwrap();
    with.note("an empty range:", line);
    with.ask("lease/grant", json!({"ID": "7", "TTL": "100"}));
    let mut kept = with.web.open("POST", "lease/keepalive", r#"{"ID":"7"}{"ID":8} {"ID":"7"}"#);
    while let Some(line) = kept.line() {
        with.note("kept:", line);
    }
    with.ask("lease/timetolive", json!({"ID": "7", "keys": true}));
    let mut snapshot = with.web.open("POST", "maintenance/snapshot", "{}");
    let (mut version, mut blobs) = (Value::Null, 0);
    while let Some(line) = snapshot.line() {
        version = line["result"]["version"].clone();
        blobs += usize::from(line["result"]["blob"].is_string());
    }
    with.told.push(format!("a snapshot: {version}, with content: {}", blobs > 0));
}

fn transactions(with: &mut Conversation) {
    with.ask("lease/grant", json!({"ID": "7", "TTL": "100"}));
    let put = json!({"request_put": {"key": "YQ==", "value": "MQ==", "lease": "7", "prev_kv": true}});
    let get = json!({"requestRange": {"key": "YQ==", "rangeEnd": "eg==", "sortOrder": "DESCEND", "sortTarget": "MOD"}});
    let delete = json!({"request_delete_range": {"key": "Yg==", "prevKv": true}});
    let nested = json!({"request_txn": {"compare": [{"key": "YQ==", "target": "LEASE", "lease": 7}], "success": [get], "failure": [delete]}});
    for compare in [
        json!([]),
        json!([{"key": "YQ==", "target": "VERSION", "result": "GREATER", "version": "1"}]),
        json!([{"key": "YQ==", "target": "CREATE", "result": "EQUAL", "create_revision": "2"}]),
        json!([{"key": "YQ==", "target": 3, "result": 3, "value": "Mg=="}]),
        json!([{"key": "YQ==", "target": "MOD", "result": "LESS", "modRevision": 9, "range_end": "eg=="}]),
    ] {
        with.ask("kv/txn", json!({"compare": compare, "success": [put, get, nested], "failure": [get, delete]}));
    }
    with.ask("kv/txn", json!({"success": [put, put]}));
}
