//! One key in memory: a single allocation with a small header, the key, and its value or the index of its object.
//!
//! An entry is reached only under its slot's lock; the atomics in its header are there to change it through a shared
//! pointer, not to synchronize.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use ennead_store::prefetch_at;
use triomphe::{Arc, ThinArc};

/// What an entry's bytes after the key are: a value in one piece, or, where the number is odd, the index of its object
/// (u32, little endian) because it has rows of its own in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The string itself.
    String = 0,
    LongString = 1,
    /// See [`crate::packed`] for this and the following.
    List = 2,
    LongList = 3,
    Set = 4,
    LongSet = 5,
    Hash = 6,
    LongHash = 7,
    Zset = 8,
    LongZset = 9,
    /// Streams are always objects.
    Stream = 10,
    LongStream = 11,
}

/// What `OBJECT ENCODING` must remember of how a value came to be. Redis changes the encoding of a collection when it
/// passes a threshold, and not back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Hint {
    /// Of a string, follows from the text: `int`, `embstr` or `raw`. Of a collection, the most compact encoding.
    #[default]
    Auto = 0,
    /// Of a string, `raw` however short: it was changed in place. Of a set, `listpack`.
    Raw = 1,
    /// Of a string, never `int`: the text of a float. Of a collection, that of large ones.
    Text = 2,
}

impl Kind {
    pub(crate) fn from_bits(bits: u8) -> Option<Kind> {
        match bits & 0x0f {
            0 => Some(Kind::String),
            1 => Some(Kind::LongString),
            2 => Some(Kind::List),
            3 => Some(Kind::LongList),
            4 => Some(Kind::Set),
            5 => Some(Kind::LongSet),
            6 => Some(Kind::Hash),
            7 => Some(Kind::LongHash),
            8 => Some(Kind::Zset),
            9 => Some(Kind::LongZset),
            10 => Some(Kind::Stream),
            11 => Some(Kind::LongStream),
            _ => None,
        }
    }
}

impl Kind {
    /// What TYPE answers.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Kind::String | Kind::LongString => "string",
            Kind::List | Kind::LongList => "list",
            Kind::Set | Kind::LongSet => "set",
            Kind::Hash | Kind::LongHash => "hash",
            Kind::Zset | Kind::LongZset => "zset",
            Kind::Stream | Kind::LongStream => "stream",
        }
    }

    /// The kind of the same type in one piece.
    pub(crate) fn short(self) -> Kind {
        Kind::from_bits(self as u8 & !1).unwrap_or(self)
    }

    /// The kind of the same type with an object.
    pub(crate) fn long(self) -> Kind {
        Kind::from_bits(self as u8 | 1).unwrap_or(self)
    }

    pub(crate) fn has_object(self) -> bool {
        self as u8 & 1 == 1
    }
}

impl Hint {
    pub(crate) fn from_bits(bits: u8) -> Hint {
        match bits >> 4 & 3 {
            1 => Hint::Raw,
            2 => Hint::Text,
            _ => Hint::Auto,
        }
    }
}

/// Kind and hint in one byte: bits 0-3 and 4-5.
pub(crate) fn kind_bits(kind: Kind, hint: Hint) -> u8 {
    kind as u8 | (hint as u8) << 4
}

#[derive(Debug)]
pub(crate) struct Header {
    /// Unix time in ms, 0 for none.
    expiry: AtomicU64,
    key_len: u32,
    /// Kind bits in the low byte, the access clock in the upper 24 bits.
    clock: AtomicU32,
}

/// A pointer to the one allocation of a key.
#[derive(Debug)]
pub(crate) struct Entry(ThinArc<Header, u8>);

/// Bytes that are asked for ahead, at most.
const PREFETCHED: usize = 128;
/// Count, length and header before the bytes.
const OVERHEAD: usize = 16 + size_of::<Header>();

impl Entry {
    /// `bytes` are the key's followed by the value's; `access` has 24 bits.
    pub(crate) fn new(key_len: usize, bytes: &[u8], bits: u8, expiry: u64, access: u32) -> Entry {
        let header = Header {
            expiry: AtomicU64::new(expiry),
            key_len: key_len as u32,
            clock: AtomicU32::new(access << 8 | u32::from(bits)),
        };
        Entry(ThinArc::from_header_and_slice(header, bytes))
    }
    #[inline]
    pub(crate) fn key(&self) -> &[u8] {
        &self.0.slice[..self.header().key_len as usize]
    }
    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        &self.0.slice[self.header().key_len as usize..]
    }
    #[inline]
    fn header(&self) -> &Header {
        &self.0.header.header
    }
    #[inline]
    pub(crate) fn expiry(&self) -> u64 {
        self.header().expiry.load(Relaxed)
    }
    pub(crate) fn set_expiry(&self, expiry: u64) {
        self.header().expiry.store(expiry, Relaxed);
    }
    #[inline]
    pub(crate) fn bits(&self) -> u8 {
        self.header().clock.load(Relaxed) as u8
    }
    pub(crate) fn has_object(&self) -> bool {
        self.bits() & 1 == 1
    }
    pub(crate) fn kind(&self) -> Option<Kind> {
        Kind::from_bits(self.bits())
    }
    pub(crate) fn hint(&self) -> Hint {
        Hint::from_bits(self.bits())
    }
    pub(crate) fn set_hint(&self, hint: Hint) {
        let clock = self.header().clock.load(Relaxed);
        self.header().clock.store(clock & !0x30 | (hint as u32) << 4, Relaxed);
    }
    #[inline]
    pub(crate) fn access(&self) -> u32 {
        self.header().clock.load(Relaxed) >> 8
    }
    #[inline]
    pub(crate) fn set_access(&self, access: u32) {
        self.header().clock.store(access << 8 | u32::from(self.bits()), Relaxed);
    }
    /// Overwrites value, kind and expiry where they are, if the value's length is the same.
    #[inline]
    pub(crate) fn overwrite(&mut self, value: &[u8], bits: u8, expiry: u64, access: u32) -> bool {
        if self.value().len() != value.len() {
            return false;
        }
        self.0.with_arc_mut(|arc| match Arc::get_mut(arc) {
            Some(inner) => {
                let key_len = inner.header().key_len as usize;
                inner.slice_mut()[key_len..].copy_from_slice(value);
                let header = inner.header_mut();
                *header.expiry.get_mut() = expiry;
                *header.clock.get_mut() = access << 8 | u32::from(bits);
                true
            }
            None => false,
        })
    }
    /// Asks the processor for it ahead: the header, and what of a short key and value is in the line behind it.
    #[inline]
    pub(crate) fn prefetch(&self) {
        // By address, since the length stands in the memory that is not there yet.
        prefetch_at(self.0.as_ptr(), PREFETCHED);
    }
    /// The index of its object; only for kinds that have one.
    pub(crate) fn object(&self) -> usize {
        <[u8; 4]>::try_from(self.value()).map_or(usize::MAX, |bytes| u32::from_le_bytes(bytes) as usize)
    }
    /// Bytes that the allocator spends on it.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        allocation_size(OVERHEAD + self.0.slice.len())
    }
}

/// Bytes that an allocator with size classes four to a doubling spends on so many.
#[inline]
pub(crate) fn allocation_size(bytes: usize) -> usize {
    if bytes <= 128 {
        return bytes.next_multiple_of(16);
    }
    let step = (bytes - 1).next_power_of_two() >> 3;
    let step = if (bytes - 1).is_power_of_two() { step * 2 } else { step };
    bytes.next_multiple_of(step.max(16))
}
