//! The rows of keys in the store, byte by byte. They outlive the process: change them only with a format version.
//!
//! | table | row key | row value |
//! |---|---|---|
//! | `kv.N` | slot u16 BE, fragment u32 BE, key | payload, then expiry u64 LE (Unix ms) if flagged, then one byte: bits 0-3 kind, 4-5 encoding hint, 7 expiry |
//! | `kv.N.chunks` | slot u16 BE, object u64 BE, chunk u32 BE | up to 4,096 bytes of a long string; a missing chunk is zeros |
//! | `kv.N.chunks` | slot u16 BE, object u64 BE, position i64 BE with its sign bit turned | an element of a long list |
//! | `kv.N.chunks` | slot u16 BE, object u64 BE, member | nothing for a long set, the score (f64 LE) for a long sorted set |
//! | `kv.N.chunks` | slot u16 BE, object u64 BE, field | for a long hash the value, its deadline (u64 LE, Unix ms) if it has one, and one byte, 1 if so, else 0 |
//! | `kv.N.chunks` | slot u16 BE, object u64 BE, suffix | of a stream, see `object/stream/rows.rs` |
//! | `kv.meta` | a name | see `keyspace/meta.rs` |
//!
//! The payload of a string is its bytes, of a small collection its items (see `packed.rs`), of a long value its object
//! (u64 LE) and length (u64 LE), bytes for strings and members for collections; then, for a hash of which fields have
//! deadlines, the first of them (u64 LE). Header fields stand at the end, so that key and payload are one run of bytes, which is also what an entry in memory holds.

use std::cell::Cell;

use smallvec::SmallVec;

use crate::entry::{Hint, Kind, kind_bits};
use crate::place::Place;

#[cfg(test)]
mod tests;

/// Bytes of a row key before the key.
pub(crate) const PREFIX: usize = 6;
/// Bytes of the key of an object's row before what is the member's own.
pub(crate) const OBJECT_PREFIX: usize = 10;
/// Bytes of one chunk of a long string.
pub(crate) const CHUNK: usize = 4096;
const HAS_EXPIRY: u8 = 0x80;

thread_local! {
    static SPARE: Cell<Option<RowBuffer>> = const { Cell::new(None) };
}

/// One row under construction; reused from command to command.
#[derive(Debug, Default)]
pub(crate) struct RowBuffer {
    bytes: Vec<u8>,
    key_len: usize,
    payload_len: usize,
}

impl RowBuffer {
    #[inline]
    pub(crate) fn set_key(&mut self, place: Place, key: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&place.slot.to_be_bytes());
        self.bytes.extend_from_slice(&place.fragment.to_be_bytes());
        self.bytes.extend_from_slice(key);
        self.key_len = key.len();
        self.payload_len = 0;
    }
    /// After [`RowBuffer::set_key`].
    #[inline]
    pub(crate) fn set_value(&mut self, payload: &[u8], bits: u8, expiry: u64) {
        self.bytes.truncate(PREFIX + self.key_len);
        self.bytes.extend_from_slice(payload);
        self.payload_len = payload.len();
        if expiry == 0 {
            self.bytes.push(bits);
        } else {
            self.bytes.extend_from_slice(&expiry.to_le_bytes());
            self.bytes.push(bits | HAS_EXPIRY);
        }
    }
    pub(crate) fn row_key(&self) -> &[u8] {
        &self.bytes[..PREFIX + self.key_len]
    }
    pub(crate) fn row_value(&self) -> &[u8] {
        &self.bytes[PREFIX + self.key_len..]
    }
    /// Key and payload, as an entry holds them.
    pub(crate) fn entry_bytes(&self) -> &[u8] {
        &self.bytes[PREFIX..PREFIX + self.key_len + self.payload_len]
    }
    /// Gives memory back after an unusually large row.
    pub(crate) fn trim(&mut self) {
        if self.bytes.capacity() > 1 << 20 {
            *self = RowBuffer::default();
        }
    }
    /// The thread's buffer for row keys.
    #[inline]
    pub(crate) fn take() -> RowBuffer {
        SPARE.take().unwrap_or_default()
    }
    #[inline]
    pub(crate) fn give_back(mut self) {
        self.trim();
        SPARE.set(Some(self));
    }
}

