//! The queue of MULTI: words of requests that EXEC runs as one.

use std::ops::Range;
use std::sync::atomic::Ordering;

use ennead_kv::{Args, Flag};

use crate::clients::{Client, FLAG_MULTI};
use crate::registry::{Command, Lookup, Registry};

/// A request with words of its own.
#[derive(Debug)]
pub(crate) struct Queued {
    words: Vec<u8>,
    spans: Vec<Range<usize>>,
}

impl Queued {
    fn new(args: Args<'_>) -> Self {
        let mut queued = Queued { words: Vec::new(), spans: Vec::with_capacity(args.len()) };
        for word in args.iter_from(0) {
            let start = queued.words.len();
            queued.words.extend_from_slice(word);
            queued.spans.push(start..queued.words.len());
        }
        queued
    }

    pub(crate) fn args(&self) -> Args<'_> {
        Args::new(&self.words, &self.spans)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Transaction {
    open: bool,
    /// A request was refused while queueing, so EXEC must not run the others.
    spoiled: bool,
    queue: Vec<Queued>,
}

impl Transaction {
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn open(&mut self, client: &Client) {
        self.open = true;
        client.set_flag(FLAG_MULTI, true);
        client.queued.store(0, Ordering::Relaxed);
    }

    /// Whether the command runs at once inside a transaction.
    pub(crate) fn passes(&self, command: &Command) -> bool {
        matches!(command.spec.name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
    }

    pub(crate) fn queue(&mut self, args: Args<'_>, client: &Client) {
        self.queue.push(Queued::new(args));
        client.queued.store(self.queue.len() as i64, Ordering::Relaxed);
    }

    pub(crate) fn spoil(&mut self) {
        self.spoiled |= self.open;
    }

    pub(crate) fn is_spoiled(&self) -> bool {
        self.spoiled
    }

    /// Whether a queued request is a write.
    pub(crate) fn writes(&self) -> bool {
        self.queue.iter().any(|queued| match Registry::get().lookup(&queued.args()) {
            Lookup::Found(command) => command.has(Flag::Write),
            _ => false,
        })
    }

    /// Ends the transaction; gives what was queued.
    pub(crate) fn close(&mut self, client: &Client) -> Vec<Queued> {
        self.open = false;
        self.spoiled = false;
        client.set_flag(FLAG_MULTI, false);
        client.queued.store(-1, Ordering::Relaxed);
        std::mem::take(&mut self.queue)
    }
}
