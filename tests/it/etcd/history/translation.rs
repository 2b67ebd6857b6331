//! Between the messages of etcd's API and the terms of the checker.

use ennead_engine::coord::api::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use ennead_engine::coord::api::etcdserverpb::{self as pb, request_op, response_op};
use ennead_engine::coord::api::mvccpb;
use tonic::Status;

use crate::grpc::Client;
use crate::linearizability::model::{Action, Answer, Compare, Entry, Key, Outcome, Relation, Request, Target};
use crate::linearizability::watch::Event;

/// Keys of the clients lie between these.
pub(super) const FROM: &[u8] = b"h/";
pub(super) const TO: &[u8] = b"h0";

/// Asks as a client would: a transaction only when it is one.
pub(super) async fn ask(client: &Client, request: &Request) -> Result<Answer, Status> {
    let [action] = request.success.as_slice() else { return transaction(client, request).await };
    if !request.compares.is_empty() {
        return transaction(client, request).await;
    }
    let (header, outcome) = match operation(action) {
        request_op::Request::RequestRange(request) => {
            let answer = client.call(request).await?;
            (answer.header, Outcome::Read(pairs(answer.kvs)))
        }
        request_op::Request::RequestPut(request) => {
            let answer = client.call(request).await?;
            (answer.header, Outcome::Written(answer.prev_kv.map(|pair| entry(&pair))))
        }
        request_op::Request::RequestDeleteRange(request) => {
            let answer = client.call(request).await?;
            (answer.header, Outcome::Deleted(pairs(answer.prev_kvs)))
        }
        request_op::Request::RequestTxn(_) => return transaction(client, request).await,
    };
    Ok(Answer { revision: revision(header), succeeded: true, outcomes: vec![outcome] })
}

async fn transaction(client: &Client, request: &Request) -> Result<Answer, Status> {
    let branch =
        |actions: &[Action]| actions.iter().map(|action| pb::RequestOp { request: Some(operation(action)) }).collect();
    let answer = client
        .call(pb::TxnRequest {
            compare: request.compares.iter().map(compare).collect(),
            success: branch(&request.success),
            failure: branch(&request.failure),
        })
        .await?;
    let outcomes = answer.responses.into_iter().filter_map(|response| {
        Some(match response.response? {
            response_op::Response::ResponseRange(answer) => Outcome::Read(pairs(answer.kvs)),
            response_op::Response::ResponsePut(answer) => Outcome::Written(answer.prev_kv.map(|pair| entry(&pair))),
            response_op::Response::ResponseDeleteRange(answer) => Outcome::Deleted(pairs(answer.prev_kvs)),
            response_op::Response::ResponseTxn(_) => return None,
        })
    });
    let outcomes = outcomes.collect();
    Ok(Answer { revision: revision(answer.header), succeeded: answer.succeeded, outcomes })
}

fn operation(action: &Action) -> request_op::Request {
    let bytes = |bytes: &[u8]| bytes.to_vec().into();
    match action {
        Action::Get(key) => {
            request_op::Request::RequestRange(pb::RangeRequest { key: bytes(key), ..Default::default() })
        }
        Action::List => request_op::Request::RequestRange(pb::RangeRequest {
            key: bytes(FROM),
            range_end: bytes(TO),
            ..Default::default()
        }),
        Action::Put(key, value) => request_op::Request::RequestPut(pb::PutRequest {
            key: bytes(key),
            value: bytes(value),
            prev_kv: true,
            ..Default::default()
        }),
        Action::Delete(key) => request_op::Request::RequestDeleteRange(pb::DeleteRangeRequest {
            key: bytes(key),
            prev_kv: true,
            ..Default::default()
        }),
    }
}

fn compare(compare: &Compare) -> pb::Compare {
    let (target, union) = match &compare.target {
        Target::Value(value) => (CompareTarget::Value, TargetUnion::Value(value.to_vec().into())),
        Target::Version(version) => (CompareTarget::Version, TargetUnion::Version(*version)),
        Target::Created(revision) => (CompareTarget::Create, TargetUnion::CreateRevision(*revision)),
        Target::Modified(revision) => (CompareTarget::Mod, TargetUnion::ModRevision(*revision)),
    };
    let result = match compare.relation {
        Relation::Equal => CompareResult::Equal,
        Relation::NotEqual => CompareResult::NotEqual,
        Relation::Less => CompareResult::Less,
        Relation::Greater => CompareResult::Greater,
    };
    pb::Compare {
        result: result.into(),
        target: target.into(),
        key: compare.key.to_vec().into(),
        target_union: Some(union),
        ..Default::default()
    }
}

fn revision(header: Option<pb::ResponseHeader>) -> i64 {
    header.map_or(0, |header| header.revision)
}

fn pairs(pairs: Vec<mvccpb::KeyValue>) -> Vec<(Key, Entry)> {
    pairs.iter().map(|pair| (Key::from(&pair.key[..]), entry(pair))).collect()
}

fn entry(pair: &mvccpb::KeyValue) -> Entry {
    Entry {
        value: pair.value.to_vec().into(),
        created: pair.create_revision,
        modified: pair.mod_revision,
        version: pair.version,
    }
}

pub(super) fn event(event: &mvccpb::Event) -> Event {
    let pair = event.kv.as_ref().expect("an event has a pair");
    Event {
        key: Key::from(&pair.key[..]),
        revision: pair.mod_revision,
        entry: (event.r#type == i32::from(mvccpb::event::EventType::Put)).then(|| entry(pair)),
        before: event.prev_kv.as_ref().map(entry),
    }
}
