//! Who may connect, and what they may do: the users of every listener, in memory and in the store.
//!
//! A session holds the [`Account`] it logged in to and so sees changes at once; looking users up by name, which takes a
//! lock, happens at logins only. Invariant: a change is in the log before it is seen.
//!
//! The user `default` and the setting `server.password` are kept in step: a new password in the settings is the only one
//! of `default`, and the setting is emptied when ACL SETUSER takes its password away. A password that the server is
//! started with is not stored, so it can be taken back.

mod account;
mod change;
mod command_rights;
mod credentials;
mod denial;
mod denial_log;
mod rows;
mod rule_error;
mod selector;
#[cfg(test)]
mod tests;
mod user;

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use ennead_kv::Result;
use ennead_store::{Sequence, Store, WriteBatch};
use parking_lot::{Mutex, RwLock};

pub use account::Account;
pub(crate) use change::Change;
pub(crate) use command_rights::CATEGORIES;
pub(crate) use denial::{Cause, Denial};
pub use denial_log::DenialCounts;
use denial_log::DenialLog;
pub(crate) use denial_log::{Entry, Setting};
use rows::Rows;
pub(crate) use selector::Selector;
pub(crate) use user::User;

use crate::settings::{ACL_LOG_MAX_LEN, PASSWORD, Settings};

const DEFAULT_USER: &[u8] = b"default";

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginError {
    /// A password alone was given and the default user asks for none.
    NoPasswordSet,
    WrongPair,
}

/// All users. Clones are the same.
#[derive(Debug, Clone)]
pub struct Users(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Arc<Settings>,
    rows: Rows,
    default: Arc<Account>,
    accounts: RwLock<BTreeMap<Vec<u8>, Arc<Account>>>,
    /// One change at a time, from reading a user to putting the changed one in its place.
    changing: Mutex<()>,
    log: DenialLog,
}

impl Users {
    /// Reads the users of the store and begins to follow the settings.
    pub(crate) fn open(store: &Store, settings: &Arc<Settings>) -> Result<Users> {
        let rows = Rows::open(store)?;
        let mut accounts: BTreeMap<Vec<u8>, Arc<Account>> =
            rows.read()?.into_iter().map(|(name, user)| (name.clone(), Arc::new(Account::new(&name, user)))).collect();
        let default = accounts
            .entry(DEFAULT_USER.to_vec())
            .or_insert_with(|| Arc::new(Account::new(DEFAULT_USER, User::omnipotent())));
        let inner = Arc::new(Inner {
            settings: Arc::clone(settings),
            rows,
            default: Arc::clone(default),
            accounts: RwLock::new(accounts),
            changing: Mutex::default(),
            log: DenialLog::default(),
        });
        if settings.is_set(PASSWORD) {
            inner.follow_password();
        }
        // Weak: the settings outlive the engine, and its store must not be kept open by them.
        let weak: Weak<Inner> = Arc::downgrade(&inner);
        settings.on_change(PASSWORD, move |_| {
            if let Some(inner) = weak.upgrade() {
                inner.follow_password();
            }
        });
        Ok(Users(inner))
    }

    /// Whether a client that says nothing is let in.
    pub fn is_open(&self) -> bool {
        self.0.default.user().is_open()
    }

    /// The user of clients that did not log in.
    pub(crate) fn default_account(&self) -> &Arc<Account> {
        &self.0.default
    }

    /// The account of this name.
    pub fn find(&self, name: &[u8]) -> Option<Arc<Account>> {
        self.0.accounts.read().get(name).cloned()
    }

    /// All of them, by name.
    pub(crate) fn list(&self) -> Vec<Arc<Account>> {
        self.0.accounts.read().values().cloned().collect()
    }

