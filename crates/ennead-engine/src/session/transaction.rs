//! Transactions: the requests between MULTI and EXEC, and the keys that WATCH looks after.
//!
//! Requests are checked as they are queued, so EXEC only meets errors that depend on values. It runs the queue in one
//! transaction of the keyspace: what it wrote is one record of the log.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use ennead_kv::{Args, Error, Flag, Result, Transaction, Watched};

use super::{Hold, Outcome, Output, Request, Session};
use crate::Clock;
use crate::commands::{fence, scripting};
use crate::fence::Barrier;
use crate::registry::{Command, Handler};
use crate::scripting::run_inside;
use crate::settings::QUERY_BUFFER_LIMIT;

/// Commands that a transaction does not queue but runs.
const IMMEDIATE: &[&str] = &["discard", "exec", "multi", "quit", "reset", "watch"];

/// The requests since MULTI.
#[derive(Debug, Default)]
pub(super) struct Queue {
    requests: Vec<Queued>,
    /// Of memory.
    bytes: usize,
    /// A request was refused: EXEC will be, too.
    spoiled: bool,
    writes: bool,
    /// Redis's replicas may hear of it otherwise.
    replicates: bool,
    grows: bool,
    /// It has a fence of its own.
    fence: Option<Arc<Barrier>>,
}

#[derive(Debug)]
struct Queued {
    command: &'static Command,
    words: Box<[u8]>,
    spans: Box<[Range<usize>]>,
}

/// The keys of WATCH.
#[derive(Debug, Default)]
pub(crate) struct Watches(Vec<Watched>);

impl Command {
    /// Whether it runs at once between MULTI and EXEC.
    pub(super) fn is_immediate(&self) -> bool {
        IMMEDIATE.contains(&self.spec.name)
    }

    pub(super) fn may_be_queued(&self) -> Result {
        if self.has(Flag::NoMulti) {
            return Err(Error::text("ERR Command not allowed inside a transaction"));
        }
        Ok(())
    }
}

impl Queued {
    fn new(command: &'static Command, args: Args<'_>) -> Queued {
        let mut words = Vec::with_capacity(args.iter_from(0).map(<[u8]>::len).sum());
        let mut spans = Vec::with_capacity(args.len());
        for word in args.iter_from(0) {
            spans.push(words.len()..words.len() + word.len());
            words.extend_from_slice(word);
        }
        Queued { command, words: words.into(), spans: spans.into() }
    }

    fn bytes(&self) -> usize {
        size_of::<Queued>() + self.words.len() + size_of_val(&*self.spans)
    }

    fn args(&self) -> Args<'_> {
        Args::new(&self.words, &self.spans)
    }
}

impl Session {
    /// Between MULTI and EXEC: has EXEC refuse.
    pub(super) fn spoil(&mut self) {
        if let Some(queue) = &mut self.queue {
            queue.spoiled = true;
        }
    }

    /// Whether the command is the EXEC of requests that write.
    pub(super) fn executes_writes(&self, command: &Command) -> bool {
        command.spec.name == "exec" && self.queue.as_ref().is_some_and(|queue| queue.writes)
    }

    /// Whether the command is the EXEC of requests that Redis's replicas may hear of.
    pub(super) fn executes_replicated(&self, command: &Command) -> bool {
        command.spec.name == "exec" && self.queue.as_ref().is_some_and(|queue| queue.replicates)
    }

    /// Whether the command is not going to run now.
    pub(super) fn only_queues(&self, command: &Command) -> bool {
        self.queue.is_some() && !command.is_immediate()
    }

    /// Takes a request of a transaction in.
    #[cold]
    pub(super) fn queue(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        reply: &mut dyn Output,
        clock: &Clock,
    ) -> Outcome {
        // A queue takes memory, too, whatever is in it.
        let call = self.call(clock);
        let refused = match self.engine.keyspace().has_room(&call) {
            Ok(true) => None,
            Ok(false) => Some(Error::OutOfMemory),
            Err(error) => Some(error),
        };
        if let Some(error) = refused {
            self.spoil();
            return self.refuse(command, &error, reply);
        }
        let fence = if command.spec.name == "fence|on" {
            match fence::parse(args) {
                Ok(fence) => Some(Barrier::new(&self.engine, &self.account, fence)),
                Err(error) => {
                    self.spoil();
                    return self.refuse(command, &error, reply);
                }
            }
        } else {
            None
        };
        let replicates = self.may_replicate(command, args);
        let Some(queue) = &mut self.queue else { return self.done(Hold::None) };
        let request = Queued::new(command, args);
        queue.bytes += request.bytes();
        if queue.bytes as u64 > self.engine.settings().read(QUERY_BUFFER_LIMIT) {
            self.shard.query_buffer_disconnections.add(1);
            tracing::warn!(client = self.client.id, "closed: its transaction exceeds the query buffer limit");
            self.discard();
            self.closing = true;
            return self.done(Hold::None);
        }
        queue.writes |= command.has(Flag::Write);
        queue.replicates |= replicates;
        queue.grows |= command.has(Flag::DenyOom);
        queue.requests.push(request);
        queue.fence = fence.or(queue.fence.take());
        self.client.queued.store(queue.requests.len() as i32, Ordering::Relaxed);
        let mark = reply.mark();
        reply.simple("QUEUED");
        self.apply_reply_mode(mark, reply);
        self.done(Hold::None)
    }

