//! The begin and the end of a store: opening, recovery, threads, closing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::{Committing, Handle, Shared, Store, apply};
use crate::base::{Base, BaseState};
use crate::batch::rows::Row;
use crate::catalogue::Catalogue;
use crate::clock::{Clock, SystemClock};
use crate::directory::Directory;
use crate::disk::{Disk, RealDisk};
use crate::flush::Flusher;
use crate::health::Health;
use crate::log::archive::Archive;
use crate::log::local::{LocalLog, LogSettings};
use crate::log::syncer::Syncer;
use crate::memtable::Memtable;
use crate::recovery::{self, Recovered};
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

    /// [`Store::open`] with every part given. Without threads the callers do the work of the log and flush threads
    /// themselves, so that a simulation repeats exactly.
    pub(crate) fn open_with(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        options: Options,
        threaded: bool,
    ) -> Result<Store> {
        let directory = Directory::open(&disk, &options.path)?;
        let base = Base::open(&*disk, &directory.tree(), options.cache_bytes)?;
        let BaseState { flushed, catalogue } = base.state()?;
        let catalogue = Catalogue::new(catalogue, options.merge_operators.clone());
        catalogue.check_operators()?;
        let mut replay = Replay::new(&base, &options, catalogue, flushed);
        let recovered = recovery::recover(&*disk, &directory.log(), flushed, &mut |record| replay.take(record))?;
        let Replay { catalogue, memtable, flushed, .. } = replay;
        let Recovered { segments, spares, last, report } = recovered;

        let health = Arc::new(Health::default());
        let archive = match &options.archive_path {
            Some(path) => Some(Archive::open(disk.clone(), path, last)?),
            None => None,
        };
        let settings = LogSettings {
            disk,
            directory: directory.log(),
            clock,
            health: health.clone(),
            segment_bytes: options.segment_bytes,
            retention_bytes: options.log_retention_bytes,
            archive,
        };
        let log = Arc::new(LocalLog::new(settings, segments, spares, last));
        let layers = Layers { active: memtable.clone(), frozen: None, base: Arc::new(base.view()?), flushed };
        let half_full = memtable.weight() * 2 >= options.memtable_bytes;
        let shared = Arc::new(Shared {
            catalogue,
            log: log.clone(),
            syncer: Syncer::new(log.clone(), health.clone(), threaded),
            local_log: log,
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

/// Takes the records of the log into memtables; flushes those that get full, so that memory stays bounded.
struct Replay<'a> {
    base: &'a Base,
    options: &'a Options,
    catalogue: Catalogue,
    memtable: Arc<Memtable>,
    flushed: u64,
}

impl<'a> Replay<'a> {
    fn new(base: &'a Base, options: &'a Options, catalogue: Catalogue, flushed: u64) -> Self {
        Replay { base, options, catalogue, memtable: Arc::new(Memtable::new(options)), flushed }
    }

    fn take(&mut self, record: &crate::log::record::Record<'_>) -> Result<()> {
        apply(&self.memtable, &self.catalogue, record.sequence, record.row_bytes());
        // Before any merge row of the table, which comes in a later record, could be left out.
        if record.rows().any(|row| matches!(row, Row::CreateTable { .. })) {
            self.catalogue.check_operators()?;
        }
        for (table, delta) in &record.header.tallies {
            self.catalogue.add_tally(*table, *delta);
        }
        if self.memtable.bytes() >= self.options.memtable_bytes {
            let state = BaseState { flushed: record.sequence, catalogue: self.catalogue.image() };
            self.base.merge(&self.memtable, &state)?;
            self.memtable = Arc::new(Memtable::new(self.options));
            self.flushed = record.sequence;
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
    let (log, flush, shelf) = (shared.clone(), shared.clone(), shared.local_log.shelf().clone());
    Ok(vec![
        spawn("ennead-log", Box::new(move || log.syncer.run()))?,
        spawn("ennead-flush", Box::new(move || flush.run_flusher()))?,
        spawn("ennead-shelf", Box::new(move || shelf.run()))?,
    ])
}

impl Handle {
    fn close(&self, flush: bool) -> Result<()> {
        if self.closing.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let shared = &self.shared;
        shared.committing.lock().closed = true;
        shared.flusher.stop();
        shared.syncer.stop();
        shared.local_log.shelf().stop();
        let current = std::thread::current().id();
        for thread in self.threads.lock().drain(..) {
            // The last clone may end in a listener, on one of these threads.
            if thread.thread().id() != current {
                drop(thread.join());
            }
        }
        let mut result = shared.health.check();
        if result.is_ok() && flush && shared.layers.load().active.bytes() >= FLUSH_AT_CLOSE_BYTES {
            result = shared.flush_once();
        }
        if result.is_ok() {
            result = shared.local_log.finish();
        }
        shared.syncer.forget_listeners();
        if let Some(tree) = shared.flusher.tree.lock().take() {
            result = result.and(tree.close());
        }
        drop(self.lock.lock().take());
        result
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.close(false) {
            tracing::error!(%error, "the store was not closed cleanly");
        }
    }
}
