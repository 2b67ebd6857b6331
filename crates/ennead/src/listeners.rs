//! The sockets. To add a listener: a row in [`LISTENERS`], its setting in the table of settings, and the call of its
//! `serve` in [`crate::serve`].

#[cfg(test)]
mod tests;

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;

use ennead_engine::settings::{
    INSECURE, Key, LISTEN_GRPC, LISTEN_HTTP, LISTEN_RESP, PASSWORD, Settings, TCP_BACKLOG, TLS_CERTIFICATE_FILE,
};
use socket2::{Domain, Protocol, Socket, Type};

/// A protocol with an address of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Resp,
    Http,
    Grpc,
}

pub(crate) struct Listener {
    pub(crate) dialect: Dialect,
    pub(crate) name: &'static str,
    address: Key<Arc<String>>,
    /// The flag that sets the address.
    flag: &'static str,
}

pub(crate) const LISTENERS: &[Listener] = &[
    Listener { dialect: Dialect::Resp, name: "resp", address: LISTEN_RESP, flag: "--resp" },
    Listener { dialect: Dialect::Http, name: "http", address: LISTEN_HTTP, flag: "--http" },
    Listener { dialect: Dialect::Grpc, name: "grpc", address: LISTEN_GRPC, flag: "--grpc" },
];

/// A bound socket that accepts nothing yet.
pub(crate) struct Bound {
    pub(crate) dialect: Dialect,
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) socket: TcpListener,
}

/// The addresses that are not off, checked but not bound.
///
/// # Errors
/// One line for a host that is not known, or for an address that other machines reach without password and TLS.
pub(crate) fn plan(settings: &Settings) -> Result<Vec<(&'static Listener, SocketAddr)>, String> {
    let mut plan = Vec::new();
    for listener in LISTENERS {
        let text = settings.read(listener.address);
        if text.as_str() == "off" {
            continue;
        }
        let address = text.to_socket_addrs().ok().and_then(|mut found| found.next());
        let name = listener.address.name();
        let address = address.ok_or_else(|| format!("{name}: the host of {text} is not known to this machine"))?;
        let open = !settings.is_set(PASSWORD) && !settings.is_set(TLS_CERTIFICATE_FILE);
        if open && !address.ip().is_loopback() && !settings.read(INSECURE) {
            return Err(format!(
                "{name}: {text} can be reached by other machines; set a password (--password-file FILE or \
                 ENNEAD_PASSWORD) or TLS (--tls-certificate FILE --tls-key FILE), or allow it by --insecure"
            ));
        }
        plan.push((listener, address));
    }
    if plan.is_empty() {
        return Err("all listeners are off; give at least one an address, such as --resp 127.0.0.1:6379".to_owned());
    }
    Ok(plan)
}

/// Binds all of them and notes the ports that the system picked in the settings.
///
/// # Errors
/// One line for the first that cannot be bound.
pub(crate) fn bind(plan: &[(&'static Listener, SocketAddr)], settings: &Settings) -> Result<Vec<Bound>, String> {
    let backlog = i32::try_from(settings.read(TCP_BACKLOG)).unwrap_or(i32::MAX);
    let mut bound = Vec::with_capacity(plan.len());
    for (listener, address) in plan {
        let socket = open(*address, backlog).map_err(|error| refused(listener, *address, &error))?;
        let address = socket.local_addr().map_err(|error| refused(listener, *address, &error))?;
        settings.preset(listener.address.name(), &address.to_string()).map_err(|error| error.to_string())?;
        bound.push(Bound { dialect: listener.dialect, name: listener.name, address, socket });
    }
    Ok(bound)
}

fn open(address: SocketAddr, backlog: i32) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    Ok(socket.into())
}

fn refused(listener: &Listener, address: SocketAddr, error: &std::io::Error) -> String {
    let (name, flag) = (listener.address.name(), listener.flag);
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{name}: {address} is in use by another process; stop that, or choose another address by {flag} HOST:PORT \
             (port 0: any that is free) or {flag} off"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("{name}: this machine has no address {}; choose one of its own by {flag} HOST:PORT", address.ip())
        }
        ErrorKind::PermissionDenied => format!(
            "{name}: this user may not listen on port {}; choose one above 1023 by {flag} HOST:PORT, or grant \
             CAP_NET_BIND_SERVICE",
            address.port()
        ),
        _ => format!("{name}: cannot listen on {address}: {error}; choose another address by {flag} HOST:PORT"),
    }
}
