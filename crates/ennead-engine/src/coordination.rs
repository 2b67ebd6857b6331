//! The coordination model over the same store and the same users as everything else.
//!
//! Who a client of etcd's API is, and with which password, is a matter of the server's users; what it may do with keys is a
//! matter of the model's roles. A user that is added there can log in everywhere, and elsewhere may do nothing until
//! ACL SETUSER says so.

mod jwt;
mod logins;
#[cfg(test)]
mod tests;
mod tokens;

use ennead_coord::api::etcdserverpb::{
    AuthUserAddRequest, AuthUserAddResponse, AuthUserChangePasswordRequest, AuthUserChangePasswordResponse,
    AuthUserDeleteRequest, AuthUserDeleteResponse, AuthenticateRequest, AuthenticateResponse,
};
use ennead_coord::{Answer, AutoCompaction, Coord, Error, Login, Options, Result, Retention};
use ennead_store::Store;

use crate::Engine;
use crate::settings::{COORD_COMPACTION_MODE, COORD_COMPACTION_RETENTION, COORD_QUOTA, Settings};
use crate::users::Change;

pub(crate) use tokens::Tokens;

/// # Errors
/// As text: a start that fails says it, and ends.
pub(crate) fn open(store: Store, settings: &Settings, seed: u64) -> ennead_kv::Result<Coord> {
    let options = Options { seed, quota_bytes: settings.read(COORD_QUOTA) };
    Coord::open(store, &options).map_err(|error| ennead_kv::Error::Text(format!("ERR {error}").into()))
}

/// What compacts the history when it is old enough; nothing when all of it is kept.
///
/// # Errors
/// As text, for a setting that means nothing.
pub(crate) fn auto_compaction(coord: &Coord, settings: &Settings) -> ennead_kv::Result<Option<AutoCompaction>> {
    let mode = settings.read(COORD_COMPACTION_MODE);
    let retention = Retention::parse(mode, &settings.read(COORD_COMPACTION_RETENTION)).map_err(|reason| {
        ennead_kv::Error::Text(format!("ERR {}: {reason}", COORD_COMPACTION_RETENTION.name()).into())
    })?;
    Ok(AutoCompaction::new(coord.clone(), retention))
}

const HASHED: Error = Error::Unsupported("a hashed password cannot be kept here; give the password itself");

impl Engine {
    /// The coordination model for a client that shows a token, or none. All may do everything until permissions are
    /// switched on.
    ///
    /// # Errors
    /// `InvalidAuthToken` for a token that was not given out, or is over.
    pub fn coord_for(&self, token: Option<&str>) -> Result<Coord> {
        let coord = self.coord();
        if !coord.auth_enabled() {
            return Ok(coord.clone());
        }
        let claim = |token: &str| {
            let token = token.strip_prefix("Bearer ").unwrap_or(token);
            self.tokens().find(token).ok_or(Error::InvalidAuthToken)
        };
        Ok(coord.on_behalf_of(token.map(claim).transpose()?))
    }

    /// Gives out a token for a name and its password.
    pub fn coord_login(&self, request: &AuthenticateRequest) -> Result<AuthenticateResponse> {
        // Without permissions a login is asked for where the server asks for passwords.
        let asked_for = self.coord().auth_enabled() || self.users().is_open();
        let login = match self.coord().login(&request.name) {
            Ok(login) if asked_for && login.no_password => return Err(Error::NoPasswordUser),
            Ok(login) => login,
            Err(error) if asked_for => return Err(error),
            Err(_) => Login { no_password: false, auth_revision: self.coord().auth_revision() },
        };
        let right = self.users().login(Some(request.name.as_bytes()), request.password.as_bytes());
        right.map_err(|_| Error::AuthFailed)?;
        let token = self.tokens().give(&request.name, login)?;
        Ok(AuthenticateResponse { header: Some(self.coord().header()), token })
    }

    /// Whether a token was given out and is good.
    pub fn is_coord_token(&self, token: &str) -> bool {
        let claim = self.tokens().find(token);
        claim.is_some_and(|claim| claim.revision.is_none_or(|revision| revision >= self.coord().auth_revision()))
    }

    /// Adds a user to the model and, with its password, to the server's users, in one batch. A name that these have already
    /// is taken: whoever adds users here must not get at what others are.
    pub fn coord_user_add(&self, coord: &Coord, request: &AuthUserAddRequest) -> Result<Answer<AuthUserAddResponse>> {
        if !request.hashed_password.is_empty() {
            return Err(HASHED);
        }
        let no_password = request.options.as_ref().is_some_and(|options| options.no_password);
        let password = if no_password { "" } else { &request.password };
        let mut change = self.users().prepare();
        let answer = coord.user_add(request, |batch| {
            if change.knows(request.name.as_bytes()) {
                return Err(Error::UserAlreadyExists);
            }
            set_password(&mut change, &request.name, password)?;
            change.stage(batch);
            Ok(())
        })?;
        change.finish();
        Ok(answer)
    }

    /// Deletes a user, from the server's users as well, in one batch.
    pub fn coord_user_delete(
        &self,
        coord: &Coord,
        request: &AuthUserDeleteRequest,
    ) -> Result<Answer<AuthUserDeleteResponse>> {
        let mut change = self.users().prepare();
        let answer = coord.user_delete(request, |batch| {
            change.delete(std::iter::once(request.name.as_bytes())).map_err(refused)?;
            change.stage(batch);
            Ok(())
        })?;
        change.finish();
        self.tokens().forget(&request.name);
        Ok(answer)
    }

    /// Gives a user another password, the only one then.
    pub fn coord_change_password(
        &self,
        coord: &Coord,
        request: &AuthUserChangePasswordRequest,
    ) -> Result<Answer<AuthUserChangePasswordResponse>> {
        if !request.hashed_password.is_empty() {
            return Err(HASHED);
        }
        let mut change = self.users().prepare();
        let answer = coord.user_password_changed(&request.name, |user, batch| {
            if !user.no_password {
                set_password(&mut change, &request.name, &request.password)?;
                change.stage(batch);
            }
            Ok(())
        })?;
        change.finish();
        self.tokens().forget(&request.name);
        Ok(answer)
    }
}

/// Makes a password the only one of a user, who is made if need be; an empty one lets nobody in.
fn set_password(change: &mut Change<'_>, name: &str, password: &str) -> Result<()> {
    let word = format!(">{password}");
    let mut rules: Vec<&[u8]> = vec![b"on", b"resetpass"];
    if !password.is_empty() {
        rules.push(word.as_bytes());
    }
    change.set(name.as_bytes(), rules.into_iter()).map_err(refused)
}

fn refused(error: ennead_kv::Error) -> Error {
    Error::Store(error.to_string())
}
