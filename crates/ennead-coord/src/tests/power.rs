//! Power cuts, kills of the process and failing calls to the disk while random requests run.
//!
//! Oracle: what was there after each request. After the restart all must be as it was after one of them: keys with their
//! revisions, leases with their ends, users, alarms. It must not be one before what was acknowledged or what a watch was
//! told, and every revision that was not compacted must read as it did.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ennead_store::disk::simulated::{Ending, Fault, Random, SimulatedDisk, for_seeds};
use ennead_store::{Sequence, Store};

use super::*;
use crate::api::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::api::etcdserverpb::watch_request::RequestUnion;
use crate::api::etcdserverpb::{
    AlarmRequest, AuthRoleAddRequest, AuthRoleDeleteRequest, AuthUserAddRequest, Compare, LeaseGrantRequest,
    LeaseKeepAliveRequest, LeaseRevokeRequest, WatchCancelRequest, WatchCreateRequest, WatchRequest,
};
use crate::auth::Auth;
use crate::span::Span;
use crate::{Error, compaction};

const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Create and mod revision, version, value and lease.
type Pair = (i64, i64, i64, String, i64);
type Keys = BTreeMap<String, Pair>;

/// All that is kept, but older revisions.
#[derive(Debug, Clone, PartialEq)]
struct Picture {
    revision: i64,
    compacted: i64,
    keys: Keys,
    /// By id: granted seconds, end, keys.
    leases: BTreeMap<i64, (i64, u64, Vec<String>)>,
    alarms: usize,
    auth: Auth,
}

/// What was there, and the last batch that had been committed by then.
struct Entry {
    sequence: Sequence,
    picture: Picture,
    /// It may have been more than one batch since the entry before.
    several: bool,
}

struct History {
    entries: Vec<Entry>,
    /// By revision.
    keys: BTreeMap<i64, Keys>,
}

impl History {
    /// Nothing in the middle of what was not looked at.
    fn at(&self, sequence: Sequence) -> Option<&Picture> {
        let index = self.entries.partition_point(|entry| entry.sequence <= sequence);
        let found = self.entries[..index].last()?;
        let between = self.entries.get(index).is_some_and(|next| next.several && sequence > found.sequence);
        (!between).then_some(&found.picture)
    }

    fn note(&mut self, sequence: Sequence, picture: Picture, several: bool) {
        self.keys.insert(picture.revision, picture.keys.clone());
        self.entries.push(Entry { sequence, picture, several });
    }

    /// Begins again with what is there now.
    fn restart(&mut self, sequence: Sequence, picture: Picture) {
        self.entries.clear();
        self.keys.retain(|revision, _| *revision <= picture.revision);
        self.note(sequence, picture, false);
    }
}

/// What must not be lost.
#[derive(Debug, Default, Clone, Copy)]
struct Known {
    acknowledged: Sequence,
    /// A revision that a watch was told of, or a reader.
    told: i64,
    /// After a failed call what was there was not looked at any more.
    uncertain: bool,
}

/// One life of the machine.
struct Life {
    store: Store,
    coord: Coord,
    now_ms: u64,
}

impl Life {
    fn open(disk: &SimulatedDisk, options: &ennead_store::Options) -> Result<(Life, Sequence)> {
        let store = disk.open_store(options)?;
        let found = store.committed();
        let coord = Coord::without_threads(store.clone(), &Options { seed: 7, quota_bytes: 0 })?;
        Ok((Life { store, coord, now_ms: 0 }, found))
    }

    fn picture(&self) -> Result<Picture> {
        let shared = self.coord.shared();
        let state = shared.state.read();
        let mut found = Vec::new();
        state.index.visit(&Span::new(&b"\0"[..], &b"\0"[..]), state.revision, |key, revision| {
            found.push((key.to_vec(), revision));
            true
        });
        let mut keys = Keys::new();
        for (key, revision) in found {
            let pair = shared.rows.pair(revision)?.expect("each key has its row");
            assert_eq!(pair.key, key);
            let shown = (pair.create_revision, pair.mod_revision, pair.version, text(&pair.value), pair.lease);
            keys.insert(text(&pair.key), shown);
        }
        let leases = state.leases.by_time().map(|id| {
            let lease = state.leases.get(id).unwrap();
            (id, (lease.ttl, lease.deadline_ms, lease.keys.iter().map(|key| text(key)).collect()))
        });
        Ok(Picture {
            revision: state.revision,
            compacted: state.compacted,
            keys,
            leases: leases.collect(),
            alarms: state.space.alarms.len(),
            auth: state.auth.clone(),
        })
    }

    /// The keys as clients read them at a revision.
    fn read(&self, revision: i64) -> Result<Keys> {
        let all = RangeRequest { key: bytes("\0"), range_end: bytes("\0"), revision, ..Default::default() };
        let pairs = self.coord.range(&all)?.kvs.into_iter().map(|pair| {
            (text(&pair.key), (pair.create_revision, pair.mod_revision, pair.version, text(&pair.value), pair.lease))
        });
        Ok(pairs.collect())
    }
}

