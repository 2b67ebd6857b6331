//! Segment files: their names, their header, and which of them are there. See docs/file-format.md.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::record::{u32_at, u64_at};
use crate::disk::{Disk, DiskFile};
use crate::store::Sequence;
use crate::{Error, Result};

pub(crate) const HEADER_BYTES: usize = 64;
const MAGIC: [u8; 8] = *b"ENNEADLG";
pub(crate) const VERSION: u32 = 1;

/// The first bytes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Seeds the checksums of this use of the file.
    pub(crate) salt: u32,
    /// Sequence of the first record.
    pub(crate) first: Sequence,
    /// Everything up to here was durable when the segment was begun.
    pub(crate) durable: Sequence,
    /// Wall time when the segment was begun, milliseconds.
    pub(crate) time_ms: u64,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.salt.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.time_ms.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The header, or `None` for bytes that are not a complete one.
    ///
    /// # Errors
    /// `Open` for a segment of a newer version.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Option<SegmentHeader>> {
        if bytes.len() < HEADER_BYTES || bytes[..8] != MAGIC || crc32c::crc32c(&bytes[..60]) != u32_at(bytes, 60) {
            return Ok(None);
        }
        let version = u32_at(bytes, 8);
        if version != VERSION {
            return Err(Error::Open(format!(
                "the log is of format version {version}, this program knows {VERSION}: use the version that wrote it"
            )));
        }
        Ok(Some(SegmentHeader {
            salt: u32_at(bytes, 12),
            first: u64_at(bytes, 16),
            durable: u64_at(bytes, 24),
            time_ms: u64_at(bytes, 32),
        }))
    }
}

pub(crate) fn segment_name(first: Sequence) -> String {
    format!("{first:020}.seg")
}

pub(crate) fn spare_name(number: u64) -> String {
    format!("spare-{number:06}.seg")
}

/// A segment file that is there.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// First sequence, by its name.
    pub(crate) first: Sequence,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// The log files of a directory: segments in order, and names of spare files.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) segments: Vec<Segment>,
    pub(crate) spares: Vec<PathBuf>,
}

/// Lists the log files of a directory; other files are left alone.
pub(crate) fn list(disk: &dyn Disk, directory: &Path) -> Result<Listing> {
    let context = |error| Error::Io(format!("cannot list {}: {error}", directory.display()));
    let mut listing = Listing::default();
    for name in disk.list(directory).map_err(context)? {
        let Some(stem) = name.strip_suffix(".seg") else { continue };
        let path = directory.join(&name);
        if stem.starts_with("spare-") {
            listing.spares.push(path);
        } else if stem.len() == 20
            && let Ok(first) = stem.parse()
        {
            let bytes = disk.open(&path).and_then(|file| file.len()).map_err(context)?;
            listing.segments.push(Segment { first, path, bytes });
        }
    }
    listing.segments.sort_by_key(|segment| segment.first);
    listing.spares.sort();
    Ok(listing)
}

/// A segment that records go to.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    pub(crate) file: Arc<dyn DiskFile>,
    /// Where the next record goes, bytes from the begin.
    pub(crate) offset: u64,
}

/// Unit of file systems' page caches.
const BLOCK_BYTES: u64 = 4096;

impl OpenSegment {
    /// Begins a segment in a file, whatever was in it.
    pub(crate) fn begin(file: Arc<dyn DiskFile>, header: &SegmentHeader, limit: u64) -> std::io::Result<OpenSegment> {
        let mut segment = OpenSegment { file, offset: 0 };
        segment.append(&header.encode(), limit)?;
        Ok(segment)
    }

    /// Writes behind what is there. Into a block that nothing was appended to yet it writes to the block's end, as long as
    /// that is below `limit`: of a recycled file the kernel may have forgotten the block, and would, to change a part
    /// of it, read the rest from a disk that has a whole flush to write first. Records that come later take the place of
    /// the zeros.
    pub(crate) fn append(&mut self, bytes: &[u8], limit: u64) -> std::io::Result<()> {
        let end = self.offset + bytes.len() as u64;
        let last = end - end % BLOCK_BYTES;
        if last < self.offset || end == last || last + BLOCK_BYTES > limit {
            self.file.write_at(self.offset, bytes)?;
        } else {
            let (whole, rest) = bytes.split_at((last - self.offset) as usize);
            if !whole.is_empty() {
                self.file.write_at(self.offset, whole)?;
            }
            let mut block = [0; BLOCK_BYTES as usize];
            block[..rest.len()].copy_from_slice(rest);
            self.file.write_at(last, &block)?;
        }
        self.offset = end;
        Ok(())
    }
}
