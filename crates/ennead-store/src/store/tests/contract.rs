use crate::{Durability, Error, Options, Store, TableKind, WriteBatch};

fn options(directory: &tempfile::TempDir) -> Options {
    let mut options = Options::new(directory.path());
    options.memtable_bytes = 1 << 20;
    options.segment_bytes = 1 << 20;
    options.cache_bytes = 8 << 20;
    options
}

fn put(key: &[u8], value: &[u8], table: crate::Table) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(table, key, value);
    batch
}

#[test]
fn rows_survive_reopening_with_and_without_a_flush() {
    let directory = tempfile::tempdir().unwrap();
    for kind in [TableKind::Ordered, TableKind::Hashed] {
        let name = format!("{kind:?}");
        let store = Store::open(options(&directory)).unwrap();
        let table = store.create_table(&name, kind).unwrap();
        store.write(&put(b"flushed", b"1", table), Durability::Always).unwrap();
        store.flush().unwrap();
        let mut batch = put(b"logged", b"2", table);
        batch.tally(table, 7);
        let commit = store.write(&batch, Durability::EverySec).unwrap();
        assert_eq!(store.written(), commit.sequence);
        drop(store);
        let store = Store::open(options(&directory)).unwrap();
        let table = store.table(&name).unwrap();
        assert_eq!(store.committed(), commit.sequence);
        assert_eq!(store.get(table, b"flushed").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(store.get(table, b"logged").unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(store.tally(table), 7);
    }
}

#[test]
fn many_rows_are_flushed_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let key = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    {
        let store = Store::open(options(&directory)).unwrap();
        let ordered = store.create_table("o", TableKind::Ordered).unwrap();
        let hashed = store.create_table("h", TableKind::Hashed).unwrap();
        for i in 0..30_000u64 {
            let mut batch = put(&key(i), &[b'v'; 60], ordered);
            batch.put(hashed, &key(i), &i.to_be_bytes());
            store.write(&batch, Durability::None).unwrap();
        }
        assert!(store.statistics().flushes > 0, "{:?}", store.statistics());
        store.close().unwrap();
        assert!(matches!(store.commit(&put(b"a", b"b", ordered)), Err(Error::Invalid(_))));
    }
    let store = Store::open(options(&directory)).unwrap();
    for name in ["o", "h"] {
        let table = store.table(name).unwrap();
        for i in 0..30_000u64 {
            assert!(store.get(table, &key(i)).unwrap().is_some(), "{name} {i}");
        }
        let rows: Vec<_> = store.snapshot().range(table, ..).map(|row| row.unwrap().0).collect();
        assert_eq!(rows.len(), 30_000);
        assert!(rows.is_sorted());
    }
}

#[test]
fn a_directory_has_one_owner_and_the_refusal_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let refused = Store::open(options(&directory)).unwrap_err();
    assert!(refused.to_string().contains(&format!("in use by pid {}", std::process::id())), "{refused}");
    drop(store);
    Store::open(options(&directory)).unwrap();
}

#[test]
fn a_newer_format_is_refused_with_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    drop(Store::open(options(&directory)).unwrap());
    std::fs::write(directory.path().join("FORMAT"), "ennead-store 2\n").unwrap();
    let refused = Store::open(options(&directory)).unwrap_err().to_string();
    assert!(refused.contains("of format 2") && refused.contains("use the version that wrote it"), "{refused}");
}

#[test]
fn a_dropped_table_is_gone_and_its_name_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let old = store.create_table("t", TableKind::Ordered).unwrap();
    store.commit(&put(b"k", b"v", old)).unwrap();
    store.flush().unwrap();
    let before = store.snapshot();
    store.drop_table("t").unwrap();
    assert_eq!(store.get(old, b"k").unwrap(), None);
    assert_eq!(before.get(old, b"k").unwrap().as_deref(), Some(&b"v"[..]));
    assert!(matches!(store.commit(&put(b"k", b"v", old)), Err(Error::UnknownTable(_))));
    let new = store.create_table("t", TableKind::Hashed).unwrap();
    assert_ne!(old, new);
    store.flush().unwrap();
    drop((before, store));
    let store = Store::open(options(&directory)).unwrap();
    assert_eq!(store.tables(), [("t".to_owned(), new)]);
    assert_eq!(store.get(new, b"k").unwrap(), None);
}

#[test]
fn a_rollback_takes_back_rows_tallies_and_tables() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options { rollback: true, ..options(&directory) }).unwrap();
    let table = store.create_table("t", TableKind::Hashed).unwrap();
    let mut batch = put(b"k", b"1", table);
    batch.tally(table, 1);
    let kept = store.commit(&batch).unwrap().sequence;
    for value in [b"2", b"3"] {
        let mut batch = put(b"k", value, table);
        batch.tally(table, 10);
        batch.put(table, b"other", value);
        store.commit(&batch).unwrap();
    }
    store.create_table("u", TableKind::Ordered).unwrap();
    store.rollback_after(kept).unwrap();
    let check = |store: &Store| {
        assert_eq!(store.committed(), kept);
        assert_eq!(store.get(table, b"k").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(store.get(table, b"other").unwrap(), None);
        assert_eq!((store.tally(table), store.table("u")), (1, None));
    };
    check(&store);
    drop(store);
    let store = Store::open(options(&directory)).unwrap();
    check(&store);
    let next = store.write(&put(b"other", b"4", table), Durability::Always).unwrap();
    assert_eq!(next.sequence, kept + 1);
    drop(store);
    let store = Store::open(options(&directory)).unwrap();
    assert_eq!(store.get(table, b"other").unwrap().as_deref(), Some(&b"4"[..]));
}

#[test]
fn a_rollback_needs_its_option() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let table = store.create_table("t", TableKind::Hashed).unwrap();
    let before = store.committed();
    store.commit(&put(b"k", b"1", table)).unwrap();
    assert!(matches!(store.rollback_after(before), Err(Error::Invalid(_))));
    assert_eq!(store.get(table, b"k").unwrap().as_deref(), Some(&b"1"[..]));
}

#[test]
fn a_conditional_commit_sees_what_changed() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let table = store.create_table("t", TableKind::Hashed).unwrap();
    let since = store.commit(&put(b"k", b"1", table)).unwrap().sequence;
    let unchanged = [crate::Unchanged { table, key: b"k", since }];
    store.commit_if(&put(b"k", b"2", table), &unchanged).unwrap();
    assert!(matches!(store.commit_if(&put(b"k", b"3", table), &unchanged), Err(Error::Conflict(_))));
    assert_eq!(store.latest_sequence(table, b"k"), since + 1);
    let mut clear = WriteBatch::new();
    clear.delete_range(table, b"", None);
    store.commit(&clear).unwrap();
    assert_eq!(store.latest_sequence(table, b"k"), since + 2);
    store.flush().unwrap();
    assert_eq!(store.latest_sequence(table, b"k"), since + 2);
}

#[test]
fn a_log_that_outgrows_its_memtable_is_flushed_too() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(&directory);
    options.memtable_bytes = 16 << 10;
    let store = Store::open(options).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let mut batch = WriteBatch::new();
    batch.tally(table, 1);
    batch.set_event(&[7; 1000]);
    for _ in 0..200 {
        store.write(&batch, Durability::None).unwrap();
    }
    while store.statistics().flushed == 0 {
        std::thread::yield_now();
    }
    assert_eq!(store.tally(table), 200);
}
