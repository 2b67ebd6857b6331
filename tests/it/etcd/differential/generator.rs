//! Random requests over few keys, so that they meet. Revisions are relative to where a sequence begins, leases and watches
//! are named by small numbers, so that a sequence means the same on every server and without some of its steps.

use ennead_engine::coord::api::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use ennead_engine::coord::api::etcdserverpb::{self as pb, request_op};

use crate::random::Random;

/// One request.
#[derive(Debug, Clone)]
pub(in crate::etcd) enum Step {
    Range(pb::RangeRequest),
    Put(pb::PutRequest),
    Delete(pb::DeleteRangeRequest),
    Txn(pb::TxnRequest),
    Compact(pb::CompactionRequest),
    Grant(pb::LeaseGrantRequest),
    Revoke(i64),
    KeepAlive(i64),
    TimeToLive(i64, bool),
    Leases,
    Watch(pb::WatchCreateRequest),
    CancelWatch(i64),
}

/// The revision at which a sequence begins, in its requests: far from all that a server gives, and from what is refused.
pub(in crate::etcd) const BASE: i64 = 1 << 40;

const STEPS_MAX: usize = 30;

/// A sequence.
pub(in crate::etcd) fn steps(random: &mut Random) -> Vec<Step> {
    // Watches take their time, so most do without. Some have more compactions than others, and watches that they end.
    let kinds = *random.pick(&[36, 36, 36, 36, 40, 46]);
    (0..2 + random.below(STEPS_MAX)).map(|_| step(random, kinds)).collect()
}

fn step(random: &mut Random, kinds: usize) -> Step {
    match random.below(kinds) {
        0..11 => Step::Range(range(random)),
        11..20 => Step::Put(put(random)),
        20..23 => Step::Delete(delete(random)),
        23..29 => Step::Txn(transaction(random, 0)),
        29 => Step::Compact(pb::CompactionRequest { revision: revision(random), physical: random.one_in(2) }),
        30 | 31 => Step::Grant(grant(random)),
        32 => Step::Revoke(lease(random)),
        33 => Step::KeepAlive(lease(random)),
        34 => Step::TimeToLive(lease(random), random.one_in(2)),
        35 => Step::Leases,
        36..39 => Step::Watch(watch(random)),
        39 => Step::CancelWatch(watch_id(random)),
        40..43 => {
            let revision = BASE + random.below(8) as i64;
            Step::Compact(pb::CompactionRequest { revision, physical: random.one_in(2) })
        }
        _ => Step::Watch(pb::WatchCreateRequest { start_revision: BASE + random.below(8) as i64, ..watch(random) }),
    }
}

fn one_of(random: &mut Random, choices: &[&'static [u8]]) -> &'static [u8] {
    choices[random.below(choices.len())]
}

fn key(random: &mut Random) -> &'static [u8] {
    one_of(random, &[b"a", b"a", b"b", b"b", b"c", b"ab", b"a\0", b"b/1", b"b/2", b"\xff", b"\xff\xff", b""])
}

fn present_key(random: &mut Random) -> &'static [u8] {
    one_of(random, &[b"a", b"b", b"c", b"ab", b"b/1", b"b/2"])
}

/// No end, all that follow, a prefix, and ends that are before the beginning.
fn range_end(random: &mut Random) -> &'static [u8] {
    one_of(random, &[b"", b"", b"", b"\0", b"b", b"b0", b"c", b"d", b"a", b"a\0", b"\xff", b"\xff\xff\xff"])
}

fn value(random: &mut Random) -> &'static [u8] {
    one_of(random, &[b"", b"1", b"2", b"10", b"x", b"\0\xff"])
}

/// Around where the sequence is, and at the edges.
fn revision(random: &mut Random) -> i64 {
    match random.below(12) {
        0 => 0,
        1 => -1,
        2 => i64::MAX,
        3 => BASE - 1,
        4 => BASE + 100,
        _ => BASE + random.below(12) as i64,
    }
}

/// Past, near, or later than the sequence goes, but not so late that the player could not go there.
fn watched_revision(random: &mut Random) -> i64 {
    match random.below(8) {
        0 => -1,
        1 => BASE - 1,
        2 => BASE + STEPS_MAX as i64 + 5,
        _ => BASE + random.below(12) as i64,
    }
}

fn optional_revision(random: &mut Random) -> i64 {
    if random.one_in(6) { revision(random) } else { 0 }
}

/// Leases 1 to 4 come and go, 9 is never there.
fn lease(random: &mut Random) -> i64 {
    *random.pick(&[1, 1, 2, 2, 3, 4, 9, 0])
}

