//! A connection whose last request asked for a copy of all data: the copy is sent as the client reads it, and then the
//! connection ends.

use std::task::Context;
use std::time::{Duration, Instant};

use ennead_engine::Made;

use super::{Connection, State};
use crate::worker::Worker;

/// Pieces that are sent before others have their turn.
const PIECES_MAX: usize = 16;
/// How long a client may read nothing, as long as a Redis waits for a replica. Its copy keeps a snapshot of the store.
const SILENCE_MAX: Duration = Duration::from_secs(60);

impl Connection {
    /// Sends what there is of the copy, while the client reads it.
    pub(super) fn send_copy(&mut self, worker: &Worker, context: &mut Context<'_>) {
        for _ in 0..PIECES_MAX {
            if self.state != State::Open || !self.output.bytes().is_empty() {
                return;
            }
            match self.session.take_copied() {
                Some(Made::Piece(piece)) => {
                    *self.output.buffer() = piece;
                    self.active = Instant::now();
                    self.end_turn(worker);
                    self.write(worker, context);
                }
                Some(Made::Later) | None => return,
                Some(Made::End) => self.state = State::Closing,
                Some(Made::Failed(problem)) => {
                    // It knows the end by a mark, which it does not get.
                    tracing::warn!(client = self.session.client().id, problem, "a copy was broken off");
                    self.state = State::Broken;
                }
            }
        }
        context.waker().wake_by_ref();
    }
    /// Ends a copy that nobody reads; called about once a second.
    pub(super) fn tick_copy(&mut self, idle: Duration) {
        if self.unsent() > 0 && idle > SILENCE_MAX {
            self.cut_off(self.unsent());
        }
    }
}
