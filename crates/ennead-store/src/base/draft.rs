//! A dense copy of the B-tree, made piece by piece while the tree goes on: for compaction, backups and checkpoints.
//!
//! Rows go into the copy in key order through redb's cursor, which fills pages nearly whole, where a tree that grew at
//! random is about two thirds full and keeps the pages of what was deleted. Between two pieces the tree may be flushed
//! into: [`Draft::follow`] writes the same rows into the part that is copied already, and the rest is read later anyway.
//! Invariant: up to its frontier the draft has exactly the rows of the tree.

use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, Database, Durability, TableError, WriteTransaction};

use super::extents::ExtentsByTable;
use super::merge::{Part, write};
use super::{BaseState, META, RowsDefinition, STATE_KEY, View, extents_key, failed, table_name};
use crate::disk::{Disk, TreeFile};
use crate::lifetime::Lifetime;
use crate::memtable::Memtable;
use crate::pace;
use crate::{Error, Result};

/// Rows handed to one cursor before its buffer is applied.
const ROWS_PER_RUN: usize = 65_536;

/// Bytes of rows that [`View::copy_to`] copies in one transaction.
const COPY_PIECE_BYTES: u64 = 64 << 20;

/// A copy that is being made.
pub(crate) struct Draft {
    database: Database,
    path: PathBuf,
    /// Tables before this one are copied whole,
    table: u32,
    /// and of this one the keys up to here.
    last: Option<Vec<u8>>,
    extents: ExtentsByTable,
}

impl Draft {
    /// An empty copy in a new file.
    pub(crate) fn create(disk: &dyn Disk, path: &Path, cache_bytes: usize) -> Result<Draft> {
        let file =
            disk.create(path).map_err(|error| Error::Io(format!("cannot create {}: {error}", path.display())))?;
        let database = Builder::new()
            .set_cache_size(cache_bytes)
            .create_with_backend(TreeFile(file))
            .map_err(|error| failed(&format!("cannot write {}", path.display()))(error.into()))?;
        Ok(Draft { database, path: path.to_owned(), table: 0, last: None, extents: ExtentsByTable::new() })
    }

    fn what(&self) -> String {
        format!("cannot write {}", self.path.display())
    }

    /// Copies about `bytes_max` more bytes of rows from the newest view of the tree, without those that expired by
    /// `now_ms`. Answers the bytes looked at, and whether the copy has everything now.
    pub(crate) fn copy_more(&mut self, view: &View, now_ms: u64, bytes_max: u64) -> Result<(u64, bool)> {
        let state = view.state()?;
        let what = self.what();
        self.try_copy_more(view, &state, now_ms, bytes_max).map_err(failed(&what))
    }

    fn try_copy_more(
        &mut self,
        view: &View,
        state: &BaseState,
        now_ms: u64,
        bytes_max: u64,
    ) -> Result<(u64, bool), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        let (mut bytes, mut done) = (0, true);
        let mut tables: Vec<_> = state.catalogue.tables.iter().collect();
        tables.sort_by_key(|table| table.table);
        for table in tables {
            if table.table < self.table {
                continue;
            }
            if table.table > self.table {
                (self.table, self.last) = (table.table, None);
            }
            let lifetime = table.lifetime().map(|lifetime| lifetime.at(now_ms));
            if !self.copy_rows(&transaction, view, lifetime, bytes_max, &mut bytes)? {
                done = false;
                break;
            }
            (self.table, self.last) = (table.table + 1, None);
        }
        if done {
            // Tables that are made from now on are flushed into the copy whole.
            self.table = u32::MAX;
        }
        transaction.commit()?;
        Ok((bytes, done))
    }

    /// Copies on in the table of the frontier; false when it stopped before its end.
    fn copy_rows(
        &mut self,
        transaction: &WriteTransaction,
        view: &View,
        lifetime: Option<Lifetime>,
        bytes_max: u64,
        bytes: &mut u64,
    ) -> Result<bool, redb::Error> {
        let name = table_name(self.table);
        let source = match view.transaction.open_table(RowsDefinition::new(&name)) {
            Ok(source) => source,
            Err(TableError::TableDoesNotExist(_)) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let mut target = transaction.open_table(RowsDefinition::new(&name))?;
        let extents = Arc::make_mut(self.extents.entry(self.table).or_default());
        let from = self.last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = source.range::<&[u8]>((from, Bound::Unbounded))?;
        let mut last = None;
        let mut ended = false;
        while !ended && *bytes < bytes_max {
            let mut cursor = target.upper_bound_mut(Bound::<&[u8]>::Unbounded)?;
            for _ in 0..ROWS_PER_RUN {
                let Some(row) = rows.next() else {
                    ended = true;
                    break;
                };
                let (key, value) = row?;
                let size = (key.value().len() + value.value().len()) as u64;
                if !lifetime.is_some_and(|lifetime| lifetime.is_over(value.value())) {
                    cursor.insert_before(key.value(), value.value())?;
                    extents.append(key.value(), size, lifetime.and_then(|_| Lifetime::written_ms(value.value())));
                }
                *bytes += size;
                last = Some(key);
                pace::breathe(size as usize);
                if *bytes >= bytes_max {
                    break;
                }
            }
            cursor.close()?;
        }
        if let Some(last) = last {
            self.last = Some(last.value().to_vec());
        }
        Ok(ended)
    }

    /// Writes the rows of a memtable that was just merged into the tree, as far as the copy goes.
    pub(crate) fn follow(&mut self, memtable: &Arc<Memtable>, state: &BaseState, now_ms: u64) -> Result<()> {
        let what = self.what();
        let (at, last) = (self.table, self.last.as_deref());
        let part = |table: u32| match last {
            _ if table < at => Part::All,
            Some(last) if table == at => Part::UpTo(last),
            _ => Part::Nothing,
        };
        write(&self.database, memtable, state, now_ms, &part, &mut self.extents).map(|_| ()).map_err(failed(&what))
    }

    /// Completes a copy that has everything, with the state of the tree, and closes its file. Free pages at the end of the
    /// file, if there are any, are holes.
    ///
    /// # Durability
    /// The file is on disk when it returns, its name after [`Disk::sync_directory`].
    pub(crate) fn finish(self, state: &BaseState) -> Result<()> {
        let what = self.what();
        self.store_state(state).map_err(failed(&what))?;
        self.database.close().map_err(|error| failed(&what)(error.into()))
    }

    /// Moves pages so that the file has no holes. Takes some time.
    fn trim(&mut self) -> Result<()> {
        let what = self.what();
        self.database.compact().map_err(|error| failed(&what)(error.into()))?;
        Ok(())
    }

    fn store_state(&self, state: &BaseState) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        transaction.set_quick_repair(true);
        {
            let mut meta = transaction.open_table(META)?;
            for (table, extents) in &self.extents {
                meta.insert(extents_key(*table).as_str(), extents.encode().as_slice())?;
            }
            meta.insert(STATE_KEY, state.encode().as_slice())?;
        }
        transaction.commit()?;
        Ok(())
    }
}

impl View {
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
        let mut draft = Draft::create(disk, path, cache_bytes)?;
        loop {
            // Time 0: a copy keeps all rows, also those whose time is over by now.
            let (bytes, done) = draft.copy_more(self, 0, COPY_PIECE_BYTES)?;
            progress(bytes);
            if done {
                break;
            }
        }
        draft.trim()?;
        draft.finish(&state)?;
        Ok(state)
    }
}
