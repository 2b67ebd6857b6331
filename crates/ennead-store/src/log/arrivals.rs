//! Tells who follows the log that more of it was written or synced.
//!
//! Costs the writer one load when nobody follows. A follower registers before it looks at the log's positions, so that no
//! arrival is lost between its look and its wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

type Waker = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(crate) struct Arrivals {
    followers: AtomicUsize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    generation: u64,
    next_id: u64,
    wakers: Vec<(u64, Waker)>,
}

/// A registered follower; leaves when it is dropped.
pub(crate) struct Follower {
    arrivals: Arc<Arrivals>,
    id: u64,
}

impl Arrivals {
    pub(crate) fn follow(self: &Arc<Self>) -> Follower {
        let id = {
            let mut state = self.state.lock();
            state.next_id += 1;
            state.next_id
        };
        self.followers.fetch_add(1, Ordering::SeqCst);
        Follower { arrivals: Arc::clone(self), id }
    }

    /// Called after a position of the log moved, or when it never will again.
    pub(crate) fn notify(&self) {
        // Pairs with the fence of `Follower::generation`: either the follower sees the new position, or this sees it.
        fence(Ordering::SeqCst);
        if self.followers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let wakers: Vec<Waker> = {
            let mut state = self.state.lock();
            state.generation += 1;
            state.wakers.iter().map(|(_, waker)| Arc::clone(waker)).collect()
        };
        self.changed.notify_all();
        for waker in wakers {
            waker();
        }
    }
}

impl Follower {
    /// Take this before looking at the log, and pass it to [`Follower::wait`].
    pub(crate) fn generation(&self) -> u64 {
        let generation = self.arrivals.state.lock().generation;
        fence(Ordering::SeqCst);
        generation
    }

    /// Waits until something arrived after `generation` was taken; false at the deadline.
    pub(crate) fn wait(&self, generation: u64, deadline: Instant) -> bool {
        let mut state = self.arrivals.state.lock();
        while state.generation == generation {
            if self.arrivals.changed.wait_until(&mut state, deadline).timed_out() {
                return state.generation != generation;
            }
        }
        true
    }

    /// Calls `waker` at each arrival from now on, instead of an earlier one.
    pub(crate) fn set_waker(&self, waker: Waker) {
        let mut state = self.arrivals.state.lock();
        state.wakers.retain(|(id, _)| *id != self.id);
        state.wakers.push((self.id, waker));
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.arrivals.followers.fetch_sub(1, Ordering::SeqCst);
        self.arrivals.state.lock().wakers.retain(|(id, _)| *id != self.id);
    }
}

impl std::fmt::Debug for Arrivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrivals").field("followers", &self.followers).finish_non_exhaustive()
    }
}
