//! Tables: made, dropped and found; alone, or in one batch with rows.
//!
//! A table that a batch makes has its number before the batch is committed, so rows for it can stand in the same batch.
//! Invariant: a number is given out once; one whose batch is never committed stays unused.

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::batch::rows::{Row, Rows};
use crate::catalogue::{StoredName, TTL_WORD};
use crate::lifetime::ttl_ms;
use crate::store::Shared;
use crate::{Error, Result, Store, Table, TableKind, WriteBatch};

/// What a new table is like.
///
/// ```
/// use std::time::Duration;
/// use ennead_store::{Durability, Options, Store, TableKind, TableOptions, WriteBatch};
/// # let directory = tempfile::tempdir()?;
/// let store = Store::open(Options::new(directory.path()))?;
/// let day = Duration::from_secs(86_400);
/// let sessions = store.create_table_with("sessions", &TableOptions::new(TableKind::Ordered).with_ttl(day))?;
/// let mut batch = WriteBatch::new();
/// batch.put(sessions, b"alice", b"token");
/// store.write(&batch, Durability::Always)?;
/// // For a day from now on, and after a restart too:
/// assert_eq!(store.get(sessions, b"alice")?.as_deref(), Some(&b"token"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableOptions {
    kind: TableKind,
    merge_operator: Option<String>,
    ttl: Option<Duration>,
}

impl TableOptions {
    pub fn new(kind: TableKind) -> Self {
        TableOptions { kind, ..TableOptions::default() }
    }

    /// Lets [`WriteBatch::merge`] work on the table; see [`Store::create_merge_table`].
    pub fn with_merge_operator(mut self, name: &str) -> Self {
        self.merge_operator = Some(name.to_owned());
        self
    }

    /// How long a row is there after it was last written, in whole milliseconds, rounded up. When the time is over, the row
    /// is not returned any more, by no read that begins then; a snapshot keeps to the moment it was taken. It takes space
    /// until a flush or a compaction removes it, which happens within the next flushes after another eighth of the
    /// time. Time is the wall clock's: when that is set back, rows live longer.
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }
}

impl Store {
    /// The table of this name, created when it is missing.
    ///
    /// # Errors
    /// `Invalid` when it is there with another kind, a merge operator or a time to live.
    pub fn create_table(&self, name: &str, kind: TableKind) -> Result<Table> {
        self.create_table_with(name, &TableOptions::new(kind))
    }

    /// The table of this name, created when it is missing.
    ///
    /// # Errors
    /// `Invalid` when it is there and not as `options` say, for a merge operator that the store was not opened with, and
    /// for a merge operator together with a time to live.
    pub fn create_table_with(&self, name: &str, options: &TableOptions) -> Result<Table> {
        let shared = self.shared();
        shared.commit_catalogue(|batch| match shared.catalogue.find(name) {
            Some(table) => shared.check_same(table, options).map(|()| table),
            None => shared.stage_table(batch, name, options),
        })
    }

    pub fn table(&self, name: &str) -> Option<Table> {
        self.shared().catalogue.find(name)
    }

    /// Names and handles of all tables, by name.
    pub fn tables(&self) -> Vec<(String, Table)> {
        self.shared().catalogue.list()
    }

    /// Drops a table with all its rows. Its handle is refused by later commits and reads nothing; snapshots taken before
    /// still see it.
    pub fn drop_table(&self, name: &str) -> Result<()> {
        let catalogue = &self.shared().catalogue;
        self.shared().commit_catalogue(|batch| {
            let table = catalogue.find(name).ok_or_else(|| Error::UnknownTable(name.to_owned()))?;
            batch.drop_table(self, table)
        })
    }
}

