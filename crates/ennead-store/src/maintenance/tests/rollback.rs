//! What a rollback leaves in an archive, and of requests to flush.

use super::*;

#[test]
fn a_rollback_leaves_archived_segments_whole_and_out_of_a_restore() {
    let place = Place::new();
    let options = Options {
        archive_path: Some(place.at("archive")),
        log_retention_bytes: 0,
        rollback: true,
        ..place.options("data")
    };
    let clock = Arc::new(crate::SystemClock);
    let store = Store::open_with(Arc::new(crate::disk::RealDisk), clock, options, false).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    store.backup(&place.at("backup")).unwrap();
    for n in 1..=500 {
        write(&store, table, n);
    }
    // Only what was frozen is flushed; what came after is on disk, and its closed segments are archived with the rest.
    store.shared().freeze();
    for n in 501..=3000 {
        write(&store, table, n);
    }
    store.wait_durable(store.committed()).unwrap();
    store.shared().flush_once().unwrap();
    let files = || -> std::collections::BTreeMap<String, Vec<u8>> {
        let files = std::fs::read_dir(place.at("archive")).unwrap().map(|file| file.unwrap());
        files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
    };
    let before = files();
    assert!(before.len() > 3, "{}", before.len());
    let back_to = store.statistics().flushed + 700;
    store.rollback_after(back_to).unwrap();
    let after = files();
    assert_eq!(before.values().collect::<Vec<_>>(), after.values().collect::<Vec<_>>(), "no byte was changed");
    assert!(after.keys().any(|name| name.ends_with(".undone")), "{:?}", after.keys());
    assert_eq!(check(&store, table), back_to - 1);
    for n in back_to..=back_to + 1500 {
        write(&store, table, n);
    }
    store.flush().unwrap();
    store.close().unwrap();
    drop(store);
    let restored = place.restore("latest", &["archive", "data/log"], RestorePoint::Latest).unwrap();
    assert_eq!(restored.sequence, back_to + 1501);
    let (copy, of_copy) = place.open("latest");
    assert_eq!(check(&copy, of_copy), back_to + 1500);
}

#[test]
fn a_rollback_leaves_no_request_to_flush_what_is_gone() {
    let place = Place::new();
    // Without threads nobody serves the request before it is taken back.
    let (disk, clock) = (Arc::new(crate::disk::RealDisk), Arc::new(SystemClock));
    let options = Options { rollback: true, ..place.options("data") };
    let store = Store::open_with(disk, clock, options, false).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    write(&store, table, 1);
    let kept = store.committed();
    for n in 2..=20 {
        write(&store, table, n);
    }
    store.shared().flusher.ask(store.committed());
    store.rollback_after(kept).unwrap();
    assert_eq!((store.shared().flusher.asked(), store.committed()), (kept, kept));
    store.flush().unwrap();
    assert_eq!(store.statistics().flushed, store.committed());
}
