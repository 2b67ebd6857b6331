//! What an import did, counted. Nothing that is left out goes uncounted.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Names that are shown of what was left out.
const SHOWN_MAX: usize = 10;

#[derive(Debug, Default)]
pub(super) struct Report {
    /// Keys copied, by type.
    pub(super) keys: BTreeMap<&'static str, u64>,
    pub(super) libraries: u64,
    /// Of other databases than the one asked for.
    pub(super) elsewhere: u64,
    /// Keys without a value.
    pub(super) empty: u64,
    /// Deadlines of fields that the target cannot keep, and fields whose time was over.
    pub(super) deadlines_dropped: u64,
    pub(super) fields_expired: u64,
    /// Commands followed after the copy.
    pub(super) commands: u64,
    foreign: u64,
    shown: Vec<String>,
}

impl Report {
    pub(super) fn copied(&self) -> u64 {
        self.keys.values().sum()
    }

    /// Something that only Redis or its modules can use.
    pub(super) fn foreign(&mut self, what: String) {
        self.foreign += 1;
        if self.shown.len() < SHOWN_MAX {
            self.shown.push(what);
        }
    }

    /// One line each; `refused` requests of the target, the first of them named.
    pub(super) fn lines(&self, refused: u64, named: &[String]) -> Vec<String> {
        let mut first = format!("{} keys copied", self.copied());
        for (at, (kind, count)) in self.keys.iter().enumerate() {
            let _ = write!(first, "{}{kind} {count}", if at == 0 { " (" } else { ", " });
        }
        if !self.keys.is_empty() {
            first.push(')');
        }
        let mut lines = vec![first];
        for (count, what) in [
            (self.commands, "commands followed"),
            (self.libraries, "libraries of functions copied"),
            (self.elsewhere, "keys of other databases not asked for"),
            (self.empty, "keys left out: they have no value, and Redis leaves them out as well"),
            (self.fields_expired, "fields of hashes left out: their time was over"),
            (
                self.deadlines_dropped,
                "DEADLINES OF FIELDS DROPPED: the target has no HPEXPIREAT; the fields are there and do not expire",
            ),
            (self.foreign, "THINGS SKIPPED: only Redis with the same modules can read them"),
            (refused, "REQUESTS REFUSED BY THE TARGET: what they were for is not there"),
        ] {
            if count > 0 {
                lines.push(format!("{count} {what}"));
            }
        }
        lines.extend(self.shown.iter().map(|what| format!("  skipped {what}")));
        lines.extend(named.iter().map(|what| format!("  refused {what}")));
        lines
    }

    /// Whether something of the source is missing on the target.
    pub(super) fn is_lacking(&self, refused: u64) -> bool {
        refused + self.foreign + self.deadlines_dropped > 0
    }
}
