//! Users of etcd's API are the server's users: one batch for both, at any power cut.

use std::path::Path;
use std::sync::Arc;

use ennead_coord::api::authpb::UserAddOptions;
use ennead_coord::api::etcdserverpb::{AuthUserGrantRoleRequest, RangeRequest};
use ennead_store::disk::simulated::{Ending, Random, SimulatedDisk, for_seeds};

use super::*;
use crate::StoreOptions;

fn add(name: &str, password: &str) -> AuthUserAddRequest {
    AuthUserAddRequest { name: name.into(), password: password.into(), ..AuthUserAddRequest::default() }
}

/// An engine over a disk that forgets what was not synced.
fn open(disk: &SimulatedDisk) -> Engine {
    open_with(disk, Settings::new())
}

fn open_with(disk: &SimulatedDisk, settings: Settings) -> Engine {
    let store = disk.open_store(&StoreOptions::new(Path::new("/data"))).unwrap();
    Engine::open(store, Arc::new(settings)).unwrap()
}

fn with_tokens(text: &str) -> Settings {
    let settings = Settings::new();
    settings.preset("coord.auth_token", text).unwrap();
    settings
}

/// Tokens that are signed by a key of the tests.
fn signed(ttl: &str) -> Settings {
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/src/coordination/jwt/tests/ed.pem");
    with_tokens(&format!("jwt,sign-method=EdDSA,priv-key={key},ttl={ttl}"))
}

impl Engine {
    fn change_acl(&self, name: &str, rules: &[&str]) {
        self.users().change(name.as_bytes(), rules.iter().map(|rule| rule.as_bytes())).unwrap();
    }

    fn accepts(&self, name: &str, password: &str) -> bool {
        self.users().login(Some(name.as_bytes()), password.as_bytes()).is_ok()
    }

    fn lists(&self, name: &str) -> bool {
        self.coord().user_list().unwrap().users.iter().any(|known| known == name)
    }

    fn auth_revision(&self) -> u64 {
        self.coord().auth_status().unwrap().auth_revision
    }

    /// Root, and permissions on.
    fn with_root(self) -> Engine {
        drop(self.coord_user_add(self.coord(), &add("root", "secret")).unwrap());
        let grant = AuthUserGrantRoleRequest { user: "root".into(), role: "root".into() };
        drop(self.coord().user_grant_role(&grant).unwrap());
        drop(self.coord().auth_enable().unwrap());
        self
    }

    fn token(&self) -> String {
        let request = AuthenticateRequest { name: "root".into(), password: "secret".into() };
        self.coord_login(&request).unwrap().token
    }

    /// Reads a key with a token.
    fn read(&self, token: &str) -> Result<()> {
        let request = RangeRequest { key: "k".into(), ..RangeRequest::default() };
        self.coord_for(Some(token))?.range(&request).map(|_| ())
    }

    /// The batches that a change committed.
    fn batches_of(&self, change: impl FnOnce(&Coord)) -> u64 {
        let before = self.store().committed();
        change(self.coord());
        self.store().committed() - before
    }
}

#[test]
fn names_of_the_servers_users_are_taken() {
    let engine = open(&SimulatedDisk::default());
    engine.change_acl("alice", &["on", ">hers", "~*", "+@all"]);
    for name in ["alice", "default"] {
        let refused = engine.coord_user_add(engine.coord(), &add(name, "mine")).unwrap_err();
        assert_eq!(refused.to_string(), "etcdserver: user name already exists", "{name}");
        assert!(!engine.lists(name) && !engine.accepts("alice", "mine"));
    }
    assert!(engine.accepts("alice", "hers") && engine.users().is_open());
    // One that was deleted there is free again.
    engine.users().delete([&b"alice"[..]].into_iter()).unwrap();
    drop(engine.coord_user_add(engine.coord(), &add("alice", "new")).unwrap());
    assert!(engine.lists("alice") && engine.accepts("alice", "new"));
}

#[test]
fn a_name_that_no_rule_can_hold_leaves_nothing_behind() {
    let engine = open(&SimulatedDisk::default());
    assert!(engine.coord_user_add(engine.coord(), &add("a b", "")).is_err());
    assert!(!engine.lists("a b") && engine.users().find(b"a b").is_none());
}

#[test]
fn both_sides_of_a_user_are_one_batch() {
    let engine = open(&SimulatedDisk::default());
    let added = engine.batches_of(|coord| drop(engine.coord_user_add(coord, &add("u", "first")).unwrap()));
    assert!(engine.accepts("u", "first"));
    let change = AuthUserChangePasswordRequest { name: "u".into(), password: "second".into(), ..Default::default() };
    let changed = engine.batches_of(|coord| drop(engine.coord_change_password(coord, &change).unwrap()));
    assert!(engine.accepts("u", "second") && !engine.accepts("u", "first"));
    let delete = AuthUserDeleteRequest { name: "u".into() };
    let deleted = engine.batches_of(|coord| drop(engine.coord_user_delete(coord, &delete).unwrap()));
    assert!(!engine.lists("u") && engine.users().find(b"u").is_none());
    assert_eq!((added, changed, deleted), (1, 1, 1));
}

