//! The log on this machine's disk: one buffer that commits append to, one writer that hands it to the kernel, one
//! fsync at a time that serves all who wait.
//!
//! Lock order: syncing, writer, pending, segments. A commit takes only `pending`, and only to copy its record.
//! Invariant: `durable <= written <= appended`, and after the first failure none of them moves again.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::archive::Archive;
use super::arrivals::Arrivals;
use super::cut;
use super::record;
use super::segment::{self, HEADER_BYTES, OpenSegment, Segment, SegmentHeader};
use super::shelf::Shelf;
use super::{Log, LogEntry, LogFigures};
use crate::clock::Clock;
use crate::disk::{Disk, DiskFile};
use crate::health::Health;
use crate::store::Sequence;
use crate::{Result, WriteBatch};

/// Capacity that an append buffer keeps, bytes.
const BUFFER_BYTES_KEPT: usize = 4 << 20;

/// Records that wait to be handed over, and what the appender knows of the segment they will go to.
#[derive(Debug, Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    /// Where in `bytes` a new segment begins.
    cuts: Vec<(usize, SegmentHeader)>,
    pub(super) appended: Sequence,
    /// Bytes of the current segment that are used once all of `bytes` is written; `u64::MAX` when there is none.
    pub(super) used: u64,
    salt: u32,
    time_ms: u64,
    durable: Sequence,
}

/// Files that have to be synced before what was written counts as durable.
#[derive(Debug, Default)]
pub(super) struct Writer {
    buffer: Vec<u8>,
    cuts: Vec<(usize, SegmentHeader)>,
    pub(super) current: Option<OpenSegment>,
    /// Finished segments that are not synced yet, with their length.
    finished: Vec<(Arc<dyn DiskFile>, u64)>,
    names_changed: bool,
}

#[derive(Debug, Default)]
struct Counters {
    bytes: AtomicU64,
    appends: AtomicU64,
    syncs: AtomicU64,
    sync_micros: AtomicU64,
}

/// What a log is made with.
pub(crate) struct LogSettings {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) directory: PathBuf,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: Arc<Health>,
    pub(crate) segment_bytes: u64,
    pub(crate) retention_bytes: u64,
    pub(crate) archive: Option<Archive>,
}

/// The log on this machine's disk.
pub(crate) struct LocalLog {
    pub(super) settings: LogSettings,
    pub(super) shelf: Arc<Shelf>,
    arrivals: Arc<Arrivals>,
    /// First sequence of the newest segment that is archived.
    pub(super) archived: AtomicU64,
    random: RandomState,
    pub(super) pending: Mutex<Pending>,
    pub(super) writer: Mutex<Writer>,
    pub(super) syncing: Mutex<()>,
    pub(super) segments: Mutex<Vec<Segment>>,
    /// Segments that begin below are cut to their length and synced: nobody holds their files to do so later.
    pub(super) finished_below: AtomicU64,
    pub(super) appended: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) durable: AtomicU64,
    time_ms: AtomicU64,
    /// The current segment had no spare file to begin with, so that the next spare is worth a change.
    growing: AtomicBool,
    counters: Counters,
}

impl LocalLog {
    /// A log whose next record is `last + 1`; everything up to `last` is durable in `segments` or in the B-tree.
    pub(crate) fn new(settings: LogSettings, segments: Vec<Segment>, spares: Vec<PathBuf>, last: Sequence) -> LocalLog {
        cut::remove_drafts(&*settings.disk, &settings.directory);
        let shelf = Shelf::new(settings.disk.clone(), &settings.directory, settings.segment_bytes, spares);
        let now = settings.clock.now_ms();
        LocalLog {
            shelf: Arc::new(shelf),
            arrivals: Arc::default(),
            archived: AtomicU64::new(0),
            random: RandomState::new(),
            pending: Mutex::new(Pending { appended: last, used: u64::MAX, ..Pending::default() }),
            writer: Mutex::default(),
            syncing: Mutex::default(),
            segments: Mutex::new(segments),
            finished_below: AtomicU64::new(last + 1),
            appended: AtomicU64::new(last),
            written: AtomicU64::new(last),
            durable: AtomicU64::new(last),
            time_ms: AtomicU64::new(now),
            growing: AtomicBool::new(false),
            counters: Counters::default(),
            settings,
        }
    }

    pub(crate) fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Where followers of the log wait for more of it.
    pub(crate) fn arrivals(&self) -> &Arc<Arrivals> {
        &self.arrivals
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.settings.disk
    }

