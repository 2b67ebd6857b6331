//! The begin and the end of a store: opening, recovery, threads, closing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::{Committing, Handle, Sequence, Shared, Store, apply};
use crate::base::{Base, BaseState};
use crate::batch::rows::{Row, Rows};
use crate::catalogue::Catalogue;
use crate::clock::{Clock, SystemClock};
use crate::compaction::DRAFT_EXTENSION;
use crate::directory::Directory;
use crate::disk::{Disk, RealDisk};
use crate::flush::Flusher;
use crate::health::Health;
use crate::log::Log;
use crate::log::archive::Archive;
use crate::log::local::{LocalLog, LogSettings};
use crate::log::record::{self, Record};
use crate::log::syncer::Syncer;
use crate::memtable::Memtable;
use crate::recovery::{self, Recovered, RecoveryReport};
use crate::snapshot::Layers;
use crate::{Error, Options, Result};

/// A memtable smaller than this is left to the log when the store is closed: replaying it is quicker than merging it.
const FLUSH_AT_CLOSE_BYTES: usize = 1 << 20;

impl Store {
    /// Opens or creates a store and recovers what its log holds.
    ///
    /// # Errors
    /// `Open` when the directory is in use, not writable or of a newer format; `Corrupted` when the log or the B-tree
    /// lost something that had been durable.
    pub fn open(options: Options) -> Result<Store> {
        Store::open_on(Arc::new(RealDisk), options)
    }

    /// [`Store::open`] on another disk.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options) -> Result<Store> {
        Store::open_with(disk, Arc::new(SystemClock), options, true)
    }

    /// [`Store::open`] with another log than the one on this machine's disk: see [`Log`]. The directory keeps the
    /// B-tree only, and remembers the log's name. [`Options::rollback`] is on; [`Options::segment_bytes`],
    /// [`Options::log_retention_bytes`] and [`Options::archive_path`] have no meaning then.
    ///
    /// # Errors
    /// As for `open`; `Open` when the directory was used with another log, `Corrupted` when the log ends before the
    /// B-tree.
    pub fn open_with_log(options: Options, name: &str, log: Arc<dyn Log>) -> Result<Store> {
        // What is not durable may be taken back at any time.
        let options = Options { rollback: true, ..options };
        let other = OtherLog { name: name.to_owned(), log };
        Store::open_parts(Arc::new(RealDisk), Arc::new(SystemClock), options, true, Some(other))
    }

    /// [`Store::open`] with the disk and the clock given. Without threads the callers do the work of the log and flush
    /// threads themselves, so that a simulation repeats exactly.
    pub(crate) fn open_with(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        options: Options,
        threaded: bool,
    ) -> Result<Store> {
        Store::open_parts(disk, clock, options, threaded, None)
    }

    pub(crate) fn open_parts(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        options: Options,
        threaded: bool,
        other: Option<OtherLog>,
    ) -> Result<Store> {
        let directory = Directory::open(&disk, &options.path)?;
        directory.check_log(&disk, other.as_ref().map(|other| other.name.as_str()))?;
        // Of a compaction that a crash ended.
        let draft = directory.tree().with_extension(DRAFT_EXTENSION);
        if disk.exists(&draft).is_ok_and(|there| there) {
            drop(disk.remove(&draft));
        }
        let base = Base::open(&*disk, &directory.tree(), options.cache_bytes)?;
        let BaseState { flushed, catalogue } = base.state()?;
        let catalogue = Catalogue::new(catalogue, options.merge_operators.clone());
        catalogue.check_operators()?;
        let mut replay = Replay::new(&base, &options, catalogue, flushed);
        let health = Arc::new(Health::default());
        let Opened { log, local, last, report } = match other {
            Some(other) => open_other(&*other.log, &mut replay).map(|(last, report)| Opened {
                log: other.log,
                local: None,
                last,
                report,
            })?,
            None => open_local(&disk, &clock, &options, &directory, &health, &mut replay)?,
        };
        let half_full = replay.memtable.is_half_full(options.memtable_bytes);
        let Replay { catalogue, memtable, flushed, .. } = replay;
        let catalogue = Arc::new(catalogue);
        let base_view = Arc::new(base.view()?);
        let layers =
            Layers { active: memtable.clone(), frozen: None, base: base_view, flushed, catalogue: catalogue.clone() };
        let arrivals = local.as_ref().map_or_else(Arc::default, |local| local.arrivals().clone());
        let shared = Arc::new(Shared {
            disk,
            clock,
            catalogue,
            syncer: Syncer::new(log.clone(), health.clone(), threaded),
            log,
            local_log: local,
            arrivals,
            health,
            layers: ArcSwap::from_pointee(layers),
            committing: Mutex::new(Committing { sequence: last, memtable, flush_asked: false, closed: false }),
            visible: AtomicU64::new(last),
            half_full: AtomicBool::new(half_full),
            recovery: report,
            tree_file: Mutex::new(base.file().clone()),
            flusher: Flusher::new(base),
            threaded,
            options,
        });
        let weak = Arc::downgrade(&shared);
        shared.log.attach(Arc::new(move || {
            if let Some(shared) = weak.upgrade() {
                shared.arrivals.notify();
                shared.syncer.tell_advanced();
            }
        }));
        let threads = if threaded { start_threads(&shared)? } else { Vec::new() };
        Ok(Store(Arc::new(Handle {
            shared,
            threads: Mutex::new(threads),
            lock: Mutex::new(Some(directory.into_lock())),
            closing: AtomicBool::new(false),
        })))
    }

    /// Flushes the log to disk and releases the directory. Dropping the last clone does the same. Later commits are
    /// refused.
    pub fn close(&self) -> Result<()> {
        self.0.close(true)
    }
}

