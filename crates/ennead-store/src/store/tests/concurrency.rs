//! Threads that write, read and sync at once, while memtables are frozen and flushed under them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::disk::simulated::{Fault, SimulatedDisk};
use crate::{Durability, Options, Sequence, Store, Table, TableKind, WriteBatch};

fn open(disk: &SimulatedDisk) -> Store {
    let mut options = Options::new("/data");
    options.memtable_bytes = 64 << 10;
    options.segment_bytes = 64 << 10;
    options.log_retention_bytes = 0;
    options.cache_bytes = 4 << 20;
    Store::open_on(Arc::new(disk.clone()), options).unwrap()
}

fn number(bytes: Option<Vec<u8>>) -> u64 {
    bytes.map_or(0, |bytes| u64::from_be_bytes(bytes[..8].try_into().unwrap()))
}

const ROUNDS: u64 = 4000;

/// Each writer counts up two rows of two tables in one batch.
fn write(store: &Store, tables: [Table; 2], writer: u8) {
    let mut batch = WriteBatch::new();
    for round in 1..=ROUNDS {
        batch.clear();
        let mut value = round.to_be_bytes().to_vec();
        // Rows are overwritten where they are, so it is the log that asks for flushes: 6 MB, and writers that are stopped
        // at half a MB of it make sure of more than a few.
        value.resize(160, writer);
        for table in tables {
            batch.put(table, &[writer], &value);
            batch.put(table, &[b'x', writer, (round % 50) as u8], &value);
        }
        batch.tally(tables[0], 1);
        let durability = if round % 500 == 0 { Durability::Always } else { Durability::EverySec };
        store.write(&batch, durability).unwrap();
    }
}

/// Readers see both rows of a batch or neither, and never an older value than before.
fn read(store: &Store, tables: [Table; 2], stop: &AtomicBool, reads: &AtomicU64) {
    let mut least = [0; 2];
    while !stop.load(Ordering::Relaxed) {
        let snapshot = store.snapshot();
        for writer in [0u8, 1] {
            let [one, two] = tables.map(|table| number(snapshot.get(table, &[writer]).unwrap()));
            assert_eq!(one, two, "writer {writer} at {}", snapshot.sequence());
            let newest = number(store.get(tables[1], &[writer]).unwrap());
            assert!(one >= least[writer as usize] && newest >= one);
            least[writer as usize] = newest;
        }
        let mut iter = snapshot.iter(tables[0], b"x", None);
        iter.seek_to_first();
        let mut count = 0;
        while iter.valid() {
            count += 1;
            iter.next();
        }
        iter.status().unwrap();
        assert!(count <= 100, "{count}");
        reads.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn readers_see_whole_batches_while_memtables_are_flushed() {
    let disk = SimulatedDisk::default();
    let store = open(&disk);
    let tables = [
        store.create_table("ordered", TableKind::Ordered).unwrap(),
        store.create_table("hashed", TableKind::Hashed).unwrap(),
    ];
    let (stop, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let told = Arc::new(AtomicU64::new(0));
    let listener = told.clone();
    store.on_durable(Box::new(move |sequence| {
        listener.fetch_max(sequence, Ordering::SeqCst);
    }));
    std::thread::scope(|scope| {
        scope.spawn(|| read(&store, tables, &stop, &reads));
        let writers: Vec<_> = [0, 1]
            .map(|writer| {
                scope.spawn({
                    let store = &store;
                    move || write(store, tables, writer)
                })
            })
            .into();
        // The reader is stopped first, whatever became of the writers: a failure is to be seen, not waited for.
        let written: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        stop.store(true, Ordering::Relaxed);
        assert!(written.iter().all(Result::is_ok), "a writer failed");
    });
    let figures = store.statistics();
    assert!(figures.flushes > 3 && reads.load(Ordering::Relaxed) > 10, "{figures:?}");
    // The listener is told just after.
    let deadline = Instant::now() + Duration::from_secs(30);
    while told.load(Ordering::SeqCst) != store.durable() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert_eq!(told.load(Ordering::SeqCst), store.durable());
    assert_eq!(store.tally(tables[0]), 2 * ROUNDS as i64);
    drop(store);
    let store = open(&disk);
    for table in tables {
        assert_eq!(number(store.get(table, &[0]).unwrap()), ROUNDS);
        assert_eq!(store.snapshot().range(table, ..).count(), 102);
    }
    assert_eq!(store.tally(tables[0]), 2 * ROUNDS as i64);
}

#[test]
fn a_late_request_to_flush_does_not_stand_for_the_next_memtable() {
    let disk = SimulatedDisk::default();
    let store = open(&disk);
    let table = store.create_table("t", TableKind::Hashed).unwrap();
    let shared = store.shared();
    for _ in 0..3 {
        // The commit that fills the memtable is held up between its lock and its request.
        let (commit, after) = (0..200u8)
            .map(|key| {
                let mut batch = WriteBatch::new();
                batch.put(table, &[key], &[0; 1000]);
                shared.commit_locked(&mut shared.committing.lock(), &batch, &[]).unwrap()
            })
            .find(|(_, after)| after.flush)
            .expect("200 KB ask for a flush of 64 KiB");
        shared.flush_to(commit.sequence).unwrap();
        shared.after_commit(commit, after);
        assert_eq!(store.statistics().flushed, commit.sequence);
    }
}

#[test]
fn a_full_store_refuses_after_the_stall_timeout() {
    let disk = SimulatedDisk::default();
    let store = open(&disk);
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    // Nothing is flushed as long as somebody has the tree.
    let tree = store.shared().flusher.tree.lock();
    store.shared().freeze();
    let mut batch = WriteBatch::new();
    let refused = (0..1000u32)
        .find_map(|key| {
            batch.clear();
            batch.put(table, &key.to_be_bytes(), &[0; 1000]);
            store.commit(&batch).err()
        })
        .expect("1 MB does not fit into 128 KiB");
    assert!(matches!(refused, crate::Error::Stalled(_)), "{refused}");
    assert_eq!(store.pressure(), crate::Pressure::Stopped);
    let bytes = store.statistics().memtable_bytes;
    assert!(bytes < 3 * (64 << 10), "{bytes}");
    drop(tree);
    store.write(&batch, Durability::Always).unwrap();
}

#[test]
fn overwriting_one_row_for_ever_is_stopped_by_its_log() {
    let disk = SimulatedDisk::default();
    let store = open(&disk);
    let table = store.create_table("t", TableKind::Hashed).unwrap();
    let tree = store.shared().flusher.tree.lock();
    store.shared().freeze();
    let mut batch = WriteBatch::new();
    batch.put(table, b"key", &[0; 1000]);
    let refused = (0..2000).find_map(|_| store.commit(&batch).err()).expect("2 MB of log are more than 8 x 64 KiB");
    assert!(matches!(refused, crate::Error::Stalled(_)), "{refused}");
    assert!(store.statistics().memtable_bytes < 8 << 10);
    drop(tree);
    store.write(&batch, Durability::Always).unwrap();
}

/// A batch is all there for a read without a snapshot too, as far as its key goes, and so is what was read before it.
#[test]
fn a_get_sees_no_half_of_a_batch() {
    let disk = SimulatedDisk::default();
    let store = Store::open_on(Arc::new(disk.clone()), Options::new("/data")).unwrap();
    let table = store.create_table("t", TableKind::Hashed).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut batch = WriteBatch::new();
            for round in 1..=3000u64 {
                batch.clear();
                // First and last the same; between them the key is not there, and a great deal else is.
                batch.put(table, b"first", &round.to_be_bytes());
                batch.delete_range(table, b"k", Some(b"l"));
                for key in 0..20u8 {
                    batch.put(table, &[b'm', key], &[0; 16]);
                }
                batch.put(table, b"k", &round.to_be_bytes());
                store.write(&batch, Durability::None).unwrap();
            }
            stop.store(true, Ordering::Relaxed);
        });
        scope.spawn(|| {
            while store.get(table, b"k").unwrap().is_none() {}
            while !stop.load(Ordering::Relaxed) {
                let first = number(store.get(table, b"first").unwrap());
                let committed = store.committed();
                let last = store.get(table, b"k").unwrap();
                assert!(last.is_some() && number(last) >= first, "a half of batch {first}, committed {committed}");
            }
        });
    });
}

