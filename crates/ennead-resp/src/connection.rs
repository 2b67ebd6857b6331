//! One connection: its socket, buffers and session, driven by its task and by the worker's flusher.
//!
//! Invariant: bytes of `output` before `sendable` may be written, those after it wait for the log. Replies are in order:
//! nothing behind a held reply is sent before it.

mod copying;
mod execution;
mod held;
mod mail;
mod moving;
mod waiting;

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use ennead_engine::{Reply, Session};
use tokio::time::Sleep;

pub(crate) use held::{HeldReplies, Reached};
pub(crate) use moving::Moved;

use crate::ahead::PutBack;
use crate::options::Limits;
use crate::reply::Encoder;
use crate::request::Parser;
use crate::socket::Socket;
use crate::worker::Worker;

/// Unsent replies, bytes, above which a connection's requests are neither read nor executed until it reads.
const UNSENT_BYTES_MAX: usize = 64 << 20;
/// Times that messages are fetched and written before others have their turn.
const MAIL_ROUNDS_MAX: usize = 16;
/// Least free room for a read behind an unfinished request, bytes.
const READ_BYTES_MIN: usize = 16 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Nothing is read any more; the connection ends when its replies are written.
    Closing,
    /// Another worker goes on with it.
    Moving,
    /// The socket is of no use any more.
    Broken,
}

pub(crate) struct Connection {
    socket: Socket,
    session: Session,
    parser: Parser,
    /// Bytes read and not executed. Without memory of its own between requests.
    input: Vec<u8>,
    output: Encoder,
    /// Bytes of `output` that were written to the socket.
    sent: usize,
    sendable: usize,
    held: HeldReplies,
    /// A request was put off; when to try it again.
    retry: Option<Pin<Box<Sleep>>>,
    /// The request that was put off: it is parsed already.
    put_off: Option<PutBack>,
    /// The turn ended before all that was read had been executed.
    more: bool,
    /// Nothing is read until replies were written.
    throttled: bool,
    state: State,
    /// Whether the worker's flusher is going to look at this connection.
    pub(crate) queued: bool,
    waker: Waker,
    active: Instant,
    over_soft_limit_since: Option<Instant>,
}

pub(crate) type Handle = Rc<RefCell<Connection>>;

impl Connection {
    pub(crate) fn new(socket: Socket, session: Session, now: Instant) -> Connection {
        Connection {
            socket,
            session,
            parser: Parser::new(),
            input: Vec::new(),
            output: Encoder::default(),
            sent: 0,
            sendable: 0,
            held: HeldReplies::default(),
            retry: None,
            put_off: None,
            more: false,
            throttled: false,
            state: State::Open,
            queued: false,
            waker: Waker::noop().clone(),
            active: now,
            over_soft_limit_since: None,
        }
    }

    /// Reads, executes, and leaves the replies to the worker's flusher. Ready when the connection is over.
    pub(crate) fn poll(&mut self, handle: &Handle, worker: &Worker, context: &mut Context<'_>) -> Poll<()> {
        if !self.waker.will_wake(context.waker()) {
            self.waker = context.waker().clone();
            self.session.client().set_waker(context.waker().clone());
        }
        if self.session.client().is_killed() {
            self.state = State::Broken;
        }
        if worker.has_surplus() && self.can_move() {
            self.state = State::Moving;
            return Poll::Ready(());
        }
        self.write(worker, context);
        self.throttled = self.unsent() > UNSENT_BYTES_MAX;
        // Any waking is a reason to try again: the timer's, the end of a pause, the next turn, room for replies.
        if self.state == State::Open
            && !self.throttled
            && (self.retry.is_some() || self.more)
            && !self.session.is_copying()
        {
            self.retry = None;
            self.more = false;
            self.execute(worker, context);
        }
        self.read_and_execute(worker, context);
        if self.session.is_copying() {
            self.send_copy(worker, context);
        }
        if self.session.is_blocked() || self.session.is_copying() {
            self.read_while_blocked(worker, context);
        }
        if self.more && !self.throttled {
            context.waker().wake_by_ref();
        }
        if self.sent < self.output.bytes().len() && !self.queued {
            self.queued = true;
            worker.queue(Rc::clone(handle));
        }
        if self.is_over() {
            self.socket.close(context);
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn is_over(&self) -> bool {
        match self.state {
            State::Open => false,
            State::Closing => self.sent == self.output.bytes().len(),
            State::Moving | State::Broken => true,
        }
    }

    fn unsent(&self) -> usize {
        self.output.bytes().len() - self.sent
    }

    fn read_and_execute(&mut self, worker: &Worker, context: &mut Context<'_>) {
        while self.state == State::Open && self.retry.is_none() && !self.more && !self.session.is_copying() {
            self.throttled = self.unsent() > UNSENT_BYTES_MAX;
            if self.throttled {
                return;
            }
            let mut owned = true;
            if self.input.is_empty() {
                owned = false;
                std::mem::swap(&mut self.input, &mut worker.scratch.borrow_mut());
            } else {
                let wanted = self.parser.wanted().saturating_sub(self.input.len());
                self.input.reserve(wanted.min(self.input.len()).max(READ_BYTES_MIN));
            }
            let room = self.input.capacity() - self.input.len();
            let result = self.socket.poll_read(context, &mut self.input);
            if let Poll::Ready(Ok(bytes @ 1..)) = result {
                self.session.shard().net_input_bytes.add(bytes as u64);
                self.session.shard().reads.add(1);
                self.execute(worker, context);
                // More may wait in the socket: for the sake of the others it is read in the next turn.
                self.more |= bytes == room && self.state == State::Open && self.retry.is_none();
            }
            if !owned {
                self.return_scratch(worker);
            } else if self.input.is_empty() {
                self.input = Vec::new();
            }
            match result {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0)) => self.state = State::Closing,
                Poll::Ready(Err(error)) => self.break_off(&error),
                Poll::Pending => {
                    if worker.is_draining() {
                        self.state = State::Closing;
                    }
                    return;
                }
            }
        }
    }

