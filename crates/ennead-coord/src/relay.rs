//! Many who wait for answers in one event loop, woken together.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::coord::{Coord, Shared};

/// A future for an event loop in which many wait for answers: it asks for one sync for all writes that were made in a turn
/// of the loop, and when that is done wakes those who waited, from within the loop. It ends when there is another relay;
/// without one everything goes on, at the cost of a call of the system for each who waits.
#[derive(Debug)]
#[must_use = "a relay is to be polled"]
pub struct Relay {
    shared: Arc<Shared>,
    number: u64,
}

impl Coord {
    /// The relay of the keyspace from now on.
    pub fn relay(&self) -> Relay {
        let shared = Arc::clone(self.shared());
        let number = shared.publication.add_relay();
        Relay { shared, number }
    }
}

impl Future for Relay {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Some(wanted) = self.shared.publication.poll_relay(self.number, context) else { return Poll::Ready(()) };
        self.shared.rows.store.request_sync(wanted);
        Poll::Pending
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(wanted) = self.shared.publication.remove_relay(self.number) {
            self.shared.rows.store.request_sync(wanted);
        }
    }
}
