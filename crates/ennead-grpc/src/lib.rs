//! The gRPC listener: etcd's API over the coordination model, and the health and reflection services of gRPC itself. It
//! knows gRPC and the engine, and no store. A client of the same API is here as well, since this is where gRPC is known.

mod authorization;
mod calls;
pub mod client;
mod connection;
mod connections;
mod error;
mod services;

use std::sync::Arc;
use std::time::Duration;

use ennead_engine::Engine;
use rustls::ServerConfig;
use tokio::sync::watch;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tower::util::MapResponseLayer;

use connections::Connections;

pub use calls::{Answers, Calls, Messages, Refusal};

/// What reflection names: the services that are there, of those that the protocol has.
const SERVICES: [&str; 9] = [
    "grpc.health.v1.Health",
    "etcdserverpb.KV",
    "etcdserverpb.Watch",
    "etcdserverpb.Lease",
    "etcdserverpb.Cluster",
    "etcdserverpb.Maintenance",
    "etcdserverpb.Auth",
    "v3lockpb.Lock",
    "v3electionpb.Election",
];

/// What the listener is given beside its socket.
#[derive(Clone)]
pub struct Options {
    /// Connections at a time; one more waits in the backlog of the socket.
    pub connections_max: usize,
    /// Calls in flight on one connection.
    pub streams_max: u32,
    /// For the TLS handshake.
    pub timeout: Duration,
    /// Speaks TLS and nothing else when it is there.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Why the listener ended early.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the gRPC listener failed: {0}")]
    Socket(#[from] std::io::Error),
    #[error("the gRPC listener failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    #[error("the reflection service of gRPC cannot describe itself: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Serves until `shutdown` ends, then lets calls in flight finish. The caller bounds that wait by dropping the future.
///
/// # Errors
/// When the socket cannot be used at all; failures of single connections are logged.
pub async fn serve(
    socket: std::net::TcpListener,
    engine: Engine,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_service_status("", ServingStatus::Serving).await;
    let reflection = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(ennead_engine::coord::api::DESCRIPTORS);
        SERVICES.iter().fold(builder, |builder, name| builder.with_service_name(*name))
    };
    let guard = authorization::Guard::new(engine.clone());
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://{}", socket.local_addr()?);
    let (stop_streams, streams_stopping) = watch::channel(false);
    let routes = Routes::new(health_service)
        .add_service(InterceptedService::new(reflection().build_v1()?, guard.clone()))
        .add_service(InterceptedService::new(reflection().build_v1alpha()?, guard.clone()));
    let services = services::with(routes, &engine, &guard, url, streams_stopping);
    let server = Server::builder()
        .layer(MapResponseLayer::new(error::reworded))
        .max_concurrent_streams(options.streams_max)
        .http2_keepalive_interval(Some(Duration::from_secs(60)));
    let connections = Connections::open(socket, &options)?;
    let relay = tokio::spawn(engine.coord().relay());
    let watched = tokio::spawn(follow_store(health.clone(), engine));
    let stopping = async move {
        shutdown.await;
        health.set_service_status("", ServingStatus::NotServing).await;
        // They would never end by themselves. Fails only when there are none.
        let _ = stop_streams.send(true);
    };
    let outcome = server.serve_with_incoming_shutdown(services, connections, stopping).await;
    relay.abort();
    watched.abort();
    Ok(outcome?)
}

/// Tells health checks when the store begins to refuse writes.
async fn follow_store(health: tonic_health::server::HealthReporter, engine: Engine) {
    let mut ticks = tokio::time::interval(Duration::from_secs(2));
    loop {
        ticks.tick().await;
        if engine.store().poisoned().is_some() {
            return health.set_service_status("", ServingStatus::NotServing).await;
        }
    }
}