#[test]
fn the_log_of_one_row_does_not_grow_over_restarts() {
    let disk = SimulatedDisk::default();
    let mut batch = WriteBatch::new();
    for _ in 0..20 {
        let store = open(&disk);
        let table = store.create_table("t", TableKind::Hashed).unwrap();
        batch.clear();
        batch.put(table, b"key", &[0; 1000]);
        // A fifth of the log that fills a memtable of 64 KiB.
        for _ in 0..50 {
            store.commit(&batch).unwrap();
        }
        assert!(store.recovery().bytes_replayed < 5 * (64 << 10), "{:?}", store.recovery());
    }
}

/// A listener may have a hold of the store for a moment, and the others may let go of it in that moment. The work calls it,
/// and answers what has to be found again.
fn end_in_a_listener(work: impl Fn(&Store, Table, &SimulatedDisk) -> Sequence + Send + 'static) {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for _ in 0..20 {
            let disk = SimulatedDisk::default();
            let store = open(&disk);
            let table = store.create_table("ordered", TableKind::Ordered).unwrap();
            let mut batch = WriteBatch::new();
            batch.put(table, b"k", b"v");
            let commit = store.commit(&batch).unwrap();
            store.wait_durable(commit.sequence).unwrap();
            let owner = Arc::new(parking_lot::Mutex::new(Some(store.clone())));
            let (held, let_go) = (Arc::clone(&owner), Arc::new(AtomicBool::new(false)));
            let alone = Arc::clone(&let_go);
            store.on_durable(Box::new(move |_| {
                while !alone.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                drop(held.lock().take());
            }));
            let last = work(&store, table, &disk);
            drop(store);
            let_go.store(true, Ordering::SeqCst);
            while disk.in_use() {
                std::thread::yield_now();
            }
            disk.heal();
            assert_eq!(open(&disk).committed(), last);
        }
        done.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(60)).expect("a store does not come to its end");
}

fn write_and_sync(store: &Store, table: Table) -> Sequence {
    let mut batch = WriteBatch::new();
    batch.put(table, b"k", b"w");
    let commit = store.commit(&batch).unwrap();
    store.request_sync(commit.sequence);
    commit.sequence
}

#[test]
fn the_last_owner_may_end_in_a_listener_of_the_log() {
    end_in_a_listener(|store, table, _| write_and_sync(store, table));
}

/// Its thread tells of a failure while it holds the tree.
#[test]
fn the_last_owner_may_end_in_a_listener_of_a_flush_that_fails() {
    end_in_a_listener(|store, table, disk| {
        let flusher = &store.shared().flusher;
        disk.fail_after(1, Fault::Io);
        flusher.ask(store.committed());
        while store.poisoned().is_none() && flusher.flushes.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        // What fills files of the log ahead may have met the fault, and can do without them.
        if store.poisoned().is_none() { write_and_sync(store, table) } else { store.committed() }
    });
}
