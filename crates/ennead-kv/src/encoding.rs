//! The names of Redis's encodings, as OBJECT ENCODING answers them, and the thresholds between them. They say nothing of
//! how a value is kept here; a few programs look at them to learn what their data costs.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use crate::entry::{Hint, Kind};
use crate::number::parse_integer;

/// Longest string that Redis keeps in one piece with its header.
const EMBEDDED_MAX: usize = 44;
/// Digits and sign of an integer of 64 bits, at most.
pub(crate) const INTEGER_LEN_MAX: usize = 20;

/// A threshold of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// Fields.
    HashEntries,
    /// Bytes of a field or value.
    HashValue,
    /// Members, all of them integers.
    SetIntegers,
    /// Members.
    SetEntries,
    /// Bytes of a member.
    SetValue,
    /// Members.
    ZsetEntries,
    /// Bytes of a member.
    ZsetValue,
    /// Elements, or with -1 to -5 a size of 4 to 64 KB.
    ListSize,
    /// Entries of a chunk of a stream; 0: no limit.
    StreamEntries,
    /// Bytes of one; 0: no limit.
    StreamBytes,
}

/// The values of all thresholds.
#[derive(Debug)]
pub struct Thresholds([AtomicI64; 10]);

impl Default for Thresholds {
    /// Redis 7.2's.
    fn default() -> Self {
        Thresholds([512, 64, 512, 128, 64, 128, 64, -2, 100, 4096].map(AtomicI64::new))
    }
}

impl Thresholds {
    pub fn get(&self, threshold: Threshold) -> i64 {
        self.0[threshold as usize].load(Relaxed)
    }

    pub fn set(&self, threshold: Threshold, value: i64) {
        self.0[threshold as usize].store(value, Relaxed);
    }

    /// Whether a number of members or bytes is more than the threshold.
    pub(crate) fn exceeded(&self, threshold: Threshold, by: usize) -> bool {
        by as i64 > self.get(threshold)
    }
}

pub(crate) fn string_encoding(value: &[u8], hint: Hint) -> &'static str {
    match hint {
        Hint::Raw => "raw",
        Hint::Auto if value.len() <= INTEGER_LEN_MAX && parse_integer(value).is_some() => "int",
        Hint::Auto | Hint::Text if value.len() <= EMBEDDED_MAX => "embstr",
        Hint::Auto | Hint::Text => "raw",
    }
}

/// Of a collection. `fades` is for a hash of which fields have deadlines.
pub(crate) fn collection_encoding(kind: Kind, hint: Hint, fades: bool) -> &'static str {
    match (kind.short(), hint) {
        (Kind::Hash, Hint::Auto | Hint::Raw) if fades => "listpackex",
        (Kind::Set, Hint::Auto) => "intset",
        (Kind::Set, Hint::Raw) => "listpack",
        (Kind::Set | Kind::Hash, Hint::Text) => "hashtable",
        (Kind::Zset, Hint::Text) => "skiplist",
        (Kind::List, Hint::Text) => "quicklist",
        (Kind::Stream, _) => "stream",
        _ => "listpack",
    }
}
