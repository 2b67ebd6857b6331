use super::*;
use crate::api::etcdserverpb::Compare;

fn put_of(key: &'static str) -> RequestOp {
    RequestOp { request: Some(Request::RequestPut(PutRequest { key: key.into(), ..Default::default() })) }
}

fn delete_of(key: &'static str, end: &'static str) -> RequestOp {
    let request = DeleteRangeRequest { key: key.into(), range_end: end.into(), ..Default::default() };
    RequestOp { request: Some(Request::RequestDeleteRange(request)) }
}

fn txn_of(success: Vec<RequestOp>, failure: Vec<RequestOp>) -> RequestOp {
    let request = TxnRequest { success, failure, ..Default::default() };
    RequestOp { request: Some(Request::RequestTxn(request)) }
}

fn checked(success: Vec<RequestOp>) -> Result<()> {
    txn(&TxnRequest { success, ..Default::default() })
}

#[test]
fn a_key_changes_once_in_a_transaction() {
    assert_eq!(checked(vec![put_of("a"), put_of("b")]), Ok(()));
    assert_eq!(checked(vec![put_of("a"), put_of("a")]), Err(Error::DuplicateKey));
    assert_eq!(checked(vec![put_of("b"), delete_of("a", "c")]), Err(Error::DuplicateKey));
    assert_eq!(checked(vec![put_of("c"), delete_of("a", "c")]), Ok(()));
    assert_eq!(checked(vec![delete_of("a", "c"), delete_of("b", "d")]), Ok(()));
}

#[test]
fn branches_exclude_each_other_but_not_their_surroundings() {
    assert_eq!(checked(vec![txn_of(vec![put_of("a")], vec![put_of("a")])]), Ok(()));
    assert_eq!(checked(vec![put_of("a"), txn_of(vec![put_of("a")], vec![])]), Err(Error::DuplicateKey));
    assert_eq!(checked(vec![put_of("a"), txn_of(vec![], vec![delete_of("a", "")])]), Err(Error::DuplicateKey));
    let twice = vec![txn_of(vec![put_of("a")], vec![]), txn_of(vec![], vec![put_of("a")])];
    assert_eq!(checked(twice), Err(Error::DuplicateKey));
}

#[test]
fn transactions_have_limits() {
    let compare = |count| vec![Compare { key: "k".into(), ..Default::default() }; count];
    let of = |count| txn(&TxnRequest { compare: compare(count), ..Default::default() });
    assert_eq!((of(128), of(129)), (Ok(()), Err(Error::TooManyOperations)));
    // What is within has what is left.
    let inner = vec![delete_of("a", ""); 127];
    assert_eq!(checked(vec![txn_of(inner.clone(), vec![])]), Ok(()));
    assert_eq!(checked(vec![txn_of(inner, vec![]), put_of("b")]), Err(Error::TooManyOperations));
}

#[test]
fn requests_name_keys() {
    assert_eq!(range(&RangeRequest::default()), Err(Error::EmptyKey));
    assert_eq!(
        range(&RangeRequest { key: "k".into(), sort_order: 3, ..Default::default() }),
        Err(Error::InvalidSortOption)
    );
    assert_eq!(checked(vec![RequestOp::default()]), Err(Error::KeyNotFound));
    assert_eq!(
        put(&PutRequest { key: "k".into(), lease: 1, ignore_lease: true, ..Default::default() }),
        Err(Error::LeaseProvided)
    );
}

#[test]
fn requests_have_a_largest_size() {
    let of = |bytes| size(&PutRequest { key: "k".into(), value: vec![0; bytes].into(), ..Default::default() });
    assert_eq!((of(1_500_000), of(3 << 19)), (Ok(()), Err(Error::RequestTooLarge)));
}
