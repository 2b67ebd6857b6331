//! Sequences for what random ones rarely meet.

use ennead_engine::coord::api::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use ennead_engine::coord::api::etcdserverpb::{self as pb, request_op};

use super::generator::{BASE, Step};

pub(super) fn sequences() -> Vec<(&'static str, Vec<Step>)> {
    vec![
        ("short leases are given the least time", short_leases()),
        ("128 operations are the most", vec![Step::Txn(puts(128)), Step::Txn(puts(129)), Step::Txn(compares(129))]),
        ("nested compares see what was before", vec![Step::Txn(nested()), get(b"b")]),
        ("a large request", large()),
        ("a key is put once", overlapping()),
        ("a lease's keys go in one revision", lease_of_many()),
        ("reading what is compacted and what is not yet", compaction()),
        ("a watch through deletes, leases and compaction", watches()),
        ("ignored parts of a put", ignored()),
    ]
}

fn put(key: &'static [u8], value: &'static [u8]) -> pb::PutRequest {
    pb::PutRequest { key: key.into(), value: value.into(), ..Default::default() }
}

fn get(key: &'static [u8]) -> Step {
    Step::Range(pb::RangeRequest { key: key.into(), ..Default::default() })
}

fn everything() -> pb::RangeRequest {
    pb::RangeRequest { key: "\0".into(), range_end: "\0".into(), ..Default::default() }
}

fn operation(request: request_op::Request) -> pb::RequestOp {
    pb::RequestOp { request: Some(request) }
}

fn short_leases() -> Vec<Step> {
    let grant = |ttl, id| Step::Grant(pb::LeaseGrantRequest { ttl, id });
    vec![
        grant(60, 7),
        Step::Leases,
        grant(1, 1),
        // The others may be over before they could be asked for.
        Step::KeepAlive(1),
        grant(2, 2),
        grant(3, 3),
        grant(0, 4),
        grant(-5, 5),
        grant(9_000_000_001, 6),
    ]
}

fn puts(count: usize) -> pb::TxnRequest {
    let put = |number: usize| {
        operation(request_op::Request::RequestPut(pb::PutRequest {
            key: number.to_string().into(),
            ..Default::default()
        }))
    };
    pb::TxnRequest { success: (0..count).map(put).collect(), ..Default::default() }
}

fn version(key: &'static [u8], version: i64) -> pb::Compare {
    pb::Compare {
        result: CompareResult::Equal.into(),
        target: CompareTarget::Version.into(),
        key: key.into(),
        target_union: Some(TargetUnion::Version(version)),
        ..Default::default()
    }
}

fn compares(count: usize) -> pb::TxnRequest {
    pb::TxnRequest { compare: (0..count).map(|_| version(b"a", 0)).collect(), ..Default::default() }
}

fn nested() -> pb::TxnRequest {
    let put = |key, value| operation(request_op::Request::RequestPut(put(key, value)));
    let inner = pb::TxnRequest {
        compare: vec![version(b"a", 0)],
        success: vec![put(b"b", b"before")],
        failure: vec![put(b"b", b"after")],
    };
    pb::TxnRequest {
        success: vec![put(b"a", b"1"), operation(request_op::Request::RequestTxn(inner))],
        ..Default::default()
    }
}

fn large() -> Vec<Step> {
    let sized = |size: usize| {
        Step::Put(pb::PutRequest { key: "large".into(), value: vec![b'x'; size].into(), ..Default::default() })
    };
    vec![
        sized(1_500_000),
        sized((3 << 19) - 100),
        sized(3 << 19),
        sized((3 << 19) + 400_000),
        // Those that no service sees.
        sized((2 << 20) - 11),
        sized((2 << 20) - 10),
        sized(3 << 20),
        get(b"none"),
    ]
}

fn overlapping() -> Vec<Step> {
    let put = |key| operation(request_op::Request::RequestPut(put(key, b"1")));
    let delete = |key: &'static [u8], end: &'static [u8]| {
        operation(request_op::Request::RequestDeleteRange(pb::DeleteRangeRequest {
            key: key.into(),
            range_end: end.into(),
            ..Default::default()
        }))
    };
    let all = |success: Vec<pb::RequestOp>| Step::Txn(pb::TxnRequest { success, ..Default::default() });
    let branches = |success, failure| Step::Txn(pb::TxnRequest { compare: Vec::new(), success, failure });
    let inner = |success, failure| {
        operation(request_op::Request::RequestTxn(pb::TxnRequest { compare: Vec::new(), success, failure }))
    };
    vec![
        all(vec![put(b"a"), put(b"a")]),
        all(vec![put(b"a"), delete(b"a", b"")]),
        all(vec![delete(b"a", b"c"), put(b"b")]),
        all(vec![delete(b"a", b"c"), delete(b"b", b"d")]),
        all(vec![put(b"c"), delete(b"a", b"c")]),
        all(vec![put(b"x"), delete(b"a", b"\0")]),
        branches(vec![put(b"a")], vec![put(b"a")]),
        branches(vec![put(b"b"), inner(vec![put(b"a")], vec![put(b"a")])], vec![]),
        branches(vec![put(b"a"), inner(vec![put(b"a")], vec![])], vec![]),
        branches(vec![inner(vec![put(b"a")], vec![]), inner(vec![put(b"a")], vec![])], vec![]),
        branches(vec![], vec![put(b"a"), inner(vec![], vec![put(b"a")])]),
        Step::Range(everything()),
    ]
}

