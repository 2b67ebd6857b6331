//! Compaction on request: its bound, and that nothing is lost by it.

use super::*;

fn assert_bound(compacted: &Compacted) {
    let live = compacted.row_bytes + compacted.rows * COMPACTED_ROW_OVERHEAD_BYTES;
    let bound = (live as f64 * COMPACTED_RATIO_MAX) as u64 + COMPACTED_FIXED_BYTES;
    assert!(compacted.after_bytes <= bound, "{compacted:?}");
}

#[test]
fn a_compacted_store_is_small_and_whole() {
    let place = Place::new();
    let (store, table) = place.open("data");
    let mut state = 7_u64;
    let mut batch = WriteBatch::new();
    for _ in 0..60_000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        batch.put(table, &state.to_be_bytes(), &[3; 100]);
    }
    store.write(&batch, Durability::EverySec).unwrap();
    store.flush().unwrap();
    batch.clear();
    // Nine of ten rows go, spread over the whole tree.
    let mut iter = store.snapshot().iter(table, &[], None);
    iter.seek_to_first();
    let mut kept = Vec::new();
    while iter.valid() {
        if iter.key()[7] % 10 == 0 {
            kept.push(iter.key().to_vec());
        } else {
            batch.delete(table, iter.key());
        }
        iter.next();
    }
    drop(iter);
    store.write(&batch, Durability::EverySec).unwrap();
    store.close().unwrap();
    drop(store);
    let mut told = 0;
    let compacted = compact(&place.options("data"), &mut |done, total| {
        assert!(done <= total);
        told = done;
    })
    .unwrap();
    assert_eq!(compacted.rows, kept.len() as u64);
    assert_eq!((compacted.row_bytes, told), (kept.len() as u64 * 108, kept.len() as u64 * 108));
    assert_bound(&compacted);
    assert!(compacted.after_bytes < compacted.before_bytes, "{compacted:?}");
    let (store, table) = place.open("data");
    let mut iter = store.snapshot().iter(table, &[], None);
    iter.seek_to_first();
    for key in kept {
        assert_eq!(iter.key(), key);
        iter.next();
    }
    assert!(!iter.valid());
}

#[test]
fn a_running_store_is_compacted_under_readers_and_writers() {
    let place = Place::new();
    let (store, table) = place.open("data");
    let other = store.create_table("other", TableKind::Hashed).unwrap();
    for n in 1..=200 {
        write(&store, table, n);
    }
    let mut batch = WriteBatch::new();
    for n in 0..40_000_u64 {
        batch.put(other, &n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes(), &[1; 100]);
    }
    store.write(&batch, Durability::EverySec).unwrap();
    store.flush().unwrap();
    let snapshot = store.snapshot();
    let mut iter = snapshot.iter(other, &[], None);
    iter.seek_to_first();
    batch.clear();
    batch.delete_range(other, &[8], None);
    store.write(&batch, Durability::EverySec).unwrap();
    let stop = AtomicBool::new(false);
    let last = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut n = 201;
            while !stop.load(Ordering::Relaxed) {
                write(&store, table, n);
                n += 1;
            }
            n - 1
        });
        let compacted = store.compact(&mut |_, _| {});
        stop.store(true, Ordering::Relaxed);
        let compacted = compacted.unwrap();
        assert_bound(&compacted);
        assert!(compacted.after_bytes < compacted.before_bytes, "{compacted:?}");
        writer.join().unwrap()
    });
    // The old file is still there for who began before.
    let mut seen = 0;
    while iter.valid() {
        seen += 1;
        iter.next();
    }
    iter.status().unwrap();
    assert_eq!(seen, 40_000);
    assert_eq!(check(&store, table), last);
    assert!(store.statistics().file_bytes < 16 << 20);
    write(&store, table, last + 1);
    store.close().unwrap();
    drop((iter, snapshot, store));
    let (store, table) = place.open("data");
    assert_eq!(check(&store, table), last + 1);
}

#[test]
fn a_compaction_cut_off_by_a_power_cut_loses_nothing() {
    let (mut ended, mut cut, mut followed) = (0, 0, 0);
    for seed in 0..120 {
        let random = &mut Random::new(seed);
        let disk = SimulatedDisk::default();
        let options = Options { memtable_bytes: 16 << 10, cache_bytes: 1 << 20, ..Options::new("/data") };
        let open = || Store::open_with(Arc::new(disk.clone()), Arc::new(SystemClock), options.clone(), false);
        let store = open().unwrap();
        let table = store.create_table("t", TableKind::Ordered).unwrap();
        for n in 1..=80 {
            write(&store, table, n);
        }
        store.wait_durable(store.committed()).unwrap();
        disk.fail_after(1 + random.below(300), Fault::PowerCut);
        let mut durable = 80_u64;
        let mut write_more = || {
            let n = durable + 1;
            let mut batch = WriteBatch::new();
            batch.put(table, &n.to_be_bytes(), &[n as u8; 100]);
            batch.put(table, b"last", &n.to_be_bytes());
            batch.tally(table, 1);
            durable += u64::from(store.write(&batch, Durability::Always).is_ok());
            store.flush().is_ok()
        };
        // A flush between two pieces goes into the copy too.
        match store.compact(&mut |_, _| followed += u64::from(write_more())) {
            Ok(_) => ended += 1,
            Err(_) => cut += 1,
        }
        // Whatever is acknowledged afterwards counts too, and is flushed into whichever file is in use.
        write_more();
        drop(store);
        disk.restart(Ending::PowerCut(random.next()));
        let store = open().unwrap();
        let last = check(&store, store.table("t").unwrap());
        assert!(last >= durable, "seed {seed}: {durable} were acknowledged, {last} are there");
    }
    assert!(ended > 0 && cut > 0 && followed > 120, "{ended} ended, {cut} were cut off, {followed} flushes between");
}
