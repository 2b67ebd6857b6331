//! Executing what a connection has read: a few requests at a time, parsed ahead of their execution.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::time::Duration;

use ennead_engine::{Clock, Hold, Outcome, Reply};

use super::{Connection, Reached, State, UNSENT_BYTES_MAX};
use crate::ahead::{Ahead, Parsed};
use crate::request;
use crate::worker::Worker;

/// Requests that one connection may execute before others have their turn.
const TURN_REQUESTS_MAX: usize = 1024;

impl Connection {
    /// Executes the complete requests of the input.
    pub(super) fn execute(&mut self, worker: &Worker, context: &mut Context<'_>) {
        let limits = *worker.limits.borrow();
        if self.input.len() > limits.query_bytes_max {
            self.session.shard().query_buffer_disconnections.add(1);
            tracing::warn!(client = self.session.client().id, "closed: its requests exceed the query buffer limit");
            self.state = State::Broken;
            return;
        }
        let client = Arc::clone(self.session.client());
        client.query_bytes.store(self.input.len() as u64, Ordering::Relaxed);
        if self.output.buffer().capacity() == 0 {
            *self.output.buffer() = worker.spare_output();
        }
        let mut clock = worker.clock.borrow_mut();
        worker.begin_turn(&mut clock);
        self.active = clock.instant();
        let mut ahead = worker.ahead.borrow_mut();
        let consumed = self.execute_requests(&mut ahead, worker, &mut clock, context);
        ahead.clear();
        drop(ahead);
        drop(clock);
        if consumed == self.input.len() {
            self.input.clear();
        } else if consumed > 0 {
            self.input.drain(..consumed);
        }
        client.query_bytes.store(self.input.len() as u64, Ordering::Relaxed);
        self.end_turn(worker);
    }

    /// Has what was written to the output sent, once the log is where it has to be for that.
    pub(super) fn end_turn(&mut self, worker: &Worker) {
        if let Some(reached) = self.held.close_turn(self.output.bytes().len()) {
            worker.await_sequence(reached);
        } else if self.held.is_empty() {
            self.sendable = self.output.bytes().len();
        }
    }

    /// Gives the number of bytes that were executed.
    fn execute_requests(
        &mut self,
        ahead: &mut Ahead,
        worker: &Worker,
        clock: &mut Clock,
        context: &mut Context<'_>,
    ) -> usize {
        let bulk_bytes_max = worker.limits.borrow().bulk_bytes_max;
        let (mut consumed, mut executed) = (0, 0);
        while executed < TURN_REQUESTS_MAX {
            let input = &self.input[consumed..];
            let parsed = match self.put_off.take() {
                Some(request) => {
                    ahead.resume(&mut self.parser, request);
                    Ok(())
                }
                None => {
                    let authenticated = self.session.is_authenticated();
                    ahead.fill(&mut self.parser, input, request::Limits { bulk_bytes_max, authenticated })
                }
            };
            if ahead.len() > 1 {
                self.session.anticipate(ahead.iter(input));
            }
            match self.execute_ahead(ahead, worker, consumed, clock, context) {
                Ok(end) => consumed = end,
                Err(end) => return end,
            }
            if let Err(error) = parsed {
                self.output.error(&format!("ERR {error}"));
                self.state = State::Closing;
                return self.input.len();
            }
            if ahead.len() == 0 {
                return consumed;
            }
            executed += ahead.len();
        }
        self.more = consumed < self.input.len();
        consumed
    }

    /// Executes the requests that were parsed, which begin at `start` of the input. Gives where they end, or as an error
    /// where the turn has to end.
    fn execute_ahead(
        &mut self,
        ahead: &mut Ahead,
        worker: &Worker,
        start: usize,
        clock: &mut Clock,
        context: &mut Context<'_>,
    ) -> Result<usize, usize> {
        let mut consumed = start;
        let mut index = 0;
        while index < ahead.len() {
            self.take_all_mail(worker);
            let (outcome, count) = self.execute_next(ahead, index, start, clock);
            match outcome {
                Outcome::Done { hold, close } => {
                    self.hold(hold);
                    if close {
                        self.state = State::Closing;
                        return Err(self.input.len());
                    }
                }
                Outcome::Later(wait) => {
                    self.put_off = Some(ahead.put_back(index, &mut self.parser));
                    self.wait(wait, context);
                    return Err(consumed);
                }
            }
            consumed += ahead.bytes(index..index + count);
            index += count;
            if self.session.is_copying() {
                // Nothing behind it is executed.
                self.parser.reset();
                return Err(self.input.len());
            }
            if self.unsent() > UNSENT_BYTES_MAX && consumed < self.input.len() {
                // The requests behind it are parsed again when the client has read.
                self.parser.reset();
                (self.more, self.throttled) = (true, true);
                return Err(consumed);
            }
        }
        Ok(consumed)
    }

    /// Executes a request, or several that may run together; how many.
    fn execute_next(&mut self, ahead: &Ahead, index: usize, start: usize, clock: &mut Clock) -> (Outcome, usize) {
        let input = &self.input[start..];
        if index + 1 < ahead.len() {
            let together = self.session.together(ahead.iter_from(index, input));
            if !together.is_empty()
                && let Some(ran) = self.session.execute_together(&together, &mut self.output, clock)
            {
                return ran;
            }
        }
        let Parsed { args, found } = ahead.request(index, input);
        if args.is_empty() {
            return (Outcome::Done { hold: Hold::None, close: false }, 1);
        }
        (self.session.execute_as(found, args, &mut self.output, clock), 1)
    }

    #[inline]
    pub(super) fn hold(&mut self, hold: Hold) {
        match hold {
            Hold::None => {}
            Hold::Written(sequence) => self.held.add(Reached { written: sequence, durable: 0 }),
            Hold::Durable(sequence) => self.held.add(Reached { written: 0, durable: sequence }),
        }
    }

    fn wait(&mut self, wait: Duration, context: &mut Context<'_>) {
        let mut sleep = Box::pin(tokio::time::sleep(wait));
        if sleep.as_mut().poll(context).is_ready() {
            context.waker().wake_by_ref();
        }
        self.retry = Some(sleep);
    }
}