#[test]
fn nothing_acknowledged_or_told_is_lost_and_no_request_is_half_there() {
    for_seeds(150, run);
}

fn run(seed: u64) {
    let random = &mut Random::new(seed);
    let disk = SimulatedDisk::default();
    let mut options = ennead_store::Options::new(PathBuf::from("/data"));
    options.memtable_bytes = 32 << (10 + random.below(4));
    options.segment_bytes = 4096 << random.below(5);
    options.cache_bytes = 1 << 20;
    let mut history = History { entries: Vec::new(), keys: BTreeMap::new() };
    {
        let (life, found) = Life::open(&disk, &options).unwrap();
        history.note(found, life.picture().unwrap(), false);
    }
    let mut known = Known::default();
    for _ in 0..1 + random.below(4) {
        let fault = match random.below(4) {
            0 => Fault::Io,
            1 => Fault::NoSpace,
            _ => Fault::PowerCut,
        };
        disk.fail_after(1 + random.below(300), fault);
        if let Ok((mut life, _)) = Life::open(&disk, &options) {
            // The end is not judged here: what was acknowledged before it counts.
            drop(work(random, &mut life, &mut history, &mut known));
        }
        let killed = random.once_in(3);
        disk.restart(if killed { Ending::Killed } else { Ending::PowerCut(random.next()) });
        let (life, found) = Life::open(&disk, &options).unwrap();
        check(&life, found, &history, known);
        let last = life.store.committed();
        life.store.wait_durable(last).unwrap();
        history.restart(last, life.picture().unwrap());
        known = Known { acknowledged: last, told: life.coord.revision(), uncertain: false };
    }
}

/// Random requests until the disk is gone.
fn work(random: &mut Random, life: &mut Life, history: &mut History, known: &mut Known) -> Result<()> {
    let stream = life.coord.watch();
    let all = WatchCreateRequest { key: bytes("\0"), range_end: bytes("\0"), ..Default::default() };
    stream.request(WatchRequest { request_union: Some(RequestUnion::CreateRequest(all)) });
    for _ in 0..random.below(80) {
        life.now_ms += random.below(900);
        let before = life.store.committed();
        let ended = life.coord.lease_leases()?.leases.len();
        let outcome = step(random, life);
        let ended = ended.saturating_sub(life.coord.lease_leases()?.leases.len());
        if life.store.committed() != before {
            known.uncertain = true;
            // Each lease that is over ends by a batch of its own.
            history.note(life.store.committed(), life.picture()?, ended > 1);
            known.uncertain = false;
        }
        match outcome {
            // Refused as it should be, or the disk is full for now; one that is gone says so in the end.
            Ok(()) | Err(_) if life.store.poisoned().is_none() => {}
            outcome => return outcome,
        }
        if random.once_in(3) {
            life.store.wait_durable(life.store.committed())?;
        }
        known.acknowledged = known.acknowledged.max(life.store.durable());
        known.told = known.told.max(life.coord.revision()).max(told(&stream));
    }
    if random.once_in(3) { Ok(life.store.close()?) } else { Ok(()) }
}

/// The newest revision that a watch has been told of.
fn told(stream: &WatchStream) -> i64 {
    // Of one that is not there: what is known is told then.
    let none = WatchCancelRequest { watch_id: 77 };
    stream.request(WatchRequest { request_union: Some(RequestUnion::CancelRequest(none)) });
    let mut newest = 0;
    while let Poll::Ready(Some(answer)) = stream.poll_next(&Context::from_waker(Waker::noop())) {
        let revisions = answer.into_response().events.into_iter().filter_map(|event| Some(event.kv?.mod_revision));
        newest = revisions.fold(newest, i64::max);
    }
    newest
}

/// One request, or what a thread does.
fn step(random: &mut Random, life: &Life) -> Result<()> {
    let Life { store, coord, now_ms } = life;
    let id = 1 + random.below(4) as i64;
    let name = || format!("name{id}");
    match random.below(26) {
        0..=8 => drop(coord.put(&put(random))?),
        9..=10 => drop(coord.delete_range(&delete(random))?),
        11..=13 => drop(coord.txn(&transaction(random))?),
        14..=15 => drop(coord.lease_grant(&LeaseGrantRequest { ttl: 2 + random.below(9) as i64, id }, *now_ms)?),
        16 => drop(coord.lease_revoke(&LeaseRevokeRequest { id })?),
        17 => drop(coord.lease_keep_alive(&LeaseKeepAliveRequest { id }, None, *now_ms)?),
        18 => drop(coord.expire(*now_ms)?),
        19..=20 => return compact(random, life),
        21 => drop(coord.role_add(&AuthRoleAddRequest { name: name() })?),
        22 => drop(coord.role_delete(&AuthRoleDeleteRequest { role: name() })?),
        23 => drop(coord.user_add(&AuthUserAddRequest { name: name(), ..Default::default() }, |_| Ok(()))?),
        24 => drop(coord.alarm(&AlarmRequest { action: 1 + random.below(2) as i32, member_id: 1, alarm: 1 })?),
        _ => store.flush()?,
    }
    Ok(())
}

