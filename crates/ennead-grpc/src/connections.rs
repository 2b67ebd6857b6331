//! Connections from the socket as a stream for tonic: at most so many at a time, with TLS when it is asked for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_stream::Stream;

use crate::Options;
use crate::connection::{Connection, Wire};

/// Accepted connections; the socket closes when it is dropped.
pub(crate) struct Connections {
    accepted: mpsc::Receiver<io::Result<Connection>>,
    acceptor: JoinHandle<()>,
}

impl Connections {
    pub(crate) fn open(socket: std::net::TcpListener, options: &Options) -> io::Result<Connections> {
        let socket = TcpListener::from_std(socket)?;
        let (sender, accepted) = mpsc::channel(16);
        let acceptor = tokio::spawn(accept(socket, options.clone(), sender));
        Ok(Connections { accepted, acceptor })
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

impl Stream for Connections {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.accepted.poll_recv(context)
    }
}

async fn accept(socket: TcpListener, options: Options, sender: mpsc::Sender<io::Result<Connection>>) {
    let places = Arc::new(Semaphore::new(options.connections_max.min(Semaphore::MAX_PERMITS)));
    loop {
        // The semaphore is never closed, so a permit always comes.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                // A slow handshake must not hold up the others.
                tokio::spawn(greet(stream, place, options.clone(), sender.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely: others must end first.
                tracing::warn!(%error, "a gRPC connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn greet(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    options: Options,
    sender: mpsc::Sender<io::Result<Connection>>,
) {
    let wire = match &options.tls {
        None => Wire::Plain(stream),
        Some(config) => {
            let handshake = TlsAcceptor::from(Arc::clone(config)).accept(stream);
            match tokio::time::timeout(options.timeout, handshake).await {
                Ok(Ok(stream)) => Wire::Tls(Box::new(stream)),
                Ok(Err(error)) => return tracing::debug!(%error, "TLS handshake failed"),
                Err(_) => return tracing::debug!("TLS handshake took too long"),
            }
        }
    };
    // Fails only when the listener is stopping.
    let _ = sender.send(Ok(Connection::new(wire, place))).await;
}
