//! Waiting for keys: what a command that found nothing asks to wait for, and which keys came to be meanwhile that somebody
//! waits for.

use super::{Context, Lookup};
use crate::entry::Kind;
use crate::error::Result;
use crate::keyspace::Call;

/// What a command asks to wait for.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The type of the value, as the kind in one piece.
    pub(crate) kind: Kind,
    /// Any of these keys of the selected database.
    pub(crate) keys: Vec<Box<[u8]>>,
    /// 0 to wait without an end.
    pub(crate) timeout_ms: u64,
    pub(crate) waited: Waited,
}

/// How waiting for streams differs.
#[derive(Debug, Default)]
pub(crate) struct Waited {
    /// Words, by their number, that are others when the command runs again.
    pub(crate) replaced: Vec<(usize, Box<[u8]>)>,
    /// Whether it runs again, to answer an error, when a key is gone or has another type.
    pub(crate) also_gone: bool,
}

/// A key by the number of its database.
pub(crate) type WaitedKey = (usize, Box<[u8]>);

/// What of waiting concerns the command at hand.
#[derive(Debug, Default)]
pub(super) struct Waits {
    allowed: bool,
    wanted: Option<Wanted>,
    /// Keys that were set or grew while somebody waited for them, in the order in which that first happened.
    ready: Vec<WaitedKey>,
}

impl Context<'_> {
    /// Asks to wait until one of these keys of the selected database has a value of a type, which is given as the kind in
    /// one piece. If it can be waited the command has no reply: it will run again as a whole. If not, because it is part
    /// of a transaction, it must reply as if the time was over.
    pub(crate) fn wait_for<'k>(&mut self, kind: Kind, keys: impl Iterator<Item = &'k [u8]>, timeout_ms: u64) -> bool {
        self.wait(kind, keys, timeout_ms, Waited::default())
    }

    /// [`Context::wait_for`] streams.
    pub(crate) fn wait_for_streams<'k>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]>,
        timeout_ms: u64,
        waited: Waited,
    ) -> bool {
        self.wait(Kind::Stream, keys, timeout_ms, waited)
    }

    fn wait<'k>(&mut self, kind: Kind, keys: impl Iterator<Item = &'k [u8]>, timeout_ms: u64, waited: Waited) -> bool {
        if self.waits.allowed {
            self.waits.wanted = Some(Wanted { kind, keys: keys.map(Box::from).collect(), timeout_ms, waited });
        }
        self.waits.allowed
    }

    pub(crate) fn allow_waiting(&mut self, allowed: bool) {
        self.waits.allowed = allowed;
    }

    pub(crate) fn take_wanted(&mut self) -> Option<Wanted> {
        self.waits.wanted.take()
    }

    /// The keys that somebody waits for and that were set since this was asked for, in order.
    pub(crate) fn take_ready(&mut self) -> Vec<WaitedKey> {
        std::mem::take(&mut self.waits.ready)
    }

    /// Notes that a key was set, has grown or is gone, in the slot of this index.
    #[inline]
    pub(super) fn note_ready(&mut self, locked: usize, key: &[u8]) {
        if self.shared().waiters.any() {
            self.note_waited(locked, key);
        }
    }

    /// [`Context::note_ready`] of the row under construction.
    #[inline]
    pub(super) fn note_row_ready(&mut self, locked: usize, key_len: usize) {
        if self.shared().waiters.any() {
            let key = self.work.row.entry_bytes()[..key_len].to_vec();
            self.note_waited(locked, &key);
        }
    }

    #[cold]
    fn note_waited(&mut self, locked: usize, key: &[u8]) {
        let db = self.locked[locked].db;
        let known = self.waits.ready.iter().any(|(other, name)| *other == db && **name == *key);
        if !known && self.shared().waiters.is_waited_for(db, key) {
            self.waits.ready.push((db, key.into()));
        }
    }

    /// Begins the next command, whose batch is one of its own: the one before is committed.
    pub(crate) fn next_batch(&mut self, call: &Call) {
        self.next_command(call, true);
        self.gone.clear();
        self.chunked.clear();
        (self.wrote, self.emptied, self.finished) = (None, false, false);
    }

    /// The type of a key of any database, as the kind in one piece.
    pub(crate) fn type_of(&mut self, db: usize, key: &[u8]) -> Result<Option<Kind>> {
        let spot = self.find_in(db, key, Lookup::Write)?;
        Ok(self.kind(spot).map(Kind::short))
    }
}
