//! What the source holds, and how it changes while it is copied.

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use ennead_engine::coord::api::etcdserverpb::{self as pb, request_op};

use crate::grpc::Client;
use crate::random::Random;

/// A lease that stays.
pub(super) const LONG: i64 = 77;
/// Leases that are granted for no more than that end during a test.
pub(super) const SHORT_S: i64 = 5;

fn put(key: impl Into<Vec<u8>>, value: Vec<u8>, lease: i64) -> pb::PutRequest {
    pb::PutRequest { key: key.into().into(), value: value.into(), lease, ..Default::default() }
}

/// Keys small and large, of all bytes, with versions and deleted ones, some on leases.
pub(super) async fn fill(client: &Client) {
    client.call(pb::LeaseGrantRequest { id: LONG, ttl: 5000 }).await.unwrap();
    client.call(pb::LeaseGrantRequest { id: -9, ttl: 300 }).await.unwrap();
    for group in 0..80 {
        let puts = (0..120).map(|number| {
            let lease = if number == 7 { LONG } else { 0 };
            let value = format!("value {group} {number}").repeat(1 + number % 5);
            let request = request_op::Request::RequestPut(put(format!("k{group:03}/{number}"), value.into(), lease));
            pb::RequestOp { request: Some(request) }
        });
        client.call(pb::TxnRequest { success: puts.collect(), ..Default::default() }).await.unwrap();
    }
    for (key, size) in [(&b"\0"[..], 1), (b"\0\0", 0), (b"\xff\xff", 3), (b"k000/large", 1_400_000), (b"z", 900_000)] {
        client.call(put(key, vec![b'v'; size], -9)).await.unwrap();
    }
    for number in 0..20 {
        client.call(put(format!("large/{number}"), vec![b'l'; 1_200_000], 0)).await.unwrap();
    }
    let deleted = pb::DeleteRangeRequest { key: "k005/".into(), range_end: "k006/".into(), ..Default::default() };
    client.call(deleted).await.unwrap();
}

/// Puts, deletes, and lets leases come, live and go, until told to stop; counts what it does.
pub(super) async fn write(client: &Client, stop: &AtomicBool, done: &AtomicUsize, seed: u64) {
    let mut random = Random::new(seed);
    let mut count = 0;
    let mut kept = Vec::new();
    while !stop.load(SeqCst) {
        count += 1;
        done.fetch_add(1, SeqCst);
        let key = format!("k{:03}/{}", random.below(90), random.below(120));
        match random.below(12) {
            0 => {
                let range_end = if random.one_in(5) { format!("{key}~") } else { String::new() };
                let request = pb::DeleteRangeRequest { key: key.into(), range_end: range_end.into(), prev_kv: false };
                client.call(request).await.unwrap();
            }
            1 => {
                // Short ones live on only as long as somebody keeps them alive.
                let ttl = *random.pick(&[2, SHORT_S, 100]);
                let id = client.call(pb::LeaseGrantRequest { id: 0, ttl }).await.unwrap().id;
                unless_it_ended(client.call(put(key, b"leased".to_vec(), id)).await.map(drop));
                if kept.len() < 10 {
                    kept.push(id);
                } else if random.one_in(2) {
                    unless_it_ended(client.call(pb::LeaseRevokeRequest { id }).await.map(drop));
                }
            }
            2 if !kept.is_empty() => {
                let id = *random.pick(&kept);
                let (_requests, mut answers) = client.keep_alive(pb::LeaseKeepAliveRequest { id }).await.unwrap();
                answers.message().await.unwrap();
            }
            3 => {
                let branch = |random: &mut Random| {
                    let first = random.below(1000);
                    let puts = (first..first + 3).map(|number| {
                        let request = put(format!("t{seed}/{number}"), count.to_string().into(), 0);
                        pb::RequestOp { request: Some(request_op::Request::RequestPut(request)) }
                    });
                    puts.collect()
                };
                client.call(pb::TxnRequest { success: branch(&mut random), ..Default::default() }).await.unwrap();
            }
            _ => {
                let lease = if random.one_in(10) { LONG } else { 0 };
                let length = random.below(300);
                client.call(put(key, random.bytes(length), lease)).await.unwrap();
            }
        }
        if count % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A short lease may be over before it is used.
fn unless_it_ended(outcome: Result<(), tonic::Status>) {
    if let Err(status) = outcome {
        assert_eq!(status.code(), tonic::Code::NotFound, "{status:?}");
    }
}
