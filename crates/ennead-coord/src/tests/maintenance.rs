use std::cell::Cell;

use super::*;
use crate::api::etcdserverpb::alarm_request::AlarmAction;
use crate::api::etcdserverpb::{AlarmRequest, AlarmType, HashKvRequest};
use crate::{AutoCompaction, Error, Retention};
use sha2::{Digest, Sha256};

#[test]
fn the_quota_raises_an_alarm_until_it_is_taken_back() {
    let world = World::with_quota(2000);
    let large = "x".repeat(1000);
    world.put("a", &large);
    assert_eq!(world.put_with(put_request("b", &large)).unwrap_err(), Error::NoSpace);
    // Not for lack of space any more.
    assert_eq!(world.put_with(put_request("b", "")).unwrap_err(), Error::NoSpace);
    assert_eq!(world.delete("a", "").0, 1);
    let alarm = |action: AlarmAction| {
        let request = AlarmRequest {
            action: action as i32,
            member_id: world.coord.member_id(),
            alarm: AlarmType::Nospace as i32,
        };
        world.wait(world.coord.alarm(&request)).unwrap().alarms.len()
    };
    assert_eq!((alarm(AlarmAction::Get), world.coord.status().unwrap().errors.len()), (1, 1));
    world.compact(3).unwrap();
    assert_eq!((alarm(AlarmAction::Deactivate), alarm(AlarmAction::Get)), (1, 0));
    world.put("b", "");
}

#[test]
fn alarms_survive_a_restart() {
    let world = World::with_quota(100);
    assert_eq!(world.put_with(put_request("b", "")).unwrap_err(), Error::NoSpace);
    // The alarm itself is not waited for.
    world.store.wait_durable(world.store.committed()).unwrap();
    let world = world.reopen();
    assert_eq!(world.put_with(put_request("b", "")).unwrap_err(), Error::NoSpace);
}

#[test]
fn hashes_do_not_depend_on_how_far_compaction_is() {
    let world = World::new();
    for value in 0..10 {
        world.put("a", &value.to_string());
    }
    world.delete("a", "");
    world.put("b", "");
    let hash = |world: &World, revision| world.coord.hash_kv(&HashKvRequest { revision }).map(|response| response.hash);
    let before = hash(&world, 0).unwrap();
    world.compact(8).unwrap();
    assert_ne!(hash(&world, 0).unwrap(), before);
    assert_eq!((hash(&world, 7), hash(&world, 99)), (Err(Error::Compacted), Err(Error::FutureRevision)));
    let (whole, part) = (hash(&world, 0).unwrap(), hash(&world, 9).unwrap());
    let world = world.reopen();
    assert_eq!((hash(&world, 0).unwrap(), hash(&world, 9).unwrap()), (whole, part));
}

#[test]
fn a_snapshot_ends_with_its_hash() {
    let world = World::new();
    for number in 0..1000 {
        world.put(&format!("k{number}"), "value");
    }
    let mut parts = Vec::new();
    world.coord.snapshot(|| true, |part| parts.push(part)).unwrap();
    let (hash, file) = parts.split_last().unwrap();
    let bytes: Vec<u8> = file.iter().flat_map(|part| part.blob.to_vec()).collect();
    assert_eq!(&hash.blob[..], &Sha256::digest(&bytes)[..]);
    assert_eq!(bytes.len() % 4096, 0);
    let first = &file[0];
    assert_eq!(first.remaining_bytes, (bytes.len() - first.blob.len()) as u64);
}

#[test]
fn history_is_compacted_without_being_asked_for() {
    let world = World::new();
    let mut compaction = AutoCompaction::new(world.coord.clone(), Retention::Revisions(3)).unwrap();
    let every = compaction.step(Duration::ZERO);
    for value in 0..9 {
        world.put("a", &value.to_string());
    }
    assert!(world.range("a", "", 2).is_ok());
    assert_eq!(compaction.step(every), Duration::from_secs(300));
    assert_eq!(world.range("a", "", 6).unwrap_err(), Error::Compacted);
    assert_eq!(text(&world.range("a", "", 7).unwrap().kvs[0].value), "5");
    // It goes on by itself from there, and an asked-for compaction in between is no fault.
    world.put("a", "9");
    world.compact(9).unwrap();
    compaction.step(every * 2);
    assert!(world.range("a", "", 9).is_ok());
    assert!(AutoCompaction::new(world.coord.clone(), Retention::All).is_none());
}

/// Nobody reads the rest for a client that has gone, be it while the snapshot is measured or while it is sent.
#[test]
fn a_snapshot_ends_when_its_client_has_gone() {
    let world = World::new();
    for number in 0..100 {
        world.put(&format!("k{number:03}"), &"v".repeat(4000));
    }
    let (asked, sent) = (Cell::new(0), Cell::new(0));
    let snapshot = |wanted: &dyn Fn() -> bool| {
        asked.set(0);
        sent.set(0);
        let wanted = || {
            asked.set(asked.get() + 1);
            wanted()
        };
        world.coord.snapshot(wanted, |_| sent.set(sent.get() + 1)).unwrap();
        (asked.get(), sent.get())
    };
    assert_eq!(snapshot(&|| asked.get() < 10), (10, 0));
    let (rows, parts) = snapshot(&|| sent.get() < 2);
    assert!((101..170).contains(&rows) && parts == 2, "{rows} rows, {parts} parts");
    assert!(snapshot(&|| true).1 > 5);
}
