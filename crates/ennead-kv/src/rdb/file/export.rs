//! Writes what a store holds as a snapshot file: rows of one moment, read in their order, a few at a time.
//!
//! A new kind of value has its arms in `short` and `long`.

use std::io::Write;

use ennead_store::{Iter, Snapshot, Store, Table};

use super::{Error, Writer};
use crate::database::Database;
use crate::entry::Kind;
use crate::keyspace::database_numbers;
use crate::object::fields;
use crate::object::stream::Stream;
use crate::packed;
use crate::rdb::{dated, shape, streams};
use crate::row::{self, RowValue};

/// Keys between two reports of progress.
const PROGRESS_KEYS: u64 = 1024;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// Keys in the file.
    pub keys: u64,
    /// Keys left out because their time is over.
    pub expired: u64,
    /// Of the file.
    pub bytes: u64,
}

/// What a file is to have in it.
#[derive(Debug, Clone, Copy)]
pub struct Contents<'a> {
    /// Facts about the file.
    pub notes: &'a [(&'a str, &'a str)],
    /// The sources of libraries of functions.
    pub libraries: &'a [Vec<u8>],
    /// Whether the keys of all databases are.
    pub keys: bool,
}

/// Writes what a store holds as of a snapshot of it. `progress` is told keys done and, as far as that is known, in all.
///
/// # Errors
/// The store cannot be read, or the output not be written: the file is not whole then.
pub fn export(
    store: &Store,
    snapshot: &Snapshot,
    output: impl Write,
    contents: &Contents<'_>,
    now_ms: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Exported, Error> {
    let mut writer = Writer::new(output, contents.notes)?;
    for library in contents.libraries {
        writer.library(library)?;
    }
    let mut exported = Exported::default();
    if contents.keys {
        let databases = databases(store, snapshot)?;
        let total = databases.iter().map(|database| tally(store, database.rows)).sum();
        for database in databases {
            let mut told = |exported: &Exported| progress(exported.keys + exported.expired, total);
            export_database(store, snapshot, &database, &mut writer, now_ms, &mut exported, &mut told)?;
        }
    }
    exported.bytes = writer.finish()?.1;
    Ok(exported)
}

/// The tables of a database that clients select by this number.
struct Tables {
    number: usize,
    rows: Table,
    chunks: Table,
}

fn databases(store: &Store, snapshot: &Snapshot) -> Result<Vec<Tables>, Error> {
    let tables = |(number, index): (usize, u8)| {
        let [rows, chunks] = Database::table_names(index.into()).map(|name| store.table(&name));
        Some(Tables { number, rows: rows?, chunks: chunks? })
    };
    Ok(database_numbers(store, snapshot)?.into_iter().enumerate().filter_map(tables).collect())
}

/// Of the present, which the snapshot may be behind: good for telling about how much there is.
fn tally(store: &Store, table: Table) -> u64 {
    u64::try_from(store.tally(table)).unwrap_or(0)
}

fn export_database<W: Write>(
    store: &Store,
    snapshot: &Snapshot,
    database: &Tables,
    writer: &mut Writer<W>,
    now_ms: u64,
    exported: &mut Exported,
    progress: &mut dyn FnMut(&Exported),
) -> Result<(), Error> {
    let Tables { number, rows, chunks } = *database;
    let mut keys = snapshot.iter(rows, &[], None);
    keys.seek_to_first();
    if keys.valid() {
        writer.database(number as u64, tally(store, rows), tally(store, chunks))?;
    }
    while keys.valid() {
        if let Some((place, key)) = row::parse_row_key(keys.key()) {
            let value = RowValue::parse(keys.value()).ok_or_else(|| corrupted(key))?;
            if (1..=now_ms).contains(&value.expiry) {
                exported.expired += 1;
            } else {
                let mut target = Target { writer, key, deadline: value.expiry };
                match value.object().filter(|_| value.kind.has_object()) {
                    Some((id, len)) => {
                        let (start, end) = (row::object_prefix(place.slot, id), row::object_prefix(place.slot, id + 1));
                        let members = members(snapshot, chunks, &start, &end);
                        target.long(value.kind, len, value.first_deadline(), members)?;
                    }
                    None => target.short(value.kind, value.payload)?,
                }
                exported.keys += 1;
            }
        }
        if (exported.keys + exported.expired).is_multiple_of(PROGRESS_KEYS) {
            progress(exported);
        }
        keys.next();
    }
    Ok(keys.status()?)
}

fn members(snapshot: &Snapshot, chunks: Table, start: &[u8], end: &[u8]) -> Iter {
    let mut members = snapshot.iter(chunks, start, Some(end));
    members.seek_to_first();
    members
}

fn corrupted(key: &[u8]) -> Error {
    ennead_store::Error::Corrupted(format!("the rows of key {} do not fit together", key.escape_ascii())).into()
}

/// Where a key is written to.
struct Target<'a, W> {
    writer: &'a mut Writer<W>,
    key: &'a [u8],
    deadline: u64,
}

