//! Rolling back: what may go wrong with it, and what it leaves behind.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::catalogue::StoredName;
use crate::disk::Disk;
use crate::disk::simulated::{Ending, Fault, SimulatedDisk};
use crate::{Durability, Error, Options, Store, Table, TableKind, TableOptions, WriteBatch};

fn put(store: &Store, table: Table, number: u64, bytes: usize) -> u64 {
    let mut batch = WriteBatch::new();
    batch.put(table, &number.to_be_bytes(), &vec![number as u8; bytes]);
    store.write(&batch, Durability::EverySec).unwrap().sequence
}

fn small(path: impl Into<PathBuf>) -> Options {
    Options { rollback: true, segment_bytes: 4096, log_retention_bytes: 0, ..Options::new(path) }
}

#[test]
fn a_rollback_that_poisons_is_told() {
    let mut poisonings = 0;
    for at in 1..20 {
        let disk = SimulatedDisk::default();
        let store = disk.open_store(&small("/data")).unwrap();
        let table = store.create_table("t", TableKind::Ordered).unwrap();
        let kept = put(&store, table, 1, 1000);
        for number in 2..10 {
            put(&store, table, number, 1000);
        }
        store.wait_durable(store.committed()).unwrap();
        let told = Arc::new(AtomicU64::new(0));
        let telling = told.clone();
        store.on_durable(Box::new(move |_| {
            telling.fetch_add(1, Ordering::SeqCst);
        }));
        disk.fail_after(at, Fault::Io);
        let poisoned = matches!(store.rollback_after(kept), Err(Error::Poisoned(_)));
        assert_eq!(poisoned, store.poisoned().is_some(), "call {at}");
        assert_eq!(told.load(Ordering::SeqCst), u64::from(poisoned), "call {at}");
        poisonings += u64::from(poisoned);
    }
    assert!(poisonings > 2, "{poisonings}");
}

#[test]
fn a_segment_that_cannot_be_read_costs_the_rollback_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(small(directory.path())).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let kept = put(&store, table, 1, 1000);
    for number in 2..=20 {
        put(&store, table, number, 1000);
    }
    store.create_table("u", TableKind::Ordered).unwrap();
    let last = store.committed();
    store.wait_durable(last).unwrap();
    let files = std::fs::read_dir(directory.path().join("log")).unwrap().map(|file| file.unwrap().path());
    let mut segments: Vec<_> = files.filter(|path| !path.display().to_string().contains("spare")).collect();
    segments.sort();
    let (there, away) = (&segments[segments.len() / 2], directory.path().join("away"));
    std::fs::rename(there, &away).unwrap();
    assert!(matches!(store.rollback_after(kept), Err(Error::Io(_))));
    assert_eq!((store.poisoned(), store.committed(), store.table("u").is_some()), (None, last, true));
    std::fs::rename(&away, there).unwrap();
    let batches = std::iter::from_fn({
        let mut feed = store.feed(1).unwrap();
        move || feed.try_next().unwrap()
    });
    assert_eq!(batches.count() as u64, last, "all of the log is there");
    store.rollback_after(kept).unwrap();
    assert_eq!((store.committed(), store.table("u")), (kept, None));
    drop(store);
    let store = Store::open(small(directory.path())).unwrap();
    assert_eq!((store.committed(), store.table("u")), (kept, None));
}

#[test]
fn a_number_that_was_rolled_back_makes_another_table() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(small(directory.path())).unwrap();
    store.create_table("t", TableKind::Ordered).unwrap();
    let kept = store.committed();
    let mut batch = WriteBatch::new();
    let options = TableOptions::new(TableKind::Hashed).with_merge_operator("add-i64");
    let table = batch.create_table(&store, "old", &options).unwrap();
    batch.merge(table, b"k", &1_i64.to_le_bytes());
    batch.tally(table, 5);
    store.commit(&batch).unwrap();
    assert!(matches!(store.commit(&batch), Err(Error::TableExists(_))));
    store.rollback_after(kept).unwrap();
    // The same batch again is as right as another one that makes something else of the number.
    store.commit(&batch).unwrap();
    store.rollback_after(kept).unwrap();
    let mut batch = WriteBatch::new();
    let name = StoredName { name: "new", operator: Some("append"), ttl_ms: None }.encode();
    batch.create_table_row(table.0, TableKind::Ordered.to_byte(), &name);
    batch.tally(table, 1);
    store.commit(&batch).unwrap();
    for operand in [b"a", b"b"] {
        let mut batch = WriteBatch::new();
        batch.merge(table, b"k", operand);
        store.commit(&batch).unwrap();
    }
    let check = |store: &Store| {
        assert_eq!((store.table("old"), store.table("new"), store.tally(table)), (None, Some(table), 1));
        assert_eq!(store.get(table, b"k").unwrap().as_deref(), Some(&b"ab"[..]));
        let entry = store.shared().catalogue.get(table.0).unwrap();
        assert_eq!((entry.kind, entry.name.as_str()), (TableKind::Ordered, "new"));
    };
    check(&store);
    assert!(matches!(store.commit(&batch), Err(Error::TableExists(_))));
    store.drop_table("new").unwrap();
    assert!(matches!(store.commit(&batch), Err(Error::Conflict(_))));
    store.rollback_after(store.committed() - 1).unwrap();
    check(&store);
    store.flush().unwrap();
    check(&store);
    drop(store);
    check(&Store::open(small(directory.path())).unwrap());
}

#[test]
fn a_start_removes_what_a_crash_left_of_a_rollback() {
    let disk = SimulatedDisk::default();
    drop(disk.open_store(&small("/data")).unwrap());
    let draft = Path::new("/data/log/00000000000000000007.cut");
    disk.create(draft).unwrap();
    drop(disk.open_store(&small("/data")).unwrap());
    assert!(!disk.exists(draft).unwrap());
}

#[test]
fn a_segment_that_is_not_cut_yet_is_not_taken_for_a_new_one() {
    let disk = SimulatedDisk::default();
    let store = disk.open_store(&small("/data")).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    for number in 1..=2 {
        put(&store, table, number, 1200);
    }
    store.wait_durable(store.committed()).unwrap();
    store.shared().freeze();
    // The first segment ends, and its file waits for the next sync; the flush needs it no more.
    put(&store, table, 3, 3000);
    store.shared().flush_once().unwrap();
    put(&store, table, 4, 3000);
    store.wait_durable(store.committed()).unwrap();
    drop(store);
    disk.restart(Ending::Killed);
    let store = disk.open_store(&small("/data")).unwrap();
    for (number, bytes) in [(3_u64, 3000), (4, 3000)] {
        let value = store.get(table, &number.to_be_bytes()).unwrap();
        assert_eq!(value, Some(vec![number as u8; bytes]), "row {number}");
    }
}
