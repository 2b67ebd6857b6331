//! Who may do what: users with roles, roles with permissions on ranges of keys. Passwords are no matter of this model.
//!
//! # Format
//! Rows of `coord.auth`: `u` and a name: `authpb.User`, without password; `r` and a name: `authpb.Role`; `enabled`: empty;
//! `revision`: changes of all this so far (8 bytes, big endian).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use ennead_store::WriteBatch;
use prost::Message;

use crate::api::authpb::permission::Type;
use crate::api::authpb::{Permission, Role, User};
use crate::api::etcdserverpb::DeleteRangeRequest;
use crate::error::{Error, Result};
use crate::rows::Rows;
use crate::span::Span;

/// The user and the role that may do everything.
pub(crate) const ROOT: &str = "root";

/// On whose behalf a request is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The server's own, or everybody's who reaches it by a way where permissions are no question.
    Server,
    /// A client; none when it has not said who it is.
    Client(Option<Claim>),
}

/// Who a client says it is, and has shown to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub user: Arc<str>,
    /// How often users and roles had been changed when this was found out; a later change voids it. None when it is as
    /// good as new.
    pub revision: Option<u64>,
}

impl From<&str> for Claim {
    fn from(user: &str) -> Claim {
        Claim { user: user.into(), revision: None }
    }
}

/// Users and roles.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Auth {
    pub(crate) enabled: bool,
    /// Changes so far, as etcd counts them: from 1.
    pub(crate) revision: u64,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) roles: BTreeMap<String, Role>,
}

/// What is to be done with keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

const USER: u8 = b'u';
const ROLE: u8 = b'r';
const ENABLED: &[u8] = b"enabled";
const REVISION: &[u8] = b"revision";

fn row_key(kind: u8, name: &str) -> Vec<u8> {
    [&[kind], name.as_bytes()].concat()
}

pub(crate) fn is_root(user: &User) -> bool {
    user.roles.iter().any(|role| role == ROOT)
}

