//! The durable B-tree: what redb is to the store. The only module, with those below it, that names redb.
//!
//! One redb table for each of ours, named by its number, and one for what the store knows of itself: the format version,
//! the flushed sequence, the catalogue with tallies. All of it changes in the one write transaction of a flush, so that
//! redb and the log always meet at the flushed sequence. Reads go through a [`View`] that is opened once per flush.

pub(crate) mod draft;
pub(crate) mod extents;
mod gaps;
pub(crate) mod merge;
#[cfg(test)]
mod tests;

use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use redb::{
    Builder, Database, OwnedAccessGuard, OwnedRange, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition,
    TableError, TableHandle,
};
use serde::{Deserialize, Serialize};

use crate::TableKind;
use crate::catalogue::{CatalogueImage, TableImage};
use crate::disk::{Disk, DiskFile, TreeFile};
use crate::lifetime::Lifetime;
use crate::slots::Slots;
use crate::store::Sequence;
use crate::{Error, Result};
use extents::{Extents, ExtentsByTable};

const META: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("meta");
const STATE_KEY: &str = "state";

pub(crate) type RowsDefinition<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
pub(crate) type RowsRange = OwnedRange<&'static [u8], &'static [u8]>;
pub(crate) type RowsGuard = OwnedAccessGuard<&'static [u8]>;
type RowsTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// What the store keeps of itself, as MessagePack under one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredState {
    flushed: Sequence,
    next_table: u32,
    /// Number, kind, name, tally.
    tables: Vec<(u32, u8, String, i64)>,
}

/// What a flush stores beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BaseState {
    pub(crate) flushed: Sequence,
    pub(crate) catalogue: CatalogueImage,
}

impl BaseState {
    fn encode(&self) -> Vec<u8> {
        let tables = &self.catalogue.tables;
        let stored = StoredState {
            flushed: self.flushed,
            next_table: self.catalogue.next_table,
            tables: tables.iter().map(|t| (t.table, t.kind.to_byte(), t.name.clone(), t.tally)).collect(),
        };
        #[expect(clippy::expect_used, reason = "numbers and strings into a Vec cannot fail")]
        rmp_serde::to_vec(&stored).expect("the state is encoded in memory")
    }

    fn decode(bytes: &[u8]) -> Result<BaseState> {
        let stored: StoredState = rmp_serde::from_slice(bytes)
            .map_err(|error| Error::Corrupted(format!("the stored state is not readable: {error}")))?;
        let table = |(table, kind, name, tally)| TableImage { table, kind: TableKind::from_byte(kind), name, tally };
        let tables = stored.tables.into_iter().map(table).collect();
        let catalogue = CatalogueImage { next_table: stored.next_table, tables };
        Ok(BaseState { flushed: stored.flushed, catalogue })
    }
}

pub(crate) fn table_name(table: u32) -> String {
    format!("t{table:08}")
}

/// Where a table's extents are among what the store keeps of itself.
fn extents_key(table: u32) -> String {
    format!("extents {table:08}")
}

pub(crate) fn failed(what: &str) -> impl FnOnce(redb::Error) -> Error {
    let what = what.to_owned();
    move |error| match error {
        redb::Error::Corrupted(detail) => Error::Corrupted(format!("{what}: {detail}")),
        error => Error::Io(format!("{what}: {error}")),
    }
}

/// The open B-tree.
pub(crate) struct Base {
    database: Database,
    file: Arc<dyn DiskFile>,
    /// Of the last flush.
    extents: Mutex<Arc<ExtentsByTable>>,
    /// Shared with every view, to know whether there is one.
    lease: Arc<()>,
}

impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Base")
    }
}

impl Base {
    /// Opens the B-tree's file, or creates it. `cache_bytes` holds clean and dirty pages together.
    pub(crate) fn open(disk: &dyn Disk, path: &Path, cache_bytes: usize) -> Result<Base> {
        let context = |error: std::io::Error| Error::Io(format!("cannot open {}: {error}", path.display()));
        let made = |file: Arc<dyn DiskFile>| -> Result<Base> {
            let database = Builder::new()
                .set_cache_size(cache_bytes)
                .create_with_backend(TreeFile(file.clone()))
                .map_err(|error| failed(&format!("cannot open {}", path.display()))(error.into()))?;
            Ok(Base { database, file, extents: Mutex::default(), lease: Arc::default() })
        };
        if disk.exists(path).map_err(context)? {
            let base = made(disk.open(path).map_err(context)?)?;
            let extents = base.load_extents()?;
            *base.extents.lock() = Arc::new(extents);
            return Ok(base);
        }
        // By way of another name: a file that a crash left half made is no B-tree, and must not look like one.
        let draft = path.with_extension("new");
        let file = disk.create(&draft).map_err(context)?;
        let base = made(file)?;
        base.file.sync_data().and_then(|()| disk.rename(&draft, path)).map_err(context)?;
        if let Some(directory) = path.parent() {
            disk.sync_directory(directory).map_err(context)?;
        }
        Ok(base)
    }

    /// The stored extents; those of a tree that an earlier version wrote without are made, and stored, here.
    fn load_extents(&self) -> Result<ExtentsByTable> {
        let view = self.view()?;
        let mut all = ExtentsByTable::new();
        let mut missing = Vec::new();
        for table in view.state()?.catalogue.tables {
            let stored = match view.meta(&extents_key(table.table))? {
                Some(bytes) => Extents::decode(&bytes)?,
                None => {
                    let lives = table.ttl_ms().is_some();
                    let counted = view.count(table.table, lives)?;
                    if counted.total().0 > 0 {
                        missing.push((extents_key(table.table), counted.encode()));
                    }
                    counted
                }
            };
            all.insert(table.table, Arc::new(stored));
        }
        drop(view);
        let store = || -> Result<(), redb::Error> {
            let mut transaction = self.database.begin_write()?;
            transaction.set_quick_repair(true);
            for (key, bytes) in &missing {
                transaction.open_table(META)?.insert(key.as_str(), bytes.as_slice())?;
            }
            transaction.commit()?;
            Ok(())
        };
        if !missing.is_empty() {
            store().map_err(failed("cannot write the B-tree"))?;
        }
        Ok(all)
    }

