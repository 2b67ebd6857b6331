//! The entry point: accepts connections and deals them out to the workers.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ennead_engine::settings::SHUTDOWN_TIMEOUT;
use ennead_engine::{Engine, Origin};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::options::Options;
use crate::spread::Spread;
use crate::worker::{self, Message};

/// How long to wait when the system has no file descriptor for a connection.
const EXHAUSTED_WAIT: Duration = Duration::from_millis(100);

/// All workers, for those who send them connections.
pub(crate) struct Peers {
    pub(crate) spread: Spread,
    workers: Vec<UnboundedSender<Message>>,
}

impl Peers {
    /// Sends a worker a connection, which counts as its own from now on.
    pub(crate) fn send(&self, worker: usize, message: Message) {
        self.spread.connected(worker);
        // A worker that is gone takes nothing: the server is going down, and the connection is closed with the message.
        let _ = self.workers[worker].send(message);
    }
}

/// A bound socket, with TLS or without.
pub struct Listener {
    socket: std::net::TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    /// A socket that listens already; it must not block.
    pub fn new(socket: std::net::TcpListener, tls: Option<Arc<ServerConfig>>) -> Listener {
        Listener { socket, tls }
    }

    /// Binds an address; port 0 picks one. `backlog` connections may wait to be accepted.
    ///
    /// # Errors
    /// Those of the system, such as an address in use.
    pub fn bind(address: SocketAddr, backlog: u32, tls: Option<Arc<ServerConfig>>) -> io::Result<Listener> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::STREAM,
            Some(socket2::Protocol::TCP),
        )?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        socket.set_nonblocking(true)?;
        Ok(Listener { socket: socket.into(), tls })
    }

    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// Why the listener could not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    #[error("cannot start a worker of the RESP listener: {0}")]
    Worker(io::Error),
    #[error("cannot listen for RESP connections: {0}")]
    Listen(io::Error),
}

/// Accepts and serves connections until `shutdown` is ready; then finishes what was read, writes the replies, and closes
/// the connections, the last ones after the setting `server.shutdown_timeout`. Needs a tokio runtime.
///
/// # Errors
/// When a worker's thread cannot be started.
pub async fn serve(
    listeners: Vec<Listener>,
    engine: Engine,
    options: Options,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..options.workers.max(1)).map(|_| unbounded_channel()).unzip();
    let peers = Arc::new(Peers { spread: Spread::new(&options, engine.clone()), workers: senders });
    let mut ends = Vec::new();
    for (number, receiver) in receivers.into_iter().enumerate() {
        let (ended, end) = oneshot::channel();
        let (engine, peers) = (engine.clone(), Arc::downgrade(&peers));
        std::thread::Builder::new()
            .name(format!("resp-{number}"))
            .spawn(move || {
                if let Err(error) = worker::run_thread(engine, number, peers, receiver) {
                    tracing::error!(%error, "a worker of the RESP listener could not start");
                }
                let _ = ended.send(());
            })
            .map_err(ServeError::Worker)?;
        ends.push(end);
    }
    let mut accepting = JoinSet::new();
    for listener in listeners {
        let socket = TcpListener::from_std(listener.socket).map_err(ServeError::Listen)?;
        let tls = listener.tls.map(TlsAcceptor::from);
        accepting.spawn(accept(socket, tls, Arc::clone(&peers)));
    }
    pin!(shutdown).await;
    accepting.shutdown().await;
    for worker in &peers.workers {
        let _ = worker.send(Message::Drain);
    }
    let timeout = engine.settings().read(SHUTDOWN_TIMEOUT);
    let all = async {
        for end in ends {
            let _ = end.await;
        }
    };
    if tokio::time::timeout(timeout, all).await.is_err() {
        tracing::warn!(?timeout, "closing connections that did not end in time");
    }
    Ok(())
}

async fn accept(socket: TcpListener, tls: Option<TlsAcceptor>, peers: Arc<Peers>) {
    loop {
        let (stream, address) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) if is_about_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(EXHAUSTED_WAIT).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().ok();
        let origin = Origin {
            address: address.to_string(),
            local_address: local.map(|local| local.to_string()).unwrap_or_default(),
            descriptor: stream.as_raw_fd(),
            local: address.ip().is_loopback() || local.is_some_and(|local| local.ip() == address.ip()),
        };
        let Ok(stream) = stream.into_std() else { continue };
        peers.send(peers.spread.least_connected(), Message::Connection { stream, origin, tls: tls.clone() });
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
