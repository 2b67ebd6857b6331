//! When it pays to look for the gap in the tree that rows go into together.
//!
//! Elements that are pushed to a list, entries of a stream, keys that count up: many rows of a flush go between the same two
//! rows of the tree, and are written several times as fast together. To find that out costs as much as to write one
//! row, so where it did not pay it is tried less and less often.

/// Rows that go into a gap at once, and their bytes: they are buffered.
pub(super) const GAP_ROWS_MAX: usize = 65_536;
pub(super) const GAP_BYTES_MAX: usize = 4 << 20;

/// A gap with fewer rows did not pay.
const ROWS_WORTHWHILE: usize = 4;
/// After that many misses there are 2 to the power of it rows before the next look.
const MISSES_MAX: u32 = 7;

/// What the last looks found.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    misses: u32,
    /// Rows to go before the next look.
    rest: u32,
}

impl Gaps {
    /// Whether to look at the next row.
    #[inline]
    pub(super) fn are_likely(&mut self) -> bool {
        let likely = self.rest == 0;
        self.rest = self.rest.saturating_sub(1);
        likely
    }

    /// A look found a gap for so many rows.
    pub(super) fn note(&mut self, rows: usize) {
        if rows >= ROWS_WORTHWHILE {
            (self.misses, self.rest) = (0, 0);
        } else {
            self.misses = (self.misses + 1).min(MISSES_MAX);
            self.rest = 1 << self.misses;
        }
    }
}

#[cfg(test)]
mod tests;
