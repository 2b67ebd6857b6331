//! Many waiters of one event loop, woken by its relay.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::Relay;

/// Counts how often it was woken, and lets the thread of the test go on.
struct Count {
    times: AtomicUsize,
    thread: Thread,
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.times.fetch_add(1, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Count {
    fn new() -> Arc<Count> {
        Arc::new(Count { times: AtomicUsize::new(0), thread: std::thread::current() })
    }

    fn times(&self) -> usize {
        self.times.load(Ordering::SeqCst)
    }

    fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&Waker::from(Arc::clone(self))))
    }

    fn wait_for(&self, times: usize) {
        let end = Instant::now() + PATIENCE;
        while self.times() < times {
            let left = end.checked_duration_since(Instant::now()).expect("nobody was woken");
            std::thread::park_timeout(left);
        }
    }
}

/// Writes that wait, each with its own waker.
fn waiting(world: &World, keys: &[&str]) -> Vec<(Answer<PutResponse>, Arc<Count>)> {
    let begin = |key: &&str| {
        let mut answer = world.coord.put(&put_request(key, "value")).unwrap();
        let count = Count::new();
        assert!(count.poll(&mut answer).is_pending(), "{key} was answered before anybody asked for a sync");
        (answer, count)
    };
    keys.iter().map(begin).collect()
}

fn relay(world: &World) -> (Relay, Arc<Count>) {
    let (mut relay, count) = (world.coord.relay(), Count::new());
    assert!(count.poll(&mut relay).is_pending());
    (relay, count)
}

/// Polls the relay whenever it asks for it; the sync may come in several steps.
fn run_until_woken(relay: &mut Relay, turns: &Arc<Count>, writes: &[(Answer<PutResponse>, Arc<Count>)]) {
    loop {
        let seen = turns.times();
        assert!(turns.poll(relay).is_pending());
        if writes.iter().all(|(_, count)| count.times() > 0) {
            return;
        }
        turns.wait_for(seen + 1);
    }
}

#[test]
fn who_waits_is_woken_from_within_the_relay() {
    let world = World::new();
    let (mut relay, turns) = relay(&world);
    let mut writes = waiting(&world, &["a", "b", "c"]);

    // The first write calls the relay, which has all of them synced; then the log calls it.
    assert_eq!(turns.times(), 1);
    assert!(turns.poll(&mut relay).is_pending());
    turns.wait_for(2);
    assert_eq!(writes.iter().map(|(_, count)| count.times()).sum::<usize>(), 0, "woken by the log, not by the relay");

    run_until_woken(&mut relay, &turns, &writes);
    let revisions = writes.iter_mut().map(|(answer, count)| match count.poll(answer) {
        Poll::Ready(response) => response.unwrap().header.unwrap().revision,
        Poll::Pending => panic!("woken without an answer"),
    });
    assert_eq!(revisions.collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn a_relay_that_ends_leaves_nobody_waiting() {
    let world = World::new();
    let (relay, _) = relay(&world);
    let writes = waiting(&world, &["a", "b"]);
    drop(relay);
    for (answer, count) in writes {
        count.wait_for(1);
        block_on(answer).unwrap();
    }
    world.put("c", "without a relay");
}

#[test]
fn another_relay_takes_over() {
    let world = World::new();
    let (mut first, first_turns) = relay(&world);
    let writes = waiting(&world, &["a"]);
    let (mut second, second_turns) = relay(&world);
    assert!(first_turns.poll(&mut first).is_ready(), "the first relay goes on");
    drop(first);

    run_until_woken(&mut second, &second_turns, &writes);
    for (answer, _) in writes {
        block_on(answer).unwrap();
    }
}
