use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::clock::SystemClock;
use crate::disk::simulated::{Ending, Fault, Random, SimulatedDisk};
use crate::disk::{Disk, DiskFile, DiskLock, RealDisk};
use crate::{Durability, Options, Store, Table, TableKind, WriteBatch};

fn options(path: PathBuf) -> Options {
    let mut options = Options::new(path);
    options.memtable_bytes = 1 << 20;
    options.segment_bytes = 1 << 20;
    options.cache_bytes = 8 << 20;
    options.log_retention_bytes = 0;
    options.compact_min_bytes = 4 << 20;
    options
}

/// Writes until a memtable is full. Without threads, the flush is the caller's.
fn fill(store: &Store, random: &mut Random, mut row: impl FnMut(&mut WriteBatch, u64)) {
    let mut batch = WriteBatch::new();
    while store.shared().layers.load().active.weight() < 1 << 20 {
        batch.clear();
        for _ in 0..200 {
            row(&mut batch, random.next());
        }
        store.commit(&batch).unwrap();
    }
    store.flush().unwrap();
    while store.shared().is_compacting_by_itself() {
        store.shared().compact_more().unwrap();
    }
}

fn assert_bound(store: &Store, what: &str) {
    let figures = store.statistics();
    assert!(!figures.compaction_running, "{what}");
    let (rows, bytes) = store.shared().layers.load().base.live();
    let bound = (4 << 20) + 4 * (bytes + 16 * rows);
    assert!(figures.file_allocated_bytes <= bound, "{what}: bound {bound}: {figures:?}");
}

#[test]
fn the_file_keeps_to_its_bound_without_being_asked() {
    let directory = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let store = Store::open_with(disk, Arc::new(SystemClock), options(directory.path().into()), false).unwrap();
    let table = store.create_table("t", TableKind::Hashed).unwrap();
    let random = &mut Random::new(5);
    let (mut largest, mut flushes) = (0, 0);
    for (phase, keys) in ["grow", "overwrite", "delete most", "overwrite what is left", "grow again"].iter().zip([
        100_000,
        100_000,
        100_000,
        5_000,
        100_000_u64,
    ]) {
        for _ in 0..if phase.starts_with("delete") { 8 } else { 14 } {
            fill(&store, random, |batch, n| {
                let key = (n % keys).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
                if phase.starts_with("delete") && n % keys >= 5_000 {
                    batch.delete(table, &key);
                } else {
                    batch.put(table, &key, &[n as u8; 100]);
                }
            });
            assert_bound(&store, phase);
            flushes += 1;
            largest = largest.max(store.statistics().file_allocated_bytes);
        }
    }
    let figures = store.statistics();
    assert!(figures.compactions >= 2 && figures.compactions * 5 < flushes, "{figures:?} of {flushes} flushes");
    assert!(largest < 80 << 20, "{largest}");
    drop(store);
    let store = Store::open(options(directory.path().into())).unwrap();
    let size = store.range_size(table, &[], None, u64::MAX).unwrap();
    let approximate = store.approximate_size(table, &[], None).unwrap();
    assert_eq!(size.rows, approximate.rows);
}

#[test]
fn flushes_go_on_while_a_running_store_gives_space_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options { compact_percentage: 200, ..options(directory.path().into()) }).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let mut batch = WriteBatch::new();
    for n in 0..60_000_u64 {
        batch.put(table, &n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), &[1; 200]);
    }
    store.write(&batch, Durability::None).unwrap();
    store.flush().unwrap();
    batch.clear();
    for n in 0..55_000_u64 {
        batch.delete(table, &n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    }
    store.write(&batch, Durability::None).unwrap();
    store.flush().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut n = 55_000_u64;
    while store.statistics().compactions == 0 || store.statistics().compaction_running {
        batch.clear();
        batch.put(table, &n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), &[2; 200]);
        store.write(&batch, Durability::None).unwrap();
        store.flush().unwrap();
        n += 1;
        assert!(Instant::now() < deadline, "{:?}", store.statistics());
    }
    let size = store.range_size(table, &[], None, u64::MAX).unwrap();
    assert_eq!(size.rows, 5_000 + n.saturating_sub(60_000));
    let mut iter = store.snapshot().iter(table, &[], None);
    iter.seek_to_first();
    let mut new = 0;
    while iter.valid() {
        new += u64::from(iter.value()[0] == 2);
        iter.next();
    }
    assert_eq!(new, n - 55_000);
}

fn simulated(disk: &SimulatedDisk) -> Store {
    simulated_with(Arc::new(disk.clone()), 100)
}

/// A store whose copies take several pieces for what `write_some` writes.
fn simulated_with(disk: Arc<dyn Disk>, compact_percentage: u64) -> Store {
    let path = PathBuf::from("/data");
    let options = Options { compact_percentage, compact_min_bytes: 0, memtable_bytes: 16 << 10, ..options(path) };
    Store::open_with(disk, Arc::new(SystemClock), options, false).unwrap()
}