/// A log that is not on this machine's disk.
pub(crate) struct OtherLog {
    pub(crate) name: String,
    pub(crate) log: Arc<dyn Log>,
}

/// A log whose records have been replayed.
struct Opened {
    log: Arc<dyn Log>,
    local: Option<Arc<LocalLog>>,
    last: Sequence,
    report: RecoveryReport,
}

fn open_local(
    disk: &Arc<dyn Disk>,
    clock: &Arc<dyn Clock>,
    options: &Options,
    directory: &Directory,
    health: &Arc<Health>,
    replay: &mut Replay<'_>,
) -> Result<Opened> {
    let flushed = replay.flushed;
    // What recovery shows is durable: it syncs before it reads.
    let show = &mut |record: &Record<'_>| {
        replay.take(record.sequence, record.row_bytes(), &record.header.tallies, Sequence::MAX)
    };
    let Recovered { segments, spares, last, report } = recovery::recover(&**disk, &directory.log(), flushed, show)?;
    let archive = match &options.archive_path {
        Some(path) => Some(Archive::open(disk.clone(), path, last)?),
        None => None,
    };
    let settings = LogSettings {
        disk: disk.clone(),
        directory: directory.log(),
        clock: clock.clone(),
        health: health.clone(),
        segment_bytes: options.segment_bytes,
        retention_bytes: options.log_retention_bytes,
        archive,
    };
    let log = Arc::new(LocalLog::new(settings, segments, spares, last));
    Ok(Opened { log: log.clone(), local: Some(log), last, report })
}

fn open_other(log: &dyn Log, replay: &mut Replay<'_>) -> Result<(Sequence, RecoveryReport)> {
    let (flushed, durable) = (replay.flushed, log.durable());
    if log.appended() < flushed {
        return Err(Error::Corrupted(format!(
            "the log ends at batch {}, the B-tree is at {flushed}: it is another log, or it lost its end",
            log.appended()
        )));
    }
    let (mut last, mut report) = (flushed, RecoveryReport::default());
    log.read(flushed + 1, &mut |entry| {
        if entry.sequence != last + 1 {
            return Err(Error::Corrupted(format!("the log has batch {} behind batch {last}", entry.sequence)));
        }
        last = entry.sequence;
        report.records_replayed += 1;
        report.bytes_replayed += entry.batch.bytes() as u64;
        replay.take(entry.sequence, entry.batch.encoded(), entry.batch.tallies(), durable).map(|()| true)
    })?;
    if last != log.appended() {
        return Err(Error::Corrupted(format!("the log shows batches up to {last}, and says {}", log.appended())));
    }
    Ok((last, report))
}

/// Takes the records of the log into memtables; flushes those that get full, so that memory stays bounded.
struct Replay<'a> {
    base: &'a Base,
    options: &'a Options,
    catalogue: Catalogue,
    memtable: Arc<Memtable>,
    flushed: Sequence,
}