    /// Whether somebody holds a view.
    pub(crate) fn is_read(&self) -> bool {
        Arc::strong_count(&self.lease) > 1
    }

    /// The file itself, to ask for its size.
    pub(crate) fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    pub(crate) fn state(&self) -> Result<BaseState> {
        self.view()?.state()
    }

    /// The rows as of now.
    pub(crate) fn view(&self) -> Result<View> {
        let transaction = self.database.begin_read().map_err(|error| failed("cannot read the B-tree")(error.into()))?;
        let extents = self.extents.lock().clone();
        Ok(View { transaction, tables: Slots::default(), extents, _lease: self.lease.clone() })
    }

    /// Closes the file; views that are still held answer errors from then on.
    pub(crate) fn close(self) -> Result<()> {
        self.database.close().map_err(|error| failed("cannot close the B-tree")(error.into()))
    }
}

/// The rows as of one flush, for as long as somebody holds it.
pub(crate) struct View {
    transaction: ReadTransaction,
    tables: Slots<OnceLock<Option<RowsTable>>>,
    extents: Arc<ExtentsByTable>,
    _lease: Arc<()>,
}

impl View {
    /// The state that was stored with the rows of this view.
    pub(crate) fn state(&self) -> Result<BaseState> {
        match self.meta(STATE_KEY)? {
            Some(bytes) => BaseState::decode(&bytes),
            None => Ok(BaseState::default()),
        }
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            match self.transaction.open_table(META) {
                Ok(table) => Ok(table.get(key)?.map(|value| value.value().to_vec())),
                Err(TableError::TableDoesNotExist(_)) => Ok(None),
                Err(error) => Err(error.into()),
            }
        };
        read().map_err(failed("cannot read the stored state"))
    }

    /// How many rows the table has, and where.
    pub(crate) fn extents(&self, table: u32) -> Option<&Arc<Extents>> {
        self.extents.get(&table)
    }

    /// The number of rows of all tables, and bytes of their keys and values.
    pub(crate) fn live(&self) -> (u64, u64) {
        self.extents.values().map(|extents| extents.total()).fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1))
    }

    /// The extents of a table, by counting.
    fn count(&self, table: u32, lives: bool) -> Result<Extents> {
        let mut extents = Extents::default();
        let Some(range) = self.range(table, (Bound::Unbounded, Bound::Unbounded))? else { return Ok(extents) };
        for row in range {
            let (key, value) = row.map_err(|error| failed("cannot read a row")(error.into()))?;
            let written_ms = if lives { Lifetime::written_ms(value.value()) } else { None };
            extents.append(key.value(), (key.value().len() + value.value().len()) as u64, written_ms);
        }
        Ok(extents)
    }

    /// Rows of `start <= key < end`, and bytes of their keys and values, by counting.
    pub(crate) fn count_range(&self, table: u32, start: &[u8], end: Option<&[u8]>) -> Result<(u64, u64)> {
        let (mut rows, mut bytes) = (0, 0);
        if end.is_some_and(|end| end <= start) {
            return Ok((rows, bytes));
        }
        let end = end.map_or(Bound::Unbounded, Bound::Excluded);
        let Some(range) = self.range(table, (Bound::Included(start), end))? else { return Ok((rows, bytes)) };
        for row in range {
            let (key, value) = row.map_err(|error| failed("cannot read a row")(error.into()))?;
            rows += 1;
            bytes += (key.value().len() + value.value().len()) as u64;
        }
        Ok((rows, bytes))
    }

    /// The table, if it was ever flushed. Opened once.
    fn table(&self, table: u32) -> Result<Option<&RowsTable>> {
        let Some(place) = self.tables.get_or_make(table, OnceLock::new) else { return Ok(None) };
        if let Some(opened) = place.get() {
            return Ok(opened.as_ref());
        }
        let name = table_name(table);
        let opened = match self.transaction.open_table(RowsDefinition::new(&name)) {
            Ok(opened) => Some(opened),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(failed("cannot open a table")(error.into())),
        };
        Ok(place.get_or_init(|| opened).as_ref())
    }

    pub(crate) fn get<T>(&self, table: u32, key: &[u8], map: impl FnOnce(&[u8]) -> T) -> Result<Option<T>> {
        let Some(rows) = self.table(table)? else { return Ok(None) };
        match rows.get(key) {
            Ok(found) => Ok(found.map(|value| map(value.value()))),
            Err(error) => Err(failed("cannot read a row")(error.into())),
        }
    }

    /// The rows in a range; `None` when the table was never flushed.
    pub(crate) fn range(&self, table: u32, range: (Bound<&[u8]>, Bound<&[u8]>)) -> Result<Option<RowsRange>> {
        let Some(rows) = self.table(table)? else { return Ok(None) };
        match rows.range_owned::<&[u8]>(range) {
            Ok(range) => Ok(Some(range)),
            Err(error) => Err(failed("cannot read a range")(error.into())),
        }
    }
}

/// A view that several readers share.
pub(crate) type SharedView = Arc<View>;

/// The numbers of the tables that are there, by their names.
pub(crate) fn table_numbers(names: impl Iterator<Item = redb::UntypedTableHandle>) -> Vec<u32> {
    names.filter_map(|handle| handle.name().strip_prefix('t').and_then(|digits| digits.parse().ok())).collect()
}
