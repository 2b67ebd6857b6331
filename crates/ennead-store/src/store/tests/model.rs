//! The store against a map: random batches, snapshots, iterators in both directions, flushes, rollbacks, reopening.

use super::world::{self, History, Model};
use crate::disk::simulated::{Random, SimulatedDisk};
use crate::{Iter, Sequence, Snapshot, Store, Table};

struct Held {
    snapshot: Snapshot,
    sequence: Sequence,
}

#[test]
fn the_store_behaves_like_a_map() {
    world::for_seeds(1500, run);
}

fn run(seed: u64) {
    let random = &mut Random::new(seed);
    let disk = SimulatedDisk::default();
    let options = world::options(random);
    let mut store = world::open(&disk, &options).unwrap();
    let mut tables = world::tables(&store).unwrap();
    let mut history = History::new();
    history.push_same(store.committed());
    let mut held: Vec<Held> = Vec::new();
    let mut flushed = 0;
    for _ in 0..20 + random.below(60) {
        match random.below(20) {
            0..=8 => {
                let batch = world::batch(random, tables);
                history.push(&batch);
                let commit = store.write(&batch, crate::Durability::None).unwrap();
                assert_eq!(commit.sequence, history.last());
            }
            9 => {
                store.flush().unwrap();
                flushed = history.last();
            }
            // Frozen, and left there: reads go through both memtables.
            19 => store.shared().freeze(),
            10 => held.push(Held { snapshot: store.snapshot(), sequence: history.last() }),
            11 if !held.is_empty() => drop(held.swap_remove(random.below(held.len() as u64) as usize)),
            12 => {
                held.clear();
                if random.once_in(2) {
                    store.close().unwrap();
                }
                drop(store);
                store = world::open(&disk, &options).unwrap();
                tables = world::tables(&store).unwrap();
                flushed = store.statistics().flushed;
            }
            13 if options.rollback && random.once_in(3) => {
                flushed = flushed.max(store.statistics().flushed).max(3);
                let to = flushed + random.below(history.last().saturating_sub(flushed) + 1);
                // A snapshot may not outlive what it sees.
                held.clear();
                store.rollback_after(to).unwrap();
                history.truncate(to.min(history.last()));
            }
            14..=16 => check_points(random, &store, history.at(history.last()), tables),
            _ => {
                let fresh = Held { snapshot: store.snapshot(), sequence: history.last() };
                let pick = random.below(held.len() as u64 + 1) as usize;
                let from = held.get(pick).unwrap_or(&fresh);
                let index = random.below(3) as usize;
                check_iterator(random, &from.snapshot, tables[index], &history.at(from.sequence).tables[index]);
            }
        }
    }
    for held in held.iter().chain([&Held { snapshot: store.snapshot(), sequence: history.last() }]) {
        let seen = Model::of(&store, &held.snapshot, tables);
        assert_eq!(seen.tables, history.at(held.sequence).tables);
        for (index, rows) in history.at(held.sequence).tables.iter().enumerate() {
            for (key, value) in rows {
                assert_eq!(held.snapshot.get(tables[index], key).unwrap().as_ref(), Some(value));
            }
        }
    }
    assert_eq!(tables.map(|table| store.tally(table)), history.at(history.last()).tallies);
}

fn check_points(random: &mut Random, store: &Store, model: &Model, tables: [Table; 3]) {
    for _ in 0..10 {
        let key = world::key(random);
        let index = random.below(3) as usize;
        assert_eq!(store.get(tables[index], &key).unwrap(), model.tables[index].get(&key).cloned(), "{key:?}");
    }
}

fn check_iterator(random: &mut Random, snapshot: &Snapshot, table: Table, rows: &world::Rows) {
    let start = if random.once_in(2) { Vec::new() } else { world::key(random) };
    let end = random.once_in(2).then(|| world::key(random));
    let inside: Vec<_> =
        rows.iter().filter(|(key, _)| **key >= start && end.as_ref().is_none_or(|end| *key < end)).collect();
    let mut iter = snapshot.iter(table, &start, end.as_deref());
    assert!(!iter.valid());
    let mut at: Option<usize> = None;
    for _ in 0..12 {
        let target = world::key(random);
        match random.below(8) {
            0 => {
                iter.seek_to_first();
                at = (!inside.is_empty()).then_some(0);
            }
            1 => {
                iter.seek_to_last();
                at = inside.len().checked_sub(1);
            }
            2 => {
                iter.seek(&target);
                at = Some(inside.partition_point(|row| *row.0 < target)).filter(|at| *at < inside.len());
            }
            3 => {
                iter.seek_for_prev(&target);
                at = inside.partition_point(|row| *row.0 <= target).checked_sub(1);
            }
            4 | 5 => {
                iter.next();
                at = at.map(|at| at + 1).filter(|at| *at < inside.len());
            }
            _ => {
                iter.prev();
                at = at.and_then(|at| at.checked_sub(1));
            }
        }
        check_position(&iter, at.map(|at| inside[at]));
    }
    let both = snapshot.range(table, start.as_slice()..).map(Result::unwrap);
    let expected = rows.iter().filter(|(key, _)| **key >= start).map(|(k, v)| (k.clone(), v.clone()));
    assert!(both.rev().eq(expected.rev()));
    let mut ends = snapshot.range(table, ..);
    let mut model = rows.iter();
    while random.once_in(2) || model.len() > 0 {
        let (row, expected) =
            if random.once_in(2) { (ends.next(), model.next()) } else { (ends.next_back(), model.next_back()) };
        assert_eq!(row.map(|row| row.unwrap()), expected.map(|(k, v)| (k.clone(), v.clone())));
    }
}

fn check_position(iter: &Iter, expected: Option<(&Vec<u8>, &Vec<u8>)>) {
    iter.status().unwrap();
    assert_eq!(iter.valid(), expected.is_some());
    if let Some((key, value)) = expected {
        assert_eq!((iter.key(), iter.value()), (key.as_slice(), value.as_slice()));
    }
}
