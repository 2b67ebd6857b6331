//! etcd's API of the running daemon, over gRPC: what is acknowledged survives `kill -9` and is watched in order, and streams
//! end with the server.

mod client;

use std::time::{Duration, Instant};

use ennead_coord::api::etcdserverpb::{LeaseGrantRequest, LeaseKeepAliveRequest, LeaseTimeToLiveRequest};
use tonic::Code;

use crate::daemon::process::Daemon;
use crate::wait::TIMEOUT;
use client::Client;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn acknowledged_revisions_survive_kill_9_and_are_watched_in_order() {
    let daemon = Daemon::start(&[]);
    let acknowledged = runtime().block_on(async {
        let client = Client::connect(&daemon).await;
        let writers = (0..8).map(|writer| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut revisions = Vec::new();
                for number in 0..100 {
                    let key = format!("k{writer}-{number}");
                    revisions.push((client.put(&key, "value", 0).await.unwrap(), key));
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
        let client = Client::connect(&daemon).await;
        let (count, revision) = client.count("k", "l").await;
        assert_eq!((count, revision), (800, 801));
        assert_eq!(client.watch("k", "l", 2, 800).await, expected);
    });
}

#[test]
fn open_streams_do_not_hold_up_the_end() {
    let mut daemon = Daemon::start(&[]);
    runtime().block_on(async {
        let client = Client::connect(&daemon).await;
        let watching = client.open_watch("k", "").await;
        let kept = client.keep_alive(LeaseKeepAliveRequest { id: 1 }).await;
        let start = Instant::now();
        daemon.signal("TERM");
        // The client's side of the connection has to go on meanwhile.
        while daemon.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < TIMEOUT, "it does not end: {}", daemon.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        drop((watching, kept));
    });
}

#[test]
fn leases_keep_their_remaining_time_through_a_restart() {
    let daemon = Daemon::start(&[]);
    let id = runtime().block_on(async {
        let client = Client::connect(&daemon).await;
        let id = client.grant(LeaseGrantRequest { ttl: 1000, id: 0 }).await;
        client.put("leased", "", id).await.unwrap();
        id
    });
    daemon.signal("KILL");
    let daemon = daemon.restart();
    runtime().block_on(async {
        let client = Client::connect(&daemon).await;
        let left = client.time_to_live(LeaseTimeToLiveRequest { id, keys: true }).await;
        assert!((980..=1000).contains(&left.ttl), "{left:?}");
        assert_eq!((left.granted_ttl, left.keys), (1000, vec!["leased".into()]));
    });
}

#[test]
fn a_password_is_asked_for() {
    let daemon = Daemon::start(&["--set", "server.password=secret"]);
    runtime().block_on(async {
        let client = Client::connect(&daemon).await;
        assert_eq!(client.put("k", "v", 0).await.unwrap_err().code(), Code::Unauthenticated);
        let client = client.with_password("secret");
        assert_eq!(client.put("k", "v", 0).await.unwrap(), 2);
    });
}
