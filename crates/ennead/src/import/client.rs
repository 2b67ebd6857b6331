//! A connection on which one request is answered before the next is sent.

use std::io::{self, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::address::Address;
use super::wire::{self, Reply};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may be silent before it is taken for gone.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Connects, without a word.
pub(super) fn connect(address: &Address) -> Result<TcpStream, String> {
    let place = address.place();
    let resolved = (address.host.as_str(), address.port).to_socket_addrs();
    let mut problem = format!("{place}: the name of the host is not known");
    for socket in resolved.map_err(|error| format!("{place}: {error}"))? {
        match TcpStream::connect_timeout(&socket, CONNECT_TIMEOUT) {
            Ok(stream) => {
                let ready = stream
                    .set_nodelay(true)
                    .and_then(|()| stream.set_read_timeout(Some(SILENCE_MAX)))
                    .and_then(|()| stream.set_write_timeout(Some(SILENCE_MAX)));
                return ready.map(|()| stream).map_err(|error| format!("{place}: {error}"));
            }
            Err(error) => problem = format!("{place}: {error}; is the server running there?"),
        }
    }
    Err(problem)
}

/// The words that log in, if any are needed.
pub(super) fn login(address: &Address) -> Option<Vec<&[u8]>> {
    let password = address.password.as_ref()?;
    let mut words: Vec<&[u8]> = vec![b"AUTH"];
    words.extend(address.user.as_ref().map(String::as_bytes));
    words.push(password.as_bytes());
    Some(words)
}

pub(super) struct Client {
    stream: BufReader<TcpStream>,
    place: String,
}

impl Client {
    /// Connects and logs in.
    pub(super) fn connect(address: &Address) -> Result<Client, String> {
        let mut client = Client { stream: BufReader::new(connect(address)?), place: address.place() };
        if let Some(words) = login(address) {
            client.call(&words)?;
        }
        client.call(&[b"PING"])?;
        Ok(client)
    }

    /// The text of the reply.
    ///
    /// # Errors
    /// One line: the connection is gone, or the error that the server answered.
    pub(super) fn call(&mut self, words: &[&[u8]]) -> Result<Vec<u8>, String> {
        let place = self.place.clone();
        let answer = self.exchange(words).map_err(|error| format!("{place}: {error}"))?;
        match answer.errors.into_iter().next() {
            Some(error) => Err(format!("{place} answers {}: {error}", String::from_utf8_lossy(words[0]))),
            None => Ok(answer.text),
        }
    }

    /// A field of a section of INFO.
    pub(super) fn info(&mut self, section: &str, field: &str) -> Result<Option<String>, String> {
        let text = self.call(&[b"INFO", section.as_bytes()])?;
        let text = String::from_utf8_lossy(&text);
        Ok(text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).map(str::to_owned))
    }

    fn exchange(&mut self, words: &[&[u8]]) -> io::Result<Reply> {
        let mut bytes = Vec::new();
        wire::request(words, &mut bytes);
        self.stream.get_mut().write_all(&bytes)?;
        wire::reply(&mut self.stream)
    }
}
