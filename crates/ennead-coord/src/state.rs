//! The current state, under one lock: held for the time that a transaction is evaluated and handed to the store, never
//! while anybody waits for a disk.

use ennead_store::Sequence;

use crate::index::Index;
use crate::lease::Leases;
use crate::space::Space;
use crate::writer::Effect;

/// What transactions read and change.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) index: Index,
    /// The newest revision, durable or not. A new keyspace has revision 1.
    pub(crate) revision: i64,
    /// Reads below are refused; -1 before the first compaction.
    pub(crate) compacted: i64,
    /// The newest commit that changed anything here: an answer that tells of the state waits for it.
    pub(crate) sequence: Sequence,
    pub(crate) leases: Leases,
    pub(crate) space: Space,
}

impl State {
    pub(crate) fn take(&mut self, effect: Effect) {
        match effect {
            Effect::Attach(key, lease) => self.leases.attach(&key, lease),
            Effect::Grant(id, lease) => self.leases.insert(id, lease),
            Effect::Extend(id, deadline_ms) => self.leases.extend(id, deadline_ms),
            Effect::Revoke(id) => self.leases.remove(id),
            Effect::Compact(revision) => self.compacted = revision,
            Effect::Alarm(alarm, true) => {
                self.space.alarms.insert(alarm);
            }
            Effect::Alarm(alarm, false) => {
                self.space.alarms.remove(&alarm);
            }
        }
    }
}