/// A row value taken apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowValue<'a> {
    pub(crate) payload: &'a [u8],
    pub(crate) kind: Kind,
    pub(crate) hint: Hint,
    /// Unix ms, 0 for none.
    pub(crate) expiry: u64,
}

impl<'a> RowValue<'a> {
    pub(crate) fn parse(value: &'a [u8]) -> Option<RowValue<'a>> {
        let (&bits, rest) = value.split_last()?;
        let (payload, expiry) = if bits & HAS_EXPIRY == 0 {
            (rest, 0)
        } else {
            let (payload, expiry) = rest.split_last_chunk::<8>()?;
            (payload, u64::from_le_bytes(*expiry))
        };
        Some(RowValue { payload, kind: Kind::from_bits(bits)?, hint: Hint::from_bits(bits), expiry })
    }
    pub(crate) fn bits(&self) -> u8 {
        kind_bits(self.kind, self.hint)
    }
    /// Object and length of a long value.
    pub(crate) fn object(&self) -> Option<(u64, u64)> {
        match *numbers(self.payload)? {
            [object, len] | [object, len, _] => Some((object, len)),
            _ => None,
        }
    }
    /// When the first field of a long hash goes, Unix ms; 0 when all stay.
    pub(crate) fn first_deadline(&self) -> u64 {
        match numbers(self.payload).filter(|_| self.kind == Kind::LongHash).as_deref() {
            Some([_, _, deadline]) => *deadline,
            _ => 0,
        }
    }
}

fn numbers(payload: &[u8]) -> Option<SmallVec<[u64; 3]>> {
    let (numbers, rest) = payload.as_chunks::<8>();
    rest.is_empty().then(|| numbers.iter().take(4).map(|bytes| u64::from_le_bytes(*bytes)).collect())
}

/// The payload of a long value's row. `first_deadline` is that of a hash's fields, 0 for none.
pub(crate) fn object_payload(object: u64, len: u64, first_deadline: u64) -> SmallVec<[u8; 24]> {
    let mut payload = SmallVec::new();
    payload.extend_from_slice(&object.to_le_bytes());
    payload.extend_from_slice(&len.to_le_bytes());
    if first_deadline != 0 {
        payload.extend_from_slice(&first_deadline.to_le_bytes());
    }
    payload
}

/// Slot, fragment and key of a row key.
pub(crate) fn parse_row_key(row_key: &[u8]) -> Option<(Place, &[u8])> {
    let (slot, rest) = row_key.split_first_chunk::<2>()?;
    let (fragment, key) = rest.split_first_chunk::<4>()?;
    Some((Place { slot: u16::from_be_bytes(*slot), fragment: u32::from_be_bytes(*fragment) }, key))
}

/// Where the rows of a slot begin; that of the next slot is their end.
pub(crate) fn slot_prefix(slot: u16) -> [u8; 2] {
    slot.to_be_bytes()
}

/// The end of a slot's rows; none for the last slot.
pub(crate) fn slot_end(slot: u16) -> Option<[u8; 2]> {
    slot.checked_add(1).map(u16::to_be_bytes)
}

/// Where the rows of a place begin.
pub(crate) fn place_prefix(place: Place) -> [u8; PREFIX] {
    let mut prefix = [0; PREFIX];
    prefix[..2].copy_from_slice(&place.slot.to_be_bytes());
    prefix[2..].copy_from_slice(&place.fragment.to_be_bytes());
    prefix
}

/// Where the rows of an object begin; with the next object's number, where they end.
pub(crate) fn object_prefix(slot: u16, object: u64) -> [u8; OBJECT_PREFIX] {
    let mut prefix = [0; OBJECT_PREFIX];
    prefix[..2].copy_from_slice(&slot.to_be_bytes());
    prefix[2..].copy_from_slice(&object.to_be_bytes());
    prefix
}

pub(crate) fn chunk_key(slot: u16, object: u64, chunk: u32) -> [u8; 14] {
    let mut key = [0; 14];
    key[..2].copy_from_slice(&slot.to_be_bytes());
    key[2..10].copy_from_slice(&object.to_be_bytes());
    key[10..].copy_from_slice(&chunk.to_be_bytes());
    key
}
