//! The bytes of a connection, encrypted or not. An encrypted one is led by a thread of its own through a pair of sockets, so
//! that, like a plain one, two threads can read and write it with timeouts.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::address::Address;
use super::client::CONNECT_TIMEOUT;
use crate::tls::Trust;

#[derive(Debug)]
enum Way {
    Plain(TcpStream),
    Encrypted(UnixStream),
}

#[derive(Debug)]
pub(crate) struct Stream {
    way: Way,
    /// Of this side.
    port: u16,
}

impl Stream {
    /// Goes on over a connection, encrypted if the address asks for it.
    ///
    /// # Errors
    /// The other side speaks no TLS, or shows a certificate that is not trusted.
    pub(crate) fn new(socket: TcpStream, address: &Address, trust: &Trust) -> io::Result<Stream> {
        let port = socket.local_addr()?.port();
        let way = match trust.config().filter(|_| address.encrypted) {
            Some(config) => Way::Encrypted(encrypt(socket, &address.host, config)?),
            None => Way::Plain(socket),
        };
        Ok(Stream { way, port })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn try_clone(&self) -> io::Result<Stream> {
        let way = match &self.way {
            Way::Plain(socket) => Way::Plain(socket.try_clone()?),
            Way::Encrypted(socket) => Way::Encrypted(socket.try_clone()?),
        };
        Ok(Stream { way, port: self.port })
    }

    pub(crate) fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match &self.way {
            Way::Plain(socket) => socket.set_read_timeout(timeout),
            Way::Encrypted(socket) => socket.set_read_timeout(timeout),
        }
    }

    pub(crate) fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        match &self.way {
            Way::Plain(socket) => socket.set_write_timeout(timeout),
            Way::Encrypted(socket) => socket.set_write_timeout(timeout),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match &mut self.way {
            Way::Plain(socket) => socket.read(bytes),
            Way::Encrypted(socket) => socket.read(bytes),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.way {
            Way::Plain(socket) => socket.write(bytes),
            Way::Encrypted(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.way {
            Way::Plain(socket) => socket.flush(),
            Way::Encrypted(socket) => socket.flush(),
        }
    }
}

/// The near end of a pair of sockets whose far end is the connection, encrypted.
fn encrypt(socket: TcpStream, host: &str, config: Arc<ClientConfig>) -> io::Result<UnixStream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let (near, far) = UnixStream::pair()?;
    socket.set_nonblocking(true)?;
    far.set_nonblocking(true)?;
    let (greeted, greeting) = mpsc::sync_channel(1);
    std::thread::Builder::new().name("tls".to_owned()).spawn(move || {
        if let Err(error) = lead(socket, far, name, config, &greeted) {
            // When the greeting is over, the near end hears of it by the end of the stream.
            let _ = greeted.try_send(Err(error));
        }
    })?;
    match greeting.recv() {
        Ok(outcome) => outcome.map(|()| near),
        Err(_) => Err(io::Error::other("the connection is closed")),
    }
}

fn lead(
    socket: TcpStream,
    far: UnixStream,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
    greeted: &SyncSender<io::Result<()>>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::from_std(socket)?;
        let mut far = tokio::net::UnixStream::from_std(far)?;
        let greeting = TlsConnector::from(config).connect(name, socket);
        let mut encrypted = match tokio::time::timeout(CONNECT_TIMEOUT, greeting).await {
            Ok(outcome) => outcome.map_err(|error| io::Error::other(format!("TLS: {error}")))?,
            Err(_) => return Err(io::Error::other("TLS: no answer; does the server speak TLS on this port?")),
        };
        let _ = greeted.send(Ok(()));
        tokio::io::copy_bidirectional(&mut encrypted, &mut far).await.map(drop)
    })
}
