//! Fetching rows into the processor's caches before batches that write them.

use std::sync::Arc;

use arc_swap::Guard;
use smallvec::SmallVec;

use crate::memtable::RowAhead;
use crate::snapshot::Layers;
use crate::{Store, Table};

/// The rows that are going to be written next. Whoever knows several of them calls [`Ahead::add`] for each and then
/// [`Ahead::fetch`]: their memory is then asked for at once, and not one after the other as they are written.
#[derive(Default)]
pub struct Ahead {
    rows: SmallVec<[RowAhead; 32]>,
    layers: Option<Guard<Arc<Layers>>>,
}

impl std::fmt::Debug for Ahead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ahead").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Ahead {
    /// A row that is going to be written. Helps for tables of [`crate::TableKind::Hashed`] only.
    #[inline]
    pub fn add(&mut self, store: &Store, table: Table, key: &[u8]) {
        let layers = self.layers.get_or_insert_with(|| store.shared().layers.load());
        self.rows.extend(layers.active.approach(table.0, key));
    }

    /// Fetches what was added, and forgets it.
    #[inline]
    pub fn fetch(&mut self) {
        if let Some(layers) = self.layers.take() {
            for row in self.rows.drain(..) {
                layers.active.approach_row(row);
            }
        }
    }
}
