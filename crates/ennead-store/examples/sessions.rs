//! A cache that bounds itself: sessions with a time to live, and an index that is loaded aside and never seen half.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::time::Duration;

use ennead_store::{Durability, Options, Store, TableKind, TableOptions, WriteBatch};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(Options::new(directory.path()))?;

    // Sessions end half an hour after they were last written; nobody has to delete them.
    let lifetime = Duration::from_secs(30 * 60);
    let sessions = store.create_table_with("sessions", &TableOptions::new(TableKind::Hashed).with_ttl(lifetime))?;
    let mut batch = WriteBatch::new();
    batch.put(sessions, b"token-1", b"alice");
    batch.put(sessions, b"token-2", b"bob");
    store.write(&batch, Durability::EverySec)?;
    assert_eq!(store.get(sessions, b"token-1")?.as_deref(), Some(&b"alice"[..]));

    // One whose time is over is not returned, whether or not it is still on disk.
    let blink = TableOptions::new(TableKind::Ordered).with_ttl(Duration::from_millis(1));
    let codes = store.create_table_with("one-time codes", &blink)?;
    batch.clear();
    batch.put(codes, b"alice", b"123456");
    store.write(&batch, Durability::EverySec)?;
    while store.get(codes, b"alice")?.is_some() {
        std::thread::yield_now();
    }

    // A new index is loaded aside, however large it is, and takes the place of the old one in one step.
    let current = store.create_table("which index", TableKind::Ordered)?;
    let old = store.create_table("index 1", TableKind::Ordered)?;
    let new = store.create_table("index 2", TableKind::Ordered)?;
    let ingested = store.ingest_stream(new, (0..50_000_u32).map(|n| (n.to_be_bytes(), b"document")))?;
    assert_eq!(ingested.rows, 50_000);
    batch.clear();
    batch.drop_table(&store, old)?;
    batch.put(current, b"", b"index 2");
    store.write(&batch, Durability::Always)?;
    assert_eq!(store.table("index 1"), None);

    store.flush()?;
    let size = store.approximate_size(new, &10_000_u32.to_be_bytes(), None)?;
    assert_eq!(size.rows, 40_000);
    println!("{} rows in {} batches, {} bytes behind row 10,000", ingested.rows, ingested.batches, size.bytes);
    Ok(())
}
