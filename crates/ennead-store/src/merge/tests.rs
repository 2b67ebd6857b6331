use std::collections::BTreeMap;

use super::*;
use crate::Error;
use crate::{Durability, Options, Snapshot, WriteBatch};

/// Keeps the larger of two byte strings.
#[derive(Debug)]
struct Largest;

impl MergeOperator for Largest {
    fn name(&self) -> &str {
        "largest"
    }
    fn apply(&self, value: Option<&[u8]>, operand: &[u8]) -> Vec<u8> {
        value.unwrap_or_default().max(operand).to_vec()
    }
    fn combine(&self, older: &[u8], newer: &[u8]) -> Vec<u8> {
        older.max(newer).to_vec()
    }
}

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *state >> 33
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn check(snapshot: &Snapshot, table: Table, model: &Model) {
    for key in 0..12_u8 {
        assert_eq!(snapshot.get(table, &[key]).unwrap().as_ref(), model.get(&[key][..]));
    }
    let mut iter = snapshot.iter(table, &[], None);
    iter.seek_to_first();
    for (key, value) in model {
        assert_eq!((iter.key(), iter.value()), (key.as_slice(), value.as_slice()));
        iter.next();
    }
    assert!(!iter.valid());
    iter.seek_to_last();
    for (key, value) in model.iter().rev() {
        assert_eq!((iter.key(), iter.value()), (key.as_slice(), value.as_slice()));
        iter.prev();
    }
    assert!(!iter.valid());
}

/// Random merges, puts, deletes, range deletes, flushes, snapshots and restarts against a map.
fn agree_with_a_map(kind: TableKind, operator: &str, code: &dyn MergeOperator, seed: u64) {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(Options::new(directory.path())).unwrap();
    let mut table = store.create_merge_table("m", kind, operator).unwrap();
    let mut model = Model::new();
    let mut kept: Vec<(Snapshot, Model)> = Vec::new();
    let mut state = seed;
    for step in 0..400_u64 {
        let mut batch = WriteBatch::new();
        for _ in 0..random(&mut state) % 4 + 1 {
            let key = [(random(&mut state) % 12) as u8];
            let value = (random(&mut state) as i64).to_le_bytes();
            match random(&mut state) % 10 {
                0 => {
                    batch.put(table, &key, &value);
                    model.insert(key.to_vec(), value.to_vec());
                }
                1 => {
                    batch.delete(table, &key);
                    model.remove(&key[..]);
                }
                2 => {
                    let end = [key[0] + 3];
                    batch.delete_range(table, &key, Some(&end));
                    model.retain(|of, _| *of < key.to_vec() || *of >= end.to_vec());
                }
                _ => {
                    batch.merge(table, &key, &value);
                    let merged = code.apply(model.get(&key[..]).map(Vec::as_slice), &value);
                    model.insert(key.to_vec(), merged);
                }
            }
        }
        store.write(&batch, Durability::EverySec).unwrap();
        match random(&mut state) % 25 {
            0 => store.flush().unwrap(),
            1 => kept.push((store.snapshot(), model.clone())),
            2 if step % 3 == 0 => {
                kept.clear();
                store.close().unwrap();
                drop(store);
                store = Store::open(Options::new(directory.path())).unwrap();
                table = store.create_merge_table("m", kind, operator).unwrap();
            }
            _ => {}
        }
        if random(&mut state).is_multiple_of(8) {
            check(&store.snapshot(), table, &model);
        }
    }
    for (snapshot, model) in &kept {
        check(snapshot, table, model);
    }
    check(&store.snapshot(), table, &model);
}

#[test]
fn counters_agree_with_a_map() {
    for seed in 0..6 {
        agree_with_a_map(TableKind::Ordered, "add-i64", &AddI64, seed);
    }
}

#[test]
fn appends_agree_with_a_map() {
    for seed in 0..6 {
        agree_with_a_map(TableKind::Hashed, "append", &Append, seed);
    }
}

#[test]
fn the_builtin_operators_are_associative() {
    let mut state = 5;
    for operator in [&AddI64 as &dyn MergeOperator, &Append] {
        for _ in 0..200 {
            let [value, a, b] = [0; 3].map(|_| (random(&mut state) << 31 ^ random(&mut state)).to_le_bytes());
            let one_by_one = operator.apply(Some(&operator.apply(Some(&value), &a)), &b);
            assert_eq!(operator.apply(Some(&value), &operator.combine(&a, &b)), one_by_one);
        }
    }
}

#[test]
fn a_table_is_not_opened_without_its_operator() {
    let directory = tempfile::tempdir().unwrap();
    let with = Options { merge_operators: vec![Arc::new(Largest)], ..Options::new(directory.path()) };
    for flushed in [false, true] {
        let store = Store::open(with.clone()).unwrap();
        let table = store.create_merge_table("m", TableKind::Ordered, "largest").unwrap();
        let mut batch = WriteBatch::new();
        batch.merge(table, b"k", b"b");
        batch.merge(table, b"k", b"a");
        store.write(&batch, Durability::EverySec).unwrap();
        if flushed {
            store.flush().unwrap();
        }
        drop(store);
        let Err(Error::Open(text)) = Store::open(Options::new(directory.path())) else { panic!("it was opened") };
        assert!(text.contains("table m needs the merge operator largest"), "{text}");
    }
    let store = Store::open(with).unwrap();
    let table = store.table("m").unwrap();
    assert_eq!(store.get(table, b"k").unwrap().as_deref(), Some(&b"b"[..]));
}

#[test]
fn merges_are_refused_where_there_is_no_operator() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options::new(directory.path())).unwrap();
    let plain = store.create_table("plain", TableKind::Ordered).unwrap();
    let mut batch = WriteBatch::new();
    batch.merge(plain, b"k", b"v");
    assert!(matches!(store.commit(&batch), Err(Error::Invalid(_))));
    batch.clear();
    batch.put(plain, b"k", b"v");
    store.commit(&batch).unwrap();
    assert!(matches!(store.create_merge_table("x", TableKind::Ordered, "unknown"), Err(Error::Invalid(_))));
    assert!(matches!(store.create_merge_table("plain", TableKind::Ordered, "append"), Err(Error::Invalid(_))));
    store.create_merge_table("m", TableKind::Ordered, "append").unwrap();
    assert!(matches!(store.create_table("m", TableKind::Ordered), Err(Error::Invalid(_))));
    assert!(matches!(store.create_table("a\0b", TableKind::Ordered), Err(Error::Invalid(_))));
    assert_eq!(store.tables().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["m", "plain"]);
}

#[test]
fn threads_count_together_without_reading() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options { memtable_bytes: 64 << 10, ..Options::new(directory.path()) }).unwrap();
    let table = store.create_merge_table("m", TableKind::Ordered, "add-i64").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let mut batch = WriteBatch::new();
                    batch.merge(table, b"n", &1_i64.to_le_bytes());
                    store.write(&batch, Durability::EverySec).unwrap();
                }
            });
        }
    });
    assert_eq!(store.get(table, b"n").unwrap(), Some(3000_i64.to_le_bytes().to_vec()));
    store.flush().unwrap();
    assert_eq!(store.get(table, b"n").unwrap(), Some(3000_i64.to_le_bytes().to_vec()));
}
