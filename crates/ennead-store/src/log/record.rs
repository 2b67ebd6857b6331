//! One batch in the log, as bytes. See docs/file-format.md.
//!
//! The checksum is seeded with its segment's salt, so that what an earlier use of the file left behind, or a value that
//! imitates a record, is never taken for one. The decoder reads only what is there and allocates nothing for what is
//! merely announced.

use serde::{Deserialize, Serialize};

use crate::WriteBatch;
use crate::batch::rows::{Row, Rows};
use crate::store::Sequence;

/// Bytes before a record's header: length, checksum, sequence, header length.
pub(crate) const FIXED_BYTES: usize = 20;

/// The largest record, bytes. A larger batch is refused before it is committed.
pub(crate) const RECORD_BYTES_MAX: usize = 1 << 30;

/// What is written before a record's rows, as a MessagePack array in this order.
#[derive(Debug, Clone, Copy, Serialize)]
struct HeaderOut<'a> {
    rows: u32,
    time_ms: Option<u64>,
    durable: Option<Sequence>,
    tallies: &'a [(u32, i64)],
    #[serde(with = "serde_bytes")]
    event: &'a [u8],
}

/// What a record says besides its rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Header<'a> {
    pub(crate) rows: u32,
    /// Wall time when the group it was handed over with began, milliseconds; only where it differs from the record before.
    pub(crate) time_ms: Option<u64>,
    /// Everything up to here was durable when this record was written; only where it differs from the record before.
    pub(crate) durable: Option<Sequence>,
    pub(crate) tallies: Vec<(u32, i64)>,
    #[serde(borrow, with = "serde_bytes")]
    pub(crate) event: &'a [u8],
}

/// A decoded record.
#[derive(Debug, Clone)]
pub(crate) struct Record<'a> {
    pub(crate) sequence: Sequence,
    pub(crate) header: Header<'a>,
    rows: &'a [u8],
    /// Bytes from the record's begin to the next record.
    pub(crate) bytes: usize,
}

impl<'a> Record<'a> {
    /// The rows; all of them decode, that was checked.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        Rows::new(self.rows).map_while(Result::ok)
    }

    /// The rows, encoded.
    pub(crate) fn row_bytes(&self) -> &'a [u8] {
        self.rows
    }
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// A length of zero: nothing was written here.
    #[error("nothing was written here")]
    Nothing,
    /// The record would end after the bytes that are there; so many bytes would be needed.
    #[error("it ends after {0} bytes, where the file does not reach")]
    Short(usize),
    #[error("its checksum does not match")]
    Checksum,
    /// The checksum matches what is not a record of this version.
    #[error("its contents are malformed")]
    Malformed,
}

/// Appends the record of a batch to `to`.
pub(crate) fn encode(
    to: &mut Vec<u8>,
    salt: u32,
    sequence: Sequence,
    time_ms: Option<u64>,
    durable: Option<Sequence>,
    batch: &WriteBatch,
) {
    let start = to.len();
    to.reserve(FIXED_BYTES + 48 + batch.bytes());
    to.extend_from_slice(&[0; FIXED_BYTES]);
    let header = HeaderOut { rows: batch.count(), time_ms, durable, tallies: batch.tallies(), event: batch.event() };
    #[expect(clippy::expect_used, reason = "numbers and bytes into a Vec cannot fail")]
    rmp_serde::encode::write(to, &header).expect("a header is written to memory");
    let header_bytes = (to.len() - start - FIXED_BYTES) as u32;
    to.extend_from_slice(batch.encoded());
    let record = &mut to[start..];
    let length = (record.len() - 8) as u32;
    record[..4].copy_from_slice(&length.to_le_bytes());
    record[8..16].copy_from_slice(&sequence.to_le_bytes());
    record[16..20].copy_from_slice(&header_bytes.to_le_bytes());
    let checksum = checksum(salt, record);
    record[4..8].copy_from_slice(&checksum.to_le_bytes());
}

/// The checksum of a whole record: over its length and all that follows the checksum itself.
pub(crate) fn checksum(salt: u32, record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(salt, &record[..4]), &record[8..])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

/// The length of the record at the begin of `bytes`, if a whole one with the right checksum is there.
pub(crate) fn frame(bytes: &[u8], salt: u32) -> Result<usize, Fault> {
    if bytes.len() < 4 {
        return Err(if bytes.iter().all(|byte| *byte == 0) { Fault::Nothing } else { Fault::Short(4) });
    }
    let length = u32_at(bytes, 0) as usize;
    if length == 0 {
        return Err(Fault::Nothing);
    }
    if !(FIXED_BYTES - 8..=RECORD_BYTES_MAX + 4096).contains(&length) {
        return Err(Fault::Malformed);
    }
    let Some(record) = bytes.get(..length + 8) else { return Err(Fault::Short(length + 8)) };
    if checksum(salt, record) != u32_at(record, 4) {
        return Err(Fault::Checksum);
    }
    Ok(record.len())
}

/// Decodes a whole record whose checksum is right.
pub(crate) fn parse(record: &[u8]) -> Result<Record<'_>, Fault> {
    let header_bytes = u32_at(record, 16) as usize;
    let Some((header, rows)) = record.get(FIXED_BYTES..).and_then(|rest| rest.split_at_checked(header_bytes)) else {
        return Err(Fault::Malformed);
    };
    let header: Header<'_> = rmp_serde::from_slice(header).map_err(|_| Fault::Malformed)?;
    let mut count = 0u32;
    for row in Rows::new(rows) {
        row.map_err(|_| Fault::Malformed)?;
        count += 1;
    }
    if count != header.rows {
        return Err(Fault::Malformed);
    }
    Ok(Record { sequence: u64_at(record, 8), header, rows, bytes: record.len() })
}

/// Decodes the record at the begin of `bytes`.
pub(crate) fn decode(bytes: &[u8], salt: u32) -> Result<Record<'_>, Fault> {
    parse(&bytes[..frame(bytes, salt)?])
}
