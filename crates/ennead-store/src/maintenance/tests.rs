mod compaction;
mod rollback;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::disk::simulated::{Ending, Fault, Random, SimulatedDisk};
use crate::{Durability, Error, Options, Sequence, Store, SystemClock, Table, TableKind, WriteBatch};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn options(&self, name: &str) -> Options {
        Options { segment_bytes: 64 << 10, ..Options::new(self.at(name)) }
    }

    fn open(&self, name: &str) -> (Store, Table) {
        let store = Store::open(self.options(name)).unwrap();
        let table = store.create_table("t", TableKind::Ordered).unwrap();
        (store, table)
    }

    fn restore(&self, target: &str, archives: &[&str], until: RestorePoint) -> crate::Result<Restored> {
        let archives = archives.iter().map(|name| self.at(name)).collect();
        let options = RestoreOptions { backup: self.at("backup"), target: self.at(target), archives, until };
        restore(&options, &mut |_, _| {})
    }
}

/// Batch `n` writes its own row and replaces the row that says which is the last.
fn write(store: &Store, table: Table, n: u64) -> Sequence {
    let mut batch = WriteBatch::new();
    batch.put(table, &n.to_be_bytes(), &[n as u8; 100]);
    batch.put(table, b"last", &n.to_be_bytes());
    batch.tally(table, 1);
    store.write(&batch, Durability::EverySec).unwrap().sequence
}

/// The store holds exactly the batches up to the one that `last` names, which it answers.
fn check(store: &Store, table: Table) -> u64 {
    let snapshot = store.snapshot();
    let Some(last) = snapshot.get(table, b"last").unwrap() else { return 0 };
    let last = u64::from_be_bytes(last.try_into().unwrap());
    let mut iter = snapshot.iter(table, &[], Some(b"last"));
    iter.seek_to_first();
    for n in 1..=last {
        assert_eq!((iter.key(), iter.value()), (&n.to_be_bytes()[..], &[n as u8; 100][..]));
        iter.next();
    }
    assert!(!iter.valid());
    assert_eq!(store.tally(table), last as i64);
    last
}

#[test]
fn a_backup_under_writes_is_one_moment_of_the_store() {
    let place = Place::new();
    let (store, table) = place.open("data");
    for n in 1..=500 {
        write(&store, table, n);
    }
    let stop = AtomicBool::new(false);
    let backup = thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 501;
            while !stop.load(Ordering::Relaxed) {
                write(&store, table, n);
                n += 1;
            }
        });
        let backup = store.backup(&place.at("backup"));
        stop.store(true, Ordering::Relaxed);
        backup.unwrap()
    });
    let restored = place.restore("restored", &[], RestorePoint::Latest).unwrap();
    assert_eq!(restored, Restored { sequence: backup.sequence, replayed: 0 });
    let (copy, table) = place.open("restored");
    let last = check(&copy, table);
    assert!(last >= 500);
    assert_eq!(last + 1, backup.sequence, "the first batch made the table");
    write(&copy, table, last + 1);
    assert_eq!(check(&copy, table), last + 1);
}

#[test]
fn a_damaged_or_unfinished_backup_is_refused() {
    let place = Place::new();
    let (store, table) = place.open("data");
    write(&store, table, 1);
    store.backup(&place.at("backup")).unwrap();
    assert!(matches!(store.backup(&place.at("backup")), Err(Error::Invalid(_))));
    let tree = place.at("backup").join("data.redb");
    let sound = std::fs::read(&tree).unwrap();
    let mut bent = sound.clone();
    bent[sound.len() / 2] ^= 1;
    std::fs::write(&tree, bent).unwrap();
    assert!(matches!(place.restore("r1", &[], RestorePoint::Latest), Err(Error::Corrupted(_))));
    std::fs::write(&tree, sound).unwrap();
    place.restore("r2", &[], RestorePoint::Latest).unwrap();
    assert!(matches!(place.restore("r2", &[], RestorePoint::Latest), Err(Error::Invalid(_))));
    let manifest = place.at("backup").join("BACKUP");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("sequence 2", "sequence 3")).unwrap();
    assert!(matches!(place.restore("r3", &[], RestorePoint::Latest), Err(Error::Corrupted(_))));
    std::fs::remove_file(&manifest).unwrap();
    assert!(matches!(place.restore("r3", &[], RestorePoint::Latest), Err(Error::Invalid(_))));
}

#[test]
fn a_checkpoint_opens_as_a_store() {
    let place = Place::new();
    let (store, table) = place.open("data");
    for n in 1..=50 {
        write(&store, table, n);
    }
    assert_eq!(store.checkpoint(&place.at("checkpoint")).unwrap(), store.committed());
    write(&store, table, 51);
    let (copy, of_copy) = place.open("checkpoint");
    assert_eq!(check(&copy, of_copy), 50);
    assert_eq!(check(&store, table), 51);
}

