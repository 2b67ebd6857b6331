//! Writes a snapshot file in the plain forms, which need no length but the number of members ahead: so that nothing has to
//! be held in memory.

use std::io::{self, Write};

use super::operation::{DATABASE, DEADLINE_MS, END, LIBRARY, NOTE, SIZE};
use crate::rdb::{VERSION_WRITTEN, crc64_on, write_length, write_string};

/// A snapshot file in the making. Dropped before [`Writer::finish`] it stays one that nobody reads.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    checksum: u64,
    written: u64,
    scratch: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a file of the version of Redis 7.0, with facts about it.
    ///
    /// # Errors
    /// Of the output, as for everything below.
    pub fn new(output: W, notes: &[(&str, &str)]) -> io::Result<Self> {
        let mut writer = Writer { output, checksum: 0, written: 0, scratch: Vec::new() };
        writer.raw(format!("REDIS{VERSION_WRITTEN:04}").as_bytes())?;
        for (name, value) in notes {
            writer.raw(&[NOTE])?;
            writer.string(name.as_bytes())?;
            writer.string(value.as_bytes())?;
        }
        Ok(writer)
    }

    /// A library of functions, by its source.
    pub fn library(&mut self, source: &[u8]) -> io::Result<()> {
        self.raw(&[LIBRARY])?;
        self.string(source)
    }

    /// Begins a database of about so many keys, of which so many have a deadline.
    pub fn database(&mut self, number: u64, keys: u64, volatile: u64) -> io::Result<()> {
        self.raw(&[DATABASE])?;
        self.length(number)?;
        self.raw(&[SIZE])?;
        self.length(keys)?;
        self.length(volatile)
    }

    /// Begins a key of a type; its value follows. `deadline` in Unix ms, 0 for none.
    pub(super) fn key(&mut self, kind: u8, name: &[u8], deadline: u64) -> io::Result<()> {
        if deadline != 0 {
            self.raw(&[DEADLINE_MS])?;
            self.raw(&deadline.to_le_bytes())?;
        }
        self.raw(&[kind])?;
        self.string(name)
    }

    pub(super) fn length(&mut self, length: u64) -> io::Result<()> {
        self.scratched(|scratch| write_length(scratch, length))
    }

    pub(super) fn string(&mut self, string: &[u8]) -> io::Result<()> {
        self.scratched(|scratch| write_string(scratch, string))
    }

    fn scratched(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        write(&mut scratch);
        let done = self.raw(&scratch);
        self.scratch = scratch;
        done
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.checksum = crc64_on(self.checksum, bytes);
        self.written += bytes.len() as u64;
        self.output.write_all(bytes)
    }

    /// Ends the file; gives the output and the bytes of the file.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        self.raw(&[END])?;
        let checksum = self.checksum;
        self.raw(&checksum.to_le_bytes())?;
        self.output.flush()?;
        Ok((self.output, self.written))
    }
}
