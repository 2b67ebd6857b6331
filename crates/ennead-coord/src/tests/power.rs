//! Power cuts, kills and failing disks while random requests run, at random calls to the disk.
//!
//! Oracle: a model of the keyspace after each request, by the commit that made it. After the restart everything that can be
//! asked reads as the model did at the commit that the store has come to: all revisions that were not compacted, events,
//! leases with their keys, users, alarms, hashes, and in the end the rows. That commit is not before one that was answered,
//! nor before one that a watch has told of; and nothing is answered or told before it is on disk.

mod life;
mod model;
mod work;

use std::path::PathBuf;
use std::pin::pin;

use ennead_store::disk::simulated::{Ending, Fault, Random, SimulatedDisk, for_seeds};

use super::{PATIENCE, next, poll_until};
use crate::Error;
use crate::api::etcdserverpb::{HashKvRequest, RangeRequest};
use life::{Life, take_events, watch_all};
use model::{History, Model, row};
use work::Work;

#[test]
fn power_cuts_lose_nothing_that_was_answered_or_told() {
    for_seeds(80, |seed| run(seed, seed % 2 == 1, |_| Fault::PowerCut));
}

#[test]
fn what_a_failing_disk_refuses_is_neither_answered_nor_told() {
    // Without threads: with them, a store whose sync fails does not always open again.
    for_seeds(60, |seed| run(seed, false, |random| [Fault::Io, Fault::NoSpace][random.below(2) as usize]));
}

/// With threads many requests are under way at a time, but a seed does not repeat exactly.
fn run(seed: u64, threaded: bool, fault: impl Fn(&mut Random) -> Fault) {
    let random = &mut Random::new(seed);
    let disk = SimulatedDisk::default();
    let mut options = ennead_store::Options::new(PathBuf::from("/data"));
    options.memtable_bytes = 32 << (10 + random.below(4));
    options.segment_bytes = 4096 << random.below(5);
    options.log_retention_bytes = [0, 64 << 10][random.below(2) as usize];
    options.cache_bytes = 1 << 20;
    let mut history = History::new();
    let mut told = 1;
    let mut acknowledged = 0;
    let mut member = None;
    for _ in 0..1 + random.below(3) {
        let fault = fault(random);
        disk.fail_after(1 + random.below(300), fault);
        let begin = told.max(history.now().compacted);
        if let Ok(life) = Life::open(random, &disk, &options, threaded, begin) {
            told = begin;
            let mut work = Work { random, history: &mut history, told: &mut told, acknowledged: &mut acknowledged };
            work.run(life);
        }
        disk.heal();
        wait_for_end(&disk);
        let killed = random.once_in(4);
        disk.restart(if killed { Ending::Killed } else { Ending::PowerCut(random.next()) });
        let life = Life::open(random, &disk, &options, threaded, 0).unwrap();
        let recovered = life.recovered;
        assert!(recovered >= acknowledged, "commit {acknowledged} was answered, the store is at {recovered}");
        history.truncate(recovered);
        let model = history.now();
        assert!(told <= model.revision(), "revision {told} was told, the keyspace is at {}", model.revision());
        check(random, &life, &history);
        if acknowledged > 0 {
            assert_eq!(*member.get_or_insert(life.coord.member_id()), life.coord.member_id());
        }
        let last = life.store.committed();
        life.store.wait_durable(last).unwrap();
        acknowledged = last;
        drop(life);
        wait_for_end(&disk);
    }
}

/// What a store of the life before still did would be done to the disk of the next.
fn wait_for_end(disk: &SimulatedDisk) {
    while disk.in_use() {
        std::thread::yield_now();
    }
}

