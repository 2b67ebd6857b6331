//! The engine: everything that all sessions share. Clones are the same engine.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ennead_coord::Coord;
use ennead_kv::Keyspace;
use ennead_store::Store;

use crate::backup::Backups;
use crate::clients::Clients;
use crate::coordination::{self, Tokens};
use crate::errors::ErrorCounts;
use crate::figures::Figures;
use crate::herald::Herald;
use crate::host::{Host, MemoryFigures};
use crate::keyspace;
use crate::latency::LatencyMonitor;
use crate::monitors::Monitors;
use crate::pause::Pause;
use crate::process;
use crate::pubsub::PubSub;
use crate::rates::Rates;
use crate::registry::Registry;
use crate::scripting::{Functions, Scripts};
use crate::settings::{BACKUP_DIRECTORY, DATA_DIRECTORY, STALL_TIMEOUT, Settings, TRACKING_TABLE_MAX_KEYS};
use crate::slowlog::SlowLog;
use crate::tracking::Tracking;
use crate::upkeep::Upkeep;
use crate::users::Users;

/// A handle to the engine; cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    store: Store,
    keyspace: Keyspace,
    coord: Coord,
    tokens: Tokens,
    _upkeep: Upkeep,
    settings: Arc<Settings>,
    users: Users,
    clients: Arc<Clients>,
    scripts: Scripts,
    functions: Functions,
    pubsub: Arc<PubSub>,
    tracking: Arc<Tracking>,
    monitors: Monitors,
    figures: Figures,
    slowlog: SlowLog,
    latency: LatencyMonitor,
    errors: ErrorCounts,
    pause: Pause,
    backups: Backups,
    host: Arc<OnceLock<Host>>,
    memory_peak: AtomicU64,
    /// Bytes allocated when the engine was given its host.
    memory_startup: AtomicU64,
    rates: Rates,
    started: Instant,
    run_id: String,
    stall_timeout: Duration,
}

impl Engine {
    /// Opens the models of a store and begins to follow the settings.
    ///
    /// # Errors
    /// Those of [`Keyspace::open`].
    pub fn open(store: Store, settings: Arc<Settings>) -> ennead_kv::Result<Engine> {
        let keyspace = keyspace::open(store.clone(), &settings, random_word())?;
        let started = Instant::now();
        let coord = coordination::open(store.clone(), &settings, random_word())?;
        let compaction = coordination::auto_compaction(&coord, &settings)?;
        let tokens = Tokens::open(&settings)?;
        let users = Users::open(&store, &settings)?;
        let functions = Functions::open(&store)?;
        let clients = Arc::new(Clients::default());
        let pubsub = Arc::new(PubSub::new(Arc::clone(&settings)));
        let tracking = Arc::new(Tracking::new(&settings, &clients));
        keyspace.set_witness(Box::new(Herald::new(&settings, &pubsub, &tracking)));
        follow_table_limit(&settings, &tracking);
        let started_unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let host = Arc::new(OnceLock::new());
        let upkeep = Upkeep::start(&keyspace, (&coord, started), compaction, &settings, &host)
            .map_err(|error| ennead_kv::Error::Text(format!("ERR cannot start a thread: {error}").into()))?;
        Ok(Engine(Arc::new(Inner {
            store,
            keyspace,
            coord,
            tokens,
            _upkeep: upkeep,
            users,
            clients,
            scripts: Scripts::default(),
            functions,
            pubsub,
            tracking,
            monitors: Monitors::default(),
            figures: Figures::new(Registry::get().commands().len()),
            slowlog: SlowLog::default(),
            latency: LatencyMonitor::default(),
            errors: ErrorCounts::default(),
            pause: Pause::default(),
            backups: Backups::new(started_unix),
            host,
            memory_peak: AtomicU64::new(0),
            memory_startup: AtomicU64::new(0),
            rates: Rates::default(),
            started,
            run_id: run_id(),
            stall_timeout: settings.read(STALL_TIMEOUT),
            settings,
        })))
    }

