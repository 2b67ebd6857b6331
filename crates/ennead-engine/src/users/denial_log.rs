//! ACL LOG: what users were denied lately, like entries as one with a count.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::denial::Cause;

/// An entry is like another one no older than this.
const ALIKE_MS_MAX: i64 = 60_000;
/// Entries looked at for a like one.
const SEARCHED_ENTRIES_MAX: usize = 10;
/// Of a key, channel or name; more would let a client fill memory.
const OBJECT_BYTES_MAX: usize = 4096;

/// What kind of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    TopLevel,
    Transaction,
    Script,
}

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) count: u64,
    pub(crate) cause: Cause,
    pub(crate) setting: Setting,
    pub(crate) object: Vec<u8>,
    pub(crate) user: Vec<u8>,
    /// The line of CLIENT LIST of the last client.
    pub(crate) client: String,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
}

/// Denials since the start or CONFIG RESETSTAT.
#[derive(Debug, Clone, Copy, Default)]
pub struct DenialCounts {
    pub logins: u64,
    pub commands: u64,
    pub keys: u64,
    pub channels: u64,
}

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    /// The last changed first.
    entries: VecDeque<Entry>,
    counts: DenialCounts,
}

#[derive(Debug, Default)]
pub(crate) struct DenialLog(Mutex<State>);

impl DenialLog {
    /// Takes a denial in as an entry of its own or as one more of a like entry. `entry` comes without an id.
    pub(super) fn push(&self, mut entry: Entry, len_max: usize) {
        let mut state = self.0.lock();
        match entry.cause {
            Cause::Login => state.counts.logins += 1,
            Cause::Command => state.counts.commands += 1,
            Cause::Key => state.counts.keys += 1,
            Cause::Channel => state.counts.channels += 1,
        }
        entry.object.truncate(OBJECT_BYTES_MAX);
        entry.user.truncate(OBJECT_BYTES_MAX);
        let alike = state.entries.iter().take(SEARCHED_ENTRIES_MAX).position(|known| {
            known.cause == entry.cause
                && known.setting == entry.setting
                && (known.updated_ms - entry.updated_ms).abs() <= ALIKE_MS_MAX
                && known.object == entry.object
                && known.user == entry.user
        });
        match alike.and_then(|at| state.entries.remove(at)) {
            Some(known) => {
                (entry.id, entry.count, entry.created_ms) = (known.id, known.count + 1, known.created_ms);
                state.entries.push_front(entry);
            }
            None => {
                entry.id = state.next_id;
                state.next_id += 1;
                state.entries.push_front(entry);
                state.entries.truncate(len_max);
            }
        }
    }

    /// The newest first.
    pub(crate) fn entries(&self, count: usize) -> Vec<Entry> {
        self.0.lock().entries.iter().take(count).cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().entries.clear();
    }

    pub(super) fn counts(&self) -> DenialCounts {
        self.0.lock().counts
    }

    pub(super) fn reset_counts(&self) {
        self.0.lock().counts = DenialCounts::default();
    }
}
