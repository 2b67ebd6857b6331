//! The durable B-tree: what redb is to the store. The only module, with those below it, that names redb.
//!
//! One redb table for each of ours, named by its number, and one for what the store knows of itself: the format version,
//! the flushed sequence, the catalogue with tallies. All of it changes in the one write transaction of a flush, so that
//! redb and the log always meet at the flushed sequence. Reads go through a [`View`] that is opened once per flush.

mod copy;
pub(crate) mod merge;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use redb::{
    Builder, Database, OwnedAccessGuard, OwnedRange, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition,
    TableError, TableHandle,
};
use serde::{Deserialize, Serialize};

use crate::TableKind;
use crate::catalogue::{CatalogueImage, TableImage};
use crate::disk::{Disk, DiskFile, TreeFile};
use crate::slots::Slots;
use crate::store::Sequence;
use crate::{Error, Result};

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
            Ok(Base { database, file, lease: Arc::default() })
        };
        if disk.exists(path).map_err(context)? {
            return made(disk.open(path).map_err(context)?);
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

    /// Whether somebody holds a view.
    pub(crate) fn is_read(&self) -> bool {
        Arc::strong_count(&self.lease) > 1
    }

    /// The file itself, to ask for its size.
    pub(crate) fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    pub(crate) fn state(&self) -> Result<BaseState> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let transaction = self.database.begin_read()?;
            match transaction.open_table(META) {
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

    /// The rows as of now.
    pub(crate) fn view(&self) -> Result<View> {
        let transaction = self.database.begin_read().map_err(|error| failed("cannot read the B-tree")(error.into()))?;
        Ok(View { transaction, tables: Slots::default(), _lease: self.lease.clone() })
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
    _lease: Arc<()>,
}

impl View {
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
    pub(crate) fn range(
        &self,
        table: u32,
        range: (std::ops::Bound<&[u8]>, std::ops::Bound<&[u8]>),
    ) -> Result<Option<RowsRange>> {
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
