//! Messages of the channels that a connection's client listens to: from its mailbox into its output.
//!
//! They are taken when the output has been written, so what a slow reader has not read yet is memory that all receivers
//! of a message share. Before a request runs all of them are taken: its replies come behind them.

use std::sync::Arc;

use ennead_engine::Reply;

use super::{Connection, State};
use crate::reply::Encoder;
use crate::worker::Worker;

/// Bytes of output that messages may make up at a time.
const OUTPUT_BYTES_MAX: usize = 64 << 10;

impl Connection {
    /// Takes messages while there is little else to write; whether there is something to write now.
    pub(super) fn take_mail(&mut self, worker: &Worker) -> bool {
        let mailbox = &self.session.client().mailbox;
        if mailbox.is_overflown() {
            self.cut_off(self.unread());
        } else if mailbox.is_waiting() && self.state == State::Open && !self.session.defers_mail() {
            self.take(worker, OUTPUT_BYTES_MAX);
            self.end_turn(worker);
        }
        self.sent < self.sendable && self.state == State::Open
    }

    /// Called by the worker when it was told that there is mail; whether the flusher should look at the connection.
    pub(crate) fn receive(&mut self, worker: &Worker) -> bool {
        self.take_mail(worker);
        if worker.has_surplus() {
            // It goes when this is written, although it may never send a request again.
            self.waker.wake_by_ref();
        }
        self.state == State::Open && !std::mem::replace(&mut self.queued, true)
    }

    /// Takes all messages that need not wait for a reply.
    #[inline]
    pub(super) fn take_all_mail(&mut self, worker: &Worker) {
        if self.session.client().mailbox.is_waiting() && !self.session.defers_mail() {
            self.take(worker, usize::MAX);
        }
    }

    fn take(&mut self, worker: &Worker, output_bytes_max: usize) {
        let client = Arc::clone(self.session.client());
        let protocol = self.output.protocol();
        let mut messages = worker.mail.borrow_mut();
        if self.output.buffer().capacity() == 0 {
            *self.output.buffer() = worker.spare_output();
        }
        loop {
            let room = output_bytes_max.saturating_sub(self.output.bytes().len());
            if room == 0 || !client.mailbox.take(room, &mut messages) {
                return;
            }
            for message in messages.drain(..) {
                let frame = message.frame(protocol, |message| {
                    let mut encoder = Encoder::new(protocol);
                    message.write(&mut encoder);
                    std::mem::take(encoder.buffer())
                });
                self.output.buffer().extend_from_slice(frame);
                self.hold(message.hold());
            }
        }
    }
}
