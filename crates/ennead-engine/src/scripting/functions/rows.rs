//! Libraries of functions in the store, in the table `engine.functions`:
//!
//! | row | value |
//! |---|---|
//! | `l`, then the name | the library's text, its first line included |

use ennead_store::{Result, Sequence, Snapshot, Store, Table, TableKind, WriteBatch};

use super::Library;

const TABLE: &str = "engine.functions";
const PREFIX: &[u8] = b"l";

#[derive(Debug)]
pub(super) struct Rows {
    store: Store,
    table: Table,
}

impl Rows {
    pub(super) fn open(store: &Store) -> Result<Rows> {
        Ok(Rows { table: store.create_table(TABLE, TableKind::Ordered)?, store: store.clone() })
    }

    /// The texts of all libraries.
    pub(super) fn read(&self) -> Result<Vec<Vec<u8>>> {
        stored_libraries(&self.store, &self.store.snapshot())
    }

    /// Removes libraries and adds others, all or none.
    ///
    /// # Durability
    /// None yet when it returns: the reply waits for the sequence.
    pub(super) fn change<'a>(
        &self,
        removed: impl Iterator<Item = &'a str>,
        added: impl Iterator<Item = &'a Library>,
    ) -> Result<Sequence> {
        let mut batch = WriteBatch::new();
        for name in removed {
            batch.delete(self.table, &row_key(name));
        }
        for library in added {
            batch.put(self.table, &row_key(&library.name), &library.text);
        }
        Ok(self.store.commit(&batch)?.sequence)
    }
}

fn row_key(name: &str) -> Vec<u8> {
    [PREFIX, name.as_bytes()].concat()
}

/// The texts of all libraries as of a snapshot of a store, whether an engine has it or not.
pub(crate) fn stored_libraries(store: &Store, snapshot: &Snapshot) -> Result<Vec<Vec<u8>>> {
    let Some(table) = store.table(TABLE) else { return Ok(Vec::new()) };
    snapshot.range(table, PREFIX..).map(|row| row.map(|(_, text)| text.to_vec())).collect()
}
