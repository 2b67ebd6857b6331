//! Gives space back while the store runs: when, and piece by piece between flushes.
//!
//! The tree is copied densely into a new file that then takes the old one's name, so a crash at any moment leaves one
//! whole tree. A piece holds up a flush for as long as it takes to copy a part of a memtable's size; what is flushed
//! meanwhile goes into the tree and into the part that is copied. Only the last step, which closes, renames and opens the
//! new file, waits for the disk. Invariant: until the rename nothing depends on the copy, so any failure of it only costs
//! the copy; the store goes on with the old file.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::base::draft::Draft;
use crate::base::{Base, BaseState};
use crate::directory::TREE_NAME;
use crate::maintenance::{COMPACTED_RATIO_MAX, COMPACTED_ROW_OVERHEAD_BYTES, Compacted};
use crate::memtable::Memtable;
use crate::snapshot::Layers;
use crate::store::Shared;
use crate::{Error, Result};

/// Of the copy while it is made.
pub(crate) const DRAFT_EXTENSION: &str = "compact";

/// Page cache for writing the copy; most of it is written once, in order.
const DRAFT_CACHE_BYTES: usize = 16 << 20;

/// A piece is this part of a memtable.
const PIECES_PER_MEMTABLE: usize = 8;

/// What a store has been compacting.
#[derive(Default)]
pub(crate) struct Compaction {
    running: Option<Running>,
    /// How the last one ended, and how many have.
    last: Option<Result<Compacted>>,
    ended: u64,
    /// Bytes of memtables flushed since it ended.
    flushed_bytes: u64,
}

struct Running {
    draft: Draft,
    before_bytes: u64,
}

/// Where the draft of a tree in this directory is made.
pub(crate) fn draft_path(shared: &Shared) -> PathBuf {
    shared.options.path.join(TREE_NAME).with_extension(DRAFT_EXTENSION)
}

impl Shared {
    pub(crate) fn is_compacting_by_itself(&self) -> bool {
        self.flusher.compacting_by_itself.load(Ordering::Relaxed)
    }

    /// How many compactions have ended, and whether one is running. Does not wait for a piece that is being copied.
    pub(crate) fn compaction_figures(&self) -> (u64, bool) {
        (self.flusher.compactions.load(Ordering::Relaxed), self.flusher.compacting.load(Ordering::Relaxed))
    }

    /// What the tree's file may take on the disk before space is given back, for these live rows.
    fn file_bytes_max(&self, (rows, bytes): (u64, u64)) -> u64 {
        let live = bytes + rows * COMPACTED_ROW_OVERHEAD_BYTES;
        let share = u128::from(live) * u128::from(self.options.compact_percentage) / 100;
        u64::try_from(share).unwrap_or(u64::MAX).saturating_add(self.options.compact_min_bytes)
    }

    /// Begins to compact when the file has become too large. A failure is told and forgotten: it is tried again later.
    pub(crate) fn compact_if_due(&self, tree: &Base) {
        if self.options.compact_percentage == 0 {
            return;
        }
        let mut compaction = self.flusher.compaction.lock();
        let Ok(file_bytes) = tree.file().allocated_bytes() else { return };
        let (rows, bytes) = self.layers.load().base.live();
        // Whatever the data do to the file, copying costs no more than a fixed multiple of what was written.
        let earned = compaction.ended == 0 || compaction.flushed_bytes >= bytes / 2;
        let due = file_bytes > self.file_bytes_max((rows, bytes)) && earned && compaction.running.is_none();
        if due {
            tracing::debug!(file_bytes, rows, bytes, "the tree's file is too large for its rows: compacting");
            self.begin_compaction(&mut compaction, tree, true);
        }
    }

    /// What must stay free: the log and two memtables go on while a copy is made.
    fn reserve_bytes(&self) -> u64 {
        4 * (self.options.memtable_bytes as u64 + self.options.segment_bytes)
    }