    /// Gives the engine what only the program around it can do. Only the first call counts.
    pub fn set_host(&self, host: Host) {
        if self.0.host.set(host).is_ok() {
            self.0.memory_startup.store(self.memory().allocated, Ordering::Relaxed);
        }
    }

    pub fn host(&self) -> Option<&Host> {
        self.0.host.get()
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    pub fn keyspace(&self) -> &Keyspace {
        &self.0.keyspace
    }

    /// The coordination model: etcd's keys.
    pub fn coord(&self) -> &Coord {
        &self.0.coord
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub fn settings(&self) -> &Arc<Settings> {
        &self.0.settings
    }

    pub fn users(&self) -> &Users {
        &self.0.users
    }

    pub fn clients(&self) -> &Clients {
        &self.0.clients
    }

    /// Channels and their subscribers.
    pub fn pubsub(&self) -> &PubSub {
        &self.0.pubsub
    }

    /// Clients that cache what they read.
    pub fn tracking(&self) -> &Tracking {
        &self.0.tracking
    }

    pub(crate) fn monitors(&self) -> &Monitors {
        &self.0.monitors
    }

    /// The table of commands.
    pub fn registry(&self) -> &'static Registry {
        Registry::get()
    }

    pub fn figures(&self) -> &Figures {
        &self.0.figures
    }

    pub fn slowlog(&self) -> &SlowLog {
        &self.0.slowlog
    }

    pub fn latency(&self) -> &LatencyMonitor {
        &self.0.latency
    }

    pub fn errors(&self) -> &ErrorCounts {
        &self.0.errors
    }

    pub fn backups(&self) -> &Backups {
        &self.0.backups
    }

    pub(crate) fn scripts(&self) -> &Scripts {
        &self.0.scripts
    }

    /// Libraries of functions.
    pub(crate) fn functions(&self) -> &Functions {
        &self.0.functions
    }

    pub(crate) fn pause(&self) -> &Pause {
        &self.0.pause
    }

    /// The allocator's figures; without a host only what the system knows.
    pub fn memory(&self) -> MemoryFigures {
        let figures = match self.host() {
            Some(host) => (host.memory)(),
            None => {
                let resident = process::resident_bytes();
                MemoryFigures { allocated: resident, active: resident, resident, mapped: resident }
            }
        };
        self.0.memory_peak.fetch_max(figures.allocated, Ordering::Relaxed);
        figures
    }

    /// What was allocated when the server started, bytes.
    pub fn memory_startup(&self) -> u64 {
        self.0.memory_startup.load(Ordering::Relaxed)
    }

    /// The most that [`Engine::memory`] saw allocated.
    pub fn memory_peak(&self) -> u64 {
        self.0.memory_peak.load(Ordering::Relaxed)
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.0.rates
    }

    /// When the server started.
    pub(crate) fn started(&self) -> Instant {
        self.0.started
    }

    pub fn uptime(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Forty hexadecimal digits, new at each start.
    pub fn run_id(&self) -> &str {
        &self.0.run_id
    }

    pub(crate) fn stall_timeout(&self) -> Duration {
        self.0.stall_timeout
    }

    /// Where SAVE and BGSAVE write.
    pub fn backup_directory(&self) -> PathBuf {
        let settings = self.settings();
        PathBuf::from(settings.read(DATA_DIRECTORY).as_str()).join(settings.read(BACKUP_DIRECTORY).as_str())
    }

    /// A start for a session's random numbers.
    pub(crate) fn seed(&self) -> u64 {
        random_word()
    }
}

/// Keeps the table of what clients read within its limit when that is made lower.
fn follow_table_limit(settings: &Settings, tracking: &Arc<Tracking>) {
    let tracking = Arc::downgrade(tracking);
    settings.on_change(TRACKING_TABLE_MAX_KEYS, move |_| {
        if let Some(tracking) = tracking.upgrade() {
            tracking.limit();
        }
    });
}

/// From the system's random source, through the keys it gives to hash maps.
pub(crate) fn random_word() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Distinguishes this start from all others.
fn run_id() -> String {
    let words = format!("{:016x}{:016x}{:016x}", random_word(), random_word(), random_word());
    words.chars().take(40).collect()
}
