//! Spare segment files, filled ahead of time.
//!
//! An append into blocks that the file already has syncs in about half the time of one that makes the file grow. So a
//! background thread keeps a filled file ready while syncs are so frequent that it pays, and segments that nobody needs
//! any more come back here by rename. Without a spare the log goes on with a file of full length that has no blocks
//! yet: a full shelf is speed, never correctness.
//!
//! Invariant: no file is taken for a segment that begins with the same sequence as the file's last use did. After a power
//! cut that forgot the name of a segment but not its records there is such a spare; had it its name again before it has
//! another header, the next power cut would bring records back that the start in between had found missing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};

use super::reader::SegmentReader;
use super::segment::{Segment, spare_name};
use crate::disk::{Disk, DiskFile};
use crate::store::Sequence;

const SPARES_MAX: usize = 2;
/// Syncs of one segment from which on filling the next one costs less than it saves.
const SYNCS_WORTH: u64 = 64;
const FILL_BYTES: usize = 256 << 10;

/// A file ready to become a segment.
#[derive(Debug)]
struct Spare {
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    /// The sequence with which its last use begins, if it had one.
    first: Option<Sequence>,
}

#[derive(Debug)]
struct Spares {
    ready: Vec<Spare>,
    next_number: u64,
    stopped: bool,
    failed: bool,
}

/// The spare segment files of a log.
#[derive(Debug)]
pub(crate) struct Shelf {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    segment_bytes: u64,
    spares: Mutex<Spares>,
    ready: AtomicBool,
    /// Syncs since the current segment was begun.
    syncs: AtomicU64,
    changed: Condvar,
}

impl Shelf {
    /// Takes over the spare files that an earlier process left, and removes those that are not whole.
    pub(crate) fn new(disk: Arc<dyn Disk>, directory: &Path, segment_bytes: u64, left: Vec<PathBuf>) -> Shelf {
        let mut ready = Vec::new();
        let mut next_number = 0;
        for path in left {
            let number = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .and_then(|stem| stem.strip_prefix("spare-"))
                .and_then(|digits| digits.parse::<u64>().ok());
            next_number = next_number.max(number.map_or(0, |number| number + 1));
            let used = SegmentReader::open(&*disk, &path).map(|reader| reader.map(|reader| reader.header().first));
            match (disk.open(&path), used) {
                (Ok(file), Ok(first))
                    if ready.len() < SPARES_MAX && file.len().is_ok_and(|bytes| bytes >= segment_bytes) =>
                {
                    ready.push(Spare { path, file, first });
                }
                // A half-filled spare holds nothing that anybody needs.
                _ => drop(disk.remove(&path)),
            }
        }
        let any = AtomicBool::new(!ready.is_empty());
        Shelf {
            ready: any,
            disk,
            directory: directory.to_owned(),
            segment_bytes,
            syncs: AtomicU64::new(0),
            spares: Mutex::new(Spares { ready, next_number, stopped: false, failed: false }),
            changed: Condvar::new(),
        }
    }

    /// Whether a spare is ready; cheap, and possibly out of date at once.
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Counts a sync of the log.
    pub(crate) fn note_sync(&self) {
        if self.syncs.fetch_add(1, Ordering::Relaxed) + 1 == SYNCS_WORTH {
            // Under the lock, so that the thread cannot miss it between its look and its sleep.
            drop(self.spares.lock());
            self.changed.notify_all();
        }
    }

    /// A spare file for the segment that begins with `first`, if one is ready; the background thread then fills the next.
    pub(crate) fn take(&self, first: Sequence) -> Option<(PathBuf, Arc<dyn DiskFile>)> {
        let mut spares = self.spares.lock();
        let spare = spares.ready.iter().rposition(|spare| spare.first != Some(first));
        let spare = spare.map(|index| spares.ready.remove(index));
        self.syncs.store(0, Ordering::Relaxed);
        self.ready.store(!spares.ready.is_empty(), Ordering::Relaxed);
        drop(spares);
        self.changed.notify_all();
        spare.map(|spare| (spare.path, spare.file))
    }

    /// Takes the file of a segment that the log needs no more, or removes it when there are enough.
    pub(crate) fn give(&self, segment: &Segment) -> std::io::Result<()> {
        let mut spares = self.spares.lock();
        if spares.ready.len() >= SPARES_MAX || segment.bytes < self.segment_bytes / 2 {
            drop(spares);
            return self.disk.remove(&segment.path);
        }
        let to = self.directory.join(spare_name(spares.next_number));
        spares.next_number += 1;
        self.disk.rename(&segment.path, &to)?;
        let file = self.disk.open(&to)?;
        spares.ready.push(Spare { path: to, file, first: Some(segment.first) });
        self.ready.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn stop(&self) {
        self.spares.lock().stopped = true;
        self.changed.notify_all();
    }

    /// The body of the background thread: keeps one spare ready, where it pays, until [`Shelf::stop`].
    pub(crate) fn run(&self) {
        loop {
            let number = {
                let mut spares = self.spares.lock();
                let enough = || self.syncs.load(Ordering::Relaxed) >= SYNCS_WORTH;
                while !spares.stopped && (spares.failed || !spares.ready.is_empty() || !enough()) {
                    self.changed.wait(&mut spares);
                    // Somebody took a spare or stopped the thread: worth another try after a failure.
                    spares.failed = false;
                }
                if spares.stopped {
                    return;
                }
                spares.next_number += 1;
                spares.next_number - 1
            };
            let path = self.directory.join(spare_name(number));
            match self.fill(&path) {
                Ok(Some(file)) => {
                    self.spares.lock().ready.push(Spare { path, file, first: None });
                    self.ready.store(true, Ordering::Relaxed);
                }
                Ok(None) => drop(self.disk.remove(&path)),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "cannot fill a log segment ahead of time");
                    drop(self.disk.remove(&path));
                    self.spares.lock().failed = true;
                }
            }
        }
    }

    /// Writes zeros; `None` when it was stopped meanwhile.
    fn fill(&self, path: &Path) -> std::io::Result<Option<Arc<dyn DiskFile>>> {
        let file = self.disk.create(path)?;
        let zeros = vec![0; FILL_BYTES];
        let mut at = 0;
        while at < self.segment_bytes {
            let length = (self.segment_bytes - at).min(FILL_BYTES as u64);
            file.write_at(at, &zeros[..length as usize])?;
            at += length;
            if self.spares.lock().stopped {
                return Ok(None);
            }
            // Often, so that no single sync of the filler holds up the log's.
            if at.is_multiple_of(4 << 20) {
                file.sync_data()?;
            }
        }
        file.sync_data()?;
        self.disk.sync_directory(&self.directory)?;
        Ok(Some(file))
    }
}
