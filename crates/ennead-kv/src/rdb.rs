//! The payload of DUMP and RESTORE: one value in the form of Redis's snapshot files, with a version and a checksum.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | type: 0 for a string, for others see `rdb/collections.rs` and `rdb/streams.rs` |
//! | n | the value; a string is a length and its bytes, an integer, or compressed |
//! | 2 | version of the form, u16 LE |
//! | 8 | CRC64 of everything before, u64 LE |

mod collections;
mod lzf;
mod streams;
#[cfg(test)]
mod tests;

pub(crate) use collections::{Collection, dump as dump_collection};
pub(crate) use streams::{RestoredStream, dump as dump_stream};

/// The version written, that of Redis 7.0, which refuses newer ones; strings are the same in all.
const VERSION_WRITTEN: u16 = 10;
/// The newest version read, that of Redis 7.2.
const VERSION_READ: u16 = 11;
const TYPE_STRING: u8 = 0;
/// Shorter strings are not compressed.
const COMPRESSED_BYTES_MIN: usize = 21;

/// Why a payload is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    VersionOrChecksum,
    Format,
}

/// A string as payload.
pub(crate) fn dump_string(value: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(value.len() + 16);
    payload.push(TYPE_STRING);
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
fn frame(mut payload: Vec<u8>) -> Vec<u8> {
    payload.extend_from_slice(&VERSION_WRITTEN.to_le_bytes());
    let checksum = crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// What a payload holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Restored {
    String(Vec<u8>),
    Collection(Collection),
    Stream(RestoredStream),
}

/// The value of a payload, none of whose strings is longer than `longest`.
pub(crate) fn restore(payload: &[u8], longest: u64) -> Result<Restored, Refusal> {
    let (body, checksum) = payload.split_last_chunk::<8>().ok_or(Refusal::VersionOrChecksum)?;
    let (value, version) = body.split_last_chunk::<2>().ok_or(Refusal::VersionOrChecksum)?;
    let checksum = u64::from_le_bytes(*checksum);
    // Redis writes 0 when checksums are switched off.
    if u16::from_le_bytes(*version) > VERSION_READ || (checksum != 0 && checksum != crc64(body)) {
        return Err(Refusal::VersionOrChecksum);
    }
    let mut reader = Reader(value);
    let value = match reader.byte() {
        Some(TYPE_STRING) => reader.string(longest).map(Restored::String),
        Some(kind @ (streams::TYPE_FIRST | streams::TYPE_SECOND | streams::TYPE_THIRD)) => {
            streams::read(kind, &mut reader, longest).map(Restored::Stream)
        }
        Some(kind) => collections::read(kind, &mut reader, longest).map(Restored::Collection),
        None => None,
    };
    value.filter(|_| reader.0.is_empty()).ok_or(Refusal::Format)
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
    bytes.iter().fold(0, |crc, &byte| CRC64[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

static CRC64: [u64; 256] = crc64_table();

const fn crc64_table() -> [u64; 256] {
    const POLYNOMIAL: u64 = 0xad93_d235_94c9_35a9u64.reverse_bits();
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}
