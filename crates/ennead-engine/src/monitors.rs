//! Clients that are shown every request (MONITOR). While there are none a request costs the reading of one word.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ennead_kv::Args;
use parking_lot::RwLock;

use crate::clients::{Client, FLAG_MONITOR};
use crate::pubsub::{Message, Round};
use crate::settings::Settings;

#[derive(Debug, Default)]
pub(crate) struct Monitors {
    count: AtomicUsize,
    clients: RwLock<Vec<Arc<Client>>>,
}

/// Who sent a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sender<'a> {
    /// By address.
    Client(&'a str),
    Script,
}

impl Monitors {
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Shows all further requests to a client; whether they were not shown to it before.
    pub(crate) fn enter(&self, client: &Arc<Client>) -> bool {
        let mut clients = self.clients.write();
        let new = !client.has_flag(FLAG_MONITOR);
        if new {
            client.set_flag(FLAG_MONITOR, true);
            clients.push(Arc::clone(client));
            self.count.store(clients.len(), Ordering::SeqCst);
        }
        new
    }

    pub(crate) fn leave(&self, client: &Client) {
        if client.has_flag(FLAG_MONITOR) {
            let mut clients = self.clients.write();
            clients.retain(|known| known.id != client.id);
            client.set_flag(FLAG_MONITOR, false);
            self.count.store(clients.len(), Ordering::SeqCst);
        }
    }

    /// Shows a request. `is_secret` says of a word by its number whether it is left out.
    #[cold]
    pub(crate) fn show(
        &self,
        settings: &Settings,
        unix_us: i64,
        database: usize,
        sender: Sender<'_>,
        args: Args<'_>,
        is_secret: impl Fn(usize) -> bool,
    ) {
        let mut line = String::with_capacity(64);
        let _ = write!(line, "{}.{:06} ", unix_us / 1_000_000, unix_us % 1_000_000);
        let _ = match sender {
            Sender::Client(address) => write!(line, "[{database} {address}]"),
            Sender::Script => write!(line, "[{database} lua]"),
        };
        for (number, word) in args.iter_from(0).enumerate() {
            line.push(' ');
            quote(&mut line, if is_secret(number) { b"(redacted)" } else { word });
        }
        let message = Arc::new(Message::of_monitor(line));
        let mut round = Round::new(settings);
        for client in self.clients.read().iter() {
            round.post(client, &message);
        }
        round.end();
    }
}

/// A word in quotes, with escapes for what is not printable.
fn quote(line: &mut String, word: &[u8]) {
    line.push('"');
    for &byte in word {
        match byte {
            b'\\' | b'"' => {
                line.push('\\');
                line.push(byte.into());
            }
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            7 => line.push_str("\\a"),
            8 => line.push_str("\\b"),
            b' '..=b'~' => line.push(byte.into()),
            _ => {
                let _ = write!(line, "\\x{byte:02x}");
            }
        }
    }
    line.push('"');
}