/// What can be asked against what is to be answered.
fn check(random: &mut Random, life: &Life, history: &History) {
    let model = history.now();
    let coord = &life.coord;
    assert_eq!(coord.revision(), model.revision(), "the revision");
    let published = history.sequence_of(coord.revision());
    assert!(life.store.durable() >= published, "a start shows what is not on disk");
    check_reads(random, life, model);
    check_events(life, model);
    // Of a compaction that was under way nothing may be left over in the end.
    if model.compacted > 0 {
        let mut done = pin!(coord.shared().compactor.done(model.compacted));
        let done = poll_until(|context| done.as_mut().poll(context), PATIENCE);
        assert_eq!(done, Some(Ok(())), "the compaction does not come to its end");
    }
    check_reads(random, life, model);
    check_events(life, model);
    check_rows(life, model);
    check_leases(life, model);
    let state = coord.shared().state.read();
    assert_eq!((&state.auth, &state.space.alarms), (&model.auth, &model.alarms));
}

fn check_reads(random: &mut Random, life: &Life, model: &Model) {
    let read = |revision: i64| {
        let (key, range_end) = (vec![0].into(), vec![0].into());
        life.coord.range(&RangeRequest { key, range_end, revision, ..RangeRequest::default() })
    };
    for revision in model.compacted.max(1)..=model.revision() {
        let expected: Vec<_> = model.at(revision).into_values().collect();
        assert_eq!(read(revision).unwrap().kvs, expected, "the keys at revision {revision}");
    }
    assert_eq!(read(0).unwrap().kvs, model.at(model.revision()).into_values().collect::<Vec<_>>());
    assert_eq!(read(model.revision() + 1), Err(Error::FutureRevision));
    if model.compacted > 1 {
        assert_eq!(read(model.compacted - 1), Err(Error::Compacted));
    }
    let oldest = model.compacted.max(1);
    for revision in [model.revision(), oldest + random.below((model.revision() - oldest) as u64 + 1) as i64] {
        let hashed = life.coord.hash_kv(&HashKvRequest { revision }).unwrap();
        assert_eq!(hashed.hash_revision, revision);
        // Without a key that is kept, the hash depends on what a compaction has come to.
        if !model.at(revision).is_empty() {
            assert_eq!(hashed.hash, model.hash(revision), "the hash at revision {revision}");
        }
    }
}

/// All events since the compaction.
fn check_events(life: &Life, model: &Model) {
    let mut told = model.compacted.max(1);
    let watch = watch_all(&life.coord, told + 1);
    assert!(next(&watch).created);
    while told < model.revision() {
        take_events(&next(&watch), model, &mut told);
    }
}

fn check_rows(life: &Life, model: &Model) {
    let rows = &life.coord.shared().rows;
    let found = rows.store.snapshot().range(rows.history, ..).collect::<ennead_store::Result<Vec<_>>>().unwrap();
    let expected = model.rows().into_iter().map(|(revision, number, pair)| {
        (crate::revision::Revision::new(revision, number as u32).row_key().to_vec(), row(pair))
    });
    assert_eq!(found, expected.collect::<Vec<_>>(), "the rows of history, compacted to {}", model.compacted);
    let bytes: usize = found.iter().map(|(key, value)| key.len() + value.len()).sum();
    assert_eq!(life.coord.shared().state.read().space.used_bytes, bytes as u64);
    if model.compacted > 0 {
        let revision = model.revision();
        assert_eq!(life.coord.hash_kv(&HashKvRequest { revision }).unwrap().hash, model.hash(revision));
    }
}

fn check_leases(life: &Life, model: &Model) {
    let state = life.coord.shared().state.read();
    assert_eq!(state.leases.by_time().count(), model.leases.len());
    for (id, (ttl, deadline_ms)) in &model.leases {
        let lease = state.leases.get(*id).unwrap_or_else(|| panic!("lease {id} is lost"));
        assert_eq!((lease.ttl, lease.deadline_ms), (*ttl, *deadline_ms), "lease {id}");
        assert_eq!(lease.keys, model.keys_on(*id), "the keys on lease {id}");
    }
    drop(state);
    // The clock goes on from where it was when a lease was last touched, or later.
    assert!(life.coord.shared().time(0) >= model.time_ms, "the time has gone back");
}
