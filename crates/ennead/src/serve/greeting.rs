//! What people at a terminal are told on the standard output: addresses with a line to paste, or the settings.

use std::io::Write;
use std::net::SocketAddr;

use ennead_engine::Engine;
use ennead_engine::settings::{DATA_DIRECTORY, LOG_FORMAT, LogFormat};

use crate::config::Config;
use crate::listeners::{Dialect, Listener};

/// Printed when the server is ready, unless machines read the log.
pub(super) fn print(engine: &Engine, addresses: &[(Dialect, SocketAddr)], tls: bool) {
    let settings = engine.settings();
    if settings.read(LOG_FORMAT) == LogFormat::Json {
        return;
    }
    let password = !engine.users().is_open();
    let mut text = format!("ennead {}, data in {}\n", env!("CARGO_PKG_VERSION"), settings.read(DATA_DIRECTORY));
    for (dialect, address) in addresses {
        // A server that listens everywhere is reached from here by loopback.
        let host = match address.ip() {
            ip if !ip.is_unspecified() => ip.to_string(),
            ip if ip.is_ipv4() => "127.0.0.1".to_owned(),
            _ => "::1".to_owned(),
        };
        let port = address.port();
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let (name, line) = match dialect {
            Dialect::Resp => {
                let tls = if tls { " --tls" } else { "" };
                let ask = if password { " --askpass" } else { "" };
                ("RESP", format!("redis-cli -h {host} -p {port}{tls}{ask}"))
            }
            Dialect::Http => {
                let scheme = if tls { "https" } else { "http" };
                ("HTTP", format!("curl {scheme}://{bracketed}:{port}/healthz"))
            }
            Dialect::Grpc => {
                let scheme = if tls { "https" } else { "http" };
                let user = if password { " --user default" } else { "" };
                ("gRPC", format!("etcdctl --endpoints {scheme}://{bracketed}:{port}{user} endpoint health"))
            }
        };
        text += &format!("  {name}  {address:<21}  {line}\n");
    }
    show(&text);
}

/// The answer of `check-config`: what differs from the defaults and where it comes from.
pub(super) fn print_settings(config: &Config, plan: &[(&'static Listener, SocketAddr)]) {
    let mut text = String::new();
    for (setting, value) in config.settings.iter() {
        if let Some(origin) = config.origins.get(setting.name) {
            text += &format!("{} = {value}  ({origin})\n", setting.name);
        }
    }
    for name in &config.unknown_variables {
        text += &format!("{name} is no setting of ennead\n");
    }
    for (listener, address) in plan {
        text += &format!("{} would listen on {address}\n", listener.name);
    }
    text += "the configuration is good\n";
    show(&text);
}

fn show(text: &str) {
    // Nobody may be reading any more, which is no reason to stop.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
