use super::*;
use crate::Error;
use crate::api::etcdserverpb::Compare;
use crate::api::etcdserverpb::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::api::etcdserverpb::range_request::{SortOrder, SortTarget};
use crate::api::etcdserverpb::response_op::Response;

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn revisions_count_transactions_and_can_be_read() {
    let world = World::new();
    assert_eq!(world.coord.revision(), 1);
    assert_eq!((world.put("a", "1"), world.put("b", "2"), world.put("a", "3")), (2, 3, 4));
    assert_eq!(world.delete("a", "z"), (2, 5));
    assert_eq!(world.delete("a", "z"), (0, 5));
    assert_eq!(world.all(3), pairs(&[("a", "1"), ("b", "2")]));
    assert_eq!(world.all(4), pairs(&[("a", "3"), ("b", "2")]));
    assert_eq!(world.all(0), pairs(&[]));
    assert_eq!(world.range("a", "", 6).unwrap_err(), Error::FutureRevision);
    let old = world.range("a", "", 4).unwrap();
    let pair = &old.kvs[0];
    assert_eq!((pair.create_revision, pair.mod_revision, pair.version), (2, 4, 2));
    assert_eq!((old.count, old.header.unwrap().revision), (1, 5));
}

#[test]
fn everything_is_there_after_a_restart() {
    let world = World::new();
    world.put("a", "1");
    world.put("a", "2");
    world.put("b", "1");
    world.delete("b", "");
    let cluster = world.coord.header().cluster_id;
    let world = world.reopen();
    assert_eq!((world.coord.revision(), world.coord.header().cluster_id), (5, cluster));
    assert_eq!(world.all(0), pairs(&[("a", "2")]));
    assert_eq!(world.all(4), pairs(&[("a", "2"), ("b", "1")]));
    assert_eq!(world.put("a", "3"), 6);
    assert_eq!(world.range("a", "", 0).unwrap().kvs[0].version, 3);
}

#[test]
fn puts_can_keep_what_was_there() {
    let world = World::new();
    let missing = PutRequest { ignore_value: true, ..put_request("a", "") };
    assert_eq!(world.put_with(missing.clone()).unwrap_err(), Error::KeyNotFound);
    assert_eq!(world.put_with(PutRequest { lease: 9, ..put_request("a", "") }).unwrap_err(), Error::LeaseNotFound);
    assert_eq!(world.coord.revision(), 1);
    world.put("a", "1");
    let previous = world.put_with(PutRequest { prev_kv: true, ..missing }).unwrap().prev_kv.unwrap();
    assert_eq!((text(&previous.value), previous.version), ("1".to_owned(), 1));
    assert_eq!(world.all(0), pairs(&[("a", "1")]));
}

#[test]
fn ranges_are_cut_sorted_and_filtered() {
    let world = World::new();
    for (key, value) in [("a", "3"), ("b", "1"), ("c", "2"), ("a", "0")] {
        world.put(key, value);
    }
    let all = RangeRequest { key: bytes("a"), range_end: bytes("\0"), ..Default::default() };
    let keys = |request: &RangeRequest| {
        let response = world.coord.range(request).unwrap();
        let keys: String = response.kvs.iter().map(|pair| text(&pair.key)).collect();
        (keys, response.more, response.count)
    };
    let answer = |keys: &str, more, count| (keys.to_owned(), more, count);
    assert_eq!(keys(&RangeRequest { limit: 2, ..all.clone() }), answer("ab", true, 3));
    assert_eq!(keys(&RangeRequest { limit: 3, ..all.clone() }), answer("abc", false, 3));
    assert_eq!(keys(&RangeRequest { count_only: true, ..all.clone() }), answer("", false, 3));
    let sorted = |target: SortTarget, order: SortOrder| {
        keys(&RangeRequest { sort_target: target as i32, sort_order: order as i32, limit: 2, ..all.clone() })
    };
    assert_eq!(sorted(SortTarget::Value, SortOrder::None), answer("ab", true, 3));
    assert_eq!(sorted(SortTarget::Key, SortOrder::Descend), answer("cb", true, 3));
    assert_eq!(sorted(SortTarget::Mod, SortOrder::Descend), answer("ac", true, 3));
    assert_eq!(sorted(SortTarget::Version, SortOrder::Ascend), answer("bc", true, 3));
    assert_eq!(keys(&RangeRequest { min_mod_revision: 4, ..all.clone() }), answer("ac", false, 3));
    assert_eq!(keys(&RangeRequest { max_create_revision: 3, ..all.clone() }), answer("ab", false, 3));
    let bare = world.coord.range(&RangeRequest { keys_only: true, ..all }).unwrap();
    assert!(bare.kvs.iter().all(|pair| pair.value.is_empty()));
    assert_eq!(world.range("c", "a", 0).unwrap().count, 0);
}

