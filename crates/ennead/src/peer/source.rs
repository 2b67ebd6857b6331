//! The source, which takes us for a replica: handshake, snapshot, and the stream of its commands.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

use super::address::Address;
use super::client::{self, SILENCE_MAX};
use super::stream::Stream;
use super::wire::{self, Parsed};
use crate::tls::Trust;

const BUFFER_BYTES: usize = 256 << 10;
/// How often a silent source is left alone to look whether to stop.
const TICK: Duration = Duration::from_millis(50);
const LINE_BYTES_MAX: usize = 4 << 10;
/// Of the mark behind a snapshot whose length was not known.
const MARK: usize = 40;

/// A place in the stream of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// The source's replication id.
    pub(crate) id: String,
    /// Bytes of its stream that are done.
    pub(crate) offset: u64,
    /// The database that is selected there.
    pub(crate) db: u64,
}

/// What the source answers to a replica.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A snapshot follows, which is the state at this place in the stream.
    Full(Position),
    /// The stream goes on where the replica was; the id of the stream may be new.
    Continue(String),
    /// Not now.
    Later(String),
}

/// How a snapshot ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Bytes(u64),
    Mark([u8; MARK]),
}

/// A command of the stream: the whole request, and its first words.
pub(crate) struct Command<'a> {
    pub(crate) raw: &'a [u8],
    pub(crate) words: Vec<&'a [u8]>,
}

pub(crate) struct Source<'s> {
    stream: Stream,
    buffer: Vec<u8>,
    /// Up to here the buffer is used up.
    at: usize,
    heard: Instant,
    stop: &'s AtomicBool,
}

impl<'s> Source<'s> {
    /// Connects, logs in, and says that a replica is there.
    pub(crate) fn connect(address: &Address, trust: &Trust, stop: &'s AtomicBool) -> Result<Source<'s>, String> {
        let stream = client::connect(address, trust)?;
        let failed = |error| format!("{}: {error}", address.place());
        stream.set_read_timeout(Some(TICK)).map_err(failed)?;
        let port = stream.port().to_string();
        let mut source = Source { stream, buffer: Vec::new(), at: 0, heard: Instant::now(), stop };
        let mut ask = |words: &[&[u8]], must: bool| -> Result<(), String> {
            let answer = source.ask(words).map_err(failed)?;
            match answer.strip_prefix('-') {
                Some(error) if must => Err(format!("{} answers: {error}", address.place())),
                _ => Ok(()),
            }
        };
        if let Some(words) = client::login(address) {
            ask(&words, true)?;
        }
        ask(&[b"PING"], true)?;
        // Older servers do not know all of these, and do without.
        ask(&[b"REPLCONF", b"listening-port", port.as_bytes()], false)?;
        ask(&[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"], false)?;
        Ok(source)
    }

    /// Says that no changes are wanted behind the snapshot. A server that does not know that sends them, to nobody.
    pub(crate) fn want_snapshot_only(&mut self) -> Result<(), String> {
        self.ask(&[b"REPLCONF", b"rdb-only", b"1"]).map(drop).map_err(|error| error.to_string())
    }

    /// Asks for the stream from a place on, or for everything.
    ///
    /// # Errors
    /// One line: the source does not speak to replicas, or the connection is gone.
    pub(crate) fn synchronize(&mut self, from: Option<&Position>) -> Result<Answer, String> {
        let (id, offset) = match from {
            Some(position) => (position.id.as_str(), (position.offset + 1).to_string()),
            None => ("?", "-1".to_owned()),
        };
        let answer = self.ask(&[b"PSYNC", id.as_bytes(), offset.as_bytes()]).map_err(|error| error.to_string())?;
        let mut words = answer.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("+FULLRESYNC"), Some(id), Some(offset)) => {
                let offset = offset.parse().map_err(|_| format!("the source answers {answer}"))?;
                Ok(Answer::Full(Position { id: id.to_owned(), offset, db: 0 }))
            }
            (Some("+CONTINUE"), new, _) => Ok(Answer::Continue(new.unwrap_or(id).to_owned())),
            (Some("-NOMASTERLINK" | "-LOADING"), ..) => Ok(Answer::Later(answer[1..].to_owned())),
            _ => Err(format!("the source does not let a replica copy it: {}", answer.trim_start_matches('-'))),
        }
    }

    /// How long the snapshot is that follows.
    pub(crate) fn snapshot(&mut self) -> Result<Length, String> {
        let line = self.line().map_err(|error| error.to_string())?;
        let length = line.strip_prefix('$').and_then(|text| match text.strip_prefix("EOF:") {
            Some(mark) => mark.as_bytes().try_into().ok().map(Length::Mark),
            None => text.parse().ok().map(Length::Bytes),
        });
        length.ok_or_else(|| format!("the source cannot make a snapshot: {line}"))
    }

    /// Reads what stands behind a snapshot of so many bytes.
    pub(crate) fn end_snapshot(&mut self, length: &Length, bytes: u64) -> Result<(), String> {
        let sound = match length {
            Length::Bytes(announced) => *announced == bytes,
            Length::Mark(mark) => {
                let mut end = [0; MARK];
                self.read_exact(&mut end).map_err(|error| error.to_string())?;
                end == *mark
            }
        };
        if sound { Ok(()) } else { Err("the snapshot does not end where the source said".to_owned()) }
    }

    /// Says how far everything is done.
    pub(crate) fn acknowledge(&mut self, offset: u64) -> io::Result<()> {
        self.write(&[b"REPLCONF", b"ACK", offset.to_string().as_bytes()])
    }

    /// The next command of the stream, or none for the moment.
    pub(crate) fn command(&mut self) -> io::Result<Option<Command<'_>>> {
        let (len, words) = loop {
            match wire::parse(&self.buffer[self.at..]) {
                Parsed::Whole(len, words) => break (len, words),
                Parsed::Broken => return Err(io::Error::other("the source sends something else than commands")),
                Parsed::Needs(bytes) => {
                    while self.buffer.len() - self.at < bytes {
                        if !self.fill()? {
                            return Ok(None);
                        }
                    }
                }
            }
        };
        let raw = &self.buffer[self.at..self.at + len];
        self.at += len;
        let words = words.into_iter().map(|word| &raw[word]).collect();
        Ok(Some(Command { raw, words }))
    }

