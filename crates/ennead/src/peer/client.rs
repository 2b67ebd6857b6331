//! A connection on which one request is answered before the next is sent.

use std::io::{self, BufReader, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::address::Address;
use super::stream::Stream;
use super::wire::{self, Reply};
use crate::tls::Trust;

pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a server may be silent before it is taken for gone.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Connects, without a word.
pub(crate) fn connect(address: &Address, trust: &Trust) -> Result<Stream, String> {
    let stream =
        Stream::new(reach(address)?, address, trust).map_err(|error| format!("{}: {error}", address.place()))?;
    stream
        .set_read_timeout(Some(SILENCE_MAX))
        .and_then(|()| stream.set_write_timeout(Some(SILENCE_MAX)))
        .map_err(|error| format!("{}: {error}", address.place()))?;
    Ok(stream)
}

fn reach(address: &Address) -> Result<TcpStream, String> {
    let place = address.place();
    let resolved = (address.host.as_str(), address.port).to_socket_addrs();
    let mut problem = format!("{place}: the name of the host is not known");
    for socket in resolved.map_err(|error| format!("{place}: {error}"))? {
        match TcpStream::connect_timeout(&socket, CONNECT_TIMEOUT) {
            Ok(stream) => {
                let ready = stream.set_nodelay(true);
                return ready.map(|()| stream).map_err(|error| format!("{place}: {error}"));
            }
            Err(error) => problem = format!("{place}: {error}; is the server running there?"),
        }
    }
    Err(problem)
}

/// The words that log in, if any are needed.
pub(crate) fn login(address: &Address) -> Option<Vec<&[u8]>> {
    let password = address.password.as_ref()?;
    let mut words: Vec<&[u8]> = vec![b"AUTH"];
    words.extend(address.user.as_ref().map(String::as_bytes));
    words.push(password.as_bytes());
    Some(words)
}

pub(crate) struct Client {
    stream: BufReader<Stream>,
    place: String,
}

impl Client {
    /// Connects and logs in.
    pub(crate) fn connect(address: &Address, trust: &Trust) -> Result<Client, String> {
        let mut client = Client { stream: BufReader::new(connect(address, trust)?), place: address.place() };
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
    pub(crate) fn call(&mut self, words: &[&[u8]]) -> Result<Vec<u8>, String> {
        let place = self.place.clone();
        let answer = self.exchange(words).map_err(|error| format!("{place}: {error}"))?;
        match answer.errors.into_iter().next() {
            Some(error) => Err(format!("{place} answers {}: {error}", String::from_utf8_lossy(words[0]))),
            None => Ok(answer.text),
        }
    }

    /// A field of a section of INFO.
    pub(crate) fn info(&mut self, section: &str, field: &str) -> Result<Option<String>, String> {
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
