//! A dense copy of the B-tree as of one flush: for backups, checkpoints and compaction.
//!
//! Rows go into the new tree in key order through redb's cursor, which fills pages nearly whole, where a tree that grew at
//! random is about two thirds full and keeps the pages of what was deleted.

use std::ops::Bound;
use std::path::Path;

use redb::{Builder, Durability, TableError};

use super::{BaseState, META, RowsDefinition, STATE_KEY, View, failed, table_name};
use crate::disk::{Disk, TreeFile};
use crate::{Error, Result};

/// Rows handed to one cursor before its buffer is applied.
const ROWS_PER_RUN: usize = 65_536;

impl View {
    /// The state that was stored with the rows of this view.
    pub(crate) fn state(&self) -> Result<BaseState> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            match self.transaction.open_table(META) {
                Ok(table) => Ok(table.get(STATE_KEY)?.map(|value| value.value().to_vec())),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        match read().map_err(failed("cannot read the stored state"))? {
            Some(bytes) => BaseState::decode(&bytes),
            None => Ok(BaseState::default()),
        }
    }

    /// The number of rows of all tables, and bytes of their keys and values, about.
    pub(crate) fn live(&self, state: &BaseState) -> Result<(u64, u64)> {
        let (mut rows, mut bytes) = (0, 0);
        for table in &state.catalogue.tables {
            let Some(range) = self.range(table.table, (Bound::Unbounded, Bound::Unbounded))? else { continue };
            for row in range {
                let (key, value) = row.map_err(|error| failed("cannot read a row")(error.into()))?;
                rows += 1;
                bytes += (key.value().len() + value.value().len()) as u64;
            }
        }
        Ok((rows, bytes))
    }

    /// Writes the rows and the state into a new file at `path`, and tells `progress` the bytes of rows as it goes.
    ///
    /// # Durability
    /// The file is on disk when it returns, its name after [`Disk::sync_directory`].
    pub(crate) fn copy_to(
        &self,
        disk: &dyn Disk,
        path: &Path,
        cache_bytes: usize,
        progress: &mut dyn FnMut(u64),
    ) -> Result<BaseState> {
        let state = self.state()?;
        let file =
            disk.create(path).map_err(|error| Error::Io(format!("cannot create {}: {error}", path.display())))?;
        let what = format!("cannot write {}", path.display());
        let mut database = Builder::new()
            .set_cache_size(cache_bytes)
            .create_with_backend(TreeFile(file))
            .map_err(|error| failed(&what)(error.into()))?;
        let mut write = || -> Result<(), redb::Error> {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(Durability::Immediate)?;
            transaction.set_quick_repair(true);
            for table in &state.catalogue.tables {
                self.copy_table(&transaction, table.table, progress)?;
            }
            transaction.open_table(META)?.insert(STATE_KEY, state.encode().as_slice())?;
            transaction.commit()?;
            Ok(())
        };
        write().map_err(failed(&what))?;
        database.compact().map_err(|error| failed(&what)(error.into()))?;
        database.close().map_err(|error| failed("cannot close the B-tree")(error.into()))?;
        Ok(state)
    }

    fn copy_table(
        &self,
        transaction: &redb::WriteTransaction,
        number: u32,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), redb::Error> {
        let name = table_name(number);
        let source = match self.transaction.open_table(RowsDefinition::new(&name)) {
            Ok(source) => source,
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut target = transaction.open_table(RowsDefinition::new(&name))?;
        let mut rows = source.range::<&[u8]>(..)?;
        let mut ended = false;
        while !ended {
            let mut cursor = target.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
            for _ in 0..ROWS_PER_RUN {
                let Some(row) = rows.next() else {
                    ended = true;
                    break;
                };
                let (key, value) = row?;
                cursor.insert_before(key.value(), value.value())?;
                progress((key.value().len() + value.value().len()) as u64);
            }
            cursor.close()?;
        }
        Ok(())
    }
}
