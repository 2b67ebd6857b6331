//! Whether the store still accepts writes, and who wants to know.
//!
//! The first failed write or fsync is kept for good: later ones cannot make the store healthy again, because what the
//! kernel dropped in between is unknown.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Error, Result};

/// The first failure, if there was one.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failed: AtomicBool,
    reason: OnceLock<String>,
}

impl Health {
    /// Refuses with the reason of the first failure.
    #[inline]
    pub(crate) fn check(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire) { Err(self.error()) } else { Ok(()) }
    }

    /// Keeps the first failure and answers the error that callers get from now on.
    pub(crate) fn poison(&self, reason: String) -> Error {
        if self.reason.set(reason).is_ok() {
            self.failed.store(true, Ordering::Release);
            tracing::error!(reason = self.reason.get(), "the store refuses writes after a failed write to disk");
        }
        self.error()
    }

    pub(crate) fn reason(&self) -> Option<String> {
        self.reason.get().cloned()
    }

    fn error(&self) -> Error {
        Error::Poisoned(self.reason.get().cloned().unwrap_or_default())
    }
}
