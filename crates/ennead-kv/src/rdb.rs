//! Values in the form of Redis's snapshot files. The payload of DUMP and RESTORE is one value with a version and a checksum;
//! whole files are in [`file`].
//!
//! | bytes | what |
//! |---|---|
//! | 1 | type, see `rdb/shape.rs` and `rdb/streams.rs` |
//! | n | the value; a string is a length and its bytes, an integer, or compressed |
//! | 2 | version of the form, u16 LE |
//! | 8 | CRC64 of everything before, u64 LE |

mod collections;
mod cursor;
mod dated;
pub mod file;
mod functions;
#[doc(hidden)]
pub mod fuzzing;
mod intset;
mod lzf;
mod shape;
mod streams;
#[cfg(test)]
mod tests;
mod ziplist;
mod zipmap;

pub use collections::Collection;
pub(crate) use collections::dump as dump_collection;
pub use functions::{FunctionsRefusal, dump_functions, restore_functions};
pub(crate) use streams::{RestoredStream, dump as dump_stream};

/// The version written, that of Redis 7.0, which refuses newer ones; strings are the same in all.
const VERSION_WRITTEN: u16 = 10;
/// That of Redis 7.2, which has types that 7.0 does not know.
const VERSION_NEWER: u16 = 11;
/// That of Redis 7.4, whose hashes have fields with deadlines. It is the newest version read.
const VERSION_DATED: u16 = 12;
/// Shorter strings are not compressed.
const COMPRESSED_BYTES_MIN: usize = 21;

/// Why a payload is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    VersionOrChecksum,
    Format,
    /// A collection without members, which no key may have.
    Empty,
}

/// A string as payload.
pub(crate) fn dump_string(value: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(value.len() + 16);
    payload.push(shape::STRING);
    write_string(&mut payload, value);
    frame(payload)
}

/// A string as an integer where it is one, else as bytes.
fn write_string(payload: &mut Vec<u8>, value: &[u8]) {
    match short_integer(value) {
        Some(integer) => write_integer(payload, integer),
        None => write_bytes(payload, value),
    }
}

/// Adds version and checksum.
fn frame(payload: Vec<u8>) -> Vec<u8> {
    frame_as(payload, VERSION_WRITTEN)
}

/// Adds the version that knows the type first, and the checksum.
fn frame_of(payload: Vec<u8>) -> Vec<u8> {
    let newest = payload.first().is_some_and(|kind| *kind >= shape::SET_LISTPACK);
    frame_as(payload, if newest { VERSION_NEWER } else { VERSION_WRITTEN })
}

fn frame_as(mut payload: Vec<u8>, version: u16) -> Vec<u8> {
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// What stands before version and checksum, if these are good.
fn unframe(payload: &[u8]) -> Option<&[u8]> {
    let (body, checksum) = payload.split_last_chunk::<8>()?;
    let (value, version) = body.split_last_chunk::<2>()?;
    let checksum = u64::from_le_bytes(*checksum);
    let is_good = u16::from_le_bytes(*version) <= VERSION_DATED && checksum == crc64(body);
    is_good.then_some(value)
}

/// What a payload holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Restored {
    String(Vec<u8>),
    Collection(Collection),
    Stream(RestoredStream),
    /// A hash of which fields have deadlines.
    Dated(Vec<file::DatedField>),
}

/// The value of a payload, none of whose strings is longer than `longest`.
pub(crate) fn restore(payload: &[u8], longest: u64) -> Result<Restored, Refusal> {
    unframed(unframe(payload).ok_or(Refusal::VersionOrChecksum)?, longest)
}

/// The value of a type and what follows it.
fn unframed(value: &[u8], longest: u64) -> Result<Restored, Refusal> {
    let mut reader = Reader(value);
    let value = match reader.byte().ok_or(Refusal::Format)? {
        shape::STRING => Restored::String(reader.string(longest).ok_or(Refusal::Format)?),
        kind @ (streams::TYPE_FIRST | streams::TYPE_SECOND | streams::TYPE_THIRD) => {
            Restored::Stream(streams::read(kind, &mut reader, longest).ok_or(Refusal::Format)?)
        }
        kind if dated::is_dated(kind) => Restored::Dated(dated::read(kind, &mut reader, longest)?),
        kind => Restored::Collection(collections::read(kind, &mut reader, longest)?),
    };
    if reader.0.is_empty() { Ok(value) } else { Err(Refusal::Format) }
}

