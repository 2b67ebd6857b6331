//! One client that tracks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Overlap;
use crate::clients::{Client, FLAG_BROADCAST, FLAG_REDIRECTION_BROKEN, FLAG_TRACKING};
use crate::pubsub::Shared;

/// How a client tracks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mode {
    /// It is told of all keys with its prefixes, not of those that it reads.
    pub(crate) broadcast: bool,
    /// Reads count only behind CLIENT CACHING YES.
    pub(crate) opt_in: bool,
    /// Reads count unless behind CLIENT CACHING NO.
    pub(crate) opt_out: bool,
    /// It is not told of its own changes.
    pub(crate) no_loop: bool,
}

#[derive(Debug)]
pub(super) struct Follower {
    pub(super) client: Arc<Client>,
    pub(super) mode: Mode,
    /// Who gets its messages.
    pub(super) redirect: Option<u64>,
    /// That one was gone when there was a message.
    pub(super) broken: bool,
    pub(super) prefixes: BTreeSet<Shared>,
}

impl Follower {
    pub(super) fn new(client: &Arc<Client>) -> Follower {
        let prefixes = BTreeSet::new();
        Follower { client: Arc::clone(client), mode: Mode::default(), redirect: None, broken: false, prefixes }
    }

    pub(super) fn become_mode(&mut self, mode: Mode, redirect: Option<u64>) {
        (self.mode, self.redirect, self.broken) = (mode, redirect, false);
        self.client.set_flag(FLAG_TRACKING, true);
        self.client.set_flag(FLAG_BROADCAST, mode.broadcast);
        self.client.set_flag(FLAG_REDIRECTION_BROKEN, false);
        self.client.set_redirect(Some(redirect.unwrap_or(0)));
    }

    pub(super) fn note_broken(&mut self) {
        self.broken = true;
        self.client.set_flag(FLAG_REDIRECTION_BROKEN, true);
    }

    pub(super) fn end(&mut self) {
        self.client.set_flag(FLAG_TRACKING | FLAG_BROADCAST | FLAG_REDIRECTION_BROKEN, false);
        self.client.set_redirect(None);
    }

    /// Whether new prefixes overlap neither the ones it has nor one another.
    pub(super) fn check<'p>(&self, prefixes: &[&'p [u8]]) -> Result<(), Overlap<'p>> {
        for (index, prefix) in prefixes.iter().enumerate() {
            if let Some(other) = self.prefixes.iter().find(|other| overlap(prefix, other)) {
                return Err(Overlap { prefix, other: Arc::clone(other), existing: true });
            }
            check_one(prefix, &prefixes[index + 1..])?;
        }
        Ok(())
    }

    pub(super) fn check_each_other<'p>(prefixes: &[&'p [u8]]) -> Result<(), Overlap<'p>> {
        (0..prefixes.len()).try_for_each(|index| check_one(prefixes[index], &prefixes[index + 1..]))
    }
}

fn check_one<'p>(prefix: &'p [u8], others: &[&[u8]]) -> Result<(), Overlap<'p>> {
    match others.iter().find(|other| overlap(prefix, other)) {
        Some(other) => Err(Overlap { prefix, other: Shared::from(*other), existing: false }),
        None => Ok(()),
    }
}

fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}