fn value_is(key: &str, value: &str) -> Compare {
    Compare {
        result: CompareResult::Equal as i32,
        target: CompareTarget::Value as i32,
        key: bytes(key),
        target_union: Some(TargetUnion::Value(bytes(value))),
        ..Default::default()
    }
}

fn read(key: &str) -> RequestOp {
    operation(Request::RequestRange(RangeRequest { key: bytes(key), ..Default::default() }))
}

#[test]
fn a_transaction_sees_its_own_changes_and_is_one_revision() {
    let world = World::new();
    world.put("a", "1");
    let inner = TxnRequest {
        compare: vec![value_is("b", "2")],
        success: vec![operation(Request::RequestPut(put_request("wrong", "")))],
        failure: vec![operation(Request::RequestPut(put_request("c", "3")))],
    };
    let request = TxnRequest {
        compare: vec![value_is("a", "1")],
        success: vec![
            read("b"),
            operation(Request::RequestPut(put_request("b", "2"))),
            read("b"),
            // Compared with what was there before.
            operation(Request::RequestTxn(inner)),
        ],
        failure: vec![],
    };
    let response = world.txn(&request).unwrap();
    assert_eq!((response.succeeded, response.header.unwrap().revision), (true, 3));
    let counts: Vec<_> = response
        .responses
        .iter()
        .map(|response| match response.response.as_ref().unwrap() {
            Response::ResponseRange(range) => (range.count, range.header.unwrap().revision),
            Response::ResponsePut(put) => (-1, put.header.unwrap().revision),
            Response::ResponseTxn(txn) => (-2, txn.header.unwrap().revision),
            Response::ResponseDeleteRange(_) => (-3, 0),
        })
        .collect();
    assert_eq!(counts, [(0, 2), (-1, 3), (1, 3), (-2, 0)]);
    assert_eq!(world.all(0), pairs(&[("a", "1"), ("b", "2"), ("c", "3")]));
    let again = world.txn(&request).unwrap();
    assert_eq!(again.header.unwrap().revision, 4);
}

#[test]
fn a_refused_transaction_changes_nothing() {
    let world = World::new();
    let success = vec![
        operation(Request::RequestPut(put_request("a", "1"))),
        operation(Request::RequestRange(RangeRequest { key: bytes("a"), revision: 9, ..Default::default() })),
    ];
    let refused = world.txn(&TxnRequest { success, ..Default::default() });
    assert_eq!(refused.unwrap_err(), Error::FutureRevision);
    assert_eq!((world.coord.revision(), world.all(0)), (1, pairs(&[])));
    assert_eq!(world.put("a", "2"), 2);
}

#[test]
fn compaction_forgets_and_survives() {
    let world = World::new();
    for value in 0..300 {
        world.put(&format!("k{}", value % 3), &value.to_string());
    }
    world.delete("k0", "");
    assert_eq!(world.compact(400).unwrap_err(), Error::FutureRevision);
    let used = world.coord.status().unwrap().db_size_in_use;
    world.compact(302).unwrap();
    assert_eq!(world.compact(302).unwrap_err(), Error::Compacted);
    assert!(world.coord.status().unwrap().db_size_in_use < used / 20);
    assert_eq!(world.range("k1", "", 301).unwrap_err(), Error::Compacted);
    let expected = pairs(&[("k1", "298"), ("k2", "299")]);
    assert_eq!(world.all(302), expected);
    let used = world.coord.status().unwrap().db_size_in_use;
    let world = world.reopen();
    assert_eq!((world.all(0), world.coord.status().unwrap().db_size_in_use), (expected, used));
    assert_eq!(world.range("k1", "", 301).unwrap_err(), Error::Compacted);
    assert_eq!(world.range("k1", "", 0).unwrap().kvs[0].version, 100);
}
