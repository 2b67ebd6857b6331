//! A change of users in the making: its rows go into a batch, alone or beside others', and it is seen when that is committed.

use std::collections::BTreeMap;
use std::sync::Arc;

use ennead_kv::{Error, Result};
use ennead_store::WriteBatch;
use parking_lot::MutexGuard;

use super::account::Account;
use super::user::User;
use super::{DEFAULT_USER, Inner, has_blank};
use crate::settings::{ACL_PUBSUB_DEFAULT, ChannelDefault, PASSWORD};

/// What becomes of users. Dropped without [`Change::finish`], nothing happens.
pub(crate) struct Change<'a> {
    inner: &'a Inner,
    /// None for users that end.
    users: BTreeMap<Vec<u8>, Option<User>>,
    _one_at_a_time: MutexGuard<'a, ()>,
}

impl<'a> Change<'a> {
    pub(super) fn new(inner: &'a Inner) -> Change<'a> {
        Change { inner, users: BTreeMap::new(), _one_at_a_time: inner.changing.lock() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// Whether there is a user of this name.
    pub(crate) fn knows(&self, name: &[u8]) -> bool {
        self.inner.accounts.read().contains_key(name)
    }

    /// Changes a user by rules, or makes one.
    ///
    /// # Errors
    /// A name that no rule could hold; those of the rules.
    pub(crate) fn set<'r>(&mut self, name: &[u8], rules: impl Iterator<Item = &'r [u8]>) -> Result {
        if has_blank(name) {
            return Err(Error::text("ERR Usernames can't contain spaces or null characters"));
        }
        let all_channels = self.inner.settings.read(ACL_PUBSUB_DEFAULT) == ChannelDefault::All;
        let account = self.inner.accounts.read().get(name).cloned();
        let before = account.map_or_else(|| Arc::new(User::new(all_channels)), |account| account.user());
        let user = before.with(rules, all_channels).map_err(|error| Error::Text(format!("ERR {error}").into()))?;
        self.users.insert(name.to_vec(), Some(user));
        Ok(())
    }

    /// Ends those of the users that there are.
    ///
    /// # Errors
    /// For `default`, which stays.
    pub(crate) fn delete<'n>(&mut self, names: impl Iterator<Item = &'n [u8]>) -> Result {
        for name in names {
            if name == DEFAULT_USER {
                return Err(Error::text("ERR The 'default' user cannot be removed"));
            }
            if self.knows(name) {
                self.users.insert(name.to_vec(), None);
            }
        }
        Ok(())
    }

    /// Puts the rows into a batch.
    pub(crate) fn stage(&self, batch: &mut WriteBatch) {
        for (name, user) in &self.users {
            self.inner.rows.stage(name, user.as_ref(), batch);
        }
    }

    /// Makes it seen, the batch being committed. Answers the accounts that ended: nobody runs another request as one of them.
    pub(crate) fn finish(self) -> Vec<Arc<Account>> {
        let mut ended = Vec::new();
        for (name, user) in self.users {
            match user {
                Some(user) => self.inner.install(name, user),
                None => {
                    if let Some(account) = self.inner.accounts.write().remove(&name) {
                        account.delete();
                        ended.push(account);
                    }
                }
            }
        }
        ended
    }
}

impl Inner {
    fn install(&self, name: Vec<u8>, user: User) {
        if name == DEFAULT_USER {
            let password = self.settings.read(PASSWORD);
            if !password.is_empty() && (user.no_password || !user.knows(password.as_bytes())) {
                self.settings.forget(PASSWORD);
            }
        }
        let account = self.accounts.read().get(&name).cloned();
        match account {
            Some(account) => account.replace(user),
            None => {
                let account = Arc::new(Account::new(&name, user));
                self.accounts.write().insert(name, account);
            }
        }
    }
}
