//! The keyspace: all databases over one store, and the way every command goes through it.
//!
//! Locks, in the order they are taken: the gate (shared by commands that name their keys, exclusive for the rest), then
//! slots by database and number, then a database's order of due slots. A batch is committed while its slots are still
//! locked, so the log has the changes of every key in the order in which they happened.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ennead_store::{Sequence, Store, WriteBatch};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};

use crate::args::Args;
use crate::command::Command;
use crate::counters::Counters;
use crate::database::Database;
use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::notice::{Notices, Witness};
use crate::options::{KvOptions, Settings};
use crate::place::Placer;
use crate::reply::Reply;

mod anticipation;
mod databases;
mod eviction;
mod expiry;
mod figures;
mod inspection;
mod meta;
mod reload;
mod run;
mod serving;
#[cfg(test)]
mod tests;
mod transaction;
mod ttl;
mod waiters;
pub(crate) mod walk;
mod warming;

use eviction::Pool;
use expiry::Keepers;
pub use expiry::Keeping;
pub use figures::{DatabaseFigures, Figures};
pub use inspection::Inspection;
use meta::Meta;
pub(crate) use meta::database_numbers;
pub use run::Run;
pub use serving::Ran;
pub use transaction::{Export, Transaction, Watched};
use waiters::Waiters;
pub use waiters::{Ended, Unblocker, Waiting, Wake};

/// How long a command waits for a transaction that has the keyspace to itself, where others wait in the same thread.
const GATE_WAIT_MAX: Duration = Duration::from_millis(20);

/// All databases over one store; clones share them.
#[derive(Clone)]
pub struct Keyspace(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) placer: Placer,
    pub(crate) gate: RwLock<Gate>,
    /// How many databases there are.
    databases: usize,
    /// The databases that were ever used, by number, for figures: those are asked for inside transactions as well,
    /// which hold the gate. Locked last.
    used: Used,
    pub(crate) meta: Meta,
    /// Candidates for eviction; locked only between slots.
    pool: Mutex<Pool>,
    pub(crate) waiters: Waiters,
    witness: OnceLock<Box<dyn Witness>>,
    /// Who keeps keys whose time is over.
    keepers: Keepers,
}

type Used = Arc<Mutex<Vec<Option<Arc<Database>>>>>;

/// The databases by the number that clients select.
pub(crate) struct Gate {
    used: Used,
    databases: Vec<OnceLock<Arc<Database>>>,
    /// The number in the names of each database's tables.
    numbers: Vec<u8>,
}

/// What comes with a command from outside: a keyspace has no clock and no random source.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The selected database.
    pub db: usize,
    /// Unix time, ms.
    pub now_ms: u64,
    /// Seed of the random choices of this command (RANDOMKEY, eviction samples, LFU counters).
    pub seed: u64,
    /// Whether reads leave the access clocks alone (`CLIENT NO-TOUCH`).
    pub no_touch: bool,
    /// Whether keys must not be read that the request does not name.
    pub named_only: bool,
    /// Who runs the command; 0 for nobody. A [`Witness`] is told.
    pub client: u64,
    /// Whether the [`Witness`] is told of the keys that the command reads, if it only reads.
    pub remembers: bool,
    /// Whether keys whose time is over are there until they are deleted, as for what a replica follows. See
    /// [`Keyspace::keep_expired`].
    pub keep_expired: bool,
    /// What the command writes is committed behind it.
    pub fence: Option<Arc<dyn Fence>>,
}

/// What a command did, in sequence numbers of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effect {
    /// The batch it committed.
    pub wrote: Option<Sequence>,
    /// The newest batch among those that changed what it read, its own included; 0 when all of it is older than the
    /// opening. The reply must not leave before that batch is as durable as was promised.
    pub saw: Sequence,
}