    fn check_space(&self, bytes: u64) -> Result<()> {
        let free = self.disk.free_bytes(&self.options.path).ok().flatten();
        match free.filter(|free| *free < bytes.saturating_add(self.reserve_bytes())) {
            Some(free) => Err(Error::Io(format!(
                "cannot compact {}: {bytes} bytes are needed besides the {} that the log may need, {free} are free",
                self.options.path.display(),
                self.reserve_bytes()
            ))),
            None => Ok(()),
        }
    }

    /// Begins a copy; a failure ends it at once. One that goes on by itself does so in the flush thread.
    fn begin_compaction(&self, compaction: &mut Compaction, tree: &Base, by_itself: bool) {
        let begin = || -> Result<Running> {
            let (rows, bytes) = self.layers.load().base.live();
            let dense = (bytes + rows * COMPACTED_ROW_OVERHEAD_BYTES) as f64 * COMPACTED_RATIO_MAX;
            self.check_space(dense as u64)?;
            let before_bytes = tree.file().allocated_bytes().map_err(|error| Error::Io(error.to_string()))?;
            let draft = Draft::create(&*self.disk, &draft_path(self), DRAFT_CACHE_BYTES)?;
            Ok(Running { draft, before_bytes })
        };
        match begin() {
            Ok(running) => {
                compaction.running = Some(running);
                self.flusher.compacting.store(true, Ordering::Relaxed);
                self.flusher.compacting_by_itself.store(by_itself, Ordering::Relaxed);
            }
            Err(error) => self.end_compaction(compaction, Err(error)),
        }
    }

    fn end_compaction(&self, compaction: &mut Compaction, result: Result<Compacted>) {
        if let Err(error) = &result {
            tracing::warn!(%error, "a compaction was given up; the store goes on with the file as it is");
        }
        compaction.running = None;
        if result.is_err() {
            // Left where it is, it only takes space, until the next start.
            drop(self.disk.remove(&draft_path(self)));
        }
        compaction.last = Some(result);
        compaction.ended += 1;
        self.flusher.compactions.store(compaction.ended, Ordering::Relaxed);
        self.flusher.compacting.store(false, Ordering::Relaxed);
        self.flusher.compacting_by_itself.store(false, Ordering::Relaxed);
        compaction.flushed_bytes = 0;
    }

    /// Writes a memtable that was just merged into the tree into the copy of it, if one is being made.
    pub(crate) fn follow_compaction(&self, memtable: &Arc<Memtable>, state: &BaseState, now_ms: u64) {
        let mut compaction = self.flusher.compaction.lock();
        compaction.flushed_bytes = compaction.flushed_bytes.saturating_add(memtable.bytes() as u64);
        let Some(running) = compaction.running.as_mut() else { return };
        let followed = self.check_space(0).and_then(|()| running.draft.follow(memtable, state, now_ms));
        if let Err(error) = followed {
            self.end_compaction(&mut compaction, Err(error));
        }
    }

    /// Gives up a running copy.
    pub(crate) fn abandon_compaction(&self) {
        let mut compaction = self.flusher.compaction.lock();
        if compaction.running.is_some() {
            self.end_compaction(&mut compaction, Err(Error::Invalid("the store is closed".into())));
        }
    }

    /// Tells everybody who waits for the log that nothing will come any more. Without a lock.
    pub(crate) fn tell_poisoned(&self) {
        self.syncer.tell_poisoned();
        self.arrivals.notify();
    }

    /// Who copied the pieces of a compaction does not go on with it: it goes on by itself.
    pub(crate) fn leave_compaction(&self) {
        if self.flusher.compaction.lock().running.is_some() {
            self.flusher.compacting_by_itself.store(true, Ordering::Relaxed);
            self.flusher.ask(0);
        }
    }

    /// Copies one more piece. Answers the bytes of rows in it.
    pub(crate) fn compact_more(&self) -> Result<u64> {
        let healthy = self.health.check().is_ok();
        let result = self.compact_tree();
        if healthy && matches!(result, Err(Error::Poisoned(_))) {
            self.tell_poisoned();
        }
        result
    }