    /// The segments that are there, oldest first.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        self.segments.lock().clone()
    }

    /// Cuts the last segment to what is used, so that the next start finds its end without a search.
    fn finish(&self) -> Result<()> {
        self.sync()?;
        let mut writer = self.writer.lock();
        if let Some(current) = writer.current.take() {
            self.pending.lock().used = u64::MAX;
            current
                .file
                .set_len(current.offset)
                .and_then(|()| current.file.sync_data())
                .map_err(|error| self.settings.health.poison(format!("cannot finish the log: {error}")))?;
        }
        Ok(())
    }

    /// Whether the next record begins a new segment, and its header if so.
    fn next_segment(&self, pending: &Pending, sequence: Sequence, bytes: usize) -> Option<SegmentHeader> {
        let used = pending.used;
        let full = used.saturating_add(bytes as u64) > self.settings.segment_bytes && used > HEADER_BYTES as u64;
        let better = self.growing.load(Ordering::Relaxed)
            && self.shelf.is_ready()
            && self.growing.swap(false, Ordering::Relaxed);
        (full || better).then(|| SegmentHeader {
            salt: self.random.hash_one(sequence) as u32,
            first: sequence,
            durable: self.durable.load(Ordering::Relaxed),
            time_ms: self.time_ms.load(Ordering::Relaxed),
        })
    }

    /// Writes all that is pending. The caller holds the writer.
    fn write_pending(&self, writer: &mut Writer) -> Result<Sequence> {
        self.settings.health.check()?;
        writer.buffer.clear();
        writer.cuts.clear();
        let appended = {
            let mut pending = self.pending.lock();
            std::mem::swap(&mut pending.bytes, &mut writer.buffer);
            std::mem::swap(&mut pending.cuts, &mut writer.cuts);
            pending.appended
        };
        if !writer.buffer.is_empty() {
            self.time_ms.store(self.settings.clock.now_ms(), Ordering::Relaxed);
            let buffer = std::mem::take(&mut writer.buffer);
            let written = self.write_parts(writer, &buffer);
            writer.buffer = if buffer.capacity() > BUFFER_BYTES_KEPT { Vec::new() } else { buffer };
            written.map_err(|error| self.settings.health.poison(format!("cannot write the log: {error}")))?;
            self.counters.appends.fetch_add(1, Ordering::Relaxed);
        }
        self.written.store(appended, Ordering::Release);
        Ok(appended)
    }

    fn write_parts(&self, writer: &mut Writer, buffer: &[u8]) -> std::io::Result<()> {
        let mut from = 0;
        for index in 0..writer.cuts.len() {
            let (at, header) = writer.cuts[index];
            self.write_part(writer, &buffer[from..at])?;
            self.begin_segment(writer, header)?;
            from = at;
        }
        self.write_part(writer, &buffer[from..])?;
        self.counters.bytes.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn write_part(&self, writer: &mut Writer, bytes: &[u8]) -> std::io::Result<()> {
        let Some(current) = writer.current.as_mut().filter(|_| !bytes.is_empty()) else { return Ok(()) };
        current.append(bytes, self.settings.segment_bytes)
    }

    fn begin_segment(&self, writer: &mut Writer, header: SegmentHeader) -> std::io::Result<()> {
        let path = self.settings.directory.join(segment::segment_name(header.first));
        let file = match self.shelf.take(header.first) {
            Some((spare, file)) => {
                self.settings.disk.rename(&spare, &path)?;
                file
            }
            None => {
                self.growing.store(true, Ordering::Relaxed);
                let file = self.settings.disk.create(&path)?;
                // So that appending does not change the length each time.
                file.set_len(self.settings.segment_bytes)?;
                file
            }
        };
        let next = OpenSegment::begin(file, &header, self.settings.segment_bytes)?;
        writer.names_changed = true;
        let mut segments = self.segments.lock();
        if let Some(finished) = writer.current.replace(next) {
            if let Some(last) = segments.last_mut() {
                last.bytes = finished.offset;
            }
            writer.finished.push((finished.file, finished.offset));
        }
        segments.push(Segment { first: header.first, path, bytes: self.settings.segment_bytes });
        Ok(())
    }

    /// Syncs what was written up to now.
    pub(super) fn sync_files(&self) -> Result<Sequence> {
        let (target, current, finished, names_changed, newest) = {
            let mut writer = self.writer.lock();
            let target = self.write_pending(&mut writer)?;
            let current = writer.current.as_ref().map(|segment| segment.file.clone());
            let newest = self.segments.lock().last().map(|segment| segment.first);
            let (finished, names) = (std::mem::take(&mut writer.finished), std::mem::take(&mut writer.names_changed));
            (target, current, finished, names, newest)
        };
        if target <= self.durable.load(Ordering::Acquire) {
            return Ok(target);
        }
        let begun = Instant::now();
        let sync = || -> std::io::Result<()> {
            for (file, bytes) in &finished {
                file.set_len(*bytes)?;
                file.sync_data()?;
            }
            if names_changed {
                self.settings.disk.sync_directory(&self.settings.directory)?;
            }
            current.map_or(Ok(()), |file| file.sync_data())
        };
        sync().map_err(|error| self.settings.health.poison(format!("cannot sync the log: {error}")))?;
        // A failure of somebody else in the meantime: what is durable stays as it was told.
        self.settings.health.check()?;
        self.durable.store(target, Ordering::Release);
        self.finished_below.fetch_max(newest.unwrap_or(0), Ordering::Relaxed);
        self.counters.syncs.fetch_add(1, Ordering::Relaxed);
        self.shelf.note_sync();
        self.counters.sync_micros.fetch_add(begun.elapsed().as_micros() as u64, Ordering::Relaxed);
        Ok(target)
    }
}

