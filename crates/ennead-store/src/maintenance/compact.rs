//! Gives the space of a store back on request, running or closed. Of its own accord a running one does as
//! `compaction` says.
//!
//! Bound, which is tested: afterwards the tree's file takes on the disk at most [`COMPACTED_RATIO_MAX`] times the bytes
//! of its live rows, counting [`COMPACTED_ROW_OVERHEAD_BYTES`] for each row, plus [`COMPACTED_FIXED_BYTES`].

use std::path::Path;
use std::sync::Arc;

use super::Progress;
use crate::base::Base;
use crate::compaction::DRAFT_EXTENSION;
use crate::directory::Directory;
use crate::disk::{Disk, RealDisk};
use crate::log::segment;
use crate::store::Shared;
use crate::{Error, Options, Result, Store};

/// Of the bound on the tree's size after a compaction.
pub const COMPACTED_RATIO_MAX: f64 = 1.5;
/// Lengths that a row takes besides its bytes.
pub const COMPACTED_ROW_OVERHEAD_BYTES: u64 = 16;
/// What a tree takes besides its rows.
pub const COMPACTED_FIXED_BYTES: u64 = 4 << 20;

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes that the tree's file takes on the disk, before and after.
    pub before_bytes: u64,
    pub after_bytes: u64,
    /// Rows that are there, and bytes of their keys and values.
    pub rows: u64,
    pub row_bytes: u64,
}

/// Replays and flushes what the log holds, then rewrites the tree without gaps and removes spare log files. Needs as
/// much free space as the live rows take. The store must be closed.
///
/// `progress` is told bytes of rows copied and in all.
///
/// # Errors
/// `Open` when another process has the directory; `Io` when the disk is full, with the old tree still in place.
///
/// # Durability
/// All on disk when it returns.
pub fn compact(options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Result<Compacted> {
    let store = Store::open(options.clone())?;
    store.flush()?;
    store.close()?;
    drop(store);
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    compact_closed(&disk, options, progress)
}

impl Store {
    /// Gives the space of the running store back: its file then takes on the disk at most [`COMPACTED_RATIO_MAX`] times
    /// the bytes of the rows that were live, counting [`COMPACTED_ROW_OVERHEAD_BYTES`] for each row, plus
    /// [`COMPACTED_FIXED_BYTES`], and what was flushed while it was copied. Flushes, copies the live rows
    /// densely into a new file, and goes on with that; snapshots and iterators keep the old file until they are dropped.
    /// Readers, writers and flushes go on meanwhile; a compaction that began by itself is joined. Needs as much free
    /// space as the live rows take, besides some for the log. Blocks the thread.
    ///
    /// # Errors
    /// `Io` when the disk is full, with the old file still in use.
    ///
    /// # Durability
    /// The new file is on disk and has the name when it returns; a crash before leaves the old one.
    ///
    /// ```
    /// use ennead_store::{Options, Store};
    /// # let directory = tempfile::tempdir()?;
    /// let store = Store::open(Options::new(directory.path()))?;
    /// let compacted = store.compact(&mut |_done, _total| {})?;
    /// assert_eq!(compacted.rows, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn compact(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Compacted> {
        let shared = self.shared();
        self.flush()?;
        let mut progress = Progress::new(shared.layers.load().base.live().1, progress);
        let joined = shared.join_compaction()?;
        let _leaving = Leaving(shared);
        loop {
            if let Some(ended) = shared.compacted_since(joined) {
                return ended;
            }
            progress.advance(shared.compact_more()?);
        }
    }
}

/// Leaves a compaction that goes on when the callback that watches it panics.
struct Leaving<'a>(&'a Shared);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.leave_compaction();
        }
    }
}

/// Copies the rows of a tree into a new file at `draft` and opens that.
fn rewrite(
    disk: &dyn Disk,
    old: &Base,
    draft: &Path,
    cache_bytes: usize,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Base, Compacted)> {
    let io = |error| Error::Io(format!("cannot write {}: {error}", draft.display()));
    let before_bytes = old.file().allocated_bytes().map_err(io)?;
    let view = old.view()?;
    let (rows, row_bytes) = view.live();
    let mut progress = Progress::new(row_bytes, progress);
    let copied = view
        .copy_to(disk, draft, cache_bytes, &mut |bytes| progress.advance(bytes))
        .and_then(|_| Base::open(disk, draft, cache_bytes));
    match copied {
        Ok(new) => Ok((new, Compacted { before_bytes, after_bytes: 0, rows, row_bytes })),
        Err(error) => {
            // The old tree is untouched; what is left of the new one only takes space.
            drop(disk.remove(draft));
            Err(error)
        }
    }
}

fn compact_closed(disk: &Arc<dyn Disk>, options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Result<Compacted> {
    let directory = Directory::open(disk, &options.path)?;
    let path = directory.tree();
    let draft = path.with_extension(DRAFT_EXTENSION);
    let io = |error| Error::Io(format!("cannot compact {}: {error}", path.display()));
    let old = Base::open(&**disk, &path, options.cache_bytes)?;
    let (new, mut compacted) = rewrite(&**disk, &old, &draft, options.cache_bytes, progress)?;
    old.close()?;
    new.close()?;
    disk.rename(&draft, &path).map_err(io)?;
    disk.sync_directory(&options.path).map_err(io)?;
    for spare in segment::list(&**disk, &directory.log())?.spares {
        disk.remove(&spare).map_err(io)?;
    }
    compacted.after_bytes = disk.open(&path).and_then(|file| file.allocated_bytes()).map_err(io)?;
    Ok(compacted)
}
