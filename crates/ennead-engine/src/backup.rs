//! SAVE and BGSAVE: consistent copies of the store in the backup directory, one at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ennead_store::Store;
use parking_lot::Mutex;

#[derive(Debug)]
struct State {
    running: AtomicBool,
    failed: AtomicBool,
    /// Unix seconds; of the start before the first copy, as in Redis.
    last_success: AtomicI64,
    last_seconds: AtomicI64,
    started: Mutex<Option<Instant>>,
}

/// The copies made since the start; clones are the same.
#[derive(Debug, Clone)]
pub struct Backups(Arc<State>);

impl Backups {
    pub(crate) fn new(started_unix: Duration) -> Self {
        Backups(Arc::new(State {
            running: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            last_success: AtomicI64::new(started_unix.as_secs() as i64),
            last_seconds: AtomicI64::new(-1),
            started: Mutex::new(None),
        }))
    }

    pub fn is_running(&self) -> bool {
        self.0.running.load(Ordering::Relaxed)
    }

    pub fn last_failed(&self) -> bool {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Unix seconds.
    pub fn last_success(&self) -> i64 {
        self.0.last_success.load(Ordering::Relaxed)
    }

    /// What the last copy took, seconds; -1 before the first.
    pub fn last_seconds(&self) -> i64 {
        self.0.last_seconds.load(Ordering::Relaxed)
    }

    /// For how long the copy that is running has run, seconds; -1 when none is.
    pub fn current_seconds(&self) -> i64 {
        self.0.started.lock().map_or(-1, |started| started.elapsed().as_secs() as i64)
    }

    /// Starts a copy in a thread. False when one is running.
    pub(crate) fn start(&self, store: Store, directory: PathBuf) -> std::io::Result<bool> {
        if self.0.running.swap(true, Ordering::SeqCst) {
            return Ok(false);
        }
        *self.0.started.lock() = Some(Instant::now());
        let backups = self.clone();
        let spawned = std::thread::Builder::new().name("backup".to_owned()).spawn(move || {
            let begun = Instant::now();
            match copy(&store, &directory) {
                Ok(path) => {
                    tracing::info!(path = %path.display(), "backup written");
                    backups.0.failed.store(false, Ordering::Relaxed);
                    backups.0.last_success.store(unix_seconds(), Ordering::Relaxed);
                }
                Err(error) => {
                    tracing::error!(%error, directory = %directory.display(), "backup failed");
                    backups.0.failed.store(true, Ordering::Relaxed);
                }
            }
            backups.0.last_seconds.store(begun.elapsed().as_secs() as i64, Ordering::Relaxed);
            *backups.0.started.lock() = None;
            backups.0.running.store(false, Ordering::SeqCst);
        });
        if let Err(error) = spawned {
            *self.0.started.lock() = None;
            self.0.running.store(false, Ordering::SeqCst);
            return Err(error);
        }
        Ok(true)
    }
}

/// Writes a copy into a new directory named by the time.
fn copy(store: &Store, directory: &Path) -> Result<PathBuf, String> {
    std::fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let mut path = directory.join(format!("backup-{}", unix_seconds()));
    let mut number = 1;
    while path.exists() {
        path = directory.join(format!("backup-{}-{number}", unix_seconds()));
        number += 1;
    }
    store.backup(&path).map_err(|error| error.to_string())?;
    Ok(path)
}

fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}