    fn ask(&mut self, words: &[&[u8]]) -> io::Result<String> {
        self.write(words)?;
        self.line()
    }

    fn write(&mut self, words: &[&[u8]]) -> io::Result<()> {
        let mut bytes = Vec::new();
        wire::request(words, &mut bytes);
        self.stream.write_all(&bytes)
    }

    /// A line with something in it: the source sends empty ones so that nobody takes it for gone.
    fn line(&mut self) -> io::Result<String> {
        loop {
            let pending = &self.buffer[self.at..];
            if let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&pending[..end]).trim_end().to_owned();
                self.at += end + 1;
                if !line.is_empty() {
                    return Ok(line);
                }
            } else if pending.len() > LINE_BYTES_MAX {
                return Err(ErrorKind::InvalidData.into());
            } else if !self.fill()? && self.stop.load(SeqCst) {
                return Err(ErrorKind::Interrupted.into());
            }
        }
    }

    /// Reads what there is; false when there is nothing yet.
    fn fill(&mut self) -> io::Result<bool> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
        } else if self.at >= BUFFER_BYTES {
            self.buffer.drain(..self.at);
        } else {
            return self.fill_behind();
        }
        self.at = 0;
        self.buffer.shrink_to(4 * BUFFER_BYTES);
        self.fill_behind()
    }

    fn fill_behind(&mut self) -> io::Result<bool> {
        let len = self.buffer.len();
        self.buffer.resize(len + BUFFER_BYTES, 0);
        let read = self.stream.read(&mut self.buffer[len..]);
        self.buffer.truncate(len + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the source closed the connection")),
            Ok(_) => {
                self.heard = Instant::now();
                Ok(true)
            }
            // A signal may come to this thread before its own has noted it.
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                if self.heard.elapsed() < SILENCE_MAX {
                    return Ok(false);
                }
                let seconds = SILENCE_MAX.as_secs();
                Err(io::Error::new(ErrorKind::TimedOut, format!("the source was silent for {seconds} s")))
            }
            Err(error) => Err(error),
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.at == self.buffer.len() {
            if !self.fill()? && self.stop.load(SeqCst) {
                return Err(io::Error::other("stopped"));
            }
        }
        let len = bytes.len().min(self.buffer.len() - self.at);
        bytes[..len].copy_from_slice(&self.buffer[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}
