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
        self.portion.push(Row { key: key.into(), revision, generation });
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
        // Stable: the changes of a key stay in their order.
        self.portion.sort_by(|left, right| left.key.cmp(&right.key));
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
