use super::rows::{Malformed, Row, Rows};
use super::*;

#[test]
fn operations_come_back_in_order() {
    let (a, b) = (Table(1), Table(300));
    let mut batch = WriteBatch::new();
    batch.put(a, b"k", b"v");
    batch.delete(b, &[7; 200]);
    batch.delete_range(a, b"", None);
    batch.delete_range(a, b"x", Some(b""));
    let got: Vec<_> = batch.operations().collect();
    assert_eq!(
        got,
        [
            Operation::Put { table: a, key: b"k", value: b"v" },
            Operation::Delete { table: b, key: &[7; 200] },
            Operation::DeleteRange { table: a, start: b"", end: None },
            Operation::DeleteRange { table: a, start: b"x", end: Some(b"") },
        ]
    );
    assert_eq!(batch.len(), 4);
    assert_eq!(batch.tables(), [a, b]);
    batch.clear();
    assert!(batch.is_empty());
    assert_eq!(batch.operations().count(), 0);
}

#[test]
fn a_row_takes_the_place_of_the_last_one_of_its_key() {
    let (a, b) = (Table(1), Table(2));
    let mut batch = WriteBatch::new();
    batch.put(a, b"k", b"long value");
    batch.put(a, b"k", b"v");
    batch.delete(a, b"l");
    batch.put(a, b"l", b"");
    batch.put(b, b"l", b"");
    batch.delete(b, b"l");
    batch.merge(b, b"m", b"1");
    batch.put(b, b"m", b"2");
    batch.put(a, b"k", b"w");
    let got: Vec<_> = batch.operations().collect();
    assert_eq!(
        got,
        [
            Operation::Put { table: a, key: b"k", value: b"v" },
            Operation::Put { table: a, key: b"l", value: b"" },
            Operation::Delete { table: b, key: b"l" },
            Operation::Merge { table: b, key: b"m", operand: b"1" },
            Operation::Put { table: b, key: b"m", value: b"2" },
            Operation::Put { table: a, key: b"k", value: b"w" },
        ]
    );
    assert_eq!(batch.len(), 6);
    batch.clear();
    batch.put(a, b"k", b"w");
    assert_eq!(batch.len(), 1);
}

#[test]
fn tallies_of_one_table_are_summed() {
    let mut batch = WriteBatch::new();
    batch.tally(Table(1), 5);
    batch.tally(Table(2), 1);
    batch.tally(Table(1), -2);
    assert_eq!(batch.tallies(), [(1, 3), (2, 1)]);
    assert!(!batch.is_empty());
}

#[test]
fn a_cut_row_is_malformed_at_every_length() {
    let mut bytes = Vec::new();
    rows::encode_put(&mut bytes, 70_000, b"key", b"value");
    assert_eq!(Rows::new(&bytes).next(), Some(Ok(Row::Put { table: 70_000, key: b"key", value: b"value" })));
    for length in 1..bytes.len() {
        let mut rows = Rows::new(&bytes[..length]);
        assert_eq!(rows.next(), Some(Err(Malformed(0))), "{length}");
        assert_eq!(rows.next(), None);
    }
}
