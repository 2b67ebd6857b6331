//! Watches: changes told to those who asked for their keys, once they are on disk, in the order of their revisions.
//!
//! One thread takes each published transaction to the watches of its keys ([`places`]) and puts it into the mailboxes of
//! their streams ([`mailbox`]). A watch that begins in the past, or whose client is slow, is *behind*: another thread reads
//! history for it whenever its client has taken what was there ([`history`]), until it is level again. So a slow client
//! holds up nobody and loses nothing.
//!
//! Locks are taken in this order: that of those who are told, the inbox's, a mailbox's.

mod answer;
mod history;
mod mailbox;
mod places;
mod response;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, MutexGuard};
use smallvec::SmallVec;

use crate::publication::Committed;
use crate::span::Span;
use crate::watch::mailbox::{Mailbox, Told, Wishes};
use crate::watch::places::Places;

pub use answer::WatchAnswer;
pub(crate) use answer::encode;
pub(crate) use history::run as run_history;
pub use stream::WatchStream;

/// What is published, on its way to the watches.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    inbox: Mutex<Inbox>,
    arrived: Condvar,
    level: Mutex<Level>,
    readers: Mutex<Readers>,
    wanted: Condvar,
}

#[derive(Debug, Default)]
struct Inbox {
    queue: VecDeque<Arc<Committed>>,
    stopped: bool,
}

/// The watches that are told as things happen.
#[derive(Debug, Default)]
pub(crate) struct Level {
    /// Everything up to here has been told.
    revision: i64,
    places: Places<Member>,
}

/// A watch by its place. One for each watch: it is small.
#[derive(Debug, Clone)]
struct Member {
    mailbox: Arc<Mailbox>,
    id: i64,
    /// The first revision that it is told of.
    start: i64,
    wishes: Wishes,
}

/// What was put into mailboxes, and whom to wake for it: each stream once, for as much as is there.
#[derive(Debug, Default)]
struct Round {
    wakers: Vec<Waker>,
    told: usize,
    full: Vec<Member>,
}

/// Streams that want history to be read.
#[derive(Debug, Default)]
struct Readers {
    queue: VecDeque<Arc<Mailbox>>,
    stopped: bool,
}

/// Deliveries after which streams are woken before there is more.
const ROUND_MAX: usize = 1 << 12;

impl Round {
    /// Puts changes into the mailbox of a watch, or the watch on the list of those that have no room.
    fn deliver(&mut self, member: &Member, committed: &Arc<Committed>, which: SmallVec<[u32; 2]>) {
        let mut contents = member.mailbox.0.lock();
        if !contents.has_room() {
            self.full.push(member.clone());
            return;
        }
        contents.tell(member.id, Told { committed: Arc::clone(committed), which });
        self.wakers.extend(contents.take_waker());
        self.told += 1;
    }

    fn end_if_long(&mut self) {
        if self.told > ROUND_MAX {
            self.end();
        }
    }

    fn end(&mut self) {
        self.told = 0;
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

impl Hub {
    pub(crate) fn new(revision: i64) -> Hub {
        Hub { level: Mutex::new(Level { revision, ..Level::default() }), ..Hub::default() }
    }

    /// Takes what was published; does not block.
    pub(crate) fn push(&self, committed: Arc<Committed>) {
        let mut inbox = self.inbox.lock();
        // Without watches there is nothing to tell, and no thread to wake.
        if inbox.queue.is_empty()
            && let Some(mut level) = self.level.try_lock()
            && level.places.is_empty()
        {
            level.revision = committed.revision;
            return;
        }
        inbox.queue.push_back(committed);
        self.arrived.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.inbox.lock().stopped = true;
        self.arrived.notify_all();
        self.readers.lock().stopped = true;
        self.wanted.notify_all();
    }

    /// The body of the thread that tells: until it is stopped.
    pub(crate) fn run(&self) {
        loop {
            {
                let mut inbox = self.inbox.lock();
                while inbox.queue.is_empty() && !inbox.stopped {
                    self.arrived.wait(&mut inbox);
                }
                if inbox.stopped {
                    return;
                }
            }
            let mut round = Round::default();
            while self.tell_next(&mut self.level.lock(), &mut round) {
                round.end_if_long();
            }
            round.end();
        }
    }

    /// Tells of the next transaction, if there is one. It leaves the inbox under the lock of those who are told, so that
    /// whoever has that lock and finds the inbox empty knows that all has been told.
    fn tell_next(&self, level: &mut Level, round: &mut Round) -> bool {
        let Some(committed) = self.inbox.lock().queue.pop_front() else { return false };
        level.tell(&committed, round);
        level.revision = committed.revision;
        true
    }

    /// Those who are told as things happen, when everything has been told that a client can know by the answer to a write.
    fn caught_up(&self) -> MutexGuard<'_, Level> {
        let (mut level, mut round) = (self.level.lock(), Round::default());
        while self.tell_next(&mut level, &mut round) {}
        round.end();
        level
    }

    /// Asks for history to be read for a stream.
    fn ask(&self, mailbox: Arc<Mailbox>) {
        self.readers.lock().queue.push_back(mailbox);
        self.wanted.notify_one();
    }

    /// The next stream to read history for; nothing to end.
    fn next_reader(&self) -> Option<Arc<Mailbox>> {
        let mut readers = self.readers.lock();
        loop {
            if readers.stopped {
                return None;
            }
            if let Some(mailbox) = readers.queue.pop_front() {
                return Some(mailbox);
            }
            self.wanted.wait(&mut readers);
        }
    }
}

impl Level {
    fn tell(&mut self, committed: &Arc<Committed>, round: &mut Round) {
        if let [change] = &committed.changes[..] {
            // The usual transaction needs no collecting.
            self.places.visit(&change.key, |member| {
                if member.is_told(committed.revision) && member.wishes.wants(change) {
                    round.deliver(member, committed, SmallVec::from_slice(&[0]));
                }
            });
        } else {
            let mut told: Vec<(Member, SmallVec<[u32; 2]>)> = Vec::new();
            let mut known = HashMap::new();
            for (at, change) in committed.changes.iter().enumerate() {
                self.places.visit(&change.key, |member| {
                    if !member.is_told(committed.revision) || !member.wishes.wants(change) {
                        return;
                    }
                    let place = *known.entry(member.identity()).or_insert_with(|| {
                        told.push((member.clone(), SmallVec::new()));
                        told.len() - 1
                    });
                    told[place].1.push(at as u32);
                });
            }
            for (member, which) in told {
                round.deliver(&member, committed, which);
            }
        }
        self.leave_behind(std::mem::take(&mut round.full), committed.revision);
    }

    /// Takes watches out whose streams are full, from this revision on.
    fn leave_behind(&mut self, full: Vec<Member>, revision: i64) {
        for member in full {
            let mut contents = member.mailbox.0.lock();
            let Some(span) = contents.watches.get(&member.id).map(|watch| watch.span.clone()) else { continue };
            contents.fall_behind(member.id, revision);
            drop(contents);
            self.remove(&span, &member.mailbox, member.id);
        }
    }

    fn remove(&mut self, span: &Span<Bytes>, mailbox: &Arc<Mailbox>, id: i64) {
        self.places.remove(span, |member| member.id == id && Arc::ptr_eq(&member.mailbox, mailbox));
    }
}

impl Member {
    fn is_told(&self, revision: i64) -> bool {
        revision >= self.start
    }

    fn identity(&self) -> (*const Mailbox, i64) {
        (Arc::as_ptr(&self.mailbox), self.id)
    }
}
