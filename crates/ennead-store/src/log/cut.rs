//! What is done to a local log that is not appending: taking records back, and reading them again.
//!
//! Invariant: a file that the archive may share is never cut, but replaced by a copy of what stays; and the archive has
//! only records of the history that the log has.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::LogEntry;
use super::local::LocalLog;
use super::reader::SegmentReader;
use super::record::Record;
use super::segment::HEADER_BYTES;
use crate::store::Sequence;
use crate::{Error, Result, WriteBatch};

/// Bytes copied at a time.
const BLOCK_BYTES: u64 = 1 << 20;

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
        // Before the log is cut: an archive that has less than the log gets it again, one that has more is refused.
        if let Some(archive) = &self.settings.archive {
            archive.set_aside_from(holder)?;
            self.archived.fetch_min(holder.saturating_sub(1), Ordering::Relaxed);
        }
        for segment in segments.drain(keep..).rev() {
            self.cut_file(&segment.path, sequence, undo)?;
        }
        let last_path = segments.last().map(|segment| segment.path.clone());
        if let Some(path) = last_path {
            self.cut_file(&path, sequence, undo)?;
            if let Some(last) = segments.last_mut() {
                last.bytes = self.settings.disk.open(&path).and_then(|file| file.len()).unwrap_or(last.bytes);
            }
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

    fn cut_file(&self, path: &Path, sequence: Sequence, undo: &mut dyn FnMut(&WriteBatch)) -> Result<()> {
        let Some(mut reader) = SegmentReader::open(&*self.settings.disk, path)? else { return Ok(()) };
        let (mut cut, mut later) = (reader.offset(), Vec::new());
        while let Ok(record) = reader.next()? {
            if record.sequence <= sequence {
                cut = reader.offset();
            } else {
                let (bytes, sequence) = (record.bytes as u64, record.sequence);
                later.push((reader.offset() - bytes, sequence));
            }
        }
        // The last first: an undo takes back what the ones before it made.
        for (offset, sequence) in later.into_iter().rev() {
            reader.rewind(offset, sequence);
            if let Ok(record) = reader.next()? {
                undo(&WriteBatch::of_record(&record));
            }
        }
        let io = || -> std::io::Result<()> {
            if cut == HEADER_BYTES as u64 {
                return self.settings.disk.remove(path);
            }
            if self.settings.archive.is_some() {
                return self.replace_by_start(path, cut);
            }
            let file = self.settings.disk.open(path)?;
            file.set_len(cut)?;
            file.sync_data()
        };
        io().map_err(|error| self.settings.health.poison(format!("cannot cut {}: {error}", path.display())))
    }

    /// Puts a copy of a file's first bytes in its place; whoever has a link to it keeps all of it.
    fn replace_by_start(&self, path: &Path, bytes: u64) -> std::io::Result<()> {
        let draft = path.with_extension("cut");
        let (source, target) = (self.settings.disk.open(path)?, self.settings.disk.create(&draft)?);
        let mut block = vec![0; BLOCK_BYTES.min(bytes) as usize];
        let mut at = 0;
        while at < bytes {
            let length = (bytes - at).min(BLOCK_BYTES);
            let block = &mut block[..length as usize];
            source.read_at(at, block)?;
            target.write_at(at, block)?;
            at += length;
        }
        target.sync_data()?;
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