impl Auth {
    /// What is stored.
    pub(crate) fn stored(rows: &Rows) -> Result<Auth> {
        let mut auth = Auth { revision: 1, ..Auth::default() };
        for row in rows.store.snapshot().range(rows.auth, ..) {
            let (key, value) = row?;
            let damaged = |error: prost::DecodeError| Error::Store(format!("a row of users is damaged: {error}"));
            match key.as_slice() {
                ENABLED => auth.enabled = true,
                REVISION => auth.revision = u64::from_be_bytes(value.try_into().map_err(|_| Error::Corrupt)?),
                [kind, name @ ..] => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    if *kind == USER {
                        auth.users.insert(name, User::decode(value.as_slice()).map_err(damaged)?);
                    } else {
                        auth.roles.insert(name, Role::decode(value.as_slice()).map_err(damaged)?);
                    }
                }
                [] => return Err(Error::Corrupt),
            }
        }
        Ok(auth)
    }

    /// Stages what is different from `before`, as one change.
    pub(crate) fn stage(&mut self, before: &Auth, rows: &Rows, batch: &mut WriteBatch) {
        stage_rows(USER, &before.users, &self.users, rows, batch);
        stage_rows(ROLE, &before.roles, &self.roles, rows, batch);
        match (before.enabled, self.enabled) {
            (false, true) => batch.put(rows.auth, ENABLED, &[]),
            (true, false) => batch.delete(rows.auth, ENABLED),
            _ => {}
        }
        // etcd does not count that permissions are switched on.
        let counts = before.enabled || !self.enabled;
        self.revision = before.revision + u64::from(counts);
        batch.put(rows.auth, REVISION, &self.revision.to_be_bytes());
    }

    /// The user that a caller is, where permissions are a question; none for one who may do everything.
    fn restricted(&self, caller: &Caller) -> Result<Option<&User>> {
        let Caller::Client(claim) = caller else { return Ok(None) };
        if !self.enabled {
            return Ok(None);
        }
        let claim = claim.as_ref().ok_or(Error::UserEmpty)?;
        if claim.revision.is_some_and(|revision| revision < self.revision) {
            return Err(Error::AuthOldRevision);
        }
        let user = self.users.get(&*claim.user).ok_or(Error::PermissionDenied)?;
        Ok(Some(user).filter(|user| !is_root(user)))
    }

    /// Whether the caller has said who it is, where that is a question.
    pub(crate) fn check_known(&self, caller: &Caller) -> Result<()> {
        match caller {
            Caller::Client(None) if self.enabled => Err(Error::UserEmpty),
            _ => Ok(()),
        }
    }

    /// Whether the caller may look after the server.
    pub(crate) fn check_admin(&self, caller: &Caller) -> Result<()> {
        let Caller::Client(claim) = caller else { return Ok(()) };
        if !self.enabled {
            return Ok(());
        }
        // etcd does not ask here how old the claim is.
        let claim = claim.as_ref().ok_or(Error::UserEmpty)?;
        let user = self.users.get(&*claim.user).ok_or(Error::UserNotFound)?;
        if is_root(user) { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    pub(crate) fn check(&self, caller: &Caller, key: &[u8], end: &[u8], access: Access) -> Result<()> {
        let Some(user) = self.restricted(caller)? else { return Ok(()) };
        let permissions =
            user.roles.iter().filter_map(|role| self.roles.get(role)).flat_map(|role| &role.key_permission);
        let fitting = permissions.filter(|permission| fits(permission.perm_type(), access));
        let allowed: Vec<Span<&[u8]>> =
            fitting.map(|permission| Span::new(&permission.key[..], &permission.range_end[..])).collect();
        if covers(allowed, &Span::new(key, end)) { Ok(()) } else { Err(Error::PermissionDenied) }
    }

    pub(crate) fn check_delete_range(&self, caller: &Caller, request: &DeleteRangeRequest) -> Result<()> {
        self.check(caller, &request.key, &request.range_end, Access::Write)?;
        if request.prev_kv { self.check(caller, &request.key, &request.range_end, Access::Read) } else { Ok(()) }
    }
}

fn stage_rows<T: Message + PartialEq>(
    kind: u8,
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    rows: &Rows,
    batch: &mut WriteBatch,
) {
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        batch.delete(rows.auth, &row_key(kind, name));
    }
    for (name, message) in after.iter().filter(|(name, message)| before.get(*name) != Some(message)) {
        batch.put(rows.auth, &row_key(kind, name), &message.encode_to_vec());
    }
}

fn fits(kind: Type, access: Access) -> bool {
    match kind {
        Type::Readwrite => true,
        Type::Read => access == Access::Read,
        Type::Write => access == Access::Write,
    }
}

/// Whether ranges, taken together, hold every key of another.
fn covers(mut allowed: Vec<Span<&[u8]>>, wanted: &Span<&[u8]>) -> bool {
    let end = match wanted {
        Span::One(key) => return allowed.iter().any(|span| span.contains(key)),
        Span::Between(_, end) => Some(*end),
        Span::From(_) => None,
    };
    allowed.sort();
    allowed.sort_by(|left, right| left.start().cmp(right.start()));
    // Everything before this is held.
    let mut reached = wanted.start().to_vec();
    for span in allowed {
        if span.start() > &reached[..] {
            return false;
        }
        match span {
            Span::From(_) => return true,
            Span::Between(_, to) if to > &reached[..] => reached = to.to_vec(),
            // The least key behind this one.
            Span::One(key) if key == &reached[..] => reached.push(0),
            Span::Between(..) | Span::One(_) => {}
        }
        if end.is_some_and(|end| end <= &reached[..]) {
            return true;
        }
    }
    false
}

/// Whether a permission may be about this.
pub(crate) fn is_valid(permission: &Permission) -> bool {
    !permission.key.is_empty()
        && match Span::new(&permission.key[..], &permission.range_end[..]) {
            Span::Between(start, end) => start < end,
            Span::One(_) | Span::From(_) => true,
        }
}