fn write_some(store: &Store, table: Table, n: u64) {
    let mut batch = WriteBatch::new();
    for key in 0..200 {
        batch.put(table, &(key * 7 % 500_u64).to_be_bytes(), &[n as u8; 60]);
    }
    store.commit(&batch).unwrap();
}

fn draft_is_there(disk: &SimulatedDisk) -> bool {
    disk.exists(Path::new("/data/data.compact")).unwrap()
}

#[test]
fn without_room_the_store_goes_on_as_it_is() {
    let disk = SimulatedDisk::default();
    disk.say_free(Some(1 << 20));
    let store = simulated(&disk);
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    for n in 0..4 {
        write_some(&store, table, n);
        store.flush().unwrap();
    }
    let figures = store.statistics();
    assert!(figures.compactions > 0 && !figures.compaction_running && !draft_is_there(&disk), "{figures:?}");
    assert!(matches!(store.compact(&mut |_, _| {}), Err(crate::Error::Io(text)) if text.contains("are free")));
    assert_eq!(store.poisoned(), None);
    disk.say_free(Some(1 << 40));
    let compacted = store.compact(&mut |_, _| {}).unwrap();
    assert_eq!(compacted.rows, 200);
    assert!(compacted.after_bytes <= compacted.before_bytes);
}

#[test]
fn a_copy_that_fails_anywhere_costs_only_the_copy() {
    let (mut failed, mut followed) = (0, 0);
    for at in 1.. {
        let disk = SimulatedDisk::default();
        let store = simulated(&disk);
        let table = store.create_table("t", TableKind::Ordered).unwrap();
        write_some(&store, table, 0);
        store.flush().unwrap();
        disk.fail_after(at, Fault::NoSpace);
        let mut flushes = 0;
        let outcome = store.compact(&mut |_, _| {
            // Between the pieces, so that the draft has to follow.
            if flushes < 3 && store.poisoned().is_none() {
                write_some(&store, table, 1);
                flushes += u64::from(store.flush().is_ok());
            }
        });
        followed += flushes;
        let calls_left = outcome.is_ok();
        disk.heal();
        if let Err(error) = outcome {
            failed += 1;
            let poisoned = store.poisoned().is_some();
            // Only by a flush, or where a crash could bring the old file back: the name is not known to be on disk.
            assert!(!poisoned || matches!(error, crate::Error::Poisoned(_)), "call {at}: {error}");
            assert!(poisoned || !draft_is_there(&disk), "call {at}");
            if !poisoned {
                write_some(&store, table, 1);
                store.flush().unwrap();
                store.compact(&mut |_, _| {}).unwrap();
            }
        }
        drop(store);
        disk.restart(Ending::PowerCut(at));
        let store = simulated(&disk);
        assert_eq!(store.range_size(table, &[], None, u64::MAX).unwrap().rows, 200, "call {at}");
        if calls_left && at > 5 {
            break;
        }
    }
    assert!(failed > 10 && followed > failed, "{failed} failed, {followed} were followed");
}

/// A disk that says that the rename of a compaction failed, though it happened.
#[derive(Debug)]
struct LateRename(SimulatedDisk);

impl Disk for LateRename {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.0.create_directory(path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.0.open(path)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.0.create(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.0.exists(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        self.0.list(directory)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)?;
        let late = from.extension().is_some_and(|extension| extension == super::DRAFT_EXTENSION);
        if late { Err(io::Error::from_raw_os_error(5)) } else { Ok(()) }
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.link(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.0.sync_directory(directory)
    }

    fn lock(&self, path: &Path, holder: &str) -> io::Result<std::result::Result<Box<dyn DiskLock>, String>> {
        self.0.lock(path, holder)
    }
}

#[test]
fn a_rename_that_fails_after_it_happened_poisons_and_is_told() {
    let disk = SimulatedDisk::default();
    let store = simulated_with(Arc::new(LateRename(disk.clone())), 0);
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    write_some(&store, table, 0);
    store.flush().unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let telling = told.clone();
    store.on_durable(Box::new(move |_| {
        telling.fetch_add(1, Ordering::SeqCst);
    }));
    assert!(matches!(store.compact(&mut |_, _| {}), Err(crate::Error::Poisoned(_))));
    assert_eq!(told.load(Ordering::SeqCst), 1, "those who wait are told");
    drop(store);
    disk.restart(Ending::Killed);
    let store = simulated(&disk);
    assert_eq!(store.range_size(table, &[], None, u64::MAX).unwrap().rows, 200);
}

#[test]
fn a_compaction_whose_watcher_panics_goes_on() {
    let disk = SimulatedDisk::default();
    let store = simulated_with(Arc::new(disk.clone()), 0);
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    write_some(&store, table, 0);
    store.flush().unwrap();
    let watched = catch_unwind(AssertUnwindSafe(|| store.compact(&mut |_, _| panic!("the watcher of a compaction"))));
    assert!(watched.is_err() && store.statistics().compaction_running);
    for n in 0..50 {
        write_some(&store, table, n);
        store.flush().unwrap();
    }
    let figures = store.statistics();
    assert!(!figures.compaction_running && figures.compactions == 1, "{figures:?}");
}
