//! What is done to a local log that is not appending: taking records back, and reading them again.
//!
//! Invariant: a file that the archive may share is never cut, but replaced by a copy of what stays; and the archive has
//! only records of the history that the log has.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::LogEntry;
use super::local::LocalLog;
use super::reader::SegmentReader;
use super::record::Record;
use super::segment::HEADER_BYTES;
use crate::disk::Disk;
use crate::disk::copy::copy_start;
use crate::store::Sequence;
use crate::{Error, Result, WriteBatch};

/// Of the beginning of a segment that is going to take its place.
const DRAFT_EXTENSION: &str = "cut";

/// Removes what a crash left of a segment that was being replaced. Left where it is, it only takes space.
pub(super) fn remove_drafts(disk: &dyn Disk, directory: &Path) {
    for name in disk.list(directory).unwrap_or_default() {
        let path = directory.join(name);
        if path.extension().is_some_and(|extension| extension == DRAFT_EXTENSION) {
            drop(disk.remove(&path));
        }
    }
}

/// What of a segment goes.
struct Cut {
    path: PathBuf,
    reader: SegmentReader,
    /// Bytes that stay.
    bytes: u64,
    /// Offsets and sequences of the records that go.
    gone: Vec<(u64, Sequence)>,
}

impl LocalLog {
    /// Removes the records above `sequence`, durably, after showing each to `undo`, the last first.
    pub(super) fn cut_after(&self, sequence: Sequence, undo: &mut dyn FnMut(&WriteBatch)) -> Result<()> {
        let _syncing = self.syncing.lock();
        // All of it to disk first, so that cutting is one thing whether a record was handed over or not.
        self.sync_files()?;
        let mut writer = self.writer.lock();
        let mut pending = self.pending.lock();
        let mut segments = self.segments.lock();
        let keep = segments.partition_point(|segment| segment.first <= sequence);
        let holder = keep.checked_sub(1).map_or(sequence + 1, |index| segments[index].first);
        // All is read before anything is changed, so that a segment that cannot be read costs the rollback only.
        let cuts = segments[keep.saturating_sub(1)..]
            .iter()
            .filter_map(|segment| self.look(&segment.path, sequence).transpose())
            .collect::<Result<Vec<Cut>>>()?;
        // Before the log is cut: an archive that has less than the log gets it again, one that has more is refused.
        if let Some(archive) = &self.settings.archive {
            archive.set_aside_from(holder)?;
            self.archived.fetch_min(holder.saturating_sub(1), Ordering::Relaxed);
        }
        self.finished_below.fetch_min(sequence + 1, Ordering::Relaxed);
        segments.truncate(keep);
        for cut in cuts.into_iter().rev() {
            let path = cut.path.clone();
            self.cut_file(cut, undo)
                .map_err(|error| self.settings.health.poison(format!("cannot cut {}: {error}", path.display())))?;
        }
        if let Some(last) = segments.last_mut() {
            last.bytes = self.settings.disk.open(&last.path).and_then(|file| file.len()).unwrap_or(last.bytes);
        }
        self.settings
            .disk
            .sync_directory(&self.settings.directory)
            .map_err(|error| self.settings.health.poison(format!("cannot cut the log: {error}")))?;
        // A new segment, so that nothing of the records taken back can be read behind the next one.
        writer.current = None;
        pending.used = u64::MAX;
        pending.appended = sequence;
        for position in [&self.appended, &self.written, &self.durable] {
            position.store(sequence, Ordering::Release);
        }
        Ok(())
    }

    /// Finds the records of a segment above `sequence`; nothing when it is not complete.
    fn look(&self, path: &Path, sequence: Sequence) -> Result<Option<Cut>> {
        let Some(mut reader) = SegmentReader::open(&*self.settings.disk, path)? else { return Ok(None) };
        let (mut bytes, mut gone) = (reader.offset(), Vec::new());
        while let Ok(record) = reader.next()? {
            if record.sequence <= sequence {
                bytes = reader.offset();
            } else {
                let (length, sequence) = (record.bytes as u64, record.sequence);
                gone.push((reader.offset() - length, sequence));
            }
        }
        Ok(Some(Cut { path: path.to_owned(), reader, bytes, gone }))
    }

    /// Undoes the records that go, the last first: an undo takes back what the ones before it made. Then cuts the file.
    fn cut_file(&self, cut: Cut, undo: &mut dyn FnMut(&WriteBatch)) -> Result<()> {
        let Cut { path, mut reader, bytes, gone } = cut;
        for (offset, sequence) in gone.into_iter().rev() {
            reader.rewind(offset, sequence);
            match reader.next()? {
                Ok(record) => undo(&WriteBatch::of_record(&record)),
                Err(_) => {
                    return Err(Error::Io(format!("record {sequence} at byte {offset} is not readable any more")));
                }
            }
        }
        let io = || -> std::io::Result<()> {
            if bytes == HEADER_BYTES as u64 {
                return self.settings.disk.remove(&path);
            }
            if self.settings.archive.is_some() {
                return self.replace_by_start(&path, bytes);
            }
            let file = self.settings.disk.open(&path)?;
            file.set_len(bytes)?;
            file.sync_data()
        };
        io().map_err(|error| Error::Io(error.to_string()))
    }

    /// Puts a copy of a file's first bytes in its place; whoever has a link to it keeps all of it.
    fn replace_by_start(&self, path: &Path, bytes: u64) -> std::io::Result<()> {
        let draft = path.with_extension(DRAFT_EXTENSION);
        copy_start(&*self.settings.disk, path, &draft, bytes, |_| {})?;
        self.settings.disk.rename(&draft, path)
    }

    /// Shows the written records from `from` on.
    pub(super) fn read_from(&self, from: Sequence, show: &mut dyn FnMut(LogEntry<'_>) -> Result<bool>) -> Result<()> {
        let written = self.written.load(Ordering::Acquire);
        let segments = self.segments();
        let holder = segments.partition_point(|segment| segment.first <= from);
        if from > written {
            return Ok(());
        }
        let Some(holder) = holder.checked_sub(1) else {
            let oldest = segments.first().map_or(written + 1, |segment| segment.first);
            return Err(Error::FeedLost { wanted: from, oldest });
        };
        for segment in &segments[holder..] {
            let Some(mut reader) = SegmentReader::open(&*self.settings.disk, &segment.path)? else { return Ok(()) };
            let mut time_ms = reader.header().time_ms;
            while let Ok(record) = reader.next()? {
                let Record { sequence, ref header, .. } = record;
                time_ms = header.time_ms.unwrap_or(time_ms);
                if sequence > written {
                    return Ok(());
                }
                let batch = WriteBatch::of_record(&record);
                if sequence >= from && !show(LogEntry { sequence, time_ms, batch: &batch })? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
