//! Requests about users and roles. Whether a password is right is for the caller to say, who keeps them.

use std::sync::atomic::Ordering;

use ennead_store::WriteBatch;

use super::{Coord, Shared};
use crate::api::authpb::permission::Type;
use crate::api::authpb::{Permission, Role, User, UserAddOptions};
use crate::api::etcdserverpb::{
    AuthDisableResponse, AuthEnableResponse, AuthRoleAddRequest, AuthRoleAddResponse, AuthRoleDeleteRequest,
    AuthRoleDeleteResponse, AuthRoleGetRequest, AuthRoleGetResponse, AuthRoleGrantPermissionRequest,
    AuthRoleGrantPermissionResponse, AuthRoleListResponse, AuthRoleRevokePermissionRequest,
    AuthRoleRevokePermissionResponse, AuthStatusResponse, AuthUserAddRequest, AuthUserAddResponse,
    AuthUserChangePasswordResponse, AuthUserDeleteRequest, AuthUserDeleteResponse, AuthUserGetRequest,
    AuthUserGetResponse, AuthUserGrantRoleRequest, AuthUserGrantRoleResponse, AuthUserListResponse,
    AuthUserRevokeRoleRequest, AuthUserRevokeRoleResponse, ResponseHeader,
};
use crate::auth::{Auth, Caller, ROOT, is_root, is_valid};
use crate::error::{Error, Result};
use crate::publication::Answer;
use crate::writer::Effect;

/// What is found out about a user who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// No password leads to this user.
    pub no_password: bool,
    /// How often users and roles were changed so far.
    pub auth_revision: u64,
}

