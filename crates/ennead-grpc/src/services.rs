//! The services of etcd's API: each takes a message to the model, waits for its answer, and puts failures into gRPC's words.

mod cluster;
mod directory;
mod keys;
mod leases;
mod lines;
mod maintenance;
mod users;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use ennead_engine::coord::{self, Coord, Fence};
use ennead_engine::settings::STALL_TIMEOUT;
use ennead_engine::{Engine, Pressure};
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::service::Routes;
use tonic::{Request, Status};

use crate::authorization::{Guard, token};
use crate::error::status;

/// The traits and routes made from the protocol.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::allow_attributes_without_reason, reason = "made code")]
pub(crate) mod made {
    pub(crate) mod etcdserverpb {
        include!(concat!(env!("OUT_DIR"), "/etcdserverpb.rs"));
    }
    pub(super) mod v3lockpb {
        include!(concat!(env!("OUT_DIR"), "/v3lockpb.rs"));
    }
    pub(super) mod v3electionpb {
        include!(concat!(env!("OUT_DIR"), "/v3electionpb.rs"));
    }
}

pub(crate) use directory::Directory;
use made::etcdserverpb::auth_server::AuthServer;
use made::etcdserverpb::cluster_server::ClusterServer;
use made::etcdserverpb::kv_server::KvServer;
use made::etcdserverpb::lease_server::LeaseServer;
use made::etcdserverpb::maintenance_server::MaintenanceServer;
use made::etcdserverpb::watch_server::WatchServer;
use made::v3electionpb::election_server::ElectionServer;
use made::v3lockpb::lock_server::LockServer;

/// The field of a request that its writes are made behind a fence for: see [`Fence`]'s form as text.
const FENCE_FIELD: &str = "ennead-fence";
/// Bytes of a message from a client: etcd's 1.5 MiB with room for what comes around it.
const MESSAGE_BYTES_MAX: usize = 2 << 20;
/// Between two looks for room.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Answers of one stream that wait for their client.
const STREAM_ANSWERS_MAX: usize = 16;

/// What all services share.
#[derive(Clone)]
pub(crate) struct Api {
    engine: Engine,
    guard: Guard,
    /// Where clients reach this server.
    url: Arc<str>,
    /// Turns true when streams have to end.
    stopping: watch::Receiver<bool>,
}

/// All services: those of routes, and those of etcd's API.
pub(crate) fn with(
    routes: Routes,
    engine: &Engine,
    guard: &Guard,
    url: String,
    stopping: watch::Receiver<bool>,
) -> Directory {
    let api = Api { engine: engine.clone(), guard: guard.clone(), url: url.into(), stopping };
    macro_rules! limited {
        ($server:ident) => {
            $server::new(api.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
        };
    }
    let keys = limited!(KvServer);
    let routes = routes
        .add_service(keys.clone())
        .add_service(limited!(LeaseServer))
        .add_service(limited!(WatchServer))
        .add_service(limited!(ClusterServer))
        .add_service(limited!(MaintenanceServer))
        .add_service(limited!(AuthServer))
        .add_service(limited!(LockServer))
        .add_service(limited!(ElectionServer));
    Directory { keys, routes: routes.prepare() }
}

impl Api {
    /// The model for whoever sent a request, by the token that it shows, behind the fence that it asks for.
    fn coord_for<T>(&self, request: &Request<T>) -> Result<Coord, Status> {
        self.guard.check(request.metadata())?;
        let coord = self.engine.coord_for(token(request.metadata())).map_err(status)?;
        let Some(field) = request.metadata().get(FENCE_FIELD) else { return Ok(coord) };
        let text = field.to_str().map_err(|_| "a fence is ASCII; write other bytes of its key as % and two digits");
        let fence: Fence = text.and_then(str::parse).map_err(Status::invalid_argument)?;
        Ok(coord.fenced(fence, self.now_ms()))
    }

    /// The time that leases go by, milliseconds.
    fn now_ms(&self) -> u64 {
        self.engine.uptime().as_millis() as u64
    }

    /// Ends when streams have to.
    async fn stopped(&mut self) {
        // Also when the sender is gone, which means the same.
        let _ = self.stopping.wait_for(|stopping| *stopping).await;
    }

    /// Waits for something that may never come.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Status> {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            done = work => Ok(done),
            // Also when the sender is gone, which means the same.
            _ = stopping.wait_for(|stopping| *stopping) => Err(status(coord::Error::Stopped)),
        }
    }

    /// Runs a read that may take long, beside the event loop.
    async fn read<T: Send + 'static>(
        &self,
        coord: Coord,
        run: impl FnOnce(&Coord) -> coord::Result<T> + Send + 'static,
    ) -> Result<T, Status> {
        let outcome = tokio::task::spawn_blocking(move || run(&coord)).await;
        outcome.map_err(|failure| Status::internal(failure.to_string()))?.map_err(status)
    }

    /// Runs a write when there is room for it, and waits until it is on disk.
    async fn write<T: Unpin>(&self, run: impl FnOnce() -> coord::Result<coord::Answer<T>>) -> Result<T, Status> {
        self.room().await?;
        run().map_err(status)?.await.map_err(status)
    }

    /// Waits while writers outrun the disk.
    async fn room(&self) -> Result<(), Status> {
        let mut until = None;
        loop {
            match self.engine.coord().pressure() {
                Pressure::None => return Ok(()),
                Pressure::Slow(delay) => {
                    tokio::time::sleep(delay).await;
                    return Ok(());
                }
                Pressure::Stopped => {
                    let patience = self.engine.settings().read(STALL_TIMEOUT);
                    if Instant::now() > *until.get_or_insert_with(|| Instant::now() + patience) {
                        return Err(Status::unavailable("etcdserver: too many writes for the disk"));
                    }
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }
}
