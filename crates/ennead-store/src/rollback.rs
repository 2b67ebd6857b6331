//! Takes back what was committed and is not to stay: for a replicated log whose leader lost its office.
//!
//! The log gives its records back last first, so that tables and tallies are undone in the order in which they were
//! changed, backwards. Whoever waited for a sequence that is gone is told so, and no request for it stays behind.

use std::sync::atomic::Ordering;

use crate::batch::rows::{Row, Rows};
use crate::catalogue::Catalogue;
use crate::{Error, Result, Sequence, Store, TableKind, WriteBatch};

impl Store {
    /// Takes back everything committed after `sequence`, for a replicated log whose leader lost its office. Those who
    /// wait for one of the sequences get `RolledBack`; the numbers are given out again. Snapshots that saw them must not
    /// be used any more.
    ///
    /// # Errors
    /// `Invalid` when part of it is in the B-tree already, or without [`crate::Options::rollback`].
    ///
    /// # Durability
    /// The records are gone from the disk when this returns. In an archive, segments that hold some of them are kept
    /// under other names, which no restore reads.
    pub fn rollback_after(&self, sequence: Sequence) -> Result<()> {
        let shared = self.shared();
        let healthy = shared.health.check().is_ok();
        let result = self.roll_back(sequence);
        match &result {
            Ok(()) => shared.arrivals.notify(),
            Err(Error::Poisoned(_)) if healthy => shared.tell_poisoned(),
            Err(_) => {}
        }
        result
    }

    fn roll_back(&self, sequence: Sequence) -> Result<()> {
        let shared = self.shared();
        if !shared.options.rollback {
            return Err(Error::Invalid("cannot roll back: the store was not opened with the option `rollback`".into()));
        }
        let _tree = shared.flusher.tree.lock();
        let mut committing = shared.committing.lock();
        shared.health.check()?;
        let layers = shared.layers.load_full();
        if sequence >= committing.sequence {
            return Ok(());
        }
        if sequence < layers.flushed {
            return Err(Error::Invalid(format!(
                "cannot roll back to sequence {sequence}: everything up to {} is flushed",
                layers.flushed
            )));
        }
        let catalogue = &shared.catalogue;
        shared.log.truncate_after(sequence, &mut |batch| undo(catalogue, batch))?;
        for memtable in [Some(&layers.active), layers.frozen.as_ref()].into_iter().flatten() {
            memtable.truncate_after(sequence);
        }
        committing.sequence = sequence;
        // The request that went out for this memtable may have been one of those that are gone.
        committing.flush_asked = false;
        shared.visible.store(sequence, Ordering::Release);
        shared.flusher.roll_back(sequence, || catalogue.image());
        shared.syncer.roll_back(sequence);
        Ok(())
    }
}

/// Undoes what one batch did to tallies and tables; its rows go with the memtables.
fn undo(catalogue: &Catalogue, batch: &WriteBatch) {
    for (table, delta) in batch.tallies() {
        catalogue.add_tally(*table, delta.wrapping_neg());
    }
    let rows: Vec<Row<'_>> = Rows::new(batch.encoded()).map_while(std::result::Result::ok).collect();
    for row in rows.into_iter().rev() {
        match row {
            Row::CreateTable { table, .. } => catalogue.take_back(table),
            Row::DropTable { table, kind, name } => catalogue.create(table, TableKind::from_byte(kind), name),
            Row::Put { .. }
            | Row::PutStamped { .. }
            | Row::Delete { .. }
            | Row::DeleteRange { .. }
            | Row::Merge { .. } => {}
        }
    }
}
