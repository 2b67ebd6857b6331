//! What happens to keys, as it is told to whoever asked for it: the events of Redis's keyspace notifications, and that
//! a key is no longer what somebody may have read.
//!
//! A command notes things as it does them; its [`Witness`] hears of all of them at once, after their batch was committed
//! and before anybody else comes to these keys. What no batch came of is never told: neither is a change that the store
//! refused. While nobody asks, a note costs the reading of one word ([`crate::Settings::set_events`]).

use crate::keyspace::Effect;

/// A class of events; the bit that it is asked for by. The bits are in the order of the letters of Redis's
/// `notify-keyspace-events`: `g$lshzxetdnKEm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum EventClass {
    Generic = 1,
    String = 1 << 1,
    List = 1 << 2,
    Set = 1 << 3,
    Hash = 1 << 4,
    Zset = 1 << 5,
    Expired = 1 << 6,
    Evicted = 1 << 7,
    Stream = 1 << 8,
    /// A key that was not there was set.
    New = 1 << 10,
    /// A key was read that is not there.
    Miss = 1 << 13,
}

/// The bit that changes are asked for by.
pub(crate) const CHANGES: u32 = 1 << 31;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    /// An event by Redis's name for it, with the number of the database that clients select.
    Event { name: &'static str, db: usize, key: &'a [u8] },
    /// The value or the expiry of a key changed, or the key is gone. Which database it is in is not told.
    Changed {
        key: &'a [u8],
        /// Whose command it was, as [`crate::Call::client`] says.
        client: u64,
        /// Whether the command meant it: it expired or was evicted otherwise.
        meant: bool,
    },
    /// A command read a key whose client wants that to be remembered, as [`crate::Call::remembers`] says.
    Read { key: &'a [u8], client: u64 },
    /// At least one database was emptied.
    Flushed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Event { name: &'static str, db: usize },
    Changed { client: u64, meant: bool },
    Read { client: u64 },
    Flushed,
}

/// What one batch is about, in the order in which it happened.
#[derive(Debug, Default)]
pub struct Notices {
    /// Keys one behind the other, each notice's ending where it says.
    keys: Vec<u8>,
    notices: Vec<(What, usize)>,
}

impl Notices {
    pub fn iter(&self) -> impl Iterator<Item = Notice<'_>> {
        let mut start = 0;
        self.notices.iter().map(move |(what, end)| {
            let key = &self.keys[std::mem::replace(&mut start, *end)..*end];
            match *what {
                What::Event { name, db } => Notice::Event { name, db, key },
                What::Changed { client, meant } => Notice::Changed { key, client, meant },
                What::Read { client } => Notice::Read { key, client },
                What::Flushed => Notice::Flushed,
            }
        })
    }

    pub(crate) fn event(&mut self, name: &'static str, db: usize, key: &[u8]) {
        self.push(What::Event { name, db }, key);
    }

    pub(crate) fn changed(&mut self, key: &[u8], client: u64, meant: bool) {
        let what = What::Changed { client, meant };
        // A command that changes ten members of a set has changed one key.
        if let Some((last, end)) = self.notices.last()
            && *last == what
            && *end == self.keys.len()
            && self.keys[self.start_of_last()..] == *key
        {
            return;
        }
        self.push(what, key);
    }

    pub(crate) fn read(&mut self, key: &[u8], client: u64) {
        self.push(What::Read { client }, key);
    }

    pub(crate) fn flushed(&mut self) {
        self.push(What::Flushed, &[]);
    }

    fn start_of_last(&self) -> usize {
        self.notices.iter().rev().nth(1).map_or(0, |(_, end)| *end)
    }

    fn push(&mut self, what: What, key: &[u8]) {
        self.keys.extend_from_slice(key);
        self.notices.push((what, self.keys.len()));
    }
}

/// Hears of what happens to keys.
pub trait Witness: Send + Sync {
    /// Called under the locks of the keys, in the thread that changed them: it must be quick, and must not use the
    /// keyspace.
    ///
    /// # Durability
    /// What happened is visible; it is as durable as `effect` is.
    fn witness(&self, notices: &Notices, effect: Effect);
}