    /// Gives the worker its read buffer back; what is left in it moves into a buffer of this connection's own.
    fn return_scratch(&mut self, worker: &Worker) {
        let left = if self.input.is_empty() { Vec::new() } else { self.input.clone() };
        let mut scratch = std::mem::replace(&mut self.input, left);
        scratch.clear();
        *worker.scratch.borrow_mut() = scratch;
    }

    /// Releases replies that the log has covered and writes what may be written. Called by the flusher.
    pub(crate) fn flush(&mut self, worker: &Worker, reached: Reached) {
        self.queued = false;
        if let Some(end) = self.held.release(reached) {
            self.sendable = end;
        }
        if self.held.is_empty() {
            self.sendable = self.output.bytes().len();
        }
        let waker = self.waker.clone();
        self.write(worker, &mut Context::from_waker(&waker));
        if self.is_over() || self.throttled && self.unsent() <= UNSENT_BYTES_MAX {
            waker.wake();
        }
    }

    /// Whether replies wait for the log.
    pub(crate) fn is_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// The log failed: replies that wait for it are lies now. They are replaced by one error, and the connection ends.
    pub(crate) fn fail_held(&mut self, reason: &str) {
        if self.held.is_empty() {
            return;
        }
        self.held.clear();
        self.output.buffer().truncate(self.sendable);
        self.output.error(&format!("MISCONF the write could not be made durable: {reason}"));
        self.sendable = self.output.bytes().len();
        self.state = State::Closing;
    }

    /// Writes what may be written, and the messages that wait behind it.
    fn write(&mut self, worker: &Worker, context: &mut Context<'_>) {
        for _ in 0..MAIL_ROUNDS_MAX {
            self.write_output(worker, context);
            if self.sent < self.output.bytes().len() || !self.take_mail(worker) {
                return;
            }
        }
        // The others have their turn first.
        context.waker().wake_by_ref();
    }

    fn write_output(&mut self, worker: &Worker, context: &mut Context<'_>) {
        while self.sent < self.sendable && self.state != State::Broken {
            match self.socket.poll_write(context, &self.output.bytes()[self.sent..self.sendable]) {
                Poll::Ready(Ok(bytes)) => {
                    self.sent += bytes;
                    self.session.shard().net_output_bytes.add(bytes as u64);
                    self.session.shard().writes.add(1);
                }
                Poll::Ready(Err(error)) => return self.break_off(&error),
                Poll::Pending => break,
            }
        }
        if let Poll::Ready(Err(error)) = self.socket.poll_flush(context) {
            return self.break_off(&error);
        }
        if self.sent == self.output.bytes().len() {
            if self.sent > 0 {
                let mut buffer = std::mem::take(self.output.buffer());
                buffer.clear();
                worker.keep_output(buffer);
                self.sent = 0;
                self.sendable = 0;
                self.publish_output();
            }
        } else {
            self.publish_output();
        }
        if self.unread() > 0 {
            // Messages may wait although all that was taken of them is written.
            self.check_output_limits(&worker.limits.borrow());
        } else {
            self.over_soft_limit_since = None;
        }
    }

    fn publish_output(&self) {
        let client = self.session.client();
        client.output_bytes.store(self.unsent() as u64, Ordering::Relaxed);
    }

    /// Bytes of replies and messages that the client has not read.
    fn unread(&self) -> usize {
        self.unsent() + self.session.client().mailbox.bytes() as usize
    }

    /// `client-output-buffer-limit`: a client that does not read its replies is closed.
    fn check_output_limits(&mut self, limits: &Limits) {
        let limits = if self.session.client().is_subscriber() { limits.output_pubsub } else { limits.output_normal };
        let unread = self.unread();
        let hard = limits.hard > 0 && unread > limits.hard;
        let mut soft = false;
        if limits.soft > 0 && unread > limits.soft {
            let since = *self.over_soft_limit_since.get_or_insert_with(Instant::now);
            soft = since.elapsed() >= limits.soft_time;
        } else {
            self.over_soft_limit_since = None;
        }
        if hard || soft {
            self.cut_off(unread);
        }
    }

    fn cut_off(&mut self, unread: usize) {
        if self.state != State::Broken {
            self.session.shard().output_buffer_disconnections.add(1);
            tracing::warn!(client = self.session.client().id, unread, "closed: it does not read its replies");
            self.state = State::Broken;
            self.waker.wake_by_ref();
        }
    }

    /// What has to be done about time: called about once a second.
    pub(crate) fn tick(&mut self, now: Instant, limits: &Limits) {
        if self.unread() > 0 {
            self.check_output_limits(limits);
        }
        if self.session.client().is_subscriber() || self.session.client().is_monitor() {
            return;
        }
        let idle = now.saturating_duration_since(self.active);
        if self.session.is_copying() {
            return self.tick_copy(idle);
        }
        if !limits.idle_timeout.is_zero() && idle > limits.idle_timeout && self.retry.is_none() {
            tracing::debug!(client = self.session.client().id, "closed: idle");
            self.state = State::Broken;
            self.waker.wake_by_ref();
        }
    }

    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    fn break_off(&mut self, error: &io::Error) {
        tracing::debug!(client = self.session.client().id, %error, "connection lost");
        self.state = State::Broken;
        self.waker.wake_by_ref();
    }
}
