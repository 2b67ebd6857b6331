//! Compaction: history below a revision is forgotten in the background, a few keys at a time, first by the index
//! and then by the rows.
//!
//! It begins when the revision it goes to is on disk. A crash in the middle leaves rows that the next start takes into the
//! index again, and the compaction goes on, since the revision it goes to is stored first and that it is done last.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ennead_store::{Operation, Sequence, WriteBatch};
use parking_lot::{Condvar, Mutex};

use crate::coord::Shared;
use crate::error::{Error, Result};
use crate::rows::Word;

/// Keys looked at while writers wait.
const KEYS_AT_ONCE: usize = 256;
/// Between two such steps, for those who wait.
const REST: Duration = Duration::from_micros(200);
/// After an error of the store that may pass.
const ERROR_WAIT: Duration = Duration::from_millis(100);

/// How far compaction has to go, and has come.
#[derive(Debug)]
pub(crate) struct Compactor {
    progress: Mutex<Progress>,
    wake: Condvar,
}

#[derive(Debug)]
struct Progress {
    wanted: i64,
    /// The commit that says so.
    sequence: Sequence,
    /// Commits that may not be on disk yet, with the revisions they are about.
    asked: VecDeque<(Sequence, i64)>,
    /// The revision of the newest that is.
    on_disk: i64,
    done: i64,
    stopped: bool,
    /// Why it will never be done.
    failed: Option<Error>,
    waiting: Vec<Waker>,
}

impl Compactor {
    pub(crate) fn new(wanted: i64, done: i64) -> Compactor {
        let progress = Progress {
            wanted,
            sequence: 0,
            asked: VecDeque::new(),
            on_disk: wanted,
            done,
            stopped: false,
            failed: None,
            waiting: Vec::new(),
        };
        Compactor { progress: Mutex::new(progress), wake: Condvar::new() }
    }

    /// Makes the thread go to a revision once the commit that says so is on disk.
    pub(crate) fn ask(&self, revision: i64, sequence: Sequence) {
        let mut progress = self.progress.lock();
        progress.wanted = progress.wanted.max(revision);
        progress.sequence = progress.sequence.max(sequence);
        progress.asked.push_back((sequence, revision));
        self.wake.notify_one();
    }

    /// The revision below which rows may be gone, as far as that is on disk: nobody is told of a compaction that a power cut
    /// could take back.
    pub(crate) fn on_disk(&self, durable: Sequence) -> i64 {
        let mut progress = self.progress.lock();
        while let Some((_, revision)) = progress.asked.pop_front_if(|(sequence, _)| *sequence <= durable) {
            progress.on_disk = progress.on_disk.max(revision);
        }
        progress.on_disk
    }

    pub(crate) fn stop(&self) {
        let mut progress = self.progress.lock();
        progress.stopped = true;
        progress.waiting.drain(..).for_each(Waker::wake);
        self.wake.notify_one();
    }

    /// The next revision to go to, and its commit; nothing to end.
    fn next(&self) -> Option<(i64, Sequence)> {
        let mut progress = self.progress.lock();
        loop {
            if progress.stopped {
                return None;
            }
            if progress.wanted > progress.done {
                return Some((progress.wanted, progress.sequence));
            }
            self.wake.wait(&mut progress);
        }
    }

    /// Waits a while; answers whether to go on.
    fn rest(&self, time: Duration) -> bool {
        let mut progress = self.progress.lock();
        if !progress.stopped {
            self.wake.wait_for(&mut progress, time);
        }
        !progress.stopped
    }

    fn finish(&self, revision: i64) {
        let mut progress = self.progress.lock();
        progress.done = revision;
        progress.waiting.drain(..).for_each(Waker::wake);
    }

    /// Nothing more can be done.
    fn fail(&self, error: Error) {
        let mut progress = self.progress.lock();
        progress.failed = Some(error);
        progress.waiting.drain(..).for_each(Waker::wake);
    }

    /// Ends when the compaction to this revision has, or cannot.
    pub(crate) fn done(&self, revision: i64) -> Done<'_> {
        Done { compactor: self, revision }
    }
}

/// See [`Compactor::done`].
pub(crate) struct Done<'a> {
    compactor: &'a Compactor,
    revision: i64,
}

impl Future for Done<'_> {
    type Output = Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut progress = self.compactor.progress.lock();
        if progress.done >= self.revision {
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = &progress.failed {
            return Poll::Ready(Err(error.clone()));
        }
        if progress.stopped {
            return Poll::Ready(Err(Error::Stopped));
        }
        if !progress.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            progress.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

impl Shared {
    /// Forgets what can be forgotten of some keys behind `after`.
    fn compact_some(&self, revision: i64, after: Option<&[u8]>) -> Result<Option<Box<[u8]>>> {
        let mut batch = WriteBatch::new();
        let next = self.state.write().index.compact(revision, after, KEYS_AT_ONCE, |_, change| {
            batch.delete(self.rows.history, &change.row_key());
        });
        // The index has forgotten already, so the rows must follow, sooner or later.
        while let Err(error) = self.forget(&batch) {
            if self.rows.store.poisoned().is_some() || !self.compactor.rest(ERROR_WAIT) {
                return Err(error);
            }
        }
        Ok(next)
    }

    fn forget(&self, batch: &WriteBatch) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut bytes = 0;
        for operation in batch.operations() {
            if let Operation::Delete { table, key } = operation {
                bytes += self.rows.store.get_with(table, key, |value| (key.len() + value.len()) as u64)?.unwrap_or(0);
            }
        }
        self.rows.store.commit(batch)?;
        let space = &mut self.state.write().space;
        space.used_bytes = space.used_bytes.saturating_sub(bytes);
        Ok(())
    }
}

/// The body of the thread: until it is stopped.
pub(crate) fn run(shared: &Arc<Shared>) {
    while let Some((revision, sequence)) = shared.compactor.next() {
        match compact(shared, revision, sequence) {
            Ok(true) => shared.compactor.finish(revision),
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, revision, "a compaction of the coordination keyspace was interrupted");
                if shared.rows.store.poisoned().is_some() {
                    return shared.compactor.fail(error);
                }
                if !shared.compactor.rest(ERROR_WAIT) {
                    return;
                }
            }
        }
    }
}

/// Answers whether it came to the end.
fn compact(shared: &Shared, revision: i64, sequence: Sequence) -> Result<bool> {
    shared.rows.store.wait_durable(sequence)?;
    shared.compactor.on_disk(shared.rows.store.durable());
    let mut after = None;
    loop {
        after = shared.compact_some(revision, after.as_deref())?;
        if after.is_none() {
            break;
        }
        if !shared.compactor.rest(REST) {
            return Ok(false);
        }
    }
    let mut batch = WriteBatch::new();
    shared.rows.put_number(&mut batch, Word::CompactionDone, revision as u64);
    shared.rows.store.commit(&batch)?;
    tracing::debug!(revision, "compacted the coordination keyspace");
    Ok(true)
}