/// A request to compact; or what its thread does, which the end may interrupt and which changes nothing that can be read.
fn compact(random: &mut Random, life: &Life) -> Result<()> {
    let shared = life.coord.shared();
    let (newest, compacted) = {
        let state = shared.state.read();
        (state.revision, state.compacted)
    };
    let revision = newest - random.below(6) as i64;
    if revision <= compacted || (compacted > 0 && random.once_in(2)) {
        return compaction::compact(shared, compacted).map(drop);
    }
    life.store.wait_durable(life.store.committed())?;
    let request = CompactionRequest { revision, physical: false };
    // It asks for its sync by itself, which nobody does here: the first look commits it.
    let mut answer = pin!(life.coord.compact(&request));
    if answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        life.store.wait_durable(life.store.committed())?;
        drop(answer.as_mut().poll(&mut Context::from_waker(Waker::noop())));
    }
    Ok(())
}

fn key(random: &mut Random) -> bytes::Bytes {
    bytes(KEYS[random.below(KEYS.len() as u64) as usize])
}

fn put(random: &mut Random) -> PutRequest {
    let lease = if random.once_in(3) { 1 + random.below(4) as i64 } else { 0 };
    let length = if random.once_in(10) { random.below(9_000) } else { random.below(40) };
    let value = "v".repeat(length as usize);
    PutRequest { key: key(random), lease, ..put_request("", &value) }
}

fn delete(random: &mut Random) -> DeleteRangeRequest {
    let range_end = if random.once_in(3) { bytes("z") } else { bytes("") };
    DeleteRangeRequest { key: key(random), range_end, prev_kv: false }
}

fn transaction(random: &mut Random) -> TxnRequest {
    let compare = Compare {
        result: CompareResult::Greater as i32,
        target: CompareTarget::Version as i32,
        key: key(random),
        range_end: bytes(""),
        target_union: Some(TargetUnion::Version(random.below(3) as i64)),
    };
    let operations = |random: &mut Random| -> Vec<RequestOp> {
        let mut left: Vec<&str> = KEYS.to_vec();
        (0..random.below(4))
            .map(|_| {
                let key = bytes(left.swap_remove(random.below(left.len() as u64) as usize));
                if random.once_in(4) {
                    operation(Request::RequestDeleteRange(DeleteRangeRequest { key, ..Default::default() }))
                } else {
                    operation(Request::RequestPut(PutRequest { key, ..put(random) }))
                }
            })
            .collect()
    };
    TxnRequest { compare: vec![compare], success: operations(random), failure: operations(random) }
}

/// What is there against what is to be there.
fn check(life: &Life, found: Sequence, history: &History, known: Known) {
    assert!(found >= known.acknowledged, "batch {} was acknowledged, the store is at {found}", known.acknowledged);
    let picture = life.picture().unwrap();
    assert!(picture.revision >= known.told, "revision {} was told, {} is there", known.told, picture.revision);
    let last = history.entries.last().map_or(0, |entry| entry.sequence);
    if let Some(expected) = history.at(found).filter(|_| !known.uncertain || found <= last) {
        assert!(picture == *expected, "there is {picture:#?}\nto be there {expected:#?}");
    }
    life.store.wait_durable(life.store.committed()).unwrap();
    check_revisions(life, &picture, history);
    // What was begun is brought to its end, and can be read from then on as before.
    let shared = life.coord.shared();
    if picture.compacted > 0 {
        assert!(compaction::compact(shared, picture.compacted).unwrap());
    }
    check_revisions(life, &picture, history);
    assert_eq!(life.picture().unwrap(), picture);
    let snapshot = shared.rows.store.snapshot();
    let rows = snapshot.range(shared.rows.history, ..).map(|row| row.map(|(key, value)| key.len() + value.len()));
    let bytes: usize = rows.sum::<std::result::Result<usize, _>>().unwrap();
    assert_eq!(shared.state.read().space.used_bytes, bytes as u64, "bytes of history");
    let leased: usize = picture.leases.values().map(|(_, _, keys)| keys.len()).sum();
    let on_leases = picture.keys.values().filter(|(_, _, _, _, lease)| picture.leases.contains_key(lease)).count();
    assert_eq!(leased, on_leases, "keys on leases");
}

fn check_revisions(life: &Life, picture: &Picture, history: &History) {
    for (revision, keys) in history.keys.range(..=picture.revision) {
        if *revision < picture.compacted {
            assert_eq!(life.read(*revision), Err(Error::Compacted), "revision {revision}");
        } else if life.coord.revision() >= *revision {
            assert_eq!(life.read(*revision).unwrap(), *keys, "revision {revision}");
        }
    }
}