#[test]
fn a_user_without_a_password_gets_none() {
    let engine = open(&SimulatedDisk::default());
    let options = Some(UserAddOptions { no_password: true });
    drop(engine.coord_user_add(engine.coord(), &AuthUserAddRequest { options, ..add("u", "ignored") }).unwrap());
    let change = AuthUserChangePasswordRequest { name: "u".into(), password: "p".into(), ..Default::default() };
    drop(engine.coord_change_password(engine.coord(), &change).unwrap());
    assert!(engine.lists("u") && !engine.accepts("u", "ignored") && !engine.accepts("u", "p"));
}

/// The log is cut at a random sector behind what was synced. Rows before it make the changes lie anywhere in a sector.
#[test]
fn a_power_cut_leaves_both_sides_of_a_user_or_none() {
    for_seeds(60, |seed| {
        let mut random = Random::new(seed);
        let disk = SimulatedDisk::default();
        let engine = open(&disk);
        drop(engine.coord_user_add(engine.coord(), &add("there", "old")).unwrap());
        engine.change_acl("other", &[&format!("~{}", "k".repeat(random.below(500) as usize))]);
        engine.store().wait_durable(engine.store().committed()).unwrap();
        let before = engine.auth_revision();
        let change =
            AuthUserChangePasswordRequest { name: "there".into(), password: "new".into(), ..Default::default() };
        let (coord, kind) = (engine.coord(), random.below(3));
        match kind {
            0 => drop(engine.coord_user_add(coord, &add("u", "p")).unwrap()),
            1 => drop(engine.coord_user_delete(coord, &AuthUserDeleteRequest { name: "there".into() }).unwrap()),
            _ => drop(engine.coord_change_password(coord, &change).unwrap()),
        }
        engine.store().hand_over(engine.store().committed()).unwrap();
        disk.restart(Ending::PowerCut(random.next()));
        drop(engine);
        let engine = open(&disk);
        let happened = engine.auth_revision() != before;
        assert_eq!((engine.lists("u"), engine.accepts("u", "p")), (happened && kind == 0, happened && kind == 0));
        let there = !(happened && kind == 1);
        assert_eq!((engine.lists("there"), engine.users().find(b"there").is_some()), (there, there));
        let password = if happened && kind == 2 { "new" } else { "old" };
        assert_eq!(engine.accepts("there", password), there);
    });
}

#[test]
fn signed_tokens_are_good_after_a_restart_until_users_change() {
    let disk = SimulatedDisk::default();
    let engine = open_with(&disk, signed("10m")).with_root();
    let token = engine.token();
    assert_eq!(engine.read(&token), Ok(()));
    assert_eq!(engine.read(&format!("Bearer {token}")), Ok(()));
    engine.store().wait_durable(engine.store().committed()).unwrap();
    disk.restart(Ending::Killed);
    drop(engine);
    let engine = open_with(&disk, signed("10m"));
    assert_eq!(engine.read(&token), Ok(()));
    drop(engine.coord_user_add(engine.coord(), &add("u", "p")).unwrap());
    let refused = engine.read(&token).unwrap_err();
    assert_eq!(refused.to_string(), "etcdserver: revision of auth store is old");
    assert!(!engine.is_coord_token(&token));
    assert_eq!(engine.read(&engine.token()), Ok(()));
}

#[test]
fn tokens_that_are_over_or_of_others_are_refused() {
    let engine = open_with(&SimulatedDisk::default(), signed("0s")).with_root();
    for token in [engine.token(), "a.b.c".to_owned(), String::new()] {
        assert_eq!(engine.read(&token).unwrap_err().to_string(), "etcdserver: invalid auth token", "{token}");
    }
    let simple = open(&SimulatedDisk::default()).with_root();
    assert_eq!(simple.read(&simple.token()), Ok(()));
    assert_eq!(simple.read("other"), Err(Error::InvalidAuthToken));
}

#[test]
fn settings_of_tokens_that_mean_nothing_stop_the_start() {
    let check = |text: &str, expected: &str| {
        let error = Tokens::open(&with_tokens(text)).unwrap_err().to_string();
        assert!(error.starts_with("ERR coord.auth_token: ") && error.contains(expected), "{text}: {error}");
    };
    check("", "`` is none of simple and jwt");
    check("jwts", "`jwts` is none of");
    check("simple,ttl=1s", "simple tokens have no options");
    check("jwt", "the sign-method `` is none of");
    check("jwt,ttl", "`ttl` is not of the form name=value");
    check("jwt,ttl=1=2", "is not of the form");
    check("jwt,ttl=1s,ttl=2s", "`ttl` is given twice");
}