impl WriteBatch {
    /// Stages a new table; its rows may be staged right after, in the same batch. It is there when the batch is committed,
    /// in `store` and no other, and nothing is there when that fails or never happens.
    ///
    /// A commit is refused with `TableExists` when a table of the name is there by then, and with `Conflict` when the batch
    /// was committed before: clear it and stage its tables anew.
    ///
    /// # Errors
    /// `Invalid` for a name or options that no table can have; nothing was staged then.
    ///
    /// ```
    /// use ennead_store::{Durability, Options, Store, TableKind, TableOptions, WriteBatch};
    /// # let directory = tempfile::tempdir()?;
    /// let store = Store::open(Options::new(directory.path()))?;
    /// let old = store.create_table("index", TableKind::Ordered)?;
    /// // A rebuilt index takes the place of the old one: the name leads to either of them at any time.
    /// let mut batch = WriteBatch::new();
    /// batch.drop_table(&store, old)?;
    /// let new = batch.create_table(&store, "index", &TableOptions::new(TableKind::Ordered))?;
    /// batch.put(new, b"word", b"document 1");
    /// store.write(&batch, Durability::Always)?;
    /// assert_eq!(store.table("index"), Some(new));
    /// assert_eq!(store.get(new, b"word")?.as_deref(), Some(&b"document 1"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_table(&mut self, store: &Store, name: &str, options: &TableOptions) -> Result<Table> {
        store.shared().stage_table(self, name, options)
    }

    /// Stages the end of a table with all its rows. Later rows of the batch cannot be for it. A commit is refused with
    /// `UnknownTable` when it is not there any more.
    ///
    /// # Errors
    /// `UnknownTable` when it is not there now, and this batch does not make it.
    pub fn drop_table(&mut self, store: &Store, table: Table) -> Result<()> {
        if let Some(entry) = store.shared().catalogue.get(table.0) {
            self.drop_table_row(table.0, entry.kind.to_byte(), &entry.stored_name());
            return Ok(());
        }
        let own = Rows::new(self.encoded()).map_while(std::result::Result::ok).find_map(|row| match row {
            Row::CreateTable { table: of, kind, name } if of == table.0 => Some((kind, name.to_owned())),
            _ => None,
        });
        let (kind, name) = own.ok_or_else(|| Error::UnknownTable(format!("with number {}", table.0)))?;
        self.drop_table_row(table.0, kind, &name);
        Ok(())
    }
}

/// What a batch makes of the tables, row by row.
#[derive(Default)]
struct Changed<'a> {
    made: Vec<(u32, StoredName<'a>)>,
    dropped: Vec<u32>,
}

impl Changed<'_> {
    fn made(&self, table: u32) -> Option<&StoredName<'_>> {
        self.made.iter().find(|(number, _)| *number == table).map(|(_, name)| name)
    }
}

impl Shared {
    fn stage_table(&self, batch: &mut WriteBatch, name: &str, options: &TableOptions) -> Result<Table> {
        if name.contains('\0') {
            return Err(Error::Invalid("a table's name cannot hold a zero byte".into()));
        }
        let operator = options.merge_operator.as_deref();
        if let Some(operator) = operator
            && (operator.starts_with(TTL_WORD) || self.catalogue.operator(operator).is_none())
        {
            return Err(Error::Invalid(format!(
                "there is no merge operator {operator}: add it to Options::merge_operators"
            )));
        }
        if operator.is_some() && options.ttl.is_some() {
            return Err(Error::Invalid("a table cannot have both a merge operator and a time to live".into()));
        }
        let number = self
            .catalogue
            .reserve()
            .ok_or_else(|| Error::Invalid("the store has no table numbers left: too many were created".into()))?;
        let stored = StoredName { name, operator, ttl_ms: options.ttl.map(ttl_ms) }.encode();
        batch.create_table_row(number, options.kind.to_byte(), &stored);
        Ok(Table(number))
    }

    /// # Errors
    /// `Invalid` when a table that is there is not as `options` say.
    fn check_same(&self, table: Table, options: &TableOptions) -> Result<()> {
        let Some(entry) = self.catalogue.get(table.0) else { return Ok(()) };
        let (name, kind) = (&entry.name, options.kind);
        if entry.kind != kind {
            return Err(Error::Invalid(format!("table {name} is there as {:?}, not {kind:?}", entry.kind)));
        }
        let own = entry.operator.as_ref().map(|operator| operator.name.as_str());
        let wanted = options.merge_operator.as_deref();
        if own != wanted {
            let with = |operator: Option<&str>| operator.map_or("none".to_owned(), str::to_owned);
            return Err(Error::Invalid(format!(
                "table {name} is there with the merge operator {}, not {}",
                with(own),
                with(wanted)
            )));
        }
        let wanted = options.ttl.map(ttl_ms);
        if entry.ttl_ms != wanted {
            let of = |ttl: Option<u64>| ttl.map_or("none".to_owned(), |ttl| format!("{ttl} ms"));
            return Err(Error::Invalid(format!(
                "table {name} is there with the time to live {}, not {}",
                of(entry.ttl_ms),
                of(wanted)
            )));
        }
        Ok(())
    }

