//! A watcher that comes back: when its server dies it goes on where it stopped, until it has seen the end.

use std::net::SocketAddr;
use std::time::Duration;

use ennead_engine::coord::api::etcdserverpb as pb;
use tokio::sync::watch::Receiver;

use super::translation::event;
use crate::grpc::{Client, Requests, create, progress};
use crate::linearizability::watch::{Message, Watch, joined};

/// Between two questions how far the stream is.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Watches what `wanted` says until it was told of `end`, once that is known: everything it got.
pub(super) async fn follow(address: SocketAddr, wanted: Watch, mut end: Receiver<Option<i64>>) -> Watch {
    let mut parts = vec![wanted];
    loop {
        let mut part = parts.last().expect("the first").clone();
        (part.start, part.messages) = (part.resume_at(), Vec::new());
        let done = session(address, &mut part, &mut end).await;
        parts.push(part);
        if done {
            return joined(&parts);
        }
        // The server is gone; it comes back soon.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One stream; true when it reached the end, false when it broke.
async fn session(address: SocketAddr, watch: &mut Watch, end: &mut Receiver<Option<i64>>) -> bool {
    let Some(client) = Client::attempt(address).await else { return false };
    let mut filters = Vec::new();
    if !watch.puts {
        filters.push(pb::watch_create_request::FilterType::Noput.into());
    }
    if !watch.deletes {
        filters.push(pb::watch_create_request::FilterType::Nodelete.into());
    }
    let request = pb::WatchCreateRequest {
        key: watch.from.to_vec().into(),
        range_end: watch.to.to_vec().into(),
        start_revision: watch.start,
        progress_notify: true,
        filters,
        prev_kv: watch.before,
        fragment: true,
        ..Default::default()
    };
    let Ok((requests, mut answers)) = client.watch(create(request)).await else { return false };
    loop {
        let wait = if end.borrow().is_some() { ASK_EVERY } else { 10 * ASK_EVERY };
        let answer = match tokio::time::timeout(wait, answers.message()).await {
            Ok(Ok(Some(answer))) => answer,
            Ok(_) => return false,
            Err(_) => {
                if !ask_how_far(&requests) {
                    return false;
                }
                continue;
            }
        };
        take(watch, &answer);
        let reached = watch.resume_at() - 1;
        if end.borrow_and_update().is_some_and(|end| reached >= end) {
            return true;
        }
    }
}

fn ask_how_far(requests: &Requests<pb::WatchRequest>) -> bool {
    requests.send(progress()).is_ok()
}

fn take(watch: &mut Watch, answer: &pb::WatchResponse) {
    assert!(!answer.canceled, "a watch was cancelled: {answer:?}");
    if answer.created {
        return;
    }
    if answer.events.is_empty() {
        let revision = answer.header.as_ref().map_or(0, |header| header.revision);
        watch.messages.push(Message::Progress(revision));
    } else {
        let events = answer.events.iter().map(event).collect();
        watch.messages.push(Message::Events { events, fragment: answer.fragment });
    }
}