fn lease_of_many() -> Vec<Step> {
    let leased = |key| Step::Put(pb::PutRequest { lease: 1, ..put(key, b"1") });
    vec![
        Step::Grant(pb::LeaseGrantRequest { ttl: 100, id: 1 }),
        Step::Grant(pb::LeaseGrantRequest { ttl: 100, id: 2 }),
        Step::Watch(pb::WatchCreateRequest {
            key: "\0".into(),
            range_end: "\0".into(),
            prev_kv: true,
            ..Default::default()
        }),
        leased(b"c"),
        leased(b"a"),
        leased(b"b"),
        Step::Put(pb::PutRequest { lease: 2, ..put(b"a", b"other lease") }),
        Step::TimeToLive(1, true),
        Step::TimeToLive(2, true),
        Step::Revoke(1),
        Step::Range(everything()),
        Step::Delete(pb::DeleteRangeRequest { key: "a".into(), ..Default::default() }),
        Step::TimeToLive(2, true),
        Step::Revoke(2),
        Step::Range(everything()),
        Step::Revoke(2),
        Step::KeepAlive(2),
        Step::TimeToLive(2, true),
    ]
}

fn compaction() -> Vec<Step> {
    let at = |offset: i64| Step::Range(pb::RangeRequest { revision: BASE + offset, ..everything() });
    let compact = |offset: i64| Step::Compact(pb::CompactionRequest { revision: BASE + offset, physical: true });
    vec![
        Step::Put(put(b"a", b"1")),
        Step::Put(put(b"a", b"2")),
        Step::Put(put(b"b", b"1")),
        Step::Delete(pb::DeleteRangeRequest { key: "a".into(), ..Default::default() }),
        Step::Put(put(b"a", b"3")),
        at(0),
        at(1),
        at(2),
        at(4),
        at(5),
        at(6),
        compact(3),
        at(2),
        at(3),
        compact(3),
        compact(2),
        compact(6),
        compact(5),
        at(4),
        at(5),
        Step::Range(everything()),
        Step::Compact(pb::CompactionRequest { revision: 0, physical: false }),
        Step::Compact(pb::CompactionRequest { revision: -1, physical: false }),
    ]
}

fn watches() -> Vec<Step> {
    let watch = |watch_id, start_revision, prev_kv| {
        Step::Watch(pb::WatchCreateRequest {
            key: "\0".into(),
            range_end: "\0".into(),
            start_revision,
            prev_kv,
            watch_id,
            ..Default::default()
        })
    };
    vec![
        watch(1, 0, true),
        watch(1, 0, true),
        watch(0, 0, false),
        watch(0, BASE + 3, false),
        Step::Put(put(b"a", b"1")),
        Step::Put(put(b"a", b"2")),
        Step::CancelWatch(0),
        Step::CancelWatch(77),
        Step::Txn(nested()),
        Step::Delete(pb::DeleteRangeRequest { key: "\0".into(), range_end: "\0".into(), ..Default::default() }),
        Step::Compact(pb::CompactionRequest { revision: BASE + 3, physical: true }),
        watch(5, BASE + 2, true),
        watch(6, BASE + 1, false),
        watch(7, BASE + 3, false),
        watch(8, BASE + 4, true),
        watch(9, -4, true),
        Step::Watch(pb::WatchCreateRequest { key: "b".into(), range_end: "a".into(), ..Default::default() }),
        Step::Watch(pb::WatchCreateRequest { range_end: "\0".into(), watch_id: 12, ..Default::default() }),
        Step::Put(put(b"z", b"1")),
    ]
}

fn ignored() -> Vec<Step> {
    let kept = |ignore_value, ignore_lease, value: &'static [u8], lease| {
        Step::Put(pb::PutRequest { ignore_value, ignore_lease, lease, prev_kv: true, ..put(b"a", value) })
    };
    vec![
        kept(true, false, b"", 0),
        kept(false, true, b"1", 0),
        Step::Grant(pb::LeaseGrantRequest { ttl: 100, id: 1 }),
        kept(false, false, b"1", 1),
        kept(true, false, b"2", 0),
        kept(false, true, b"2", 1),
        kept(false, true, b"2", 0),
        kept(true, false, b"", 0),
        kept(true, true, b"", 0),
        kept(false, false, b"1", 9),
        get(b"a"),
    ]
}