impl<W: Write> Target<'_, W> {
    fn begin(&mut self, kind: u8) -> Result<(), Error> {
        Ok(self.writer.key(kind, self.key, self.deadline)?)
    }

    /// A value in one row.
    fn short(&mut self, kind: Kind, payload: &[u8]) -> Result<(), Error> {
        let count = packed::items(payload).count() as u64;
        match kind {
            Kind::String | Kind::LongString => {
                self.begin(shape::STRING)?;
                self.writer.string(payload)?;
            }
            Kind::List | Kind::LongList | Kind::Set | Kind::LongSet => {
                self.begin(if kind.short() == Kind::List { shape::LIST } else { shape::SET })?;
                self.writer.length(count)?;
                for item in packed::items(payload) {
                    self.writer.string(item.bytes)?;
                }
            }
            Kind::Hash | Kind::LongHash => {
                self.begin(shape::HASH)?;
                self.writer.length(count / 2)?;
                for (field, value) in packed::pairs(payload) {
                    self.writer.string(field.bytes)?;
                    self.writer.string(value.bytes)?;
                }
            }
            Kind::Zset | Kind::LongZset => {
                self.begin(shape::ZSET)?;
                self.writer.length(count / 2)?;
                for (member, score) in packed::pairs(payload) {
                    self.writer.string(member.bytes)?;
                    self.writer.raw(&packed::score(score.bytes).to_le_bytes())?;
                }
            }
            // It always has rows of its own.
            Kind::Stream | Kind::LongStream => return Err(corrupted(self.key)),
        }
        Ok(())
    }

    /// A stream is put together in memory: its groups stand behind its entries.
    fn stream(&mut self, len: u64, mut rows: Iter) -> Result<(), Error> {
        let mut stream = Stream::new(0);
        while rows.valid() {
            if !stream.admit(rows.key().get(row::OBJECT_PREFIX..).unwrap_or_default(), rows.value()) {
                return Err(corrupted(self.key));
            }
            rows.next();
        }
        rows.status()?;
        if stream.len() as u64 != len {
            return Err(corrupted(self.key));
        }
        let value = streams::value(&stream);
        self.begin(value[0])?;
        Ok(self.writer.raw(&value[1..])?)
    }

    /// A value with a row for each member, or chunk.
    /// `first` is the first deadline of a hash's fields, 0 for none.
    fn long(&mut self, kind: Kind, len: u64, first: u64, mut rows: Iter) -> Result<(), Error> {
        let kind = match kind.short() {
            Kind::List => shape::LIST,
            Kind::Set => shape::SET,
            // A Redis before 7.4 does not know the type, whatever the file's version.
            Kind::Hash if first != 0 => shape::HASH_DEADLINES,
            Kind::Hash => shape::HASH,
            Kind::Zset => shape::ZSET,
            Kind::Stream => return self.stream(len, rows),
            _ => {
                self.begin(shape::STRING)?;
                return self.chunks(len, rows);
            }
        };
        self.begin(kind)?;
        if kind == shape::HASH_DEADLINES {
            self.writer.raw(&first.to_le_bytes())?;
        }
        self.writer.length(len)?;
        let mut left = len;
        while rows.valid() {
            let suffix = rows.key().get(row::OBJECT_PREFIX..).unwrap_or_default();
            match kind {
                shape::LIST => self.writer.string(rows.value())?,
                shape::SET => self.writer.string(suffix)?,
                shape::HASH | shape::HASH_DEADLINES => {
                    let (value, deadline) = fields::parse_row(rows.value()).ok_or_else(|| corrupted(self.key))?;
                    if kind == shape::HASH_DEADLINES {
                        self.writer.length(dated::after(deadline, first))?;
                    }
                    self.writer.string(suffix)?;
                    self.writer.string(value)?;
                }
                _ => {
                    self.writer.string(suffix)?;
                    let score: &[u8; 8] = rows.value().try_into().map_err(|_| corrupted(self.key))?;
                    self.writer.raw(score)?;
                }
            }
            left = left.checked_sub(1).ok_or_else(|| corrupted(self.key))?;
            rows.next();
        }
        rows.status()?;
        if left == 0 { Ok(()) } else { Err(corrupted(self.key)) }
    }

    /// A string in chunks, of which those that are only zeros may be missing.
    fn chunks(&mut self, len: u64, mut rows: Iter) -> Result<(), Error> {
        const ZEROS: [u8; row::CHUNK] = [0; row::CHUNK];
        self.writer.length(len)?;
        let mut written = 0;
        let fill = |writer: &mut Writer<W>, written: &mut u64, end: u64| -> Result<(), Error> {
            while *written < end {
                let zeros = (end - *written).min(ZEROS.len() as u64);
                writer.raw(&ZEROS[..zeros as usize])?;
                *written += zeros;
            }
            Ok(())
        };
        while rows.valid() {
            let number = rows.key().last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
            let start = u64::from(number) * row::CHUNK as u64;
            if start < written || start + rows.value().len() as u64 > len {
                return Err(corrupted(self.key));
            }
            fill(self.writer, &mut written, start)?;
            self.writer.raw(rows.value())?;
            written += rows.value().len() as u64;
            rows.next();
        }
        rows.status()?;
        fill(self.writer, &mut written, len)
    }
}