    fn compact_tree(&self) -> Result<u64> {
        let mut tree = self.flusher.tree.lock();
        let (bytes, new) = self.compact_piece(tree.as_ref().ok_or_else(closed)?)?;
        if let Some(new) = new {
            let old = tree.replace(new);
            drop(tree);
            self.flusher.retire(old, self.threaded);
        }
        Ok(bytes)
    }

    /// Copies a piece; answers its bytes, and the new tree when it was the last. The caller holds the tree.
    fn compact_piece(&self, tree: &Base) -> Result<(u64, Option<Base>)> {
        self.health.check()?;
        let mut compaction = self.flusher.compaction.lock();
        let Some(running) = compaction.running.as_mut() else { return Ok((0, None)) };
        let bytes_max = (self.options.memtable_bytes / PIECES_PER_MEMTABLE).max(1) as u64;
        let view = self.layers.load().base.clone();
        let copied = self
            .check_space(0)
            .and_then(|()| running.draft.copy_more(&view, self.clock.now_ms(), bytes_max))
            .and_then(|(bytes, done)| match compaction.running.take_if(|_| done) {
                Some(running) => self.finish_compaction(running, tree).map(|(new, done)| (bytes, Some((new, done)))),
                None => Ok((bytes, None)),
            });
        match copied {
            Ok((bytes, None)) => Ok((bytes, None)),
            Ok((bytes, Some((new, compacted)))) => {
                self.end_compaction(&mut compaction, Ok(compacted));
                Ok((bytes, Some(new)))
            }
            Err(error) => {
                self.end_compaction(&mut compaction, Err(error.clone()));
                Err(error)
            }
        }
    }

    /// Puts a complete copy in the place of the tree.
    fn finish_compaction(&self, running: Running, tree: &Base) -> Result<(Base, Compacted)> {
        let (path, draft) = (self.options.path.join(TREE_NAME), draft_path(self));
        let io = |error| Error::Io(format!("cannot compact {}: {error}", path.display()));
        running.draft.finish(&tree.state()?)?;
        let new = Base::open(&*self.disk, &draft, self.options.cache_bytes)?;
        let view = Arc::new(new.view()?);
        let after_bytes = new.file().allocated_bytes().map_err(io)?;
        let poison = |error| self.health.poison(io(error).to_string());
        // A rename may have happened although it failed. Only a draft that still has its name says that it did not.
        self.disk.rename(&draft, &path).map_err(|error| match self.disk.exists(&draft) {
            Ok(true) => io(error),
            _ => poison(error),
        })?;
        // From here on the name may lead to either file after a crash: a flush into one of them could be lost.
        self.disk.sync_directory(&self.options.path).map_err(poison)?;
        let (rows, row_bytes) = view.live();
        {
            let _committing = self.committing.lock();
            let layers = self.layers.load_full();
            self.layers.store(Arc::new(Layers { base: view, ..Layers::clone(&layers) }));
        }
        *self.tree_file.lock() = new.file().clone();
        let before_bytes = running.before_bytes;
        tracing::debug!(before_bytes, after_bytes, rows, "compacted the tree");
        Ok((new, Compacted { before_bytes, after_bytes, rows, row_bytes }))
    }

    /// Begins a compaction unless one is running. Answers what to ask [`Shared::compacted_since`] with.
    pub(crate) fn join_compaction(&self) -> Result<u64> {
        let tree = self.flusher.tree.lock();
        let tree = tree.as_ref().ok_or_else(closed)?;
        let mut compaction = self.flusher.compaction.lock();
        let ended = compaction.ended;
        if compaction.running.is_none() {
            self.begin_compaction(&mut compaction, tree, false);
        }
        Ok(ended)
    }

    /// How the compaction ended that was joined, once it has.
    pub(crate) fn compacted_since(&self, ended: u64) -> Option<Result<Compacted>> {
        let compaction = self.flusher.compaction.lock();
        compaction.last.clone().filter(|_| compaction.ended > ended)
    }
}

fn closed() -> Error {
    Error::Invalid("the store is closed".into())
}
