use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::clock::Clock;
use crate::disk::simulated::{Ending, Random, SimulatedDisk};
use crate::{Durability, Operation, Options, TableChange};

/// A clock that a test sets.
#[derive(Debug, Clone, Default)]
struct SetClock(Arc<AtomicU64>);

impl SetClock {
    fn set(&self, now_ms: u64) {
        self.0.store(now_ms, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn open(disk: &SimulatedDisk, clock: &SetClock) -> Store {
    let mut options = Options::new(PathBuf::from("/data"));
    options.memtable_bytes = 64 << 10;
    options.segment_bytes = 64 << 10;
    options.rollback = true;
    Store::open_with(Arc::new(disk.clone()), Arc::new(clock.clone()), options, false).unwrap()
}

fn put(table: Table, key: &[u8], value: &[u8]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(table, key, value);
    batch
}

fn ordered() -> TableOptions {
    TableOptions::new(TableKind::Ordered)
}

#[test]
fn a_table_and_its_rows_come_in_one_batch_and_go_with_it() {
    let disk = SimulatedDisk::default();
    let store = open(&disk, &SetClock::default());
    let old = store.create_table("t", TableKind::Hashed).unwrap();
    store.commit(&put(old, b"k", b"old")).unwrap();
    let before = store.snapshot();
    let mut batch = WriteBatch::new();
    batch.put(old, b"late", b"gone with the table");
    batch.drop_table(&store, old).unwrap();
    let new = batch.create_table(&store, "t", &ordered()).unwrap();
    let merged = batch.create_table(&store, "m", &ordered().with_merge_operator("append")).unwrap();
    batch.put(new, b"k", b"new");
    batch.merge(merged, b"k", b"1");
    batch.tally(new, 5);
    assert_eq!((store.get(new, b"k").unwrap(), store.table("m")), (None, None), "nothing before the commit");
    let sequence = store.commit(&batch).unwrap().sequence;
    let check = |store: &Store| {
        assert_eq!(store.tables(), [("m".to_owned(), merged), ("t".to_owned(), new)]);
        assert_eq!(store.get(new, b"k").unwrap().as_deref(), Some(&b"new"[..]));
        assert_eq!(store.get(merged, b"k").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!((store.get(old, b"k").unwrap(), store.get(old, b"late").unwrap()), (None, None));
        assert_eq!(store.tally(new), 5);
    };
    check(&store);
    assert_eq!(before.get(old, b"k").unwrap().as_deref(), Some(&b"old"[..]));
    assert_eq!(before.get(new, b"k").unwrap(), None);
    store.flush().unwrap();
    check(&store);
    assert_eq!(before.get(old, b"k").unwrap().as_deref(), Some(&b"old"[..]), "also when the drop is flushed");
    let change = store.feed(sequence).unwrap().try_next().unwrap().unwrap();
    assert_eq!(change.table_changes().filter(|change| matches!(change, TableChange::Created { .. })).count(), 2);
    drop((before, store));
    disk.restart(Ending::PowerCut(1));
    check(&open(&disk, &SetClock::default()));
}

#[test]
fn a_batch_whose_tables_do_not_fit_changes_nothing() {
    let disk = SimulatedDisk::default();
    let store = open(&disk, &SetClock::default());
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let mut batch = WriteBatch::new();
    batch.put(table, b"k", b"v");
    let made = batch.create_table(&store, "u", &ordered()).unwrap();
    batch.put(made, b"k", b"v");
    let mut late = batch.clone();
    store.commit(&batch).unwrap();
    let committed = store.committed();
    // The same again; the name again; a row behind a drop; a drop of what is gone; a merge without an operator.
    assert!(matches!(store.commit(&late), Err(Error::TableExists(name)) if name == "u"));
    store.drop_table("u").unwrap();
    assert!(matches!(store.commit(&late), Err(Error::Conflict(_))));
    late.clear();
    late.create_table(&store, "u", &ordered()).unwrap();
    late.create_table(&store, "u", &ordered()).unwrap();
    assert!(matches!(store.commit(&late), Err(Error::TableExists(_))));
    late.clear();
    late.drop_table(&store, table).unwrap();
    late.put(table, b"k", b"v");
    assert!(matches!(store.commit(&late), Err(Error::UnknownTable(_))));
    late.clear();
    let other = late.create_table(&store, "w", &ordered()).unwrap();
    late.merge(other, b"k", b"v");
    assert!(matches!(store.commit(&late), Err(Error::Invalid(_))));
    assert!(matches!(store.commit(&put(other, b"k", b"v")), Err(Error::UnknownTable(_))));
    late.clear();
    late.drop_table(&store, table).unwrap();
    let twice = late.clone();
    store.commit(&late).unwrap();
    assert!(matches!(store.commit(&twice), Err(Error::UnknownTable(_))));
    assert!(matches!(late.drop_table(&store, table), Err(Error::UnknownTable(_))));
    assert_eq!((store.committed(), store.tables()), (committed + 2, vec![]));
    late.clear();
    let brief = late.create_table(&store, "brief", &ordered()).unwrap();
    late.put(brief, b"k", b"v");
    late.drop_table(&store, brief).unwrap();
    store.commit(&late).unwrap();
    assert_eq!((store.tables(), store.get(brief, b"k").unwrap()), (vec![], None));
    for bad in
        [ordered().with_merge_operator("none such"), ordered().with_merge_operator("append").with_ttl(Duration::MAX)]
    {
        assert!(matches!(late.create_table(&store, "x", &bad), Err(Error::Invalid(_))));
    }
}

#[test]
fn tables_of_a_batch_are_rolled_back_with_it() {
    let disk = SimulatedDisk::default();
    let store = open(&disk, &SetClock::default());
    let old = store.create_table("t", TableKind::Ordered).unwrap();
    let kept = store.commit(&put(old, b"k", b"old")).unwrap().sequence;
    let mut batch = WriteBatch::new();
    batch.drop_table(&store, old).unwrap();
    let new = batch.create_table(&store, "t", &ordered()).unwrap();
    batch.put(new, b"k", b"new");
    store.commit(&batch).unwrap();
    store.rollback_after(kept).unwrap();
    let check = |store: &Store| {
        assert_eq!(store.tables(), [("t".to_owned(), old)]);
        assert_eq!(store.get(old, b"k").unwrap().as_deref(), Some(&b"old"[..]));
        assert_eq!(store.get(new, b"k").unwrap(), None);
    };
    check(&store);
    store.flush().unwrap();
    drop(store);
    check(&open(&disk, &SetClock::default()));
}

#[test]
fn rows_are_there_for_their_time_and_not_longer() {
    let (disk, clock) = (SimulatedDisk::default(), SetClock::default());
    clock.set(1_000_000);
    let mut store = open(&disk, &clock);
    let options = ordered().with_ttl(Duration::from_secs(10));
    let table = store.create_table_with("t", &options).unwrap();
    assert_eq!(store.create_table_with("t", &options).unwrap(), table);
    assert!(matches!(store.create_table("t", TableKind::Ordered), Err(Error::Invalid(_))));
    let sequence = store.commit(&put(table, b"a", b"1")).unwrap().sequence;
    clock.set(1_004_000);
    store.commit(&put(table, b"b", b"2")).unwrap();
    let keys = |store: &Store| -> Vec<Vec<u8>> {
        let snapshot = store.snapshot();
        let forward: Vec<_> = snapshot.range(table, ..).map(|row| row.unwrap()).collect();
        let mut backward: Vec<_> = snapshot.range(table, ..).rev().map(|row| row.unwrap()).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        for (key, value) in &forward {
            assert_eq!(value.len(), 1, "no stamp is shown");
            assert_eq!(store.get(table, key).unwrap().as_ref(), Some(value));
        }
        forward.into_iter().map(|(key, _)| key).collect()
    };
    for flushed in [false, true] {
        if flushed {
            clock.set(1_004_000);
            store.flush().unwrap();
            drop(store);
            store = open(&disk, &clock);
        }
        clock.set(1_009_999);
        assert_eq!(keys(&store), [b"a", b"b"]);
        let before = store.snapshot();
        clock.set(1_010_000);
        assert_eq!(keys(&store), [b"b"]);
        assert_eq!((store.get(table, b"a").unwrap(), before.get(table, b"a").unwrap()), (None, Some(b"1".to_vec())));
        let mut iter = store.snapshot().iter(table, &[], None);
        iter.seek_for_prev(b"a");
        assert!(!iter.valid());
        iter.seek(b"a");
        assert_eq!((iter.key(), iter.value()), (&b"b"[..], &b"2"[..]));
    }
    let operations = store.feed(sequence).unwrap().try_next().unwrap().unwrap();
    assert!(operations.operations().eq([Operation::Put { table, key: b"a", value: b"1" }]));
    // Writing renews; deleting deletes; transactions see the same.
    store.commit(&put(table, b"b", b"3")).unwrap();
    clock.set(1_019_000);
    assert_eq!(keys(&store), [b"b"]);
    let mut transaction = store.optimistic_transaction();
    assert_eq!(transaction.get_for_update(table, b"a").unwrap(), None);
    transaction.put(table, b"a", b"4");
    transaction.commit(Durability::None).unwrap();
    assert_eq!(store.get(table, b"a").unwrap().as_deref(), Some(&b"4"[..]));
    let mut batch = WriteBatch::new();
    batch.delete(table, b"b");
    let made = batch.create_table(&store, "in a batch", &options).unwrap();
    batch.put(made, b"k", b"5");
    store.commit(&batch).unwrap();
    assert_eq!((keys(&store), store.get(made, b"k").unwrap()), (vec![b"a".to_vec()], Some(b"5".to_vec())));
    clock.set(1_029_000);
    assert_eq!((keys(&store), store.get(made, b"k").unwrap()), (vec![], None));
}

#[test]
fn what_is_over_leaves_the_disk_by_itself() {
    let (disk, clock) = (SimulatedDisk::default(), SetClock::default());
    let store = open(&disk, &clock);
    let table = store.create_table_with("t", &ordered().with_ttl(Duration::from_millis(8000))).unwrap();
    let other = store.create_table("other", TableKind::Ordered).unwrap();
    let rows = |table| store.shared().layers.load().base.extents(table).map_or(0, |extents| extents.total().0);
    for second in 0..40_u64 {
        clock.set(second * 1000);
        let mut batch = WriteBatch::new();
        for n in 0..300 {
            batch.put(table, &(n * 1000 + second).to_be_bytes(), &[7; 10]);
        }
        batch.put(other, &second.to_be_bytes(), b"");
        store.commit(&batch).unwrap();
        store.flush().unwrap();
        let size = store.approximate_size(table, &[], None).unwrap();
        assert_eq!(size.bytes, size.rows * 18);
        assert!(size.rows <= 300 * 12, "second {second}: {size:?}");
        assert_eq!(store.range_size(table, &[], None, u64::MAX).unwrap().rows, 300 * (second + 1).min(8));
    }
    // Without a write to the table, too.
    clock.set(100_000);
    assert!(rows(table.0) > 0);
    store.commit(&put(other, b"k", b"")).unwrap();
    store.flush().unwrap();
    assert_eq!((rows(table.0), rows(other.0)), (0, 41));
    // A compaction takes what is over without waiting for the eighth; what is written late and over already never comes.
    store.commit(&put(table, b"k", b"")).unwrap();
    store.flush().unwrap();
    clock.set(108_500);
    assert_eq!(store.compact(&mut |_, _| {}).unwrap().rows, 41);
}

#[test]
fn lifetimes_agree_with_a_map() {
    for seed in 0..150 {
        let random = &mut Random::new(seed);
        let (disk, clock) = (SimulatedDisk::default(), SetClock::default());
        let mut store = open(&disk, &clock);
        let kind = [TableKind::Ordered, TableKind::Hashed][random.below(2) as usize];
        let ttl = 1 + random.below(500);
        let options = TableOptions::new(kind).with_ttl(Duration::from_millis(ttl));
        let table = store.create_table_with("t", &options).unwrap();
        let mut model: BTreeMap<Vec<u8>, (Vec<u8>, u64)> = BTreeMap::new();
        let mut now = 0;
        for step in 0..80_u64 {
            now += random.below(60);
            clock.set(now);
            let key = vec![b'a' + random.below(8) as u8; random.below(3) as usize];
            match random.below(10) {
                0..=4 => {
                    store.commit(&put(table, &key, &step.to_be_bytes())).unwrap();
                    model.insert(key.clone(), (step.to_be_bytes().to_vec(), now));
                }
                5 => {
                    let mut batch = WriteBatch::new();
                    batch.delete_range(table, &key, Some(b"d"));
                    store.commit(&batch).unwrap();
                    model.retain(|of, _| !(*of >= key && of.as_slice() < b"d".as_slice()));
                }
                6 => store.flush().unwrap(),
                7 if random.once_in(4) => {
                    store.compact(&mut |_, _| {}).unwrap();
                }
                8 if random.once_in(2) => {
                    drop(store);
                    store = open(&disk, &clock);
                }
                _ => {}
            }
            let seen: BTreeMap<_, _> = store.snapshot().range(table, ..).map(|row| row.unwrap()).collect();
            let live = model.iter().filter(|(_, (_, written))| written + ttl > now);
            assert!(seen.into_iter().eq(live.map(|(key, (value, _))| (key.clone(), value.clone()))), "seed {seed}");
            let live = model.get(&key).filter(|(_, written)| written + ttl > now);
            assert_eq!(store.get(table, &key).unwrap(), live.map(|(value, _)| value.clone()), "seed {seed}");
        }
    }
}

#[test]
fn a_name_that_is_given_on_always_leads_to_a_table() {
    let store = Store::open_on(Arc::new(SimulatedDisk::default()), Options::new("/data")).unwrap();
    store.create_table("index", TableKind::Hashed).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut batch = WriteBatch::new();
            for _ in 0..2000 {
                batch.clear();
                let old = store.table("index").unwrap();
                batch.drop_table(&store, old).unwrap();
                let new = batch.create_table(&store, "index", &ordered()).unwrap();
                for key in 0..20u8 {
                    batch.put(new, &[key], b"row");
                }
                store.commit(&batch).unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            assert!(store.table("index").is_some());
        }
    });
    assert_eq!(store.tables().len(), 1);
}

#[test]
fn reading_a_row_with_a_lifetime_keeps_no_version_of_it() {
    let disk = SimulatedDisk::default();
    let clock: Arc<dyn Clock> = Arc::new(SetClock::default());
    let options = Options { memtable_bytes: 64 << 10, ..Options::new("/data") };
    let store = Store::open_with(Arc::new(disk), clock, options, false).unwrap();
    let table = store.create_table_with("t", &ordered().with_ttl(Duration::from_secs(60))).unwrap();
    store.commit(&put(table, b"k", b"000")).unwrap();
    let bytes = store.statistics().memtable_bytes;
    for value in 0..100 {
        store.commit(&put(table, b"k", format!("{value:03}").as_bytes())).unwrap();
        assert_eq!(store.get(table, b"k").unwrap().as_deref(), Some(format!("{value:03}").as_bytes()));
    }
    assert_eq!(store.statistics().memtable_bytes, bytes);
}