fn watch_id(random: &mut Random) -> i64 {
    random.below(5) as i64
}

fn grant(random: &mut Random) -> pb::LeaseGrantRequest {
    // None so short that it could end meanwhile.
    let ttl = *random.pick(&[100, 1_000, 10_000, 60, 9_000_000_000, 9_000_000_001, i64::MAX]);
    pb::LeaseGrantRequest { ttl, id: *random.pick(&[1, 2, 3, 4, 1, 2, -7, 0]) }
}

fn range(random: &mut Random) -> pb::RangeRequest {
    let orders = [0, 0, 0, 1, 2, 7];
    let (one, other) = (random.one_in(5), random.one_in(8));
    pb::RangeRequest {
        key: key(random).into(),
        range_end: range_end(random).into(),
        limit: *random.pick(&[0, 0, 0, 1, 2, -1]),
        revision: optional_revision(random),
        sort_order: *random.pick(&orders),
        sort_target: *random.pick(&[0, 0, 1, 2, 3, 4, 9]),
        serializable: random.one_in(4),
        keys_only: one,
        count_only: other,
        min_mod_revision: optional_revision(random),
        max_mod_revision: optional_revision(random),
        min_create_revision: optional_revision(random),
        max_create_revision: optional_revision(random),
    }
}

fn put(random: &mut Random) -> pb::PutRequest {
    let (ignore_value, ignore_lease) = (random.one_in(10), random.one_in(10));
    let keeps = random.one_in(3);
    pb::PutRequest {
        key: if random.one_in(8) { key(random) } else { present_key(random) }.into(),
        value: if ignore_value && !keeps { b"" as &[u8] } else { value(random) }.into(),
        lease: if random.one_in(4) && (!ignore_lease || keeps) { lease(random) } else { 0 },
        prev_kv: random.one_in(2),
        ignore_value,
        ignore_lease,
    }
}

fn delete(random: &mut Random) -> pb::DeleteRangeRequest {
    let key = key(random).into();
    pb::DeleteRangeRequest { key, range_end: range_end(random).into(), prev_kv: random.one_in(2) }
}

fn transaction(random: &mut Random, depth: usize) -> pb::TxnRequest {
    let branch = |random: &mut Random| (0..random.below(4)).map(|_| operation(random, depth)).collect();
    pb::TxnRequest {
        compare: (0..random.below(3)).map(|_| compare(random)).collect(),
        success: branch(random),
        failure: branch(random),
    }
}

fn operation(random: &mut Random, depth: usize) -> pb::RequestOp {
    let request = match random.below(if depth < 2 { 10 } else { 8 }) {
        0..3 => request_op::Request::RequestRange(range(random)),
        3..7 => request_op::Request::RequestPut(put(random)),
        7 => request_op::Request::RequestDeleteRange(delete(random)),
        _ => request_op::Request::RequestTxn(transaction(random, depth + 1)),
    };
    pb::RequestOp { request: if random.one_in(60) { None } else { Some(request) } }
}

fn compare(random: &mut Random) -> pb::Compare {
    let (target, union) = match random.below(5) {
        0 => (CompareTarget::Version, TargetUnion::Version(random.below(4) as i64)),
        1 => (CompareTarget::Create, TargetUnion::CreateRevision(revision(random))),
        2 => (CompareTarget::Mod, TargetUnion::ModRevision(revision(random))),
        3 => (CompareTarget::Value, TargetUnion::Value(value(random).into())),
        _ => (CompareTarget::Lease, TargetUnion::Lease(lease(random))),
    };
    let results = [CompareResult::Equal, CompareResult::Greater, CompareResult::Less, CompareResult::NotEqual];
    pb::Compare {
        result: (*random.pick(&results)).into(),
        target: target.into(),
        key: key(random).into(),
        target_union: if random.one_in(30) { None } else { Some(union) },
        range_end: if random.one_in(4) { range_end(random) } else { b"" }.into(),
    }
}

fn watch(random: &mut Random) -> pb::WatchCreateRequest {
    pb::WatchCreateRequest {
        key: key(random).into(),
        range_end: range_end(random).into(),
        start_revision: if random.one_in(2) { watched_revision(random) } else { 0 },
        // It would come whenever the server pleases.
        progress_notify: false,
        filters: random.pick(&[vec![], vec![], vec![], vec![0], vec![1], vec![0, 1]]).clone(),
        prev_kv: random.one_in(2),
        watch_id: if random.one_in(3) { watch_id(random) } else { 0 },
        fragment: random.one_in(2),
    }
}
