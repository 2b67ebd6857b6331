//! The model as its users see it, and how it begins.

mod keys;
mod leases;
mod maintenance;
mod members;
mod start;
mod users;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread::JoinHandle;

use ennead_store::{Pressure, Store};
use parking_lot::{Mutex, RwLock};

use crate::api::etcdserverpb::{AlarmType, ResponseHeader};
use crate::auth::{Access, Caller, Claim};
use crate::compaction::{self, Compactor};
use crate::error::{Error, Result};
use crate::fence::Posted;
use crate::publication::{Answer, Publication};
use crate::rows::Rows;
use crate::space::Alarm;
use crate::state::State;
use crate::watch::{self, Hub};
use crate::writer::Writer;

/// What the model is told at the start.
#[derive(Debug, Clone)]
pub struct Options {
    /// From a random source: the ids of a new keyspace are made of it, and those of leases.
    pub seed: u64,
    /// Bytes of history that may be kept, beyond which writes are refused; 0 for no limit.
    pub quota_bytes: u64,
}

pub use users::Login;

pub use maintenance::{ETCD_VERSION, STORAGE_VERSION};

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) cluster_id: u64,
    pub(crate) member_id: u64,
    /// Counts the starts, as etcd's single servers do.
    pub(crate) term: u64,
}

/// What clones of a keyspace and its threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) rows: Rows,
    pub(crate) state: RwLock<State>,
    pub(crate) publication: Arc<Publication>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) compactor: Compactor,
    pub(crate) identity: Identity,
    /// The model's time when it was opened, milliseconds.
    clock_base_ms: u64,
    /// The time that was stored last.
    clock_stored_ms: AtomicU64,
    auth_enabled: Arc<AtomicBool>,
    lease_ids: AtomicU64,
}

/// A keyspace of etcd in a store, for the server itself or a client of it. Clones are the same.
#[derive(Debug, Clone)]
pub struct Coord {
    handle: Arc<Handle>,
    pub(crate) caller: Caller,
    /// What it writes is written behind it.
    pub(crate) fence: Option<Arc<Posted>>,
}

/// The last owner's end stops the threads.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.compactor.stop();
        self.shared.hub.stop();
        for thread in self.threads.lock().drain(..) {
            drop(thread.join());
        }
    }
}

impl Coord {
    /// Opens the keyspace of a store, with all its keys in memory, and starts its threads.
    ///
    /// # Errors
    /// Those of the store; rows that are damaged.
    pub fn open(store: Store, options: &Options) -> Result<Coord> {
        let shared = Arc::new(Shared::start(store, options)?);
        let weak = Arc::downgrade(&shared);
        shared.rows.store.on_durable(Box::new(move |sequence| {
            if let Some(shared) = weak.upgrade() {
                shared.publication.advance(sequence, shared.rows.store.poisoned());
            }
        }));
        // What became durable before anybody listened.
        shared.publication.advance(shared.rows.store.durable(), shared.rows.store.poisoned());
        let compacting = Arc::clone(&shared);
        let (telling, reading) = (Arc::clone(&shared.hub), Arc::clone(&shared));
        let threads = vec![
            spawn("coord-compaction", move || compaction::run(&compacting))?,
            spawn("coord-watch", move || telling.run())?,
            spawn("coord-history", move || watch::run_history(&reading))?,
        ];
        Ok(Coord {
            handle: Arc::new(Handle { shared, threads: Mutex::new(threads) }),
            caller: Caller::Server,
            fence: None,
        })
    }

    /// The same keyspace for a client, which may do what its user may; none for one that has not said who it is.
    pub fn on_behalf_of(&self, claim: Option<Claim>) -> Coord {
        Coord { handle: Arc::clone(&self.handle), caller: Caller::Client(claim), fence: None }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// [`Shared::write`], behind the fence if there is one.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&mut Writer<'_>) -> Result<T>) -> Result<Answer<T>> {
        self.shared().write(|writer| {
            self.pass_fence(writer)?;
            work(writer)
        })
    }

    /// [`Shared::write_within_quota`], behind the fence if there is one.
    pub(crate) fn write_within_quota<T>(
        &self,
        cost: u64,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T>,
    ) -> Result<Answer<T>> {
        self.shared().write_within_quota(cost, |writer| {
            self.pass_fence(writer)?;
            work(writer)
        })
    }

    fn pass_fence(&self, writer: &Writer<'_>) -> Result<()> {
        let Some(posted) = &self.fence else { return Ok(()) };
        let Posted { fence, now_ms } = &**posted;
        writer.state.auth.check(&self.caller, &fence.key, b"", Access::Read)?;
        writer.state.check_fence(fence, self.shared().time(*now_ms))
    }

    /// Whether writers outrun the disk: wait before the next write then, without blocking a runtime.
    pub fn pressure(&self) -> Pressure {
        self.shared().rows.store.pressure()
    }

    /// The newest revision that readers see.
    pub fn revision(&self) -> i64 {
        self.shared().publication.revision()
    }

    /// What an answer about the newest revision begins with.
    pub fn header(&self) -> ResponseHeader {
        self.shared().identity.header(self.revision())
    }
}

impl Identity {
    pub(crate) fn header(self, revision: i64) -> ResponseHeader {
        ResponseHeader { cluster_id: self.cluster_id, member_id: self.member_id, revision, raft_term: self.term }
    }

    /// The header of an answer that has its revision so far.
    pub(crate) fn sign(self, header: &mut Option<ResponseHeader>) {
        let revision = header.as_ref().map_or(0, |header| header.revision);
        *header = Some(self.header(revision));
    }
}

impl Shared {
    /// Runs a transaction. The answer waits until it is on disk, and so does one that changed nothing: it tells of others
    /// that may not be.
    ///
    /// # Errors
    /// Those of `work`, and of the store; nothing was changed then.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&mut Writer<'_>) -> Result<T>) -> Result<Answer<T>> {
        let (value, sequence) = {
            let mut state = self.state.write();
            let mut writer = Writer::new(&mut state, &self.rows);
            let value = work(&mut writer).inspect_err(|_| writer.undo())?;
            (value, writer.commit(&self.publication)?)
        };
        if !self.publication.leaves_sync_to_relay(sequence) {
            self.rows.store.request_sync(sequence);
        }
        Ok(Answer::new(value, sequence, Arc::clone(&self.publication)))
    }

    /// [`Shared::write`] for what needs so many bytes of the quota. The first that does not fit raises the alarm.
    pub(crate) fn write_within_quota<T>(
        &self,
        cost: u64,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T>,
    ) -> Result<Answer<T>> {
        let has_room = {
            let state = self.state.read();
            state.space.check_sound()?;
            state.space.check_room(cost)?
        };
        if has_room {
            return self.write(work);
        }
        let alarm = Alarm { member: self.identity.member_id, kind: AlarmType::Nospace as i32 };
        drop(self.write(|writer| {
            maintenance::set_alarm(writer, alarm, true);
            Ok(())
        })?);
        tracing::warn!("the quota of the coordination keyspace is exhausted: compact it, then take the alarm back");
        Err(Error::NoSpace)
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    spawned.map_err(|error| Error::Store(format!("cannot start a thread: {error}")))
}