macro_rules! answers {
    ($($(#[doc = $doc:literal])+ $name:ident($request:ty) -> $response:ident, $change:ident;)+) => {
        $(
            $(#[doc = $doc])+
            ///
            /// # Durability
            /// The answer waits for the disk.
            pub fn $name(&self, request: &$request) -> Result<Answer<$response>> {
                self.change(|auth| $change(auth, request))
                    .map(|answer| answer.map(|header| $response { header: Some(header) }))
            }
        )+
    };
}

impl Coord {
    answers! {
        /// Gives a user a role.
        user_grant_role(AuthUserGrantRoleRequest) -> AuthUserGrantRoleResponse, user_grant_role;
        /// Takes a role from a user.
        user_revoke_role(AuthUserRevokeRoleRequest) -> AuthUserRevokeRoleResponse, user_revoke_role;
        /// Adds a role, without permissions.
        role_add(AuthRoleAddRequest) -> AuthRoleAddResponse, role_add;
        /// Deletes a role, and takes it from all users.
        role_delete(AuthRoleDeleteRequest) -> AuthRoleDeleteResponse, role_delete;
        /// Gives a role a permission, or changes it.
        role_grant_permission(AuthRoleGrantPermissionRequest) -> AuthRoleGrantPermissionResponse, role_grant;
        /// Takes a permission from a role.
        role_revoke_permission(AuthRoleRevokePermissionRequest) -> AuthRoleRevokePermissionResponse, role_revoke;
    }

    /// Switches permissions on.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn auth_enable(&self) -> Result<Answer<AuthEnableResponse>> {
        let answer = self.change(|auth| {
            let root = auth.users.get(ROOT).ok_or(Error::RootUserNotExist)?;
            if !is_root(root) {
                return Err(Error::RootRoleNotExist);
            }
            auth.enabled = true;
            Ok(())
        })?;
        Ok(answer.map(|header| AuthEnableResponse { header: Some(header) }))
    }

    /// Switches permissions off.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn auth_disable(&self) -> Result<Answer<AuthDisableResponse>> {
        let answer = self.change(|auth| {
            auth.enabled = false;
            Ok(())
        })?;
        Ok(answer.map(|header| AuthDisableResponse { header: Some(header) }))
    }

    /// Adds a user, without roles. `along` stages what belongs to it elsewhere into the same batch, or refuses it.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn user_add(
        &self,
        request: &AuthUserAddRequest,
        along: impl FnOnce(&mut WriteBatch) -> Result<()>,
    ) -> Result<Answer<AuthUserAddResponse>> {
        let answer = self.change_along(|auth| user_add(auth, request), along)?;
        Ok(answer.map(|header| AuthUserAddResponse { header: Some(header) }))
    }

    /// Deletes a user, and by `along` what belongs to it elsewhere, in the same batch.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn user_delete(
        &self,
        request: &AuthUserDeleteRequest,
        along: impl FnOnce(&mut WriteBatch) -> Result<()>,
    ) -> Result<Answer<AuthUserDeleteResponse>> {
        let answer = self.change_along(|auth| user_delete(auth, request), along)?;
        Ok(answer.map(|header| AuthUserDeleteResponse { header: Some(header) }))
    }

    /// Counts the change of a password, which is kept elsewhere: `along` stages it into the same batch. It is told what
    /// user this is.
    ///
    /// # Durability
    /// The answer waits for the disk.
    pub fn user_password_changed(
        &self,
        name: &str,
        along: impl FnOnce(Login, &mut WriteBatch) -> Result<()>,
    ) -> Result<Answer<AuthUserChangePasswordResponse>> {
        let shared = self.shared();
        self.write(|writer| {
            writer.state.auth.check_admin(&self.caller)?;
            let mut auth = writer.state.auth.clone();
            let user = auth.users.get(name).ok_or(Error::UserNotFound)?;
            let no_password = has_no_password(user);
            along(Login { no_password, auth_revision: auth.revision }, &mut writer.batch)?;
            auth.stage(&writer.state.auth, writer.rows, &mut writer.batch);
            writer.effects.push(Effect::Auth(auth));
            Ok(AuthUserChangePasswordResponse { header: Some(shared.identity.header(writer.state.revision)) })
        })
    }

    /// Whether permissions are switched on, and how often users and roles were changed.
    pub fn auth_status(&self) -> Result<AuthStatusResponse> {
        let state = self.shared().state.read();
        state.auth.check_admin(&self.caller)?;
        let (enabled, auth_revision) = (state.auth.enabled, state.auth.revision);
        drop(state);
        Ok(AuthStatusResponse { header: Some(self.header()), enabled, auth_revision })
    }

    /// How often users and roles were changed so far.
    pub fn auth_revision(&self) -> u64 {
        self.shared().state.read().auth.revision
    }

    /// Whether permissions are switched on.
    pub fn auth_enabled(&self) -> bool {
        self.shared().auth_enabled.load(Ordering::Acquire)
    }

    /// What there is to know of a user who logs in, besides the password.
    ///
    /// # Errors
    /// `AuthFailed` for one who is not there, `AuthNotEnabled`.
    pub fn login(&self, name: &str) -> Result<Login> {
        let state = self.shared().state.read();
        if !state.auth.enabled {
            return Err(Error::AuthNotEnabled);
        }
        let user = state.auth.users.get(name).ok_or(Error::AuthFailed)?;
        Ok(Login { no_password: has_no_password(user), auth_revision: state.auth.revision })
    }

    /// The roles of a user. Users may ask for themselves.
    pub fn user_get(&self, request: &AuthUserGetRequest) -> Result<AuthUserGetResponse> {
        let header = Some(self.header());
        let state = self.shared().state.read();
        if !matches!(&self.caller, Caller::Client(Some(claim)) if *claim.user == *request.name) {
            state.auth.check_admin(&self.caller)?;
        }
        let user = state.auth.users.get(&request.name).ok_or(Error::UserNotFound)?;
        Ok(AuthUserGetResponse { header, roles: user.roles.clone() })
    }

    /// All users.
    pub fn user_list(&self) -> Result<AuthUserListResponse> {
        let header = Some(self.header());
        let state = self.shared().state.read();
        state.auth.check_admin(&self.caller)?;
        Ok(AuthUserListResponse { header, users: state.auth.users.keys().cloned().collect() })
    }

    /// The permissions of a role. Users may ask for their own.
    pub fn role_get(&self, request: &AuthRoleGetRequest) -> Result<AuthRoleGetResponse> {
        let header = Some(self.header());
        let state = self.shared().state.read();
        let own = match &self.caller {
            Caller::Client(Some(claim)) => {
                state.auth.users.get(&*claim.user).is_some_and(|user| user.roles.contains(&request.role))
            }
            _ => false,
        };
        if !own {
            state.auth.check_admin(&self.caller)?;
        }
        let role = state.auth.roles.get(&request.role).ok_or(Error::RoleNotFound)?;
        let all = Permission { perm_type: Type::Readwrite as i32, key: "".into(), range_end: vec![0].into() };
        let perm = if request.role == ROOT { vec![all] } else { role.key_permission.clone() };
        Ok(AuthRoleGetResponse { header, perm })
    }

    /// All roles.
    pub fn role_list(&self) -> Result<AuthRoleListResponse> {
        let header = Some(self.header());
        let state = self.shared().state.read();
        state.auth.check_admin(&self.caller)?;
        Ok(AuthRoleListResponse { header, roles: state.auth.roles.keys().cloned().collect() })
    }

    fn change(&self, change: impl FnOnce(&mut Auth) -> Result<()>) -> Result<Answer<ResponseHeader>> {
        self.change_along(change, |_| Ok(()))
    }

    /// Changes users and roles, which are few: all of them are compared with what they were. What `along` stages goes into
    /// the same batch.
    fn change_along(
        &self,
        change: impl FnOnce(&mut Auth) -> Result<()>,
        along: impl FnOnce(&mut WriteBatch) -> Result<()>,
    ) -> Result<Answer<ResponseHeader>> {
        let shared: &Shared = self.shared();
        self.write(|writer| {
            writer.state.auth.check_admin(&self.caller)?;
            let mut auth = writer.state.auth.clone();
            change(&mut auth)?;
            along(&mut writer.batch)?;
            // etcd does not count what changed nothing.
            if auth != writer.state.auth {
                auth.stage(&writer.state.auth, writer.rows, &mut writer.batch);
                writer.effects.push(Effect::Auth(auth));
            }
            Ok(shared.identity.header(writer.state.revision))
        })
    }
}