#[test]
fn a_restore_goes_to_any_batch_or_time_that_the_log_has() {
    let place = Place::new();
    let (store, table) = place.open("data");
    for n in 1..=100 {
        write(&store, table, n);
    }
    let backup = store.backup(&place.at("backup")).unwrap();
    for n in 101..=1500 {
        write(&store, table, n);
    }
    let time_ms = store.shared().clock.now_ms();
    // Times are told in milliseconds: wait for the next one.
    while store.shared().clock.now_ms() <= time_ms + 1 {
        thread::yield_now();
    }
    for n in 1501..=3000 {
        write(&store, table, n);
    }
    store.close().unwrap();
    drop(store);
    let points = [
        (RestorePoint::Latest, 3000),
        (RestorePoint::Sequence(backup.sequence), 100),
        (RestorePoint::Sequence(backup.sequence + 1), 101),
        (RestorePoint::Sequence(2001), 2000),
        (RestorePoint::TimeMs(u64::MAX), 3000),
    ];
    for (index, (until, expected)) in points.into_iter().enumerate() {
        let target = format!("r{index}");
        let restored = place.restore(&target, &["data/log"], until).unwrap();
        assert_eq!((restored.sequence, restored.replayed), (expected + 1, expected + 1 - backup.sequence));
        let (copy, table) = place.open(&target);
        assert_eq!(check(&copy, table), expected);
    }
    let restored = place.restore("timed", &["data/log"], RestorePoint::TimeMs(time_ms)).unwrap();
    assert_eq!(restored.sequence, 1501, "groups carry the time at which they were begun");
    assert!(matches!(place.restore("x", &["data/log"], RestorePoint::Sequence(9)), Err(Error::Invalid(_))));
    assert!(matches!(place.restore("x", &["data/log"], RestorePoint::TimeMs(9)), Err(Error::Invalid(_))));
    let Err(Error::Invalid(text)) = place.restore("y", &["data/log"], RestorePoint::Sequence(4000)) else {
        panic!("there is no batch 4000")
    };
    assert!(text.contains("3001"), "{text}");
}

#[test]
fn a_gap_in_the_archive_is_named() {
    let place = Place::new();
    let (store, table) = place.open("data");
    store.backup(&place.at("backup")).unwrap();
    for n in 1..=2000 {
        write(&store, table, n);
    }
    let segments = store.shared().local_log.as_ref().unwrap().segments();
    assert!(segments.len() > 3);
    store.close().unwrap();
    std::fs::remove_file(&segments[1].path).unwrap();
    let lacking = format!("from {} to {}", segments[1].first, segments[2].first - 1);
    let Err(Error::Invalid(text)) = place.restore("r", &["data/log"], RestorePoint::Latest) else {
        panic!("the gap was overlooked")
    };
    assert!(text.contains(&lacking), "{text}");
    let before = RestorePoint::Sequence(segments[1].first - 1);
    assert_eq!(place.restore("r2", &["data/log"], before).unwrap().sequence, segments[1].first - 1);
}

#[test]
fn an_open_store_is_neither_compacted_nor_repaired() {
    let place = Place::new();
    let (_store, _) = place.open("data");
    assert!(matches!(compact(&place.options("data"), &mut |_, _| {}), Err(Error::Open(_))));
    assert!(matches!(diagnose(&place.options("data"), &mut |_, _| {}), Err(Error::Open(_))));
}

#[test]
fn a_sound_store_needs_no_repair() {
    let place = Place::new();
    let (store, table) = place.open("data");
    for n in 1..=300 {
        write(&store, table, n);
    }
    store.close().unwrap();
    let diagnosis = diagnose(&place.options("data"), &mut |_, _| {}).unwrap();
    assert_eq!((diagnosis.last_readable, &diagnosis.damage), (301, &None));
    let repaired = repair(&place.options("data"), &diagnosis, &mut |_, _| {}).unwrap();
    assert_eq!(repaired, Repair { last: 301, kept_aside: None });
}

