//! Bytes of rows, appended and never moved in address: a row is named by a 32-bit location.
//!
//! A location counts units of 4 bytes within chunks of 256 KiB; a row that is larger gets a chunk of its own. The first
//! chunk grows by doubling, so that an empty shard costs nothing.

use crate::log::record::{u32_at, u64_at};
use crate::prefetch::prefetch_at;
use crate::store::Sequence;

const CHUNK_BYTES: usize = 256 << 10;
const UNIT: usize = 4;
const UNITS_PER_CHUNK: u32 = (CHUNK_BYTES / UNIT) as u32;
const HEADER_BYTES: usize = 20;
/// What a row takes beside its key and value, about: its header and its place in an index.
pub(crate) const ROW_OVERHEAD_BYTES: usize = HEADER_BYTES + 8;
const DELETED: u32 = u32::MAX;
/// Set in the value's length of a row that is a merge operand. Values are shorter than a record's limit of 2^30.
const OPERAND: u32 = 1 << 31;

/// Bytes of a row that are asked for ahead: its header, and a short key and value.
const PREFETCHED: usize = 128;

/// "No row": the end of a chain.
pub(crate) const NONE: u32 = u32::MAX;

/// A row in an arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArenaRow<'a> {
    /// The row of the same key that this one replaced, or [`NONE`].
    pub(crate) previous: u32,
    pub(crate) sequence: Sequence,
    pub(crate) key: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
    /// The value is an operand that waits for what is below the memtable.
    pub(crate) operand: bool,
}

/// A row on its way into an arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRow<'a> {
    pub(crate) sequence: Sequence,
    pub(crate) key: &'a [u8],
    /// Nothing for a delete.
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) operand: bool,
}

impl NewRow<'_> {
    /// The value's length and kind, as the header holds them.
    fn extent(&self) -> u32 {
        let flag = if self.operand { OPERAND } else { 0 };
        self.value.map_or(DELETED, |value| value.len() as u32 | flag)
    }

    fn bytes(&self) -> usize {
        (HEADER_BYTES + self.key.len() + self.value.map_or(0, <[u8]>::len)).next_multiple_of(UNIT)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Arena {
    chunks: Vec<Vec<u8>>,
}

impl Arena {
    /// Adds a row. Answers its location and the bytes it takes.
    pub(crate) fn push(&mut self, previous: u32, row: NewRow<'_>) -> (u32, usize) {
        let length = row.bytes();
        let full = self.chunks.last().is_none_or(|chunk| chunk.len() + length > CHUNK_BYTES);
        if full {
            // The first chunk grows from small, later ones are wanted whole.
            let capacity = if self.chunks.is_empty() { length.max(512) } else { length.max(CHUNK_BYTES) };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        let index = self.chunks.len() - 1;
        let chunk = &mut self.chunks[index];
        let start = chunk.len();
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&previous.to_le_bytes());
        header[4..12].copy_from_slice(&row.sequence.to_le_bytes());
        header[12..16].copy_from_slice(&(row.key.len() as u32).to_le_bytes());
        header[16..].copy_from_slice(&row.extent().to_le_bytes());
        chunk.extend_from_slice(&header);
        chunk.extend_from_slice(row.key);
        chunk.extend_from_slice(row.value.unwrap_or_default());
        chunk.resize(start + length, 0);
        (index as u32 * UNITS_PER_CHUNK + (start / UNIT) as u32, length)
    }

    /// Puts a row where the one of the same key at `location` is, if they take the same room and nobody can ask for
    /// that one any more because its sequence is above `kept`.
    #[inline]
    pub(crate) fn overwrite(&mut self, location: u32, kept: Sequence, row: NewRow<'_>) -> bool {
        let chunk = &mut self.chunks[(location / UNITS_PER_CHUNK) as usize];
        let old = &mut chunk[(location % UNITS_PER_CHUNK) as usize * UNIT..];
        let (header, rest) = old.split_at_mut(HEADER_BYTES);
        let length = match u32_at(header, 16) {
            DELETED => 0,
            length => (length & !OPERAND) as usize,
        };
        let room = (HEADER_BYTES + row.key.len() + length).next_multiple_of(UNIT);
        if u64_at(header, 4) <= kept || row.bytes() != room {
            return false;
        }
        header[4..12].copy_from_slice(&row.sequence.to_le_bytes());
        header[16..20].copy_from_slice(&row.extent().to_le_bytes());
        if let Some(value) = row.value {
            rest[row.key.len()..row.key.len() + value.len()].copy_from_slice(value);
        }
        true
    }

    /// What a row that replaces the one at `location` has to be linked to.
    pub(crate) fn link(&self, location: u32, kept: Sequence) -> u32 {
        let row = self.row(location);
        if row.sequence > kept { row.previous } else { location }
    }

    /// The row at a location that [`Arena::push`] answered.
    #[inline]
    pub(crate) fn row(&self, location: u32) -> ArenaRow<'_> {
        let chunk = &self.chunks[(location / UNITS_PER_CHUNK) as usize];
        let row = &chunk[(location % UNITS_PER_CHUNK) as usize * UNIT..];
        let (header, rest) = row.split_at(HEADER_BYTES);
        let (key, rest) = rest.split_at(u32_at(header, 12) as usize);
        let length = u32_at(header, 16);
        let value = match length {
            DELETED => None,
            length => Some(&rest[..(length & !OPERAND) as usize]),
        };
        let operand = length != DELETED && length & OPERAND != 0;
        ArenaRow { previous: u32_at(header, 0), sequence: u64_at(header, 4), key, value, operand }
    }

    /// Asks the processor for the beginning of a row.
    #[inline]
    pub(crate) fn prefetch(&self, location: u32) {
        let chunk = &self.chunks[(location / UNITS_PER_CHUNK) as usize];
        let start = (location % UNITS_PER_CHUNK) as usize * UNIT;
        prefetch_at(&raw const chunk[start], PREFETCHED);
    }

    /// The newest row of a chain that is not above `bound`.
    #[inline]
    pub(crate) fn as_of(&self, mut location: u32, bound: Sequence) -> Option<ArenaRow<'_>> {
        while location != NONE {
            let row = self.row(location);
            if row.sequence <= bound {
                return Some(row);
            }
            location = row.previous;
        }
        None
    }

    /// The same, as a location.
    pub(crate) fn location_as_of(&self, mut location: u32, bound: Sequence) -> u32 {
        while location != NONE {
            let row = self.row(location);
            if row.sequence <= bound {
                break;
            }
            location = row.previous;
        }
        location
    }
}
