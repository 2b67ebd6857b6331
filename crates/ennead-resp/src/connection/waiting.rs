//! A connection whose request waits for keys, maybe for ever: what its client sends is kept, and that it goes is noticed.

use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::{Connection, State};
use crate::worker::Worker;

/// Bytes of requests behind the one that waits above which no more are read until it ends.
const INPUT_BYTES_MAX: usize = 1 << 20;

impl Connection {
    /// Reads on. Its end, and the server's, end the connection at once: nobody waits for the reply any more.
    pub(super) fn read_while_blocked(&mut self, worker: &Worker, context: &mut Context<'_>) {
        if worker.is_draining() && self.state == State::Open {
            self.state = State::Closing;
        }
        while self.state == State::Open && self.input.len() < INPUT_BYTES_MAX {
            let mut scratch = worker.scratch.borrow_mut();
            scratch.clear();
            match self.socket.poll_read(context, &mut scratch) {
                Poll::Ready(Ok(0)) => self.state = State::Closing,
                Poll::Ready(Ok(bytes)) => {
                    self.input.extend_from_slice(&scratch);
                    self.session.shard().net_input_bytes.add(bytes as u64);
                    self.session.shard().reads.add(1);
                    self.session.client().query_bytes.store(self.input.len() as u64, Ordering::Relaxed);
                }
                Poll::Ready(Err(error)) => self.break_off(&error),
                Poll::Pending => break,
            }
            scratch.clear();
        }
    }
}
