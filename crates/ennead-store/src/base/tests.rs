use std::ops::Bound;
use std::sync::Arc;

use super::*;
use crate::disk::simulated::{Random, SimulatedDisk};
use crate::memtable::Memtable;

fn state(flushed: Sequence) -> BaseState {
    let table = TableImage { table: 1, kind: TableKind::Ordered, name: "t".into(), tally: -4 };
    BaseState { flushed, catalogue: CatalogueImage { next_table: 2, tables: vec![table] } }
}

#[test]
fn a_merge_stores_rows_and_state_together() {
    let disk = SimulatedDisk::default();
    let base = Base::open(&disk, Path::new("/d/data.redb"), 1 << 20).unwrap();
    assert_eq!(base.state().unwrap(), BaseState::default());
    let memtable = Arc::new(Memtable::default());
    for (sequence, key) in [b"a", b"b", b"c", b"d"].into_iter().enumerate() {
        memtable.insert(1, TableKind::Ordered, sequence as u64 + 1, key, Some(key));
    }
    base.merge(&memtable, &state(4), 0).unwrap();
    let before = base.view().unwrap();
    let memtable = Arc::new(Memtable::default());
    memtable.insert(1, TableKind::Ordered, 5, b"b", None);
    memtable.delete_range(1, TableKind::Ordered, 6, b"c", None);
    memtable.insert(1, TableKind::Ordered, 7, b"x", Some(b"new"));
    let merged = base.merge(&memtable, &state(7), 0).unwrap();
    assert_eq!((merged.puts, merged.deletes), (1, 1));
    assert_eq!(base.state().unwrap(), state(7));
    let keys = |view: &View| -> Vec<Vec<u8>> {
        let range = view.range(1, (Bound::Unbounded, Bound::Unbounded)).unwrap().unwrap();
        range.map(|row| row.unwrap().0.value().to_vec()).collect()
    };
    assert_eq!(keys(&base.view().unwrap()), [b"a", b"x"]);
    assert_eq!(keys(&before).len(), 4);
}

#[test]
fn a_range_delete_of_everything_empties_the_table_and_a_dropped_table_goes() {
    let disk = SimulatedDisk::default();
    let base = Base::open(&disk, Path::new("/d/data.redb"), 1 << 20).unwrap();
    let memtable = Arc::new(Memtable::default());
    memtable.insert(1, TableKind::Hashed, 1, b"old", Some(b"1"));
    base.merge(&memtable, &state(1), 0).unwrap();
    let memtable = Arc::new(Memtable::default());
    memtable.delete_range(1, TableKind::Hashed, 2, b"", None);
    memtable.insert(1, TableKind::Hashed, 3, b"new", Some(b"2"));
    base.merge(&memtable, &state(3), 0).unwrap();
    let get = |key: &[u8]| base.view().unwrap().get(1, key, <[u8]>::to_vec).unwrap();
    assert_eq!((get(b"old"), get(b"new")), (None, Some(b"2".to_vec())));
    base.merge(&Arc::new(Memtable::default()), &BaseState { flushed: 4, ..BaseState::default() }, 0).unwrap();
    assert_eq!(get(b"new"), None);
}

/// Rows of the tree and of the memtable in turns, in runs of all lengths, with deletes and overwritten rows.
#[test]
fn rows_that_go_into_gaps_together_are_those_that_went_in_one_by_one() {
    let disk = SimulatedDisk::default();
    let base = Base::open(&disk, Path::new("/d/data.redb"), 1 << 20).unwrap();
    let mut random = Random::new(7);
    let mut model = std::collections::BTreeMap::new();
    for round in 1..=6 {
        let memtable = Arc::new(Memtable::default());
        let mut number = 0;
        while number < 30_000 {
            number += random.below(200);
            for _ in 0..random.below(300) {
                number += 1;
                let (key, value) = (format!("{number:08}").into_bytes(), vec![round; random.below(40) as usize]);
                let value = (random.below(10) != 0).then_some(value);
                memtable.insert(1, TableKind::Ordered, u64::from(round), &key, value.as_deref());
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(&key),
                };
            }
        }
        base.merge(&memtable, &state(u64::from(round)), 0).unwrap();
        let view = base.view().unwrap();
        let rows = view.range(1, (Bound::Unbounded, Bound::Unbounded)).unwrap().unwrap();
        let rows = rows.map(|row| row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).unwrap());
        assert!(rows.eq(model.clone()), "round {round}");
        let bytes = model.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
        assert_eq!(view.live(), (model.len() as u64, bytes));
    }
}
