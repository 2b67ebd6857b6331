//! Fences: a condition that a write of any model may carry, so that a lock of this one protects what is kept in the others.
//!
//! A lock is a key, made in some revision and most often on a lease. Its holder shows both with every write. One that lost
//! the lock without noticing, because it stood still for longer than its lease, is refused: the condition is checked, and the
//! write handed to the log, under the lock that whoever deletes the key needs.

use std::str::FromStr;

use bytes::Bytes;

use crate::auth::Access;
use crate::coord::Coord;
use crate::error::{Error, Result};
use crate::state::State;

/// A condition: a key that is there, and is the one that was seen when the lock was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    pub key: Bytes,
    /// The key's create revision.
    pub revision: Option<i64>,
    /// The lease that the key is on, which is not over.
    pub lease: Option<i64>,
}

/// A fence, and when it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    pub(crate) fence: Fence,
    pub(crate) now_ms: u64,
}

impl Coord {
    /// Runs `work` while the fence holds, and keeps it from falling before that is done. `now_ms` as for leases.
    ///
    /// # Errors
    /// `Fenced` when it does not hold; `work` was not run then.
    pub fn behind<T>(&self, fence: &Fence, now_ms: u64, work: impl FnOnce() -> T) -> Result<T> {
        let shared = self.shared();
        let state = shared.state.read();
        state.auth.check(&self.caller, &fence.key, b"", Access::Read)?;
        state.check_fence(fence, shared.time(now_ms))?;
        Ok(work())
    }

    /// The same keyspace, with all writes behind a fence.
    #[must_use]
    pub fn fenced(mut self, fence: Fence, now_ms: u64) -> Coord {
        self.fence = Some(std::sync::Arc::new(Posted { fence, now_ms }));
        self
    }
}

impl State {
    /// `time` is the model's.
    pub(crate) fn check_fence(&self, fence: &Fence, time: u64) -> Result<()> {
        let Some(generation) = self.index.generation(&fence.key) else {
            return Err(Error::Fenced("the key of the lock is not there"));
        };
        if fence.revision.is_some_and(|revision| revision != generation.created) {
            return Err(Error::Fenced("the key of the lock was made in another revision"));
        }
        let owner = self.leases.owner(&fence.key);
        if fence.lease.is_some_and(|lease| owner != Some(lease)) {
            return Err(Error::Fenced("the key of the lock is not on this lease"));
        }
        // It may be waiting for its end, and does not come back.
        if owner.and_then(|id| self.leases.get(id)).is_some_and(|lease| lease.deadline_ms <= time) {
            return Err(Error::Fenced("the lease of the lock is over"));
        }
        Ok(())
    }
}

/// A number, decimal or with `0x` hexadecimal, as clients of etcd show leases.
///
/// # Errors
/// For the client, when it is none.
pub fn number(text: &str) -> std::result::Result<i64, &'static str> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(u64::cast_signed),
        None => text.parse().ok(),
    };
    parsed.ok_or("the revision and the lease of a fence are numbers, decimal or with 0x hexadecimal")
}

/// As in a field of a request: `KEY; revision=N; lease=N`, the key with `%` and two hexadecimal digits for what is not to
/// be written otherwise, at least one of revision and lease.
impl FromStr for Fence {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Fence, &'static str> {
        let mut parts = text.split(';').map(str::trim);
        let key = percent_decoded(parts.next().unwrap_or_default())?;
        let mut fence = Fence { key: key.into(), revision: None, lease: None };
        for part in parts {
            let (name, value) = part.split_once('=').ok_or("a fence is KEY; revision=N; lease=N")?;
            let place = match name.trim_end() {
                "revision" => &mut fence.revision,
                "lease" => &mut fence.lease,
                _ => return Err("a fence has a key, a revision and a lease, and nothing else"),
            };
            if place.replace(number(value.trim_start())?).is_some() {
                return Err("a fence has one revision and one lease");
            }
        }
        fence.checked()
    }
}

impl Fence {
    /// # Errors
    /// For the client: a key alone could be another holder's.
    pub fn checked(self) -> std::result::Result<Fence, &'static str> {
        if self.key.is_empty() {
            return Err("the key of a fence is empty");
        }
        if self.revision.is_none() && self.lease.is_none() {
            return Err(
                "a fence needs the create revision of its key, or its lease: without them it could be another's",
            );
        }
        Ok(self)
    }
}

fn percent_decoded(text: &str) -> std::result::Result<Vec<u8>, &'static str> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            decoded.push(*byte);
            continue;
        }
        let digit = |at: usize| rest.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else {
            return Err("in the key of a fence % stands before two hexadecimal digits");
        };
        decoded.push((high * 16 + low) as u8);
        rest = &rest[2..];
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests;
