use std::sync::Arc;

use super::*;

fn covering(ranges: &RangeDeletes, key: &[u8]) -> Sequence {
    ranges.covering(key, Sequence::MAX)
}

#[test]
fn range_deletes_are_split_where_they_overlap() {
    let ranges = RangeDeletes::default();
    ranges.insert(b"b", Some(b"f"), 1);
    ranges.insert(b"d", Some(b"h"), 2);
    ranges.insert(b"x", None, 3);
    let expected = [("a", 0), ("b", 1), ("c", 1), ("d", 2), ("g", 2), ("h", 0), ("w", 0), ("x", 3), ("zz", 3)];
    for (key, sequence) in expected {
        assert_eq!(covering(&ranges, key.as_bytes()), sequence, "{key}");
    }
    assert_eq!(ranges.covering(b"e", 1), 1);
    assert_eq!(ranges.covering(b"e", 0), 0);
    let all = ranges.all();
    let spans: Vec<_> = all.iter().map(|covered| (&*covered.start, covered.end.as_deref())).collect();
    assert_eq!(spans, [(&b"b"[..], Some(&b"h"[..])), (b"x", None)]);
    ranges.insert(b"", None, 4);
    assert_eq!(ranges.all().len(), 1);
    ranges.truncate_after(1);
    assert_eq!((covering(&ranges, b"c"), covering(&ranges, b"g"), covering(&ranges, b"x")), (1, 0, 0));
}

#[test]
fn an_older_bound_sees_the_row_that_was_replaced() {
    for kind in [TableKind::Ordered, TableKind::Hashed] {
        let memtable = Memtable::default();
        memtable.keep(Sequence::MAX);
        memtable.insert(1, kind, 5, b"k", Some(b"five"));
        memtable.insert(1, kind, 7, b"k", None);
        memtable.insert(1, kind, 9, b"k", Some(&[b'9'; 300_000]));
        let get = |bound| memtable.get(1, b"k", bound, <[u8]>::len);
        assert_eq!(get(4), Found::Nothing);
        assert_eq!(get(6), Found::Value(5, 4));
        assert_eq!(get(8), Found::Deleted(7));
        assert_eq!(get(9), Found::Value(9, 300_000));
        memtable.truncate_after(7);
        assert_eq!(get(9), Found::Deleted(7));
        memtable.truncate_after(1);
        assert_eq!(get(9), Found::Nothing);
        assert!(memtable.bytes() > 300_000);
    }
}

#[test]
fn rows_above_the_newest_snapshot_are_overwritten_in_their_place() {
    for kind in [TableKind::Ordered, TableKind::Hashed] {
        let memtable = Memtable::default();
        let get = |bound| memtable.get(1, b"k", bound, <[u8]>::to_vec);
        memtable.insert(1, kind, 1, b"k", Some(b"one!"));
        memtable.insert(1, kind, 2, b"k", Some(b"two!"));
        let bytes = memtable.bytes();
        memtable.keep(2);
        memtable.insert(1, kind, 3, b"k", Some(b"3333"));
        let with_version = memtable.bytes();
        assert!(with_version > bytes);
        for sequence in 4..100 {
            memtable.insert(1, kind, sequence, b"k", Some(b"more"));
        }
        assert_eq!(memtable.bytes(), with_version);
        assert_eq!(get(2), Found::Value(2, b"two!".to_vec()));
        assert_eq!(get(Sequence::MAX), Found::Value(99, b"more".to_vec()));
        // Another length needs another place, and is linked to what the snapshot sees, not to what it replaces.
        memtable.insert(1, kind, 100, b"k", Some(b"much longer"));
        memtable.insert(1, kind, 101, b"k", None);
        memtable.insert(1, kind, 102, b"k", Some(b""));
        assert_eq!(get(Sequence::MAX), Found::Value(102, Vec::new()));
        assert_eq!(get(2), Found::Value(2, b"two!".to_vec()));
        assert_eq!(get(1), Found::Nothing);
    }
}

#[test]
fn a_table_without_rows_here_has_no_cursor() {
    let memtable = Arc::new(Memtable::default());
    memtable.insert(3, TableKind::Hashed, 1, b"", Some(b""));
    assert!(Cursor::new(&memtable, 2, 1, b"", None).is_none());
    let mut cursor = Cursor::new(&memtable, 3, 1, b"", None).unwrap();
    cursor.seek(std::ops::Bound::Unbounded, Direction::Backward);
    assert_eq!(cursor.current().map(|row| row.key.len()), Some(0));
    cursor.advance();
    assert!(cursor.current().is_none());
}

#[test]
fn rows_are_sorted_whatever_their_keys_have_in_common() {
    let mut keys: Vec<Vec<u8>> = Vec::new();
    for object in 0..4u64 {
        for member in 0..300u32 {
            keys.push(
                [&[7][..], &object.to_be_bytes(), format!("member:{:x}", member * 7919 % 300).as_bytes()].concat(),
            );
            keys.push([&[7][..], &object.to_be_bytes(), &vec![0; member as usize % 40]].concat());
        }
    }
    keys.push(Vec::new());
    let key = |location: u32| keys[location as usize].as_slice();
    let sorted = order::by_key(0..keys.len() as u32, key, |_| true);
    assert!(sorted.iter().is_sorted_by_key(|location| key(*location)));
    assert_eq!(sorted.len(), keys.len());
}