impl<'a> Replay<'a> {
    fn new(base: &'a Base, options: &'a Options, catalogue: Catalogue, flushed: Sequence) -> Self {
        Replay { base, options, catalogue, memtable: Arc::new(Memtable::new(options)), flushed }
    }

    /// Takes one record. What is above `durable` may be taken back, and stays out of the tree.
    fn take(&mut self, sequence: Sequence, rows: &[u8], tallies: &[(u32, i64)], durable: Sequence) -> Result<()> {
        apply(&self.memtable, &self.catalogue, sequence, rows);
        self.memtable.note_logged(record::FIXED_BYTES + rows.len());
        // An operator that is missing would leave merge rows out, of this record already.
        if Rows::new(rows).any(|row| matches!(row, Ok(Row::CreateTable { .. }))) {
            self.catalogue.check_operators()?;
        }
        for (table, delta) in tallies {
            self.catalogue.add_tally(*table, *delta);
        }
        if self.memtable.weight() >= self.options.memtable_bytes && sequence <= durable {
            let state = BaseState { flushed: sequence, catalogue: self.catalogue.image() };
            // Time 0: whether a row's time is over is not for a replay to say.
            self.base.merge(&self.memtable, &state, 0)?;
            self.memtable = Arc::new(Memtable::new(self.options));
            self.flushed = sequence;
        }
        Ok(())
    }
}

fn start_threads(shared: &Arc<Shared>) -> Result<Vec<JoinHandle<()>>> {
    let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .map_err(|error| Error::Io(format!("cannot start the thread {name}: {error}")))
    };
    let (log, flush) = (shared.clone(), shared.clone());
    let mut threads = vec![
        spawn("ennead-log", Box::new(move || log.syncer.run()))?,
        spawn("ennead-flush", Box::new(move || flush.run_flusher()))?,
    ];
    if let Some(local) = &shared.local_log {
        let shelf = local.shelf().clone();
        threads.push(spawn("ennead-shelf", Box::new(move || shelf.run()))?);
    }
    Ok(threads)
}

impl Handle {
    fn close(&self, flush: bool) -> Result<()> {
        if self.closing.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        // A listener may close the store, or let go of its last clone.
        if self.is_own_thread() { self.shut_down_elsewhere(flush) } else { self.shut_down(flush) }
    }

    fn shut_down(&self, flush: bool) -> Result<()> {
        let shared = &self.shared;
        shared.committing.lock().closed = true;
        shared.flusher.stop();
        shared.syncer.stop();
        if let Some(local) = &shared.local_log {
            local.shelf().stop();
        }
        for thread in self.threads.lock().drain(..) {
            drop(thread.join());
        }
        let mut result = shared.health.check();
        if result.is_ok() && flush && shared.layers.load().active.weight() >= FLUSH_AT_CLOSE_BYTES {
            result = shared.flush_once();
        }
        if result.is_ok() {
            result = shared.log.close();
        }
        shared.abandon_compaction();
        shared.syncer.forget_listeners();
        if let Some(tree) = shared.flusher.tree.lock().take() {
            result = result.and(tree.close());
        }
        drop(self.lock.lock().take());
        result
    }

    /// Shuts down by a thread of its own: the one that asks is one of those that have to end first, and may hold what
    /// the others wait for.
    fn shut_down_elsewhere(&self, flush: bool) -> Result<()> {
        let rest = Handle {
            shared: Arc::clone(&self.shared),
            threads: Mutex::new(std::mem::take(&mut *self.threads.lock())),
            lock: Mutex::new(self.lock.lock().take()),
            closing: AtomicBool::new(true),
        };
        let thread = std::thread::Builder::new().name("ennead-close".into());
        let started = thread.spawn(move || report(rest.shut_down(flush)));
        started.map(drop).map_err(|error| Error::Io(format!("cannot start a thread: {error}")))
    }

    fn is_own_thread(&self) -> bool {
        let current = std::thread::current().id();
        self.threads.lock().iter().any(|thread| thread.thread().id() == current)
    }
}

fn report(closed: Result<()>) {
    if let Err(error) = closed {
        tracing::error!(%error, "the store was not closed cleanly");
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        report(self.close(false));
    }
}
