//! Which tables there are, and their tallies.
//!
//! Changed only under the store's commit lock; tallies and kinds are read by anybody without one. A dropped table keeps
//! its number for good, so a row of it that is still in the log or a memtable can never be taken for another's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use parking_lot::RwLock;

use crate::TableKind;
use crate::slots::{SLOTS_MAX, Slots};
use crate::store::Table;

impl TableKind {
    pub(crate) fn to_byte(self) -> u8 {
        match self {
            TableKind::Ordered => 0,
            TableKind::Hashed => 1,
        }
    }

    /// Kinds of a later version are held in order, which is right for any.
    pub(crate) fn from_byte(byte: u8) -> TableKind {
        if byte == 1 { TableKind::Hashed } else { TableKind::Ordered }
    }
}

/// A table that was created, and perhaps dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: TableKind,
    dropped: AtomicBool,
    tally: AtomicI64,
}

/// What of the catalogue is stored with a flush.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CatalogueImage {
    pub(crate) next_table: u32,
    pub(crate) tables: Vec<TableImage>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableImage {
    pub(crate) table: u32,
    pub(crate) kind: TableKind,
    pub(crate) name: String,
    pub(crate) tally: i64,
}

/// The tables of a store.
pub(crate) struct Catalogue {
    entries: Slots<Entry>,
    names: RwLock<BTreeMap<String, Table>>,
    next_table: AtomicU32,
}

impl Catalogue {
    pub(crate) fn new(image: CatalogueImage) -> Catalogue {
        let catalogue = Catalogue {
            entries: Slots::default(),
            names: RwLock::default(),
            next_table: AtomicU32::new(image.next_table.max(1)),
        };
        for table in image.tables {
            catalogue.create(table.table, table.kind, &table.name);
            catalogue.add_tally(table.table, table.tally);
        }
        catalogue
    }

    pub(crate) fn find(&self, name: &str) -> Option<Table> {
        self.names.read().get(name).copied()
    }

    /// Names and handles of all tables, by name.
    pub(crate) fn list(&self) -> Vec<(String, Table)> {
        self.names.read().iter().map(|(name, table)| (name.clone(), *table)).collect()
    }

    /// The entry of a table that is there.
    #[inline]
    pub(crate) fn get(&self, table: u32) -> Option<&Entry> {
        self.entries.get(table).filter(|entry| !entry.dropped.load(Ordering::Relaxed))
    }

    /// The number that the next table gets; `None` when there are no more.
    pub(crate) fn next_table(&self) -> Option<u32> {
        Some(self.next_table.load(Ordering::Relaxed)).filter(|next| *next < SLOTS_MAX)
    }

    pub(crate) fn create(&self, table: u32, kind: TableKind, name: &str) {
        let entry = || Entry { name: name.to_owned(), kind, dropped: AtomicBool::new(false), tally: AtomicI64::new(0) };
        if let Some(entry) = self.entries.get_or_make(table, entry) {
            entry.dropped.store(false, Ordering::Relaxed);
            self.names.write().insert(name.to_owned(), Table(table));
            self.next_table.fetch_max(table + 1, Ordering::Relaxed);
        }
    }

    /// Drops a table, or takes back its creation.
    pub(crate) fn remove(&self, table: u32) {
        if let Some(entry) = self.entries.get(table) {
            entry.dropped.store(true, Ordering::Relaxed);
            self.names.write().remove(&entry.name);
        }
    }

    pub(crate) fn add_tally(&self, table: u32, delta: i64) {
        if let Some(entry) = self.entries.get(table) {
            let sum = entry.tally.load(Ordering::Relaxed).wrapping_add(delta);
            entry.tally.store(sum, Ordering::Relaxed);
        }
    }

    pub(crate) fn tally(&self, table: u32) -> i64 {
        self.get(table).map_or(0, |entry| entry.tally.load(Ordering::Relaxed))
    }

    /// A copy to be stored. The caller holds the commit lock.
    pub(crate) fn image(&self) -> CatalogueImage {
        let names = self.names.read();
        let tables = names.values().filter_map(|table| {
            let entry = self.entries.get(table.0)?;
            Some(TableImage {
                table: table.0,
                kind: entry.kind,
                name: entry.name.clone(),
                tally: entry.tally.load(Ordering::Relaxed),
            })
        });
        let tables = tables.collect();
        CatalogueImage { next_table: self.next_table.load(Ordering::Relaxed), tables }
    }
}
