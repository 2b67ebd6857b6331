//! etcd's API of the running daemon, over gRPC: what is acknowledged survives `kill -9` and is watched in order, and streams
//! end with the server.

use std::time::{Duration, Instant};

use ennead_engine::coord::api::etcdserverpb as pb;
use tokio_stream::StreamExt;
use tonic::{Code, Status, Streaming};

use crate::daemon::process::Daemon;
use crate::grpc::{Client, Requests, create};
use crate::wait::TIMEOUT;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn connect(daemon: &Daemon) -> Client {
    Client::connect(daemon.address("grpc")).await
}

/// Puts, and answers the revision.
async fn put(client: &Client, key: &str, lease: i64) -> Result<i64, Status> {
    let request = pb::PutRequest { key: key.to_owned().into(), value: "value".into(), lease, ..Default::default() };
    Ok(client.call(request).await?.header.unwrap().revision)
}

/// A stream with a watch on keys from `k` to `l`; it ends with its sender.
async fn watch(client: &Client, start_revision: i64) -> (Requests<pb::WatchRequest>, Streaming<pb::WatchResponse>) {
    let request =
        pb::WatchCreateRequest { key: "k".into(), range_end: "l".into(), start_revision, ..Default::default() };
    let (requests, mut answers) = client.watch(create(request)).await.unwrap();
    assert!(answers.next().await.unwrap().unwrap().created);
    (requests, answers)
}

/// The next so many events: revisions and keys.
async fn events(answers: &mut Streaming<pb::WatchResponse>, count: usize) -> Vec<(i64, String)> {
    let mut events = Vec::new();
    while events.len() < count {
        let answer = tokio::time::timeout(TIMEOUT, answers.next()).await.expect("no event came");
        for event in answer.unwrap().unwrap().events {
            let pair = event.kv.unwrap();
            events.push((pair.mod_revision, String::from_utf8(pair.key.to_vec()).unwrap()));
        }
    }
    events
}

#[test]
fn acknowledged_revisions_survive_kill_9_and_are_watched_in_order() {
    let daemon = Daemon::start(&[]);
    let acknowledged = runtime().block_on(async {
        let client = connect(&daemon).await;
        let writers = (0..8).map(|writer| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut revisions = Vec::new();
                for number in 0..100 {
                    let key = format!("k{writer}-{number}");
                    revisions.push((put(&client, &key, 0).await.unwrap(), key));
                }
                revisions
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut acknowledged = Vec::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        acknowledged
    });
    daemon.signal("KILL");
    let daemon = daemon.restart();
    let mut expected = acknowledged;
    expected.sort_unstable();
    assert_eq!(expected.iter().map(|(revision, _)| *revision).collect::<Vec<_>>(), (2..802).collect::<Vec<_>>());
    runtime().block_on(async {
        let client = connect(&daemon).await;
        let all = pb::RangeRequest { key: "k".into(), range_end: "l".into(), count_only: true, ..Default::default() };
        let counted = client.call(all).await.unwrap();
        assert_eq!((counted.count, counted.header.unwrap().revision), (800, 801));
        let (_requests, mut answers) = watch(&client, 2).await;
        assert_eq!(events(&mut answers, 800).await, expected);
    });
}

#[test]
fn open_streams_do_not_hold_up_the_end() {
    let mut daemon = Daemon::start(&["--set", "server.shutdown_timeout=10m"]);
    runtime().block_on(async {
        let client = connect(&daemon).await;
        let watching = watch(&client, 0).await;
        let mut kept = client.keep_alive(pb::LeaseKeepAliveRequest { id: 1 }).await.unwrap();
        kept.1.next().await.unwrap().unwrap();
        let start = Instant::now();
        daemon.signal("TERM");
        // The client's side of the connection has to go on meanwhile.
        while daemon.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < TIMEOUT, "it does not end: {}", daemon.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop((watching, kept));
    });
}

#[test]
fn leases_keep_their_remaining_time_through_a_restart() {
    let daemon = Daemon::start(&[]);
    let id = runtime().block_on(async {
        let client = connect(&daemon).await;
        let id = client.call(pb::LeaseGrantRequest { ttl: 1000, id: 0 }).await.unwrap().id;
        put(&client, "leased", id).await.unwrap();
        id
    });
    daemon.signal("KILL");
    let daemon = daemon.restart();
    runtime().block_on(async {
        let client = connect(&daemon).await;
        let left = client.call(pb::LeaseTimeToLiveRequest { id, keys: true }).await.unwrap();
        assert!((980..=1000).contains(&left.ttl), "{left:?}");
        assert_eq!((left.granted_ttl, left.keys), (1000, vec!["leased".into()]));
    });
}

#[test]
fn a_password_is_asked_for() {
    let daemon = Daemon::start(&["--set", "server.password=secret"]);
    runtime().block_on(async {
        let client = connect(&daemon).await;
        assert_eq!(put(&client, "k", 0).await.unwrap_err().code(), Code::Unauthenticated);
        let client = client.with_password("secret");
        assert_eq!(put(&client, "k", 0).await.unwrap(), 2);
    });
}
