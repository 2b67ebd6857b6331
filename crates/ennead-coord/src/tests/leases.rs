use super::*;
use crate::Error;
use crate::api::etcdserverpb::{LeaseGrantRequest, LeaseKeepAliveRequest, LeaseRevokeRequest, LeaseTimeToLiveRequest};

impl World {
    pub(super) fn grant(&self, id: i64, ttl: i64, now_ms: u64) -> Result<i64> {
        self.wait(self.coord.lease_grant(&LeaseGrantRequest { id, ttl }, now_ms)).map(|response| response.ttl)
    }

    pub(super) fn put_on(&self, lease: i64, key: &str) {
        self.put_with(PutRequest { lease, ..put_request(key, "") }).unwrap();
    }

    fn ttl(&self, id: i64, now_ms: u64) -> (i64, Vec<String>) {
        let response = self.coord.lease_time_to_live(&LeaseTimeToLiveRequest { id, keys: true }, now_ms).unwrap();
        (response.ttl, response.keys.iter().map(|key| text(key)).collect())
    }

    fn keep_alive(&self, id: i64, now_ms: u64) -> i64 {
        self.set(id, None, now_ms)
    }

    fn set(&self, id: i64, left_s: Option<i64>, now_ms: u64) -> i64 {
        self.wait(self.coord.lease_keep_alive(&LeaseKeepAliveRequest { id }, left_s, now_ms)).unwrap().ttl
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_lease_ends_with_its_keys_in_one_revision() {
    let world = World::new();
    assert_eq!(world.grant(5, 10, 0), Ok(10));
    assert_eq!(world.grant(5, 10, 0), Err(Error::LeaseExists));
    assert_eq!((world.grant(6, 1, 0), world.grant(7, i64::MAX, 0)), (Ok(2), Err(Error::LeaseTtlTooLarge)));
    world.put_on(5, "a");
    world.put_on(5, "b");
    world.put_on(6, "c");
    // Moved, and taken off.
    world.put_on(5, "c");
    world.put_on(5, "d");
    world.put("d", "");
    assert_eq!(world.ttl(5, 1500), (8, words(&["a", "b", "c"])));
    let revision = world.coord.revision();
    assert_eq!(world.keep_alive(5, 9_999), 10);
    world.coord.expire(15_000).unwrap();
    assert_eq!(world.coord.lease_leases().unwrap().leases.len(), 1);
    assert_eq!(world.coord.expire(19_999), Ok(false));
    // The disk may take its time.
    while world.coord.revision() == revision {
        std::thread::yield_now();
    }
    assert_eq!((world.coord.revision(), world.all(0).len()), (revision + 1, 1));
    assert_eq!((world.ttl(5, 20_000), world.keep_alive(5, 20_000)), ((-1, vec![]), 0));
}

#[test]
fn what_is_left_of_a_lease_can_be_set() {
    let world = World::new();
    world.grant(5, 100, 0).unwrap();
    assert_eq!(world.set(5, Some(7), 1000), 7);
    assert_eq!(world.ttl(5, 2000).0, 6);
    let granted = world.coord.lease_time_to_live(&LeaseTimeToLiveRequest { id: 5, keys: false }, 2000).unwrap();
    assert_eq!(granted.granted_ttl, 100);
    assert_eq!((world.set(5, Some(1000), 2000), world.set(5, Some(-1), 2000)), (100, 0));
    assert_eq!((world.ttl(5, 2000).0, world.set(5, Some(7), 2000)), (-1, 0));
    // A short one may be held.
    world.grant(6, 2, 0).unwrap();
    assert_eq!((world.set(6, Some(1000), 1000), world.keep_alive(6, 60_000)), (60, 2));
}

#[test]
fn revoking_deletes_the_keys() {
    let world = World::new();
    world.grant(5, 10, 0).unwrap();
    world.put_on(5, "a");
    let revoke = || world.wait(world.coord.lease_revoke(&LeaseRevokeRequest { id: 5 }));
    assert_eq!(revoke().unwrap().header.unwrap().revision, 3);
    assert_eq!(revoke().unwrap_err(), Error::LeaseNotFound);
    assert_eq!(world.all(0), []);
}

#[test]
fn remaining_time_and_keys_survive_a_restart() {
    let world = World::new();
    let id = world.wait(world.coord.lease_grant(&LeaseGrantRequest { id: 0, ttl: 100 }, 0)).unwrap().id;
    assert!(id > 0);
    world.put_on(id, "a");
    world.coord.expire(30_000).unwrap();
    let world = world.reopen();
    // The time stood still while it was closed.
    assert_eq!(world.ttl(id, 0), (70, words(&["a"])));
    assert_eq!(world.ttl(id, 10_000).0, 60);
    world.put("a", "");
    assert_eq!(world.ttl(id, 0).1, words(&[]));
}

/// The time of a server that was up long before its first lease is not lost with it.
#[test]
fn a_crash_right_after_a_grant_does_not_prolong_the_lease() {
    let world = World::new();
    world.grant(5, 100, 1_000_000).unwrap();
    let world = world.reopen();
    assert_eq!(world.ttl(5, 0).0, 100);
    assert_eq!(world.keep_alive(5, 50_000), 100);
    let world = world.reopen();
    assert_eq!(world.ttl(5, 0).0, 100);
}
