//! The time to live of a table's rows: which rows are over, and where a row says when it was written.
//!
//! A commit puts the time of its writing, 8 bytes, before each value of such a table, so what is in the log and in the
//! B-tree says by itself how old it is: replay and restore need no clock. Readers never see these bytes, nor a row
//! whose time is over, whether or not it has been removed yet.

use std::time::Duration;

/// Bytes before a value: when it was written, milliseconds since 1970 UTC.
pub(crate) const STAMP_BYTES: usize = 8;

/// How long rows of a table live, seen at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    ttl_ms: u64,
    now_ms: u64,
}

impl Lifetime {
    pub(crate) fn new(ttl_ms: u64) -> Lifetime {
        Lifetime { ttl_ms, now_ms: 0 }
    }

    pub(crate) fn at(self, now_ms: u64) -> Lifetime {
        Lifetime { now_ms, ..self }
    }

    /// When a stored value was written.
    pub(crate) fn written_ms(stored: &[u8]) -> Option<u64> {
        stored.get(..STAMP_BYTES).and_then(|stamp| stamp.try_into().ok()).map(u64::from_le_bytes)
    }

    /// Whether a stored value's time is over.
    pub(crate) fn is_over(self, stored: &[u8]) -> bool {
        Lifetime::written_ms(stored).is_some_and(|written| written.saturating_add(self.ttl_ms) <= self.now_ms)
    }

    /// The value as readers see it; none when its time is over.
    pub(crate) fn shown(self, stored: &[u8]) -> Option<&[u8]> {
        if self.is_over(stored) { None } else { Some(stored.get(STAMP_BYTES..).unwrap_or_default()) }
    }

    /// Whether a row of this age is worth a look for what to remove: an eighth of its life after its end, so that no
    /// stretch of keys is looked through more than some times in the life of a row.
    pub(crate) fn is_due(self, oldest_ms: Option<u64>) -> bool {
        let removed_after = self.ttl_ms.saturating_add(self.ttl_ms / 8);
        oldest_ms.is_some_and(|oldest| oldest.saturating_add(removed_after) <= self.now_ms)
    }
}

/// Milliseconds of a time to live, rounded up so that it is never shorter than asked for.
pub(crate) fn ttl_ms(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