impl Log for LocalLog {
    fn append(&self, sequence: Sequence, batch: &WriteBatch) -> usize {
        let time = self.time_ms.load(Ordering::Relaxed);
        let durable = self.durable.load(Ordering::Relaxed);
        let mut pending = self.pending.lock();
        let pending = &mut *pending;
        // The clock is read once for all that is handed over together.
        let time = if pending.bytes.is_empty() { self.settings.clock.now_ms().max(time) } else { pending.time_ms };
        if let Some(header) = self.next_segment(pending, sequence, record::FIXED_BYTES + 64 + batch.bytes()) {
            pending.cuts.push((pending.bytes.len(), header));
            pending.used = HEADER_BYTES as u64;
            pending.salt = header.salt;
            (pending.time_ms, pending.durable) = (header.time_ms, header.durable);
        }
        let changed_time = (time != pending.time_ms).then_some(time);
        let changed_durable = (durable != pending.durable).then_some(durable);
        (pending.time_ms, pending.durable) = (time, durable);
        let before = pending.bytes.len();
        record::encode(&mut pending.bytes, pending.salt, sequence, changed_time, changed_durable, batch);
        pending.used += (pending.bytes.len() - before) as u64;
        pending.appended = sequence;
        self.appended.store(sequence, Ordering::Release);
        pending.bytes.len()
    }

    fn hand_over(&self, sequence: Sequence) -> Result<()> {
        if self.written.load(Ordering::Acquire) >= sequence {
            return Ok(());
        }
        let result = {
            let mut writer = self.writer.lock();
            // Whoever held the writer before may have written this one too.
            if self.written.load(Ordering::Acquire) >= sequence {
                return Ok(());
            }
            self.write_pending(&mut writer).map(|_| ())
        };
        self.arrivals.notify();
        result
    }

    fn sync(&self) -> Result<Sequence> {
        let result = {
            let _syncing = self.syncing.lock();
            self.sync_files()
        };
        self.arrivals.notify();
        result
    }

    fn appended(&self) -> Sequence {
        self.appended.load(Ordering::Acquire)
    }

    fn written(&self) -> Sequence {
        self.written.load(Ordering::Acquire)
    }

    fn durable(&self) -> Sequence {
        self.durable.load(Ordering::Acquire)
    }

    fn truncate_after(&self, sequence: Sequence, undo: &mut dyn FnMut(&WriteBatch)) -> Result<()> {
        self.cut_after(sequence, undo)
    }

    fn release(&self, flushed: Sequence) {
        self.give_up_before(flushed);
    }

    fn read(&self, from: Sequence, show: &mut dyn FnMut(LogEntry<'_>) -> Result<bool>) -> Result<()> {
        self.read_from(from, show)
    }

    /// Its followers are told by [`Arrivals`], and who syncs it tells the rest.
    fn attach(&self, _advanced: Arc<dyn Fn() + Send + Sync>) {}

    fn close(&self) -> Result<()> {
        self.finish()
    }

    fn figures(&self) -> LogFigures {
        LogFigures {
            bytes: self.counters.bytes.load(Ordering::Relaxed),
            appends: self.counters.appends.load(Ordering::Relaxed),
            syncs: self.counters.syncs.load(Ordering::Relaxed),
            sync_micros: self.counters.sync_micros.load(Ordering::Relaxed),
        }
    }
}

impl std::fmt::Debug for LocalLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalLog").field("directory", &self.settings.directory).finish_non_exhaustive()
    }
}
