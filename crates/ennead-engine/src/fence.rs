//! A session's fence: what it writes to the keyspace is written while a lock of the coordination model is held.

use std::sync::Arc;
use std::time::Instant;

use ennead_coord::{Coord, Error, Fence};
use ennead_kv::Result;
use ennead_store::Sequence;

use crate::Engine;
use crate::users::Account;

/// A fence of the coordination model, put before the keyspace.
#[derive(Debug)]
pub(crate) struct Barrier {
    coord: Coord,
    fence: Fence,
    /// Of the server, whose uptime leases go by.
    started: Instant,
}

impl Barrier {
    pub(crate) fn new(engine: &Engine, account: &Account, fence: Fence) -> Arc<Barrier> {
        let user = String::from_utf8_lossy(account.name()).into_owned();
        let coord = engine.coord().on_behalf_of(Some((&*user).into()));
        Arc::new(Barrier { coord, fence, started: engine.started() })
    }

    pub(crate) fn fence(&self) -> &Fence {
        &self.fence
    }

    /// # Errors
    /// What the client is told when the fence does not hold.
    pub(crate) fn check(&self) -> Result {
        self.behind(|| ())
    }

    fn behind<T>(&self, work: impl FnOnce() -> T) -> Result<T> {
        let now_ms = self.started.elapsed().as_millis() as u64;
        self.coord.behind(&self.fence, now_ms, work).map_err(|error| {
            let text = match error {
                Error::Fenced(reason) => format!("FENCED {reason}; nothing was written"),
                error => format!("FENCED {error}; nothing was written"),
            };
            ennead_kv::Error::Text(text.into())
        })
    }
}

impl ennead_kv::Fence for Barrier {
    fn guard(&self, commit: &mut dyn FnMut() -> Result<Sequence>) -> Result<Sequence> {
        self.behind(commit)?
    }
}
