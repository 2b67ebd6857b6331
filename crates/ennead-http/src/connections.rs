//! Connections from the socket to the router: TLS, limits, and an end that lets requests in flight finish.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use ennead_engine::Engine;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::{Options, State, metrics, routes};

/// Why the listener ended early.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP listener failed: {0}")]
pub struct ServeError(#[from] std::io::Error);

/// Serves until `shutdown` ends, then lets requests in flight finish. The caller bounds that wait by dropping the future.
///
/// # Errors
/// When the socket cannot be used at all; failures of single connections are logged.
pub async fn serve(
    socket: std::net::TcpListener,
    engine: Engine,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let socket = TcpListener::from_std(socket)?;
    let state =
        State { stopping: Arc::new(AtomicBool::new(false)), registry: Arc::new(metrics::registry(&engine)), engine };
    let router = routes::router(&state, &options)?;
    let places = Arc::new(Semaphore::new(options.connections_max.min(Semaphore::MAX_PERMITS)));
    let (stop, stopped) = watch::channel(false);
    let mut connections = tokio::task::JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed, so a permit always comes.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (place, socket.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connection(stream, router.clone(), options.clone(), stopped.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: others must end first.
                tracing::warn!(%error, "an HTTP connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
    state.stopping.store(true, Ordering::Relaxed);
    drop(socket);
    // Fails only when no connection is left.
    let _ = stop.send(true);
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn connection(stream: TcpStream, router: Router, options: Options, stopped: watch::Receiver<bool>) {
    // Small answers must not wait for more of them.
    let _ = stream.set_nodelay(true);
    match &options.tls {
        None => speak(stream, router, &options, stopped).await,
        Some(config) => {
            let handshake = TlsAcceptor::from(Arc::clone(config)).accept(stream);
            match tokio::time::timeout(options.timeout, handshake).await {
                Ok(Ok(stream)) => speak(stream, router, &options, stopped).await,
                Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => tracing::debug!("TLS handshake took too long"),
            }
        }
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    options: &Options,
    mut stopped: watch::Receiver<bool>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.timeout)
        // Twice the limit, so that a head a little too large still gets its answer from the router.
        .max_buf_size(2 * options.header_bytes_max.max(8 << 10))
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = &mut connection => outcome,
        () = told(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}

/// Ends when the listener is stopping.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // Also when the sender is gone, which means the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
