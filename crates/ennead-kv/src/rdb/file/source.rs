//! The bytes of a snapshot file, counted and summed. Memory grows with what comes, never with what is announced.

use std::io::{self, ErrorKind, Read};

use super::error::Error;
use crate::rdb::crc64_on;

#[derive(Debug)]
pub(super) struct Source<R> {
    input: R,
    pub(super) read: u64,
    pub(super) checksum: u64,
}

/// A length, or the number of a form of strings.
pub(super) enum Length {
    Plain(u64),
    Form(u8),
}

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Source { input, read: 0, checksum: 0 }
    }

    pub(super) fn damaged(&self, what: impl Into<String>) -> Error {
        Error::Damaged { what: what.into(), at: self.read }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.note(&bytes);
        Ok(bytes)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    fn note(&mut self, bytes: &[u8]) {
        self.read += bytes.len() as u64;
        self.checksum = crc64_on(self.checksum, bytes);
    }

    /// Appends so many bytes.
    pub(super) fn bytes(&mut self, len: u64, raw: &mut Vec<u8>) -> Result<(), Error> {
        let start = raw.len();
        let read = (&mut self.input).take(len).read_to_end(raw)?;
        if (read as u64) < len {
            return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
        }
        let Source { read, checksum, .. } = self;
        *read += len;
        *checksum = crc64_on(*checksum, &raw[start..]);
        Ok(())
    }

    /// Reads a length; appends its bytes.
    pub(super) fn length(&mut self, raw: &mut Vec<u8>) -> Result<Length, Error> {
        let start = raw.len();
        self.bytes(1, raw)?;
        let first = raw[start];
        let more = match first >> 6 {
            0 => 0,
            1 => 1,
            2 if first == 0x80 => 4,
            2 if first == 0x81 => 8,
            2 => return Err(self.damaged("in a length")),
            _ => return Ok(Length::Form(first & 0x3f)),
        };
        self.bytes(more, raw)?;
        let big = |bytes: &[u8]| bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        Ok(Length::Plain(match more {
            0 | 1 => big(&raw[start..]) & if more == 0 { 0x3f } else { 0x3fff },
            _ => big(&raw[start + 1..]),
        }))
    }

    /// A length that is none of a string.
    pub(super) fn number(&mut self, raw: &mut Vec<u8>) -> Result<u64, Error> {
        match self.length(raw)? {
            Length::Plain(number) => Ok(number),
            Length::Form(_) => Err(self.damaged("in a number")),
        }
    }

    /// Appends a string as it is written, length and all.
    pub(super) fn string(&mut self, raw: &mut Vec<u8>) -> Result<(), Error> {
        match self.length(raw)? {
            Length::Plain(len) => self.bytes(len, raw),
            Length::Form(form) => self.string_of_form(form, raw),
        }
    }

    /// The same, with its head read.
    pub(super) fn string_of_form(&mut self, form: u8, raw: &mut Vec<u8>) -> Result<(), Error> {
        let len = match form {
            0 => 1,
            1 => 2,
            2 => 4,
            3 => {
                let compressed = self.number(raw)?;
                self.number(raw)?;
                compressed
            }
            _ => return Err(self.damaged("in a string")),
        };
        self.bytes(len, raw)
    }

    /// The text of a string.
    pub(super) fn text(&mut self) -> Result<Vec<u8>, Error> {
        let mut raw = Vec::new();
        self.string(&mut raw)?;
        let mut reader = crate::rdb::Reader(&raw);
        reader.string(u64::MAX).ok_or_else(|| self.damaged("in a string"))
    }
}
