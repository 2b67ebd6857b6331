//! Which tables there are, and their tallies.
//!
//! Changed only under the store's commit lock; tallies and kinds are read by anybody without one. A dropped table keeps
//! its number for good, so a row of it that is still in the log or a memtable can never be taken for another's. One whose
//! creation was rolled back, with all its rows, leaves its number to whoever is given it next.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;

use crate::lifetime::Lifetime;
use crate::merge::{self, MergeOperator};
use crate::slots::{SLOTS_MAX, Slots};
use crate::store::Table;
use crate::{Error, Result, TableKind};

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

/// The merge operator of a table; without code when the program does not have one of this name.
#[derive(Debug, Clone)]
pub(crate) struct NamedOperator {
    pub(crate) name: String,
    pub(crate) code: Option<Arc<dyn MergeOperator>>,
}

impl Entry {
    /// The name with what belongs to it, as it is stored.
    pub(crate) fn stored_name(&self) -> String {
        let operator = self.operator.as_ref().map(|operator| operator.name.as_str());
        StoredName { name: &self.name, operator, ttl_ms: self.ttl_ms }.encode()
    }
}

/// A table's name as it is stored: with what belongs to the table, after zero bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoredName<'a> {
    pub(crate) name: &'a str,
    pub(crate) operator: Option<&'a str>,
    pub(crate) ttl_ms: Option<u64>,
}

/// What stands in the operator's place, before milliseconds, in a table whose rows have a time to live. No operator may
/// begin so; a program that does not know it refuses the table for lack of the operator.
pub(crate) const TTL_WORD: &str = "ttl_ms=";

impl<'a> StoredName<'a> {
    pub(crate) fn parse(stored: &'a str) -> StoredName<'a> {
        let Some((name, more)) = stored.split_once('\0') else {
            return StoredName { name: stored, operator: None, ttl_ms: None };
        };
        match more.strip_prefix(TTL_WORD).and_then(|digits| digits.parse().ok()) {
            Some(ttl_ms) => StoredName { name, operator: None, ttl_ms: Some(ttl_ms) },
            None => StoredName { name, operator: Some(more), ttl_ms: None },
        }
    }

    pub(crate) fn encode(&self) -> String {
        match (self.operator, self.ttl_ms) {
            (Some(operator), _) => format!("{}\0{operator}", self.name),
            (None, Some(ttl_ms)) => format!("{}\0{TTL_WORD}{ttl_ms}", self.name),
            (None, None) => self.name.to_owned(),
        }
    }
}

/// A table that was created, and perhaps dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: TableKind,
    pub(crate) operator: Option<NamedOperator>,
    pub(crate) ttl_ms: Option<u64>,
    dropped: AtomicBool,
    tally: AtomicI64,
    /// The creation was rolled back: the number may be given to another table.
    taken_back: AtomicBool,
    /// The table that was given it since.
    successor: OnceLock<Box<Entry>>,
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

impl TableImage {
    pub(crate) fn lifetime(&self) -> Option<Lifetime> {
        self.ttl_ms().map(Lifetime::new)
    }