/// The value if it is the text of an integer of 32 bits.
fn short_integer(value: &[u8]) -> Option<i32> {
    if value.len() > 11 {
        return None;
    }
    crate::number::parse_integer(value).and_then(|integer| i32::try_from(integer).ok())
}

fn write_integer(payload: &mut Vec<u8>, integer: i32) {
    if let Ok(integer) = i8::try_from(integer) {
        payload.push(0xc0);
        payload.extend_from_slice(&integer.to_le_bytes());
    } else if let Ok(integer) = i16::try_from(integer) {
        payload.push(0xc1);
        payload.extend_from_slice(&integer.to_le_bytes());
    } else {
        payload.push(0xc2);
        payload.extend_from_slice(&integer.to_le_bytes());
    }
}

/// A string, compressed if that makes it shorter.
fn write_bytes(payload: &mut Vec<u8>, value: &[u8]) {
    let compressed = if value.len() < COMPRESSED_BYTES_MIN { None } else { lzf::compress(value) };
    match compressed {
        Some(compressed) => {
            payload.push(0xc3);
            write_length(payload, compressed.len() as u64);
            write_length(payload, value.len() as u64);
            payload.extend_from_slice(&compressed);
        }
        None => {
            write_length(payload, value.len() as u64);
            payload.extend_from_slice(value);
        }
    }
}

fn write_length(payload: &mut Vec<u8>, len: u64) {
    match len {
        0..0x40 => payload.push(len as u8),
        0x40..0x4000 => payload.extend_from_slice(&[0x40 | (len >> 8) as u8, len as u8]),
        0x4000..0x1_0000_0000 => {
            payload.push(0x80);
            payload.extend_from_slice(&(len as u32).to_be_bytes());
        }
        _ => {
            payload.push(0x81);
            payload.extend_from_slice(&len.to_be_bytes());
        }
    }
}

struct Reader<'a>(&'a [u8]);

enum Length {
    Plain(u64),
    Encoded(u8),
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn bytes(&mut self, len: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    fn length(&mut self) -> Option<Length> {
        let first = self.byte()?;
        Some(match first >> 6 {
            0 => Length::Plain(u64::from(first & 0x3f)),
            1 => Length::Plain(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?)),
            2 if first == 0x80 => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
            2 if first == 0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
            2 => return None,
            _ => Length::Encoded(first & 0x3f),
        })
    }

    fn plain_length(&mut self) -> Option<u64> {
        match self.length()? {
            Length::Plain(len) => Some(len),
            Length::Encoded(_) => None,
        }
    }

    fn string(&mut self, longest: u64) -> Option<Vec<u8>> {
        let integer = match self.length()? {
            Length::Plain(len) => return Some(self.bytes(len)?.to_vec()),
            Length::Encoded(0) => i32::from(i8::from_le_bytes(self.array()?)),
            Length::Encoded(1) => i32::from(i16::from_le_bytes(self.array()?)),
            Length::Encoded(2) => i32::from_le_bytes(self.array()?),
            Length::Encoded(3) => {
                let (compressed, len) = (self.plain_length()?, self.plain_length()?);
                return lzf::decompress(self.bytes(compressed)?, len.min(longest.saturating_add(1)), len);
            }
            Length::Encoded(_) => return None,
        };
        Some(integer.to_string().into_bytes())
    }
}

/// The CRC64 of the Jones polynomial, reflected, from 0.
fn crc64(bytes: &[u8]) -> u64 {
    crc64_on(0, bytes)
}

/// The checksum of what `crc` is the checksum of, and these bytes.
fn crc64_on(mut crc: u64, bytes: &[u8]) -> u64 {
    let mut eights = bytes.chunks_exact(8);
    for eight in &mut eights {
        for (at, byte) in eight.iter().enumerate() {
            crc ^= u64::from(*byte) << (8 * at);
        }
        let word = crc.to_le_bytes();
        crc = word.iter().zip(CRC64.iter().rev()).fold(0, |crc, (byte, table)| crc ^ table[usize::from(*byte)]);
    }
    eights.remainder().iter().fold(crc, |crc, &byte| CRC64[0][usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

/// Of each table, what a byte comes to after as many zero bytes as is its number.
static CRC64: [[u64; 256]; 8] = crc64_tables();

const fn crc64_tables() -> [[u64; 256]; 8] {
    const POLYNOMIAL: u64 = 0xad93_d235_94c9_35a9u64.reverse_bits();
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 64 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
            if bit % 8 == 0 {
                tables[bit / 8 - 1][byte] = crc;
            }
        }
        byte += 1;
    }
    tables
}
