//! A Redis client that hides nothing: it sends the bytes it is given and hands back the bytes of each reply, so that
//! tests can compare them. Knows where a reply ends in RESP2 and RESP3, and nothing about commands.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a reply may take before the test gives up on the server.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    pending: Vec<u8>,
    at: usize,
}

/// A reply as its reader understands it; attributes are not expected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Nil,
    /// Arrays, sets, pushes and, flattened, maps.
    List(Vec<Reply>),
    /// Doubles, booleans, big numbers: type byte and text.
    Scalar(u8, Vec<u8>),
}

impl Wire {
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Wire> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        stream.set_write_timeout(Some(REPLY_TIMEOUT))?;
        Ok(Wire { stream, pending: Vec::new(), at: 0 })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The bytes of the next reply, whole. `UnexpectedEof` when the server has closed the connection.
    pub(crate) fn reply(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(length) = reply_length(&self.pending[self.at..]) {
                let reply = self.pending[self.at..self.at + length].to_vec();
                self.at += length;
                if self.at == self.pending.len() {
                    self.pending.clear();
                    self.at = 0;
                }
                return Ok(reply);
            }
            self.fill()?;
        }
    }

    /// Whether so many replies have come already; they stay to be read.
    pub(crate) fn has_replies(&mut self, count: usize) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        // What goes wrong here goes wrong again for who reads them.
        while self.fill().is_ok() {}
        self.stream.set_nonblocking(false).unwrap();
        let mut at = self.at;
        (0..count).all(|_| match reply_length(&self.pending[at..]) {
            Some(length) => {
                at += length;
                true
            }
            None => false,
        })
    }

    /// Everything up to and with `end`, or up to the close of the connection; whether it was closed.
    pub(crate) fn read_until(&mut self, end: &[u8]) -> io::Result<(Vec<u8>, bool)> {
        loop {
            if let Some(at) = self.pending[self.at..].windows(end.len()).position(|window| window == end) {
                let bytes = self.pending[self.at..self.at + at + end.len()].to_vec();
                self.at += at + end.len();
                return Ok((bytes, false));
            }
            match self.fill() {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Ok((self.pending.split_off(self.at), true));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends one request and waits for its reply.
    pub(crate) fn call(&mut self, words: &[&[u8]]) -> io::Result<Reply> {
        self.send(&request(words))?;
        Ok(parse(&self.reply()?))
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut chunk = [0; 64 << 10];
        let read = match self.stream.read(&mut chunk) {
            // A reset is a close that overtook unread bytes of ours.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => 0,
            other => other?,
        };
        if read == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "connection closed"));
        }
        self.pending.extend_from_slice(&chunk[..read]);
        Ok(())
    }
}

/// The request as a client library sends it.
pub(crate) fn request<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The length of the first reply, if it is there whole.
pub(crate) fn reply_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    let mut left: u64 = 1;
    while left > 0 {
        let line = bytes[at..].windows(2).position(|pair| pair == b"\r\n")?;
        let kind = bytes[at];
        let text = &bytes[at + 1..at + line];
        at += line + 2;
        left -= 1;
        match kind {
            b'$' | b'=' | b'!' if text != b"-1" => {
                at += number(text) as usize + 2;
                if at > bytes.len() {
                    return None;
                }
            }
            b'*' | b'~' | b'>' if text != b"-1" => left += number(text) as u64,
            b'%' => left += 2 * number(text) as u64,
            _ => {}
        }
    }
    Some(at)
}

/// Reads the first reply of the bytes, which must be there whole.
pub(crate) fn parse(bytes: &[u8]) -> Reply {
    parse_at(bytes, &mut 0)
}

fn parse_at(bytes: &[u8], at: &mut usize) -> Reply {
    let line = bytes[*at..].windows(2).position(|pair| pair == b"\r\n").unwrap();
    let kind = bytes[*at];
    let text = bytes[*at + 1..*at + line].to_vec();
    *at += line + 2;
    match kind {
        b'+' => Reply::Simple(text),
        b'-' => Reply::Error(text),
        b':' => Reply::Integer(number(&text)),
        b'_' => Reply::Nil,
        b'$' | b'*' if text == b"-1" => Reply::Nil,
        b'$' | b'=' | b'!' => {
            let start = *at;
            *at += number(&text) as usize + 2;
            let body = bytes[start..*at - 2].to_vec();
            match kind {
                b'!' => Reply::Error(body),
                // A verbatim string begins with three letters of format and a colon.
                b'=' => Reply::Bulk(body[4..].to_vec()),
                _ => Reply::Bulk(body),
            }
        }
        b'*' | b'~' | b'>' => Reply::List((0..number(&text)).map(|_| parse_at(bytes, at)).collect()),
        b'%' => Reply::List((0..2 * number(&text)).map(|_| parse_at(bytes, at)).collect()),
        _ => Reply::Scalar(kind, text),
    }
}

fn number(text: &[u8]) -> i64 {
    let text = std::str::from_utf8(text).unwrap();
    text.parse().unwrap_or_else(|_| panic!("not a number on the wire: {text:?}"))
}

/// Bytes as a reader of a failed test wants them: escaped, and cut when long.
pub(crate) fn show(bytes: &[u8]) -> String {
    const SHOWN: usize = 400;
    let text = bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string();
    if bytes.len() > SHOWN { format!("{text}... ({} bytes)", bytes.len()) } else { text }
}
