//! The index made from rows, which come in the order of history.
//!
//! Rows are sorted by key in portions: a map takes keys in their order several times faster than in any other.

use std::collections::BTreeMap;

use super::Index;
use super::history::{Generation, History};
use crate::revision::Revision;

/// Rows taken together.
const PORTION_ROWS: usize = 1 << 18;

struct Row {
    /// The eight bytes of the key behind what all keys of the portion begin with: most comparisons need no more, and so
    /// no look at memory that is elsewhere.
    prefix: u64,
    key: Box<[u8]>,
    revision: Revision,
    /// None for a tombstone.
    generation: Option<Generation>,
}

/// An index in the making.
#[derive(Default)]
pub(crate) struct Restoring {
    portion: Vec<Row>,
    keys: BTreeMap<Box<[u8]>, History>,
}

impl Restoring {
    /// Takes the next row of history.
    pub(crate) fn take(&mut self, key: &[u8], revision: Revision, generation: Option<Generation>) {
        self.portion.push(Row { prefix: 0, key: key.into(), revision, generation });
        if self.portion.len() == PORTION_ROWS {
            self.settle();
        }
    }

    pub(crate) fn finish(mut self) -> Index {
        self.settle();
        let live = self.keys.values().filter(|history| history.generation().is_some()).count();
        Index { keys: self.keys, live }
    }

    fn settle(&mut self) {
        let common = common_bytes(&self.portion);
        for row in &mut self.portion {
            row.prefix = eight_bytes(&row.key[common..]);
        }
        // Stable: the changes of a key stay in their order.
        self.portion.sort_by(|left, right| (left.prefix, &left.key).cmp(&(right.prefix, &right.key)));
        let mut made: Vec<(Box<[u8]>, History)> = Vec::new();
        for row in self.portion.drain(..) {
            if let Some((key, history)) = made.last_mut()
                && *key == row.key
            {
                add(history, row.revision, row.generation);
            } else if let Some(history) = self.keys.get_mut(&row.key) {
                add(history, row.revision, row.generation);
            } else {
                made.push((row.key, first(row.revision, row.generation)));
            }
        }
        if self.keys.is_empty() {
            self.keys = made.into_iter().collect();
        } else {
            self.keys.extend(made);
        }
    }
}

/// How many bytes all keys begin with.
fn common_bytes(rows: &[Row]) -> usize {
    let Some((first, rest)) = rows.split_first() else { return 0 };
    rest.iter().fold(first.key.len(), |common, row| {
        first.key[..common].iter().zip(&row.key).take_while(|(left, right)| left == right).count()
    })
}

/// In the order of the keys; a shorter one is filled up with zeros.
fn eight_bytes(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = key.len().min(8);
    bytes[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(bytes)
}

fn first(revision: Revision, generation: Option<Generation>) -> History {
    let Some(generation) = generation else { return History::deleted(revision) };
    let mut history = History::new(revision);
    history.set_generation(generation);
    history
}

fn add(history: &mut History, revision: Revision, generation: Option<Generation>) {
    match generation {
        Some(generation) => {
            history.put(revision);
            history.set_generation(generation);
        }
        None => history.delete(revision),
    }
}
