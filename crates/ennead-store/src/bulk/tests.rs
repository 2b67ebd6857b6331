use super::*;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::SystemClock;
use crate::disk::simulated::{Ending, Fault, Random, SimulatedDisk};
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

/// Keys and values of one sort: dense, random, skewed to few prefixes, of very different lengths.
fn row(sort: u64, random: &mut Random) -> (Vec<u8>, Vec<u8>) {
    let n = random.next();
    match sort {
        0 => ((n % 60_000).to_be_bytes().to_vec(), vec![1; 20]),
        1 => (n.to_be_bytes().to_vec(), vec![1; (n % 60) as usize]),
        2 => ([b"user:".as_slice(), &[(n % 3) as u8], &(n % 50_000).to_le_bytes()].concat(), vec![1; 5]),
        _ => (vec![n as u8; (n % 300) as usize], vec![2; if n.is_multiple_of(50) { 20_000 } else { 3 }]),
    }
}

#[test]
fn sizes_are_exact_for_what_is_flushed_and_bounded_for_the_rest() {
    for sort in 0..4 {
        let random = &mut Random::new(sort);
        let directory = tempfile::tempdir().unwrap();
        let options = Options { compact_min_bytes: 0, compact_percentage: 150, ..Options::new(directory.path()) };
        let mut store = Store::open(options.clone()).unwrap();
        let table = store.create_table("t", TableKind::Hashed).unwrap();
        for round in 0..6 {
            let mut batch = WriteBatch::new();
            for _ in 0..if sort == 3 { 2_000 } else { 15_000 } {
                let (key, value) = row(sort, random);
                if round % 2 == 1 && random.once_in(2) {
                    batch.delete(table, &key);
                } else {
                    batch.put(table, &key, &value);
                }
            }
            let (start, end) = (row(sort, random).0, row(sort, random).0);
            if round % 3 == 2 {
                batch.delete_range(table, &start, Some(&end));
            }
            store.write(&batch, Durability::None).unwrap();
            let stale = store.approximate_size(table, &[], None).unwrap();
            let counted = store.range_size(table, &[], None, u64::MAX).unwrap();
            assert!(counted.bytes <= stale.bytes + stale.unflushed_bytes, "{stale:?} {counted:?}");
            store.flush().unwrap();
            if round == 3 {
                store.compact(&mut |_, _| {}).unwrap();
            }
            if round == 4 {
                drop(store);
                store = Store::open(options.clone()).unwrap();
            }
            for (start, end) in [(&[][..], None), (&start, None), (&[], Some(&*end)), (&start, Some(&*end))] {
                let counted = store.range_size(table, start, end, u64::MAX).unwrap();
                let size = store.approximate_size(table, start, end).unwrap();
                assert_eq!((size.rows, size.bytes), (counted.rows, counted.bytes), "sort {sort}, round {round}");
            }
        }
    }
}

#[test]
fn a_stream_of_any_length_is_ingested_within_memory_and_resumed_after_a_crash() {
    for seed in 0..12 {
        let random = &mut Random::new(seed);
        let disk = SimulatedDisk::default();
        let open = || {
            let mut options = Options::new(PathBuf::from("/data"));
            (options.memtable_bytes, options.segment_bytes) = (32 << 10, 32 << 10);
            options.log_retention_bytes = 0;
            Store::open_with(Arc::new(disk.clone()), Arc::new(SystemClock), options, false).unwrap()
        };
        let store = open();
        let table = store.create_table("t", TableKind::Ordered).unwrap();
        store.wait_durable(1).unwrap();
        let largest = std::cell::Cell::new(0);
        let stream = |store: &Store, from: u64| {
            let store = store.clone();
            let largest = &largest;
            (from..8_000).map(move |n| {
                largest.set(largest.get().max(store.statistics().memtable_bytes));
                (n.to_be_bytes(), vec![n as u8; 100])
            })
        };
        disk.fail_after(1 + random.below(300), Fault::PowerCut);
        assert!(store.ingest_stream(table, stream(&store, 0)).is_err(), "seed {seed}");
        drop(store);
        disk.restart(Ending::PowerCut(seed));
        let store = open();
        // A prefix, in whole batches.
        let there = store.range_size(table, &[], None, u64::MAX).unwrap().rows;
        let mut iter = store.snapshot().iter(table, &[], None);
        iter.seek_to_last();
        assert_eq!(there, if iter.valid() { u64::from_be_bytes(iter.key().try_into().unwrap()) + 1 } else { 0 });
        let ingested = store.ingest_stream(table, stream(&store, there)).unwrap();
        assert_eq!(ingested.rows, 8_000 - there);
        assert!(store.durable() >= ingested.last.map_or(0, |last| last.sequence));
        assert_eq!(store.range_size(table, &[], None, u64::MAX).unwrap().rows, 8_000);
        assert!(largest.get() < 3 * (32 << 10), "seed {seed}: {}", largest.get());
        let unsorted = store.ingest_stream(table, [(b"a", b"1"), (b"a", b"2")]);
        assert!(matches!(unsorted, Err(Error::Invalid(text)) if text.contains("0 rows were written")));
    }
}

#[test]
fn a_stream_whose_batches_are_taken_back_leaves_no_hole() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { rollback: true, memtable_bytes: 1 << 20, ..Options::new(directory.path()) };
    let store = Store::open(options).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let kept = store.committed();
    let rows = (0..700_u32).map(|n| {
        if n == 400 {
            assert!(store.committed() > kept, "a batch of the stream is written");
            store.rollback_after(kept).unwrap();
        }
        (n.to_be_bytes(), [7; 1000])
    });
    assert!(matches!(store.ingest_stream(table, rows), Err(Error::RolledBack(_))));
    assert_eq!(store.range_size(table, &[], None, u64::MAX).unwrap().rows, 0);
    let rows = (0..700_u32).map(|n| (n.to_be_bytes(), [7; 1000]));
    assert_eq!(store.ingest_stream(table, rows).unwrap().rows, 700);
}
