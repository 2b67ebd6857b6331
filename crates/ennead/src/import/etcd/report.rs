//! What an import did, counted. Nothing that is left out goes uncounted.

/// Names that are shown of what was refused.
const SHOWN_MAX: usize = 10;
const NAME_BYTES_MAX: usize = 80;

#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) keys: u64,
    pub(super) leases: u64,
    /// Leases that ended at the source meanwhile, and here with it.
    pub(super) leases_ended: u64,
    /// Keys left out with the lease that they were on.
    pub(super) ended: u64,
    /// Leases that the target has already.
    pub(super) leases_there: u64,
    /// Revisions followed after the copy.
    pub(super) revisions: u64,
    pub(super) refused: u64,
    shown: Vec<String>,
}

impl Report {
    /// A key that the target does not take.
    pub(super) fn refuse(&mut self, key: &[u8], why: &str) {
        self.refused += 1;
        if self.shown.len() < SHOWN_MAX {
            let name = key[..key.len().min(NAME_BYTES_MAX)].escape_ascii();
            self.shown.push(format!("{name}: {why}"));
        }
    }

    /// One line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} keys and {} leases copied", self.keys, self.leases)];
        for (count, what) in [
            (self.revisions, "revisions followed"),
            (self.ended, "times a key was left out: its lease was over at the source before it could be copied"),
            (self.leases_ended, "of the leases ended at the source meanwhile, and their keys with them"),
            (self.leases_there, "leases that the target had already"),
            (self.refused, "KEYS REFUSED BY THE TARGET: they are not there"),
        ] {
            if count > 0 {
                lines.push(format!("{count} {what}"));
            }
        }
        lines.extend(self.shown.iter().map(|what| format!("  refused {what}")));
        lines
    }
}
