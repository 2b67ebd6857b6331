//! The HTTP listener: health, metrics, the console page, and etcd's API as JSON. It knows HTTP and the engine, no model and no
//! store.

mod authorization;
mod connections;
mod console;
mod error;
pub mod gateway;
mod health;
mod metrics;
mod routes;

use std::sync::Arc;
use std::time::Duration;

use ennead_engine::Engine;
use rustls::ServerConfig;

pub use connections::{ServeError, serve};
pub use routes::ROUTES;

/// What the listener is given beside its socket.
#[derive(Clone)]
pub struct Options {
    /// Connections at a time; one more waits in the backlog of the socket.
    pub connections_max: usize,
    /// The largest body of a request.
    pub body_bytes_max: usize,
    /// The largest head of a request; at least 8 KiB.
    pub header_bytes_max: usize,
    /// For the TLS handshake, the head of a request, and the answer, each.
    pub timeout: Duration,
    /// Speaks TLS and nothing else when it is there.
    pub tls: Option<Arc<ServerConfig>>,
    /// Runs the calls of the gateway.
    pub coordination: Arc<dyn gateway::Calls>,
}

/// What handlers share.
#[derive(Clone)]
struct State {
    engine: Engine,
    /// Set when the server is about to stop.
    stopping: Arc<std::sync::atomic::AtomicBool>,
    registry: Arc<prometheus_client::registry::Registry>,
}