    /// Checks the tables that a batch needs, makes and drops. The caller holds the commit lock. Answers whether rows of
    /// it have a time to live.
    pub(crate) fn check_tables(&self, batch: &WriteBatch) -> Result<bool> {
        if batch.changes_tables() {
            return self.check_changed_tables(batch);
        }
        let mut lives = false;
        for table in batch.tables() {
            let entry = self.catalogue.get(table.0).ok_or_else(|| unknown(table.0))?;
            lives |= entry.ttl_ms.is_some();
        }
        for table in batch.merged() {
            let operator = self.catalogue.get(table.0).and_then(|entry| entry.operator.as_ref());
            if operator.is_none() {
                return Err(no_operator(table.0));
            }
        }
        Ok(lives)
    }

    /// [`Shared::check_tables`] for a batch that makes or drops some itself: row by row, as they will take effect.
    fn check_changed_tables(&self, batch: &WriteBatch) -> Result<bool> {
        let mut changed = Changed::default();
        let mut lives = false;
        for row in Rows::new(batch.encoded()).map_while(std::result::Result::ok) {
            match row {
                Row::CreateTable { table, name: stored, .. } => {
                    let stored = StoredName::parse(stored);
                    let other = self.catalogue.find(stored.name).filter(|other| !changed.dropped.contains(&other.0));
                    let twice = changed
                        .made
                        .iter()
                        .any(|(made, name)| name.name == stored.name && !changed.dropped.contains(made));
                    if other.is_some() || twice {
                        return Err(Error::TableExists(stored.name.to_owned()));
                    }
                    if self.catalogue.was_created(table) || changed.made(table).is_some() {
                        return Err(Error::Conflict(format!(
                            "the batch that makes table {} was committed before",
                            stored.name
                        )));
                    }
                    changed.made.push((table, stored));
                }
                Row::DropTable { table, .. } => {
                    self.check_row_table(&changed, table)?;
                    changed.dropped.push(table);
                }
                Row::Put { table, .. } | Row::PutStamped { table, .. } => {
                    lives |= self.check_row_table(&changed, table)?.1;
                }
                Row::Delete { table, .. } | Row::DeleteRange { table, .. } => {
                    self.check_row_table(&changed, table)?;
                }
                Row::Merge { table, .. } => {
                    let (merges, _) = self.check_row_table(&changed, table)?;
                    if !merges {
                        return Err(no_operator(table));
                    }
                }
            }
        }
        match batch
            .tables()
            .iter()
            .find(|table| self.catalogue.get(table.0).is_none() && changed.made(table.0).is_none())
        {
            Some(table) => Err(unknown(table.0)),
            None => Ok(lives),
        }
    }

    /// Whether a table that is there at this point of a batch has a merge operator, and a time to live.
    fn check_row_table(&self, changed: &Changed<'_>, table: u32) -> Result<(bool, bool)> {
        if changed.dropped.contains(&table) {
            return Err(unknown(table));
        }
        if let Some(name) = changed.made(table) {
            return Ok((name.operator.is_some(), name.ttl_ms.is_some()));
        }
        let entry = self.catalogue.get(table).ok_or_else(|| unknown(table))?;
        Ok((entry.operator.is_some(), entry.ttl_ms.is_some()))
    }

    /// The batch with the time of its writing in each row of a table with a time to live.
    pub(crate) fn stamped(&self, batch: &WriteBatch) -> WriteBatch {
        let made = |table: u32| {
            Rows::new(batch.encoded()).map_while(std::result::Result::ok).any(|row| match row {
                Row::CreateTable { table: of, name, .. } => of == table && StoredName::parse(name).ttl_ms.is_some(),
                _ => false,
            })
        };
        let lives = |table: u32| match self.catalogue.get(table) {
            Some(entry) => entry.ttl_ms.is_some(),
            None => batch.changes_tables() && made(table),
        };
        batch.stamp(self.clock.now_ms(), lives)
    }
}

fn unknown(table: u32) -> Error {
    Error::UnknownTable(format!("with number {table}"))
}

fn no_operator(table: u32) -> Error {
    Error::Invalid(format!("table number {table} has no merge operator"))
}
