//! Reads the records of one segment in order. For recovery, the change feed, restore and repair alike.
//!
//! The reader gives records only; what an end means (nothing more was written, or something is broken) is its caller's
//! to judge, with [`SegmentReader::next_valid_after`] to see whether anything follows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::record::{self, FIXED_BYTES, Fault, Record, u32_at, u64_at};
use super::segment::{HEADER_BYTES, SegmentHeader};
use crate::disk::{Disk, DiskFile};
use crate::store::Sequence;
use crate::{Error, Result};

const WINDOW_BYTES: usize = 256 << 10;

/// A segment opened for reading, positioned before a record.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    header: SegmentHeader,
    /// Where the next record begins.
    offset: u64,
    /// The sequence that the next record must have.
    expected: Sequence,
    window: Vec<u8>,
    window_at: u64,
}

/// Where and why a segment's records end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) offset: u64,
    pub(crate) fault: Fault,
    /// The bytes there begin like the record that was expected.
    pub(crate) begun: bool,
}

/// A valid record found behind an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: u64,
    pub(crate) sequence: Sequence,
    pub(crate) durable: Option<Sequence>,
    pub(crate) bytes: usize,
}

impl SegmentReader {
    /// Opens a segment; `None` when its header is not complete.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> Result<Option<SegmentReader>> {
        let context = |error| Error::Io(format!("cannot read {}: {error}", path.display()));
        let file = disk.open(path).map_err(context)?;
        if file.len().map_err(context)? < HEADER_BYTES as u64 {
            return Ok(None);
        }
        let mut bytes = [0; HEADER_BYTES];
        file.read_at(0, &mut bytes).map_err(context)?;
        let Some(header) = SegmentHeader::decode(&bytes)? else { return Ok(None) };
        Ok(Some(SegmentReader {
            file,
            path: path.to_owned(),
            header,
            offset: HEADER_BYTES as u64,
            expected: header.first,
            window: Vec::new(),
            window_at: 0,
        }))
    }

    pub(crate) fn header(&self) -> SegmentHeader {
        self.header
    }

    /// Where the next record begins, bytes from the begin of the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes back to the record that begins at `offset`, which was read before.
    pub(crate) fn rewind(&mut self, offset: u64, sequence: Sequence) {
        self.offset = offset;
        self.expected = sequence;
    }

    /// The next record, or where the records end. Asking again after an end looks at the file again, so a segment that
    /// is still written can be followed.
    pub(crate) fn next(&mut self) -> Result<Result<Record<'_>, End>> {
        let mut located = self.locate()?;
        if located.is_err() && self.window_at != self.offset {
            // The window may have been read before the record was written.
            self.window.clear();
            located = self.locate()?;
        }
        let bytes = match located {
            Ok(bytes) => bytes,
            Err(end) => {
                self.window.clear();
                return Ok(Err(end));
            }
        };
        let (at, offset) = ((self.offset - self.window_at) as usize, self.offset);
        match record::parse(&self.window[at..at + bytes]) {
            Ok(record) => {
                self.offset += bytes as u64;
                self.expected += 1;
                Ok(Ok(record))
            }
            Err(fault) => Ok(Err(End { offset, fault, begun: true })),
        }
    }

    /// Makes sure that the window holds the record at the position and answers its length, or why there is none.
    fn locate(&mut self) -> Result<Result<usize, End>> {
        let mut need = FIXED_BYTES;
        loop {
            let available = self.fill(self.offset, need)?;
            let bytes = &self.window[(self.offset - self.window_at) as usize..];
            let begun = u32_at(bytes, 0) != 0 && u64_at(bytes, 8) == self.expected;
            let fault = match record::frame(bytes, self.header.salt) {
                Ok(length) if begun => return Ok(Ok(length)),
                Ok(_) => Fault::Malformed,
                Err(Fault::Short(more)) if more as u64 <= available && more > bytes.len() => {
                    need = more;
                    continue;
                }
                Err(fault) => fault,
            };
            return Ok(Err(End { offset: self.offset, fault, begun }));
        }
    }

    /// Reads so that the window holds `need` bytes from `offset`, or what there is. Answers what the file has from
    /// `offset` on.
    fn fill(&mut self, offset: u64, need: usize) -> Result<u64> {
        let window_end = self.window_at + self.window.len() as u64;
        if offset >= self.window_at && offset + need as u64 <= window_end {
            return Ok(u64::MAX);
        }
        let context = |error| Error::Io(format!("cannot read {}: {error}", self.path.display()));
        let available = self.file.len().map_err(context)?.saturating_sub(offset);
        let wanted = (need.max(WINDOW_BYTES) as u64).min(available) as usize;
        self.window.resize(wanted, 0);
        self.window_at = offset;
        self.file.read_at(offset, &mut self.window).map_err(context)?;
        if self.window.capacity() > 4 * WINDOW_BYTES && wanted <= WINDOW_BYTES {
            self.window.shrink_to(WINDOW_BYTES);
        }
        Ok(available)
    }

    /// The first valid record with a sequence above `above` that begins at `from` or later, wherever it begins.
    pub(crate) fn next_valid_after(&mut self, from: u64, above: Sequence) -> Result<Option<Found>> {
        let mut block = from;
        loop {
            let available = self.fill(block, WINDOW_BYTES)?;
            let length = self.window.len() - (block - self.window_at) as usize;
            if length < FIXED_BYTES {
                return Ok(None);
            }
            let last = length - FIXED_BYTES;
            let mut at = 0;
            while at <= last {
                // A check may have moved the window.
                let bytes = &self.window[(block - self.window_at) as usize..];
                if at + 4096 <= last && bytes[at..at + 4096].iter().all(|byte| *byte == 0) {
                    at += 4096 - FIXED_BYTES;
                    continue;
                }
                if self.is_plausible(&bytes[at..at + FIXED_BYTES], block + at as u64, above, available - at as u64) {
                    if let Some(found) = self.check(block + at as u64)? {
                        return Ok(Some(found));
                    }
                    self.fill(block, length)?;
                }
                at += 1;
            }
            if length as u64 >= available {
                return Ok(None);
            }
            block += last as u64 + 1;
        }
    }

    /// Whether a record may begin like this. A look at the rest of it costs as much as the length that is announced, and a
    /// recycled segment is full of what looks a little like records, so everything counts that is known of them.
    fn is_plausible(&self, fixed: &[u8], offset: u64, above: Sequence, available: u64) -> bool {
        let (length, sequence, header) = (u32_at(fixed, 0) as u64, u64_at(fixed, 8), u32_at(fixed, 16) as u64);
        // They follow each other without a gap, none shorter than what all of them have.
        let latest = self.header.first.saturating_add((offset - HEADER_BYTES as u64) / FIXED_BYTES as u64);
        sequence > above
            && sequence <= latest
            && length + 8 <= available
            && header > 0
            && header + FIXED_BYTES as u64 <= length + 8
    }

    fn check(&mut self, offset: u64) -> Result<Option<Found>> {
        let mut need = FIXED_BYTES;
        loop {
            let available = self.fill(offset, need)?;
            let bytes = &self.window[(offset - self.window_at) as usize..];
            match record::decode(bytes, self.header.salt) {
                Ok(record) => {
                    return Ok(Some(Found {
                        offset,
                        sequence: record.sequence,
                        durable: record.header.durable,
                        bytes: record.bytes,
                    }));
                }
                Err(Fault::Short(more)) if more as u64 <= available && more > bytes.len() => need = more,
                Err(_) => return Ok(None),
            }
        }
    }
}