    /// The time to live of its rows.
    pub(crate) fn ttl_ms(&self) -> Option<u64> {
        StoredName::parse(&self.name).ttl_ms
    }
}

/// The tables of a store.
pub(crate) struct Catalogue {
    entries: Slots<Entry>,
    names: RwLock<BTreeMap<String, Table>>,
    next_table: AtomicU32,
    operators: Vec<Arc<dyn MergeOperator>>,
    any_lifetime: AtomicBool,
}

impl Catalogue {
    pub(crate) fn new(image: CatalogueImage, operators: Vec<Arc<dyn MergeOperator>>) -> Catalogue {
        let catalogue = Catalogue {
            entries: Slots::default(),
            names: RwLock::default(),
            next_table: AtomicU32::new(image.next_table.max(1)),
            operators,
            any_lifetime: AtomicBool::new(false),
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

    /// The entry that a number stands for now.
    #[inline]
    fn entry(&self, table: u32) -> Option<&Entry> {
        let mut entry = self.entries.get(table)?;
        while let Some(successor) = entry.successor.get() {
            entry = successor;
        }
        Some(entry)
    }

    /// The entry of a table that is there.
    #[inline]
    pub(crate) fn get(&self, table: u32) -> Option<&Entry> {
        self.entry(table).filter(|entry| !entry.dropped.load(Ordering::Relaxed))
    }

    /// A number for a new table, for good; `None` when there are no more.
    pub(crate) fn reserve(&self) -> Option<u32> {
        let next = |next: u32| (next < SLOTS_MAX).then(|| next + 1);
        self.next_table.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()
    }

    /// Whether there ever was a table of this number, as far as this process knows, whose creation was not taken back.
    pub(crate) fn was_created(&self, table: u32) -> bool {
        self.entry(table).is_some_and(|entry| !entry.taken_back.load(Ordering::Relaxed))
    }

    /// Whether any table has a time to live.
    #[inline]
    pub(crate) fn any_lifetime(&self) -> bool {
        self.any_lifetime.load(Ordering::Relaxed)
    }

    /// The time to live of a table's rows, also when it was dropped.
    #[inline]
    pub(crate) fn lifetime(&self, table: u32) -> Option<Lifetime> {
        if !self.any_lifetime() {
            return None;
        }
        self.entry(table)?.ttl_ms.map(Lifetime::new)
    }

    /// Enters a table under its stored name.
    pub(crate) fn create(&self, table: u32, kind: TableKind, stored: &str) {
        let StoredName { name, operator, ttl_ms } = StoredName::parse(stored);
        let entry = || Entry {
            name: name.to_owned(),
            kind,
            operator: operator.map(|name| NamedOperator { name: name.to_owned(), code: self.operator(name) }),
            ttl_ms,
            dropped: AtomicBool::new(false),
            tally: AtomicI64::new(0),
            taken_back: AtomicBool::new(false),
            successor: OnceLock::new(),
        };
        let found = self.entry(table);
        let entry = match found.filter(|entry| entry.taken_back.load(Ordering::Relaxed)) {
            // Its name, kind and the rest may be others.
            Some(gone) => Some(&**gone.successor.get_or_init(|| Box::new(entry()))),
            None => found.or_else(|| self.entries.get_or_make(table, entry)),
        };
        if let Some(entry) = entry {
            entry.dropped.store(false, Ordering::Relaxed);
            self.any_lifetime.fetch_or(entry.ttl_ms.is_some(), Ordering::Relaxed);
            self.names.write().insert(name.to_owned(), Table(table));
            self.next_table.fetch_max(table + 1, Ordering::Relaxed);
        }
    }

    /// The merge operator of a name, if the program has it.
    pub(crate) fn operator(&self, name: &str) -> Option<Arc<dyn MergeOperator>> {
        merge::find(&self.operators, name)
    }

    /// # Errors
    /// `Open` when a table has a merge operator that the program does not.
    pub(crate) fn check_operators(&self) -> Result<()> {
        for table in self.names.read().values() {
            let Some(entry) = self.get(table.0) else { continue };
            if let Some(operator) = entry.operator.as_ref().filter(|operator| operator.code.is_none()) {
                return Err(Error::Open(format!(
                    "table {} needs the merge operator {}: add it to Options::merge_operators",
                    entry.name, operator.name
                )));
            }
        }
        Ok(())
    }

    /// Takes back the creation of a table.
    pub(crate) fn take_back(&self, table: u32) {
        self.remove(table);
        if let Some(entry) = self.entry(table) {
            entry.taken_back.store(true, Ordering::Relaxed);
        }
    }

    /// Drops a table whose name is going to be another one's.
    pub(crate) fn retire(&self, table: u32) {
        if let Some(entry) = self.entry(table) {
            entry.dropped.store(true, Ordering::Relaxed);
        }
    }

    /// Drops a table.
    pub(crate) fn remove(&self, table: u32) {
        self.retire(table);
        if let Some(entry) = self.entry(table) {
            let mut names = self.names.write();
            // The name may be another table's by now.
            if names.get(&entry.name) == Some(&Table(table)) {
                names.remove(&entry.name);
            }
        }
    }

    pub(crate) fn add_tally(&self, table: u32, delta: i64) {
        if let Some(entry) = self.entry(table) {
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
            let entry = self.entry(table.0)?;
            Some(TableImage {
                table: table.0,
                kind: entry.kind,
                name: entry.stored_name(),
                tally: entry.tally.load(Ordering::Relaxed),
            })
        });
        let tables = tables.collect();
        CatalogueImage { next_table: self.next_table.load(Ordering::Relaxed), tables }
    }
}
