use super::*;
use crate::{Options, TableKind};

#[test]
fn an_ingest_is_all_or_nothing_and_durable() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options { memtable_bytes: 64 << 10, ..Options::new(directory.path()) }).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let rows = |n: u32| (0..n).map(|n| (n.to_be_bytes(), [7; 20]));
    let unsorted = rows(10).chain([([0; 4], [0; 20])]);
    assert!(matches!(store.ingest(table, unsorted), Err(Error::Invalid(_))));
    assert!(matches!(store.ingest(table, [(b"a", b"1"), (b"a", b"2")]), Err(Error::Invalid(_))));
    assert_eq!(store.get(table, &[0; 4]).unwrap(), None);
    let commit = store.ingest(table, rows(20_000)).unwrap();
    assert!(store.durable() >= commit.sequence);
    store.flush().unwrap();
    let all = RangeSize { rows: 20_000, bytes: 480_000, complete: true };
    assert_eq!(store.range_size(table, &[], None, u64::MAX).unwrap(), all);
    let part = store.range_size(table, &[], None, 100).unwrap();
    assert_eq!((part.rows, part.complete), (100, false));
    drop(store);
    let store = Store::open(Options::new(directory.path())).unwrap();
    assert_eq!(store.range_size(table, &[], None, u64::MAX).unwrap(), all);
}
