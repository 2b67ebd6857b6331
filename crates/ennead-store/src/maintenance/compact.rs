//! Gives the space of a closed store back.
//!
//! The tree is copied densely into a new file that then takes the old one's name, so a crash at any moment leaves one
//! whole tree. Bound, which is tested: afterwards the tree's file holds at most [`COMPACTED_RATIO_MAX`] times the bytes of its live
//! rows, counting [`COMPACTED_ROW_OVERHEAD_BYTES`] for each row, plus [`COMPACTED_FIXED_BYTES`].

use std::sync::Arc;

use super::Progress;
use crate::base::Base;
use crate::directory::Directory;
use crate::disk::{Disk, RealDisk};
use crate::log::segment;
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
    /// Bytes of the tree's file before and after.
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

pub(super) fn compact_closed(
    disk: &Arc<dyn Disk>,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Compacted> {
    let directory = Directory::open(disk, &options.path)?;
    let path = directory.tree();
    let draft = path.with_extension("redb.compact");
    let io = |error| Error::Io(format!("cannot compact {}: {error}", path.display()));
    let before_bytes = disk.open(&path).and_then(|file| file.len()).map_err(io)?;
    let base = Base::open(&**disk, &path, options.cache_bytes)?;
    let view = base.view()?;
    let (rows, row_bytes) = view.live(&view.state()?)?;
    let mut progress = Progress::new(row_bytes, progress);
    let copied = view.copy_to(&**disk, &draft, options.cache_bytes, &mut |bytes| progress.advance(bytes));
    drop(view);
    let copied = copied.and_then(|_| base.close());
    if let Err(error) = copied {
        // The old tree is untouched; what is left of the new one only takes space.
        drop(disk.remove(&draft));
        return Err(error);
    }
    disk.rename(&draft, &path).map_err(io)?;
    disk.sync_directory(&options.path).map_err(io)?;
    for spare in segment::list(&**disk, &directory.log())?.spares {
        disk.remove(&spare).map_err(io)?;
    }
    let after_bytes = disk.open(&path).and_then(|file| file.len()).map_err(io)?;
    Ok(Compacted { before_bytes, after_bytes, rows, row_bytes })
}