    /// MULTI.
    pub(crate) fn begin(&mut self) -> Result {
        if self.queue.is_some() {
            return Err(Error::text("ERR MULTI calls can not be nested"));
        }
        self.queue = Some(Box::default());
        self.client.queued.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Forgets the queue and the watched keys; whether there was a transaction.
    pub(crate) fn discard(&mut self) -> bool {
        self.watches.0.clear();
        self.client.queued.store(-1, Ordering::Relaxed);
        self.queue.take().is_some()
    }

    /// WATCH of one key.
    pub(crate) fn watch(&mut self, key: &[u8], clock: &Clock) -> Result {
        if self.queue.is_some() {
            return Err(Error::text("ERR WATCH inside MULTI is not allowed"));
        }
        let known = self.watches.0.iter().any(|watched| watched.db == self.database && watched.key == key);
        if !known {
            let call = self.call(clock);
            self.watches.0.push(self.engine.keyspace().watch(&call, key)?);
        }
        Ok(())
    }

    pub(crate) fn unwatch(&mut self) {
        self.watches.0.clear();
    }

    /// EXEC.
    pub(crate) fn execute_queue(&mut self, clock: &Clock, reply: &mut dyn Output) -> Result {
        let watches = std::mem::take(&mut self.watches.0);
        self.client.queued.store(-1, Ordering::Relaxed);
        let Some(queue) = self.queue.take() else {
            self.watches.0 = watches;
            return Err(Error::text("ERR EXEC without MULTI"));
        };
        if queue.spoiled {
            return Err(Error::text("EXECABORT Transaction discarded because of previous errors."));
        }
        let outer = self.fence.clone();
        if queue.fence.is_some() {
            self.fence.clone_from(&queue.fence);
        }
        let ran = self.execute_all(&queue, &watches, clock, reply);
        self.fence = outer;
        ran
    }

    /// Runs the queue behind the fence if there is one, unless a watched key was changed.
    fn execute_all(&mut self, queue: &Queue, watches: &[Watched], clock: &Clock, reply: &mut dyn Output) -> Result {
        if let Some(fence) = self.fence.as_ref().filter(|_| queue.writes || queue.fence.is_some()) {
            fence.check()?;
        }
        let call = self.call(clock);
        let keyspace = self.engine.keyspace().clone();
        let mut held = Hold::None;
        let ran = keyspace.transaction(&call, queue.grows, |transaction| {
            for watched in watches {
                if !transaction.is_unchanged(watched, &call)? {
                    reply.null_array();
                    return Ok(());
                }
            }
            reply.array(queue.requests.len());
            for request in &queue.requests {
                held = held.longer(self.execute_queued(request, transaction, clock, reply)?);
            }
            Ok(())
        });
        match ran {
            Ok(((), effect)) => self.held = held.longer(self.hold(effect)),
            Err(Error::OutOfMemory) => {
                return Err(Error::Text(
                    format!("EXECABORT Transaction discarded because of: {}", &Error::OutOfMemory.to_string()).into(),
                ));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Runs a script among the requests of the queue.
    fn script_in_queue(
        &mut self,
        request: &Request<'_>,
        transaction: &mut Transaction<'_>,
        reply: &mut dyn Output,
    ) -> Result {
        self.show_script(request.command, request.args, request.clock);
        let invocation = scripting::invocation(self, request)?;
        let mut session = self.for_script(Arc::clone(&self.shard));
        let (item, hold) = run_inside(&mut session, transaction, &invocation, false, request.clock)?;
        scripting::write(self, &item, hold, reply);
        Ok(())
    }

    /// Runs one request of the queue. Its errors are replies, except for those of the store, which end the transaction.
    fn execute_queued(
        &mut self,
        request: &Queued,
        transaction: &mut Transaction<'_>,
        clock: &Clock,
        reply: &mut dyn Output,
    ) -> Result<Hold> {
        let Queued { command, .. } = *request;
        let args = request.args();
        if let Some(text) = self.lost_right(command, args, clock) {
            self.engine.errors().count(&text);
            reply.error(&text);
            return Ok(Hold::None);
        }
        let mark = reply.mark();
        let began = Instant::now();
        let result = match command.handler {
            Handler::Keyspace(row) => {
                let call = self.call_for(command, args, clock);
                transaction.execute(row, &call, args, reply)
            }
            Handler::Engine(_) if command.runs_script() => {
                self.script_in_queue(&Request { command, args, clock }, transaction, reply)
            }
            Handler::Engine(run) => {
                self.executing = true;
                let outcome = run(self, &Request { command, args, clock }, reply);
                self.executing = false;
                outcome
            }
            Handler::Container => Err(Error::Arity(command.spec.name.to_owned())),
        };
        self.show(command, args, clock);
        let time = began.elapsed();
        let failed = std::mem::take(&mut self.failed);
        self.shard.executed(command.index, time, failed || result.is_err());
        self.note_slowness(command, args, time, clock);
        match result {
            Err(error @ Error::Store(_)) => return Err(error),
            Err(error) => {
                reply.rewind(mark);
                let text = error.to_string();
                self.engine.errors().count(&text);
                reply.error(&text);
            }
            Ok(()) => {}
        }
        Ok(std::mem::replace(&mut self.held, Hold::None))
    }
}
