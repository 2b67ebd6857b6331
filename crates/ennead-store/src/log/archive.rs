//! Keeps closed segments for good: each is linked or copied into a directory before the log gives its file up.
//!
//! With a backup and this directory a store is restored to any batch since. A segment gets its final name only when it is
//! whole and synced, so whatever is there under a segment's name can be replayed. It is never a file that the log
//! writes to again: a linked one is removed from the log, not recycled.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reader::SegmentReader;
use super::segment::{self, Segment, segment_name};
use crate::disk::Disk;
use crate::disk::copy::copy_start;
use crate::{Error, Result, Sequence};

/// A directory that closed segments are kept in.
#[derive(Debug)]
pub(crate) struct Archive {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
}

impl Archive {
    /// Creates the directory when it is missing. `last` is the newest batch of the store that will archive into it.
    ///
    /// # Errors
    /// `Open` when the directory knows batches that the store does not: it is another history, as after a restore, and
    /// two histories in one archive could not be told apart.
    pub(crate) fn open(disk: Arc<dyn Disk>, directory: &Path, last: Sequence) -> Result<Archive> {
        disk.create_directory(directory).map_err(|error| {
            Error::Open(format!("cannot use the archive directory {}: {error}", directory.display()))
        })?;
        if let Some(newest) = segment::list(&*disk, directory)?.segments.last() {
            let mut kept = newest.first.saturating_sub(1);
            if let Some(mut reader) = SegmentReader::open(&*disk, &newest.path)? {
                while let Ok(record) = reader.next()? {
                    kept = record.sequence;
                }
            }
            if kept > last {
                return Err(Error::Open(format!(
                    "the archive directory {} holds batches up to {kept}, the store ends at {last}: a restored store \
                     needs an archive directory of its own",
                    directory.display()
                )));
            }
        }
        Ok(Archive { disk, directory: directory.to_owned() })
    }

    /// Keeps a closed segment. Does nothing when it is kept already.
    ///
    /// # Errors
    /// `Conflict` when another store's segment has the name.
    ///
    /// # Durability
    /// On disk when it returns.
    pub(crate) fn keep(&self, segment: &Segment) -> Result<()> {
        let to = self.directory.join(segment_name(segment.first));
        let io = |error| Error::Io(format!("cannot archive {}: {error}", segment.path.display()));
        if self.disk.exists(&to).map_err(io)? {
            return self.check_same(segment, &to);
        }
        match self.disk.link(&segment.path, &to) {
            Ok(()) => {}
            Err(_) => {
                // Another file system, or one without hard links.
                let draft = to.with_extension("partial");
                let bytes = self.disk.open(&segment.path).and_then(|file| file.len()).map_err(io)?;
                copy_start(&*self.disk, &segment.path, &draft, bytes, |_| {}).map_err(io)?;
                self.disk.rename(&draft, &to).map_err(io)?;
            }
        }
        self.disk.sync_directory(&self.directory).map_err(io)
    }

    /// Takes the segments that begin at `first` or later out of what a restore reads, since their records are taken back:
    /// they stay, under other names.
    ///
    /// # Durability
    /// On disk when it returns.
    pub(crate) fn set_aside_from(&self, first: Sequence) -> Result<()> {
        let io = |error| Error::Io(format!("cannot rename in the archive {}: {error}", self.directory.display()));
        let segments = segment::list(&*self.disk, &self.directory)?.segments;
        // The last first: what is left at any moment has no gap.
        for kept in segments.iter().rev().take_while(|kept| kept.first >= first) {
            let mut to = kept.path.with_extension("undone");
            let mut number = 1;
            while self.disk.exists(&to).map_err(io)? {
                number += 1;
                to = kept.path.with_extension(format!("undone-{number}"));
            }
            self.disk.rename(&kept.path, &to).map_err(io)?;
        }
        self.disk.sync_directory(&self.directory).map_err(io)
    }

    fn check_same(&self, segment: &Segment, kept: &Path) -> Result<()> {
        let header = |path: &Path| SegmentReader::open(&*self.disk, path).map(|r| r.map(|r| r.header()));
        if header(&segment.path)? == header(kept)? {
            return Ok(());
        }
        Err(Error::Conflict(format!(
            "{} is of another history of this store: give the restored store an archive directory of its own",
            kept.display()
        )))
    }
}
