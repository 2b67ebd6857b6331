use ennead_store::WriteBatch;

use super::*;
use crate::Error;
use crate::api::authpb::Permission;
use crate::api::authpb::permission::Type;
use crate::api::etcdserverpb::watch_request::RequestUnion;
use crate::api::etcdserverpb::{
    AuthRoleAddRequest, AuthRoleDeleteRequest, AuthRoleGetRequest, AuthRoleGrantPermissionRequest, AuthUserAddRequest,
    AuthUserDeleteRequest, AuthUserGetRequest, AuthUserGrantRoleRequest, AuthUserRevokeRoleRequest, LeaseGrantRequest,
    LeaseRevokeRequest, WatchCreateRequest, WatchRequest,
};

/// Nothing goes along with a change.
fn nothing(_: &mut WriteBatch) -> Result<()> {
    Ok(())
}

impl World {
    fn add_user(&self, name: &str, role: &str) {
        self.wait(self.coord.user_add(&AuthUserAddRequest { name: name.into(), ..Default::default() }, nothing))
            .unwrap();
        let request = AuthUserGrantRoleRequest { user: name.into(), role: role.into() };
        self.wait(self.coord.user_grant_role(&request)).unwrap();
    }

    fn add_role(&self, name: &str, kind: Type, key: &str, end: &str) {
        self.wait(self.coord.role_add(&AuthRoleAddRequest { name: name.into() })).unwrap();
        let perm = Some(Permission { perm_type: kind as i32, key: bytes(key), range_end: bytes(end) });
        let request = AuthRoleGrantPermissionRequest { name: name.into(), perm };
        self.wait(self.coord.role_grant_permission(&request)).unwrap();
    }

    /// Root, and a user who may write below `a/` and read below `b/`.
    fn with_users() -> World {
        let world = World::new();
        world.add_user("root", "root");
        world.add_role("writer", Type::Readwrite, "a/", "a0");
        world.add_role("reader", Type::Read, "b/", "b0");
        world.add_user("u", "writer");
        let request = AuthUserGrantRoleRequest { user: "u".into(), role: "reader".into() };
        world.wait(world.coord.user_grant_role(&request)).unwrap();
        world.wait(world.coord.auth_enable()).unwrap();
        world
    }

    fn as_user(&self, name: &str) -> World {
        let coord = self.coord.on_behalf_of(Some(name.into()));
        World { directory: tempfile::tempdir().unwrap(), store: self.store.clone(), coord }
    }
}

#[test]
fn permissions_come_with_root() {
    let world = World::new();
    let enable = || world.wait(world.coord.auth_enable()).map(|_| ());
    assert_eq!(enable(), Err(Error::RootUserNotExist));
    world
        .wait(world.coord.user_add(&AuthUserAddRequest { name: "root".into(), ..Default::default() }, nothing))
        .unwrap();
    assert_eq!(enable(), Err(Error::RootRoleNotExist));
    let grant = AuthUserGrantRoleRequest { user: "root".into(), role: "root".into() };
    world.wait(world.coord.user_grant_role(&grant)).unwrap();
    assert_eq!(enable(), Ok(()));
    let root = world.as_user("root");
    let delete = AuthUserDeleteRequest { name: "root".into() };
    assert_eq!(root.wait(root.coord.user_delete(&delete, nothing)).unwrap_err(), Error::InvalidAuthManagement);
    let revoke = AuthUserRevokeRoleRequest { name: "root".into(), role: "root".into() };
    assert_eq!(root.wait(root.coord.user_revoke_role(&revoke)).unwrap_err(), Error::InvalidAuthManagement);
}

#[test]
fn users_do_what_their_roles_say() {
    let world = World::with_users();
    world.put("b/1", "");
    let user = world.as_user("u");
    user.put("a/1", "");
    assert_eq!(user.put_with(put_request("b/1", "")).unwrap_err(), Error::PermissionDenied);
    assert_eq!(
        (user.range("b/", "b0", 0).unwrap().count, user.range("a", "c", 0).unwrap_err()),
        (1, Error::PermissionDenied)
    );
    let read = |key: &str| operation(Request::RequestRange(RangeRequest { key: bytes(key), ..Default::default() }));
    let put = |key: &str| operation(Request::RequestPut(put_request(key, "")));
    // Both branches count.
    let txn =
        |success, failure| user.txn(&TxnRequest { success: vec![success], failure: vec![failure], compare: vec![] });
    assert!(txn(put("a/2"), read("b/1")).is_ok());
    assert_eq!(txn(put("a/2"), put("b/1")).unwrap_err(), Error::PermissionDenied);
    assert_eq!(user.compact(2).unwrap_err(), Error::PermissionDenied);
    assert_eq!(world.as_user("nobody").range("b/1", "", 0).unwrap_err(), Error::PermissionDenied);
    let unknown = world.coord.on_behalf_of(None);
    let request = RangeRequest { key: bytes("b/1"), ..Default::default() };
    assert_eq!(unknown.range(&request).unwrap_err(), Error::UserEmpty);
    // A watch is refused in its stream.
    let stream = user.coord.watch();
    let create = WatchCreateRequest { key: bytes("c"), ..Default::default() };
    stream.request(WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) });
    let refused = next(&stream);
    assert!(refused.created && refused.canceled && refused.cancel_reason.ends_with("permission denied"), "{refused:?}");
}

#[test]
fn a_lease_cannot_be_used_against_its_keys() {
    let world = World::with_users();
    world.wait(world.coord.lease_grant(&LeaseGrantRequest { id: 5, ttl: 100 }, 0)).unwrap();
    world.put_with(PutRequest { lease: 5, ..put_request("b/1", "") }).unwrap();
    let user = world.as_user("u");
    let put = user.put_with(PutRequest { lease: 5, ..put_request("a/1", "") });
    assert_eq!(put.unwrap_err(), Error::PermissionDenied);
    let revoke = user.wait(user.coord.lease_revoke(&LeaseRevokeRequest { id: 5 }));
    assert_eq!(revoke.unwrap_err(), Error::PermissionDenied);
    // When it is over nobody is asked.
    world.coord.expire(100_000).unwrap();
    assert!(world.coord.lease_leases().unwrap().leases.is_empty());
}

#[test]
fn users_and_roles_survive_a_restart() {
    let world = World::with_users();
    let before = world.coord.auth_status().unwrap().auth_revision;
    world.wait(world.coord.role_delete(&AuthRoleDeleteRequest { role: "reader".into() })).unwrap();
    let world = world.reopen();
    let status = world.coord.auth_status().unwrap();
    assert_eq!((status.enabled, status.auth_revision), (true, before + 1));
    assert_eq!(world.coord.user_list().unwrap().users, ["root", "u"]);
    assert_eq!(world.coord.user_get(&AuthUserGetRequest { name: "u".into() }).unwrap().roles, ["writer"]);
    assert_eq!(world.coord.role_get(&AuthRoleGetRequest { role: "writer".into() }).unwrap().perm.len(), 1);
    let user = world.as_user("u");
    assert_eq!(user.coord.user_list().unwrap_err(), Error::PermissionDenied);
    assert!(user.coord.user_get(&AuthUserGetRequest { name: "u".into() }).is_ok());
    user.put("a/1", "");
}
