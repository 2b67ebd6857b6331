//! A user that sessions hold on to: they see each change of it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use arc_swap::ArcSwap;
use ennead_kv::Args;

use super::denial::Denial;
use super::user::User;
use crate::registry::Command;

const RESTRICTED: u8 = 0;
const UNRESTRICTED: u8 = 1;
const DELETED: u8 = 2;

/// A name and the user that has it now. Another one of the same name, after this was deleted, is another account.
#[derive(Debug)]
pub struct Account {
    name: Box<[u8]>,
    standing: AtomicU8,
    user: ArcSwap<User>,
}

impl Account {
    pub(crate) fn new(name: &[u8], user: User) -> Account {
        let standing = AtomicU8::new(standing(&user));
        Account { name: name.into(), standing, user: ArcSwap::from_pointee(user) }
    }

    /// Without blanks; not always UTF-8.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether nothing has to be checked: one load, which is all that a request of such a user costs.
    #[inline]
    pub(crate) fn is_unrestricted(&self) -> bool {
        self.standing.load(Ordering::Relaxed) == UNRESTRICTED
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.standing.load(Ordering::Relaxed) == DELETED
    }

    pub(crate) fn user(&self) -> Arc<User> {
        self.user.load_full()
    }

    /// Whether the user may run this request, which the command's arity accepts.
    pub(crate) fn check(&self, command: &Command, args: Args<'_>) -> Result<(), Denial> {
        self.user.load().check(command, args)
    }

    /// Whether the user may publish to or subscribe to a channel, or to a pattern of channels.
    pub(crate) fn may_use_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.is_unrestricted() || self.user.load().selectors().any(|rights| rights.allows_channel(channel, is_pattern))
    }

    /// Whether the user may run this request and read all keys besides: what SORT needs to follow patterns of keys.
    pub(crate) fn reads_everything(&self, command: &Command, args: Args<'_>) -> bool {
        self.is_unrestricted() || self.user.load().reads_everything(command, args)
    }

    pub(super) fn replace(&self, user: User) {
        let standing = standing(&user);
        self.user.store(Arc::new(user));
        self.standing.store(standing, Ordering::Release);
    }

    pub(super) fn delete(&self) {
        self.standing.store(DELETED, Ordering::Release);
    }
}

fn standing(user: &User) -> u8 {
    if user.is_unrestricted() { UNRESTRICTED } else { RESTRICTED }
}
