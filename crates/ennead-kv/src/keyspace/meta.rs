//! What a keyspace knows about itself, in the table `kv.meta`:
//!
//! | row | value |
//! |---|---|
//! | `seed` | u64 LE: the seed of the fragments' hash |
//! | `databases` | one byte for each database: the number of its tables. SWAPDB exchanges them |
//! | `objects` | u64 LE: object numbers below were or may have been given out |

use ennead_store::{Snapshot, Store, Table, TableKind, WriteBatch};
use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::options::KvOptions;

const TABLE: &str = "kv.meta";
const SEED: &[u8] = b"seed";
const DATABASES: &[u8] = b"databases";
const OBJECTS: &[u8] = b"objects";
/// Object numbers reserved by one row.
const BLOCK: u64 = 1 << 16;

pub(crate) struct Meta {
    table: Table,
    objects: Mutex<Objects>,
}

struct Objects {
    next: u64,
    reserved: u64,
}

/// What was read at the opening.
pub(super) struct Stored {
    pub(super) seed: u64,
    pub(super) numbers: Vec<u8>,
}

impl Meta {
    pub(super) fn open(store: &Store, options: &KvOptions) -> Result<(Meta, Stored)> {
        if !(1..=256).contains(&options.databases) {
            return Err(Error::text("ERR the number of databases must be 1 to 256"));
        }
        let table = store.create_table(TABLE, TableKind::Ordered)?;
        let mut batch = WriteBatch::new();
        let seed = match read_number(store, table, SEED)? {
            Some(seed) => seed,
            None => {
                batch.put(table, SEED, &options.seed.to_le_bytes());
                options.seed
            }
        };
        let mut numbers = store.get(table, DATABASES)?.unwrap_or_default();
        if numbers.len() < options.databases {
            numbers.extend((numbers.len()..options.databases).map(|number| number as u8));
            batch.put(table, DATABASES, &numbers);
        }
        if let Some(db) = (options.databases..numbers.len()).find(|db| has_keys(store, numbers[*db])) {
            return Err(Error::Text(
                format!("ERR database {db} has keys: 'databases' must be at least {}", db + 1).into(),
            ));
        }
        let reserved = read_number(store, table, OBJECTS)?.unwrap_or(1);
        if !batch.is_empty() {
            store.commit(&batch)?;
        }
        let objects = Mutex::new(Objects { next: reserved, reserved });
        Ok((Meta { table, objects }, Stored { seed, numbers }))
    }

    /// A number that no object of the store has or had.
    pub(crate) fn new_object(&self, store: &Store) -> Result<u64> {
        let mut objects = self.objects.lock();
        if objects.next == objects.reserved {
            let mut batch = WriteBatch::new();
            batch.put(self.table, OBJECTS, &(objects.reserved + BLOCK).to_le_bytes());
            store.commit(&batch)?;
            objects.reserved += BLOCK;
        }
        objects.next += 1;
        Ok(objects.next - 1)
    }

    /// Stages which tables belong to which database.
    pub(crate) fn stage_numbers(&self, batch: &mut WriteBatch, numbers: &[u8]) {
        batch.put(self.table, DATABASES, numbers);
    }
}

/// Which tables belong to which database, of a store that no keyspace has opened; none where none ever did.
pub(crate) fn database_numbers(store: &Store, snapshot: &Snapshot) -> ennead_store::Result<Vec<u8>> {
    let Some(table) = store.table(TABLE) else { return Ok(Vec::new()) };
    Ok(snapshot.get(table, DATABASES)?.unwrap_or_default())
}

fn has_keys(store: &Store, number: u8) -> bool {
    let [rows, _] = crate::database::Database::table_names(number.into());
    store.table(&rows).is_some_and(|table| store.tally(table) > 0)
}

fn read_number(store: &Store, table: Table, name: &[u8]) -> Result<Option<u64>> {
    let Some(value) = store.get(table, name)? else { return Ok(None) };
    match <[u8; 8]>::try_from(value.as_slice()) {
        Ok(bytes) => Ok(Some(u64::from_le_bytes(bytes))),
        Err(_) => Err(ennead_store::Error::Corrupted(format!(
            "row {} of table {TABLE} is not a number",
            String::from_utf8_lossy(name)
        ))
        .into()),
    }
}
