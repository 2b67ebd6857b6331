//! A store on a simulated disk beside a plain model of it, and random steps for both.

use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) use crate::disk::simulated::for_seeds;
use crate::disk::simulated::{Random, SimulatedDisk};
use crate::{Operation, Options, Result, Sequence, Snapshot, Store, Table, TableKind, WriteBatch};

pub(super) const TABLES: [(&str, TableKind); 3] =
    [("ordered", TableKind::Ordered), ("hashed", TableKind::Hashed), ("counts", TableKind::Ordered)];

pub(super) type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// What a store should hold at one sequence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) tables: [Rows; 3],
    pub(super) tallies: [i64; 3],
}

impl Model {
    pub(super) fn apply(&mut self, batch: &WriteBatch) {
        let index = |table: Table| table.0 as usize - 1;
        for operation in batch.operations() {
            match operation {
                Operation::Put { table, key, value } => {
                    self.tables[index(table)].insert(key.to_vec(), value.to_vec());
                }
                Operation::Delete { table, key } => {
                    self.tables[index(table)].remove(key);
                }
                Operation::Merge { table, key, operand } => {
                    self.tables[index(table)].entry(key.to_vec()).or_default().extend_from_slice(operand);
                }
                Operation::DeleteRange { table, start, end } => {
                    self.tables[index(table)]
                        .retain(|key, _| !(&key[..] >= start && end.is_none_or(|end| &key[..] < end)));
                }
            }
        }
        for (table, delta) in batch.tallies() {
            self.tallies[*table as usize - 1] += delta;
        }
    }

    /// What the store holds as of a snapshot. Panics when an iterator fails.
    pub(super) fn of(store: &Store, snapshot: &Snapshot, tables: [Table; 3]) -> Model {
        let rows = |table| snapshot.range(table, ..).collect::<Result<Rows>>().unwrap();
        Model { tables: tables.map(rows), tallies: tables.map(|table| store.tally(table)) }
    }
}

pub(super) fn options(random: &mut Random) -> Options {
    let mut options = Options::new(PathBuf::from("/data"));
    options.memtable_bytes = 4096 << random.below(4);
    options.segment_bytes = 1024 << random.below(4);
    options.log_retention_bytes = [0, 8192][random.below(2) as usize];
    options.cache_bytes = 1 << 20;
    options.rollback = random.once_in(2);
    if random.once_in(3) {
        // Compacts all the time, a piece after each flush.
        (options.compact_percentage, options.compact_min_bytes) = (1, 0);
    }
    options
}

/// Opens without threads, so that equal seeds give equal runs.
pub(super) fn open(disk: &SimulatedDisk, options: &Options) -> Result<Store> {
    disk.open_store(options)
}

/// The three tables, created when missing; the third appends what is merged. They are always the first three batches.
pub(super) fn tables(store: &Store) -> Result<[Table; 3]> {
    let mut made = [Table(0); 3];
    for (place, (name, kind)) in made.iter_mut().zip(TABLES) {
        *place = match name {
            "counts" => store.create_merge_table(name, kind, "append")?,
            _ => store.create_table(name, kind)?,
        };
    }
    Ok(made)
}

pub(super) fn key(random: &mut Random) -> Vec<u8> {
    // Few and short keys meet often; some are longer than what an index keeps inline.
    let length = [0, 1, 1, 2, 2, 3, 30][random.below(7) as usize];
    (0..length).map(|_| [0, b'a', b'b', 0xff][random.below(4) as usize]).collect()
}

pub(super) fn batch(random: &mut Random, tables: [Table; 3]) -> WriteBatch {
    let mut batch = WriteBatch::new();
    for _ in 0..1 + random.below(5) {
        let table = tables[random.below(3) as usize];
        match random.below(14) {
            0..=6 => {
                let length = [0, 3, 40, 700][random.below(4) as usize];
                let value = vec![random.next() as u8; length];
                batch.put(table, &key(random), &value);
            }
            7..=9 => batch.delete(table, &key(random)),
            10 => {
                let end = (random.below(3) > 0).then(|| key(random));
                batch.delete_range(table, &key(random), end.as_deref());
            }
            11 | 12 => {
                let length = [0, 3, 40][random.below(3) as usize];
                let operand = vec![random.next() as u8; length];
                batch.merge(tables[2], &key(random), &operand);
            }
            _ => batch.tally(table, random.below(20) as i64 - 8),
        }
    }
    if random.once_in(6) {
        batch.delete_range(tables[random.below(3) as usize], b"", None);
    }
    if random.once_in(4) {
        batch.set_event(b"event");
    }
    batch
}

/// The models of every sequence so far; index 0 is the empty store.
#[derive(Debug, Clone)]
pub(super) struct History(Vec<Model>);

impl History {
    pub(super) fn new() -> History {
        History(vec![Model::default()])
    }

    pub(super) fn last(&self) -> Sequence {
        self.0.len() as Sequence - 1
    }

    pub(super) fn at(&self, sequence: Sequence) -> &Model {
        &self.0[sequence as usize]
    }

    pub(super) fn push(&mut self, batch: &WriteBatch) {
        let mut next = self.0.last().cloned().unwrap_or_default();
        next.apply(batch);
        self.0.push(next);
    }

    pub(super) fn truncate(&mut self, last: Sequence) {
        self.0.truncate(last as usize + 1);
    }

    /// Batches that only made tables.
    pub(super) fn push_same(&mut self, last: Sequence) {
        while self.last() < last {
            self.push(&WriteBatch::new());
        }
    }
}
