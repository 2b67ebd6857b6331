use super::*;

fn user(roles: &[&str]) -> User {
    User { roles: roles.iter().map(|role| (*role).to_owned()).collect(), ..User::default() }
}

fn permission(kind: Type, key: &'static str, end: &'static str) -> Permission {
    Permission { perm_type: kind as i32, key: key.into(), range_end: end.into() }
}

fn auth() -> Auth {
    let role = |key_permission| Role { name: "".into(), key_permission };
    let mut auth = Auth { enabled: true, revision: 1, ..Auth::default() };
    auth.roles
        .insert("low".into(), role(vec![permission(Type::Readwrite, "a", "f"), permission(Type::Read, "f", "k")]));
    auth.roles.insert("high".into(), role(vec![permission(Type::Write, "z", "\0"), permission(Type::Read, "q", "")]));
    auth.users.insert("u".into(), user(&["high", "low"]));
    auth.users.insert("root".into(), user(&[ROOT]));
    auth
}

fn client(name: &str) -> Caller {
    Caller::Client(Some(name.into()))
}

#[test]
fn ranges_have_to_be_covered() {
    let auth = auth();
    let may = |key: &str, end: &str, access| auth.check(&client("u"), key.as_bytes(), end.as_bytes(), access).is_ok();
    assert!(may("a", "", Access::Write) && may("a", "f", Access::Write) && !may("a", "g", Access::Write));
    // Two permissions together.
    assert!(may("a", "k", Access::Read) && !may("a", "l", Access::Read) && !may("a", "\0", Access::Read));
    assert!(may("z", "\0", Access::Write) && may("zz", "", Access::Write) && !may("y", "\0", Access::Write));
    assert!(may("q", "", Access::Read) && may("q", "q\0", Access::Read) && !may("q", "r", Access::Read));
}

#[test]
fn callers_are_told_apart() {
    let mut auth = auth();
    let get = |auth: &Auth, caller: &Caller| auth.check(caller, b"x", b"", Access::Read);
    assert_eq!(get(&auth, &Caller::Client(None)), Err(Error::UserEmpty));
    assert_eq!(get(&auth, &client("nobody")), Err(Error::PermissionDenied));
    assert_eq!((get(&auth, &client("root")), get(&auth, &Caller::Server)), (Ok(()), Ok(())));
    assert_eq!(auth.check_admin(&client("u")), Err(Error::PermissionDenied));
    assert_eq!(auth.check_admin(&client("root")), Ok(()));
    auth.enabled = false;
    assert_eq!(get(&auth, &Caller::Client(None)), Ok(()));
}

#[test]
fn permissions_are_about_ranges_that_can_be() {
    let valid = |key, end| is_valid(&permission(Type::Read, key, end));
    assert!(valid("a", "") && valid("a", "\0") && valid("a", "b") && !valid("b", "a") && !valid("", ""));
}