impl Keyspace {
    /// Opens the keyspace of a store. Keys are usable at once; they are read from the store on first use, and in the
    /// background by whoever calls [`Keyspace::warm`].
    ///
    /// # Errors
    /// `InvalidArgument` when the number of databases is not 1 to 256 or lower than what the store has; errors of the store.
    pub fn open(store: Store, options: KvOptions) -> Result<Keyspace> {
        let (meta, stored) = Meta::open(&store, &options)?;
        let used: Used = Arc::new(Mutex::new(vec![None; options.databases]));
        let gate = Gate {
            used: Arc::clone(&used),
            databases: (0..options.databases).map(|_| OnceLock::new()).collect(),
            numbers: stored.numbers,
        };
        for (index, &number) in gate.numbers.iter().enumerate().take(options.databases) {
            if Database::table_names(number.into()).iter().all(|name| store.table(name).is_some()) {
                gate.database(&store, index)?;
            }
        }
        Ok(Keyspace(Arc::new(Shared {
            settings: Settings::new(&options),
            counters: Counters::default(),
            placer: Placer::new(stored.seed),
            gate: RwLock::new(gate),
            databases: options.databases,
            used,
            meta,
            pool: Mutex::default(),
            waiters: Waiters::default(),
            witness: OnceLock::new(),
            keepers: Keepers::default(),
            store,
        })))
    }

    /// Runs one command. The caller has checked the number of words ([`crate::Spec::accepts`]) and the database.
    ///
    /// When this returns, the changes are visible to everybody and in the log's buffer, but not durable: see [`Effect`].
    ///
    /// # Errors
    /// Whatever the command answers instead of a reply: **what was written to `reply` is void then** and must be taken
    /// back. After an error of the store nothing of the command is applied.
    pub fn execute(
        &self,
        command: &'static Command,
        call: &Call,
        args: Args<'_>,
        reply: &mut dyn Reply,
    ) -> Result<Effect> {
        self.run_command(command, call, args, reply, None).map(|(effect, _)| effect)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// The settings that may change at run time.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Has somebody hear of what happens to keys from now on, as far as the settings ask for it. Only the first call
    /// counts.
    pub fn set_witness(&self, witness: Box<dyn Witness>) {
        // Whoever comes second is told by nobody, as documented.
        let _ = self.0.witness.set(witness);
    }

    /// How many databases `SELECT` knows.
    pub fn databases(&self) -> usize {
        self.0.databases
    }
}

impl Shared {
    pub(crate) fn enter(&self) -> RwLockReadGuard<'_, Gate> {
        self.gate.read()
    }

    /// Commits a batch, behind a fence if there is one.
    #[inline]
    pub(crate) fn commit(&self, batch: &WriteBatch, fence: Option<&dyn Fence>) -> Result<Sequence> {
        let mut commit = || Ok(self.store.commit(batch)?.sequence);
        match fence {
            None => commit(),
            Some(fence) => fence.guard(&mut commit),
        }
    }

    /// Tells what happened in a batch; under the locks of its keys.
    #[cold]
    pub(crate) fn tell(&self, notices: &Notices, effect: Effect) {
        if let Some(witness) = self.witness.get() {
            witness.witness(notices, effect);
        }
    }
}

impl Gate {
    /// The database that clients select by this number; created on first use.
    #[inline]
    pub(crate) fn database(&self, store: &Store, db: usize) -> Result<&Arc<Database>> {
        let cell = self.databases.get(db).ok_or(Error::text("ERR DB index is out of range"))?;
        match cell.get() {
            Some(database) => Ok(database),
            None => {
                let database = Arc::new(Database::open(store, self.numbers[db].into())?);
                let database = cell.get_or_init(|| database);
                self.used.lock()[db] = Some(Arc::clone(database));
                Ok(database)
            }
        }
    }

    /// The database if it was ever used.
    pub(crate) fn existing(&self, db: usize) -> Option<&Arc<Database>> {
        self.databases.get(db)?.get()
    }

    pub(crate) fn len(&self) -> usize {
        self.databases.len()
    }
}
