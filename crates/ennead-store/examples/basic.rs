//! Put, get, delete, and batches that are written whole or not at all.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use ennead_store::{Durability, Options, Store, TableKind, WriteBatch};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = Store::open(Options::new(directory.path().join("mydb")))?;
    let users = store.create_table("users", TableKind::Ordered)?;

    let mut batch = WriteBatch::new();
    batch.put(users, b"user:1", b"Alice");
    store.write(&batch, Durability::Always)?;
    assert_eq!(store.get(users, b"user:1")?.as_deref(), Some(&b"Alice"[..]));

    // A batch may span tables. Here a rename moves a row and keeps a note of it: both, or neither.
    let audit = store.create_table("audit", TableKind::Ordered)?;
    batch.clear();
    batch.delete(users, b"user:1");
    batch.put(users, b"user:2", b"Alice");
    batch.put(audit, b"1", b"user:1 became user:2");
    store.write(&batch, Durability::Always)?;
    assert_eq!(store.get(users, b"user:1")?, None);
    assert_eq!(store.get(users, b"user:2")?.as_deref(), Some(&b"Alice"[..]));

    // A snapshot keeps seeing what was there when it was taken.
    let before = store.snapshot();
    batch.clear();
    batch.delete_range(users, b"user:", Some(b"user;"));
    store.write(&batch, Durability::EverySec)?;
    assert_eq!(store.get(users, b"user:2")?, None);
    assert_eq!(before.get(users, b"user:2")?.as_deref(), Some(&b"Alice"[..]));

    println!("{} batches committed", store.committed());
    store.close()?;
    Ok(())
}