#[test]
fn a_repair_tells_its_price_and_keeps_what_is_before_the_damage() {
    let place = Place::new();
    let (store, table) = place.open("data");
    for n in 1..=900 {
        let sequence = write(&store, table, n);
        // So that later records say that the earlier ones are on disk.
        if n % 100 == 0 {
            store.wait_durable(sequence).unwrap();
        }
    }
    let segment = store.shared().local_log.as_ref().unwrap().segments()[1].clone();
    store.close().unwrap();
    drop(store);
    let mut bytes = std::fs::read(&segment.path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0x40;
    std::fs::write(&segment.path, bytes).unwrap();
    let Err(Error::Corrupted(text)) = Store::open(place.options("data")) else { panic!("the damage was overlooked") };
    assert!(text.contains("ennead repair"), "{text}");

    let diagnosis = diagnose(&place.options("data"), &mut |_, _| {}).unwrap();
    let damage = diagnosis.damage.clone().unwrap();
    assert_eq!(damage.file, segment.path);
    assert!(damage.acknowledged);
    assert_eq!((damage.last_behind, damage.batches_behind), (901, 901 - damage.sequence));
    assert_eq!(diagnosis.last_readable, damage.sequence - 1);
    let other = Diagnosis { last_readable: 3, ..diagnosis.clone() };
    assert!(matches!(repair(&place.options("data"), &other, &mut |_, _| {}), Err(Error::Conflict(_))));

    let repaired = repair(&place.options("data"), &diagnosis, &mut |_, _| {}).unwrap();
    assert_eq!(repaired.last, diagnosis.last_readable);
    let aside = std::fs::read_dir(repaired.kept_aside.unwrap()).unwrap().count();
    assert!(aside >= 2, "the damaged segment and the later ones are kept");
    let (store, table) = place.open("data");
    assert_eq!(check(&store, table), diagnosis.last_readable - 1);
    write(&store, table, diagnosis.last_readable);
}

#[test]
fn closed_segments_go_to_the_archive_before_the_log_gives_them_up() {
    let place = Place::new();
    let options = Options { archive_path: Some(place.at("archive")), log_retention_bytes: 0, ..place.options("data") };
    let store = Store::open(options.clone()).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    store.backup(&place.at("backup")).unwrap();
    for n in 1..=3000 {
        write(&store, table, n);
        if n % 500 == 0 {
            store.flush().unwrap();
        }
    }
    let begun = std::time::Instant::now();
    // It does so just behind the flush.
    while !matches!(store.feed(1), Err(Error::FeedLost { .. })) {
        assert!(begun.elapsed().as_secs() < 30, "the log does not give its segments up");
        std::thread::yield_now();
    }
    store.close().unwrap();
    drop(store);
    let restored = place.restore("latest", &["archive", "data/log"], RestorePoint::Latest).unwrap();
    assert_eq!(restored.sequence, 3001);
    let (copy, of_copy) = place.open("latest");
    assert_eq!(check(&copy, of_copy), 3000);
    place.restore("middle", &["archive"], RestorePoint::Sequence(1234)).unwrap();
    let (copy, of_copy) = place.open("middle");
    assert_eq!(check(&copy, of_copy), 1233);
    drop(copy);

    // The restored store is another history from batch 1235 on; the archive of the first must not take it.
    let Err(Error::Open(text)) = Store::open(Options { path: place.at("middle"), ..options.clone() }) else {
        panic!("two histories went into one archive")
    };
    assert!(text.contains("archive directory of its own"), "{text}");
    let own = Options { path: place.at("middle"), archive_path: Some(place.at("archive2")), ..options };
    let store = Store::open(own).unwrap();
    for n in 1234..=3000 {
        write(&store, table, n);
    }
    store.flush().unwrap();
    assert_eq!(check(&store, table), 3000);
}

/// A backup that a power cut ended is either whole or said to be none; the store itself is never harmed.
#[test]
fn a_backup_cut_off_by_a_power_cut_is_whole_or_none() {
    let (mut whole, mut none) = (0, 0);
    for seed in 0..120 {
        let random = &mut Random::new(seed);
        let disk = SimulatedDisk::default();
        let options = |path: &str| Options { memtable_bytes: 16 << 10, cache_bytes: 1 << 20, ..Options::new(path) };
        let open = |path: &str| Store::open_with(Arc::new(disk.clone()), Arc::new(SystemClock), options(path), false);
        let store = open("/data").unwrap();
        let table = store.create_table("t", TableKind::Ordered).unwrap();
        for n in 1..=40 {
            write(&store, table, n);
        }
        store.flush().unwrap();
        disk.fail_after(1 + random.below(160), Fault::PowerCut);
        let outcome = store.backup(Path::new("/backup"));
        drop(store);
        disk.restart(Ending::PowerCut(random.next()));
        let from = RestoreOptions {
            backup: PathBuf::from("/backup"),
            target: PathBuf::from("/restored"),
            archives: Vec::new(),
            until: RestorePoint::Latest,
        };
        match restore::restore_files(&disk, &from, &mut |_, _| {}) {
            Ok(restored) => {
                assert_eq!(restored.sequence, 41, "seed {seed}");
                let copy = open("/restored").unwrap();
                assert_eq!(check(&copy, copy.table("t").unwrap()), 40, "seed {seed}");
                whole += 1;
            }
            Err(error) => {
                assert!(outcome.is_err(), "seed {seed}: a finished backup is lost: {error}");
                none += 1;
            }
        }
        let store = open("/data").unwrap();
        assert_eq!(check(&store, store.table("t").unwrap()), 40, "seed {seed}");
    }
    assert!(whole > 0 && none > 0, "{whole} whole, {none} none: the cut comes too early or too late");
}