fn has_no_password(user: &User) -> bool {
    user.options.as_ref().is_some_and(|options| options.no_password)
}

fn user_add(auth: &mut Auth, request: &AuthUserAddRequest) -> Result<()> {
    if request.name.is_empty() {
        return Err(Error::UserEmpty);
    }
    if auth.users.contains_key(&request.name) {
        return Err(Error::UserAlreadyExists);
    }
    let no_password = request.options.as_ref().is_some_and(|options| options.no_password);
    let user = User {
        name: request.name.clone().into_bytes().into(),
        options: Some(UserAddOptions { no_password }),
        ..User::default()
    };
    auth.users.insert(request.name.clone(), user);
    Ok(())
}

fn user_delete(auth: &mut Auth, request: &AuthUserDeleteRequest) -> Result<()> {
    if auth.enabled && request.name == ROOT {
        return Err(Error::InvalidAuthManagement);
    }
    auth.users.remove(&request.name).map(|_| ()).ok_or(Error::UserNotFound)
}

fn user_grant_role(auth: &mut Auth, request: &AuthUserGrantRoleRequest) -> Result<()> {
    let user = auth.users.get_mut(&request.user).ok_or(Error::UserNotFound)?;
    if request.role != ROOT && !auth.roles.contains_key(&request.role) {
        return Err(Error::RoleNotFound);
    }
    if let Err(place) = user.roles.binary_search(&request.role) {
        user.roles.insert(place, request.role.clone());
    }
    Ok(())
}

fn user_revoke_role(auth: &mut Auth, request: &AuthUserRevokeRoleRequest) -> Result<()> {
    if auth.enabled && request.name == ROOT && request.role == ROOT {
        return Err(Error::InvalidAuthManagement);
    }
    let user = auth.users.get_mut(&request.name).ok_or(Error::UserNotFound)?;
    let place = user.roles.binary_search(&request.role).map_err(|_| Error::RoleNotGranted)?;
    user.roles.remove(place);
    Ok(())
}

fn role_add(auth: &mut Auth, request: &AuthRoleAddRequest) -> Result<()> {
    if request.name.is_empty() {
        return Err(Error::RoleEmpty);
    }
    if auth.roles.contains_key(&request.name) {
        return Err(Error::RoleAlreadyExists);
    }
    let role = Role { name: request.name.clone().into_bytes().into(), key_permission: Vec::new() };
    auth.roles.insert(request.name.clone(), role);
    Ok(())
}

fn role_delete(auth: &mut Auth, request: &AuthRoleDeleteRequest) -> Result<()> {
    if auth.enabled && request.role == ROOT {
        return Err(Error::InvalidAuthManagement);
    }
    auth.roles.remove(&request.role).ok_or(Error::RoleNotFound)?;
    for user in auth.users.values_mut() {
        user.roles.retain(|role| *role != request.role);
    }
    Ok(())
}

fn role_grant(auth: &mut Auth, request: &AuthRoleGrantPermissionRequest) -> Result<()> {
    let given = request.perm.as_ref().ok_or(Error::PermissionNotGiven)?;
    if !is_valid(given) {
        return Err(Error::InvalidAuthManagement);
    }
    let role = auth.roles.get_mut(&request.name).ok_or(Error::RoleNotFound)?;
    let same = |known: &&mut Permission| known.key == given.key && known.range_end == given.range_end;
    match role.key_permission.iter_mut().find(same) {
        Some(known) => known.perm_type = given.perm_type,
        None => {
            role.key_permission.push(given.clone());
            role.key_permission.sort_by(|left, right| left.key.cmp(&right.key));
        }
    }
    Ok(())
}

fn role_revoke(auth: &mut Auth, request: &AuthRoleRevokePermissionRequest) -> Result<()> {
    let role = auth.roles.get_mut(&request.role).ok_or(Error::RoleNotFound)?;
    let same = |known: &Permission| known.key == request.key && known.range_end == request.range_end;
    let place = role.key_permission.iter().position(same).ok_or(Error::PermissionNotGranted)?;
    role.key_permission.remove(place);
    Ok(())
}