    /// The account that a name, or none for the default user, and a password lead to.
    ///
    /// # Errors
    /// The same for an unknown name, a disabled user and a wrong password.
    pub fn login(&self, name: Option<&[u8]>, password: &[u8]) -> Result<Arc<Account>, LoginError> {
        let account = match name {
            None if self.0.default.user().no_password => return Err(LoginError::NoPasswordSet),
            None => Some(Arc::clone(&self.0.default)),
            Some(name) => self.find(name),
        };
        account.filter(|account| account.user().accepts(password)).ok_or(LoginError::WrongPair)
    }

    /// The account that a request of HTTP or gRPC leads to by its field `authorization`: `Basic` with name and password, or
    /// `Bearer` with the password of the default user.
    ///
    /// # Errors
    /// Those of [`Users::login`]; a field of another form is a wrong pair.
    pub fn login_by_field(&self, value: &str) -> Result<Arc<Account>, LoginError> {
        let (name, password) = credentials::parse(value).ok_or(LoginError::WrongPair)?;
        let name = name.as_deref().filter(|name| !name.is_empty());
        self.login(name.map(str::as_bytes), password.as_bytes())
    }

    /// ACL SETUSER: changes a user, or makes one. Everybody who is this user has the new rights when it returns.
    ///
    /// # Durability
    /// The reply waits for the sequence.
    pub(crate) fn change<'a>(&self, name: &[u8], rules: impl Iterator<Item = &'a [u8]>) -> Result<Sequence> {
        let mut change = self.prepare();
        change.set(name, rules)?;
        let mut batch = WriteBatch::new();
        change.stage(&mut batch);
        let sequence = self.0.rows.commit(&batch)?;
        change.finish();
        Ok(sequence)
    }

    /// A change that somebody else commits. Nobody changes users while it is there.
    pub(crate) fn prepare(&self) -> Change<'_> {
        Change::new(&self.0)
    }

    /// ACL DELUSER: the accounts that were there and are no more. Nobody runs another request as one of them.
    ///
    /// # Durability
    /// The reply waits for the sequence.
    pub(crate) fn delete<'a>(&self, names: impl Iterator<Item = &'a [u8]>) -> Result<(Vec<Arc<Account>>, Sequence)> {
        let mut change = self.prepare();
        change.delete(names)?;
        if change.is_empty() {
            return Ok((Vec::new(), 0));
        }
        let mut batch = WriteBatch::new();
        change.stage(&mut batch);
        let sequence = self.0.rows.commit(&batch)?;
        Ok((change.finish(), sequence))
    }

    /// Stores the default user as a change of the settings made it.
    ///
    /// # Durability
    /// The reply waits for the sequence.
    pub(crate) fn store_default(&self) -> Result<Sequence> {
        let _one_at_a_time = self.0.changing.lock();
        Ok(self.0.rows.put(DEFAULT_USER, &self.0.default.user())?)
    }

    pub(crate) fn log(&self) -> &DenialLog {
        &self.0.log
    }

    /// Takes a denial in; `entry` comes without an id.
    pub(crate) fn log_denial(&self, entry: Entry) {
        self.0.log.push(entry, self.0.settings.read(ACL_LOG_MAX_LEN) as usize);
    }

    pub fn denial_counts(&self) -> DenialCounts {
        self.0.log.counts()
    }

    pub(crate) fn reset_counters(&self) {
        self.0.log.reset_counts();
    }
}

impl Inner {
    /// Makes the password of the settings the only one of the default user.
    fn follow_password(&self) {
        let _one_at_a_time = self.changing.lock();
        let mut user = User::clone(&self.default.user());
        user.set_password(&self.settings.read(PASSWORD));
        self.default.replace(user);
    }
}

/// Names and patterns are words of a line of rules, so they hold no blank and no zero byte.
fn has_blank(word: &[u8]) -> bool {
    word.iter().any(|byte| is_blank(*byte) || *byte == 0)
}

/// As C's `isspace`.
fn is_blank(byte: u8) -> bool {
    byte == b' ' || (b'\t'..=b'\r').contains(&byte)
}
