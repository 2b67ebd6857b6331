//! What the models need done in the background: reading keys into memory after a start, deleting those that are due, ending
//! leases, compacting history that is old, giving memory back when it is quiet.
//!
//! Threads hold no engine: they end when the last handle to it is gone.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ennead_coord::{AutoCompaction, Coord};
use ennead_kv::{Call, Keyspace};

use crate::host::Host;
use crate::quiet::Quiet;
use crate::settings::Settings;

const EXPIRE_INTERVAL: Duration = Duration::from_millis(100);
/// Leases end in seconds.
const LEASE_INTERVAL: Duration = Duration::from_millis(100);
/// Keys handled between two looks at whether to end. Of expiry little, with a rest behind it: a thread that works without
/// one is put aside by the scheduler for ten milliseconds when others want the processor, most likely with a slot locked.
const EXPIRE_BUDGET: usize = 128;
const EXPIRE_REST: Duration = Duration::from_micros(100);
const WARM_BUDGET: usize = 1024;
/// After an error of the store.
const ERROR_WAIT: Duration = Duration::from_secs(1);

/// Dropping it ends the threads.
pub(crate) struct Upkeep {
    _alive: Vec<Sender<()>>,
}

impl Upkeep {
    /// With the coordination model comes when its time began. The host may come later.
    pub(crate) fn start(
        keyspace: &Keyspace,
        (coord, coord_opened): (&Coord, Instant),
        compaction: Option<AutoCompaction>,
        settings: &Arc<Settings>,
        host: &Arc<OnceLock<Host>>,
    ) -> std::io::Result<Upkeep> {
        let (expiring, warming, coord) = (keyspace.clone(), keyspace.clone(), coord.clone());
        let mut quiet = Quiet::new(keyspace.store().clone(), Arc::clone(settings), Arc::clone(host));
        let mut alive = vec![
            spawn("expiry", move || expire(&expiring))?,
            spawn("warming", move || warm(&warming))?,
            spawn("leases", move || end_leases(&coord, coord_opened))?,
            spawn("quiet", move || Some(quiet.step()))?,
        ];
        if let Some(mut compaction) = compaction {
            alive.push(spawn("retention", move || Some(compaction.step(coord_opened.elapsed())))?);
        }
        Ok(Upkeep { _alive: alive })
    }
}

/// A thread that takes steps until there is nothing left to do. A step says how long to wait before the next one, or
/// `None` to end.
fn spawn(name: &str, mut step: impl FnMut() -> Option<Duration> + Send + 'static) -> std::io::Result<Sender<()>> {
    let (alive, end) = mpsc::channel();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        while let Some(wait) = step() {
            if end.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        }
    })?;
    Ok(alive)
}

fn expire(keyspace: &Keyspace) -> Option<Duration> {
    // A limit that was made lower holds although nobody asks for anything.
    let call = Call { now_ms: unix_ms(), seed: unix_ms(), ..Call::default() };
    if let Err(error) = keyspace.has_room(&call) {
        tracing::debug!(%error, "cannot evict keys");
    }
    match keyspace.expire_due(unix_ms(), EXPIRE_BUDGET) {
        Ok(true) => Some(EXPIRE_REST),
        Ok(false) => Some(EXPIRE_INTERVAL),
        Err(error) => {
            tracing::debug!(%error, "cannot delete expired keys");
            Some(ERROR_WAIT)
        }
    }
}

fn end_leases(coord: &Coord, opened: Instant) -> Option<Duration> {
    match coord.expire(opened.elapsed().as_millis() as u64) {
        Ok(true) => Some(Duration::ZERO),
        Ok(false) => Some(LEASE_INTERVAL),
        Err(error) => {
            tracing::debug!(%error, "cannot end leases");
            Some(ERROR_WAIT)
        }
    }
}

fn warm(keyspace: &Keyspace) -> Option<Duration> {
    match keyspace.warm(unix_ms(), WARM_BUDGET) {
        Ok(true) => Some(Duration::ZERO),
        Ok(false) => None,
        Err(error) => {
            tracing::warn!(%error, "cannot read keys into memory");
            Some(ERROR_WAIT)
        }
    }
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
