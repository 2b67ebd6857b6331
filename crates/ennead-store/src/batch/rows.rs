//! Rows as bytes, in a batch and in a log record alike.
//!
//! | op | row |
//! |---|---|
//! | 1 put | table, key length, value length, key, value |
//! | 2 delete | table, key length, key |
//! | 3 delete range | table, start length, end length + 1 or 0 for no end, start, end |
//! | 4 create table | table, kind byte, name length, name |
//! | 5 drop table | table, kind byte, name length, name |
//! | 6 merge | table, key length, operand length, key, operand |
//! | 7 put with its time | as put; the value begins with 8 bytes, the time it was written |
//!
//! The name of a table with a merge operator is followed by a zero byte and the operator's name; that of one with a time
//! to live by a zero byte, `ttl_ms=` and milliseconds.
//!
//! The op is one byte; tables and lengths are LEB128 varints of at most 32 bits. The decoder trusts nothing: it never
//! reads past its slice and never allocates.

use crate::lifetime::STAMP_BYTES;

const PUT: u8 = 1;
const DELETE: u8 = 2;
const DELETE_RANGE: u8 = 3;
const CREATE_TABLE: u8 = 4;
const DROP_TABLE: u8 = 5;
const MERGE: u8 = 6;
const PUT_STAMPED: u8 = 7;

/// A decoded row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Row<'a> {
    Put {
        table: u32,
        key: &'a [u8],
        value: &'a [u8],
    },
    /// The value begins with the time it was written.
    PutStamped {
        table: u32,
        key: &'a [u8],
        value: &'a [u8],
    },
    Delete {
        table: u32,
        key: &'a [u8],
    },
    DeleteRange {
        table: u32,
        start: &'a [u8],
        end: Option<&'a [u8]>,
    },
    CreateTable {
        table: u32,
        kind: u8,
        name: &'a str,
    },
    DropTable {
        table: u32,
        kind: u8,
        name: &'a str,
    },
    Merge {
        table: u32,
        key: &'a [u8],
        operand: &'a [u8],
    },
}

/// Bytes that are no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed row at byte {0} of its record's rows")]
pub(crate) struct Malformed(pub(crate) usize);

fn push_varint(to: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

// Keys and values longer than 4 GiB are refused by the limit on a record long before they are written.
fn push_length(to: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(to, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
}

pub(crate) fn encode_put(to: &mut Vec<u8>, table: u32, key: &[u8], value: &[u8]) {
    encode_pair(to, PUT, table, key, value);
}

pub(crate) fn encode_merge(to: &mut Vec<u8>, table: u32, key: &[u8], operand: &[u8]) {
    encode_pair(to, MERGE, table, key, operand);
}

/// A put into a table with a time to live, written at `now_ms`.
pub(crate) fn encode_stamped(to: &mut Vec<u8>, table: u32, key: &[u8], now_ms: u64, value: &[u8]) {
    to.reserve(key.len() + value.len() + 20);
    to.push(PUT_STAMPED);
    push_varint(to, table);
    push_length(to, key);
    push_varint(to, u32::try_from(value.len() + STAMP_BYTES).unwrap_or(u32::MAX));
    to.extend_from_slice(key);
    to.extend_from_slice(&now_ms.to_le_bytes());
    to.extend_from_slice(value);
}

fn encode_pair(to: &mut Vec<u8>, op: u8, table: u32, key: &[u8], value: &[u8]) {
    to.reserve(key.len() + value.len() + 12);
    to.push(op);
    push_varint(to, table);
    push_length(to, key);
    push_length(to, value);
    to.extend_from_slice(key);
    to.extend_from_slice(value);
}

pub(crate) fn encode_delete(to: &mut Vec<u8>, table: u32, key: &[u8]) {
    to.push(DELETE);
    push_varint(to, table);
    push_length(to, key);
    to.extend_from_slice(key);
}

pub(crate) fn encode_delete_range(to: &mut Vec<u8>, table: u32, start: &[u8], end: Option<&[u8]>) {
    to.push(DELETE_RANGE);
    push_varint(to, table);
    push_length(to, start);
    push_varint(to, end.map_or(0, |end| u32::try_from(end.len()).unwrap_or(u32::MAX - 1) + 1));
    to.extend_from_slice(start);
    to.extend_from_slice(end.unwrap_or_default());
}

pub(crate) fn encode_create_table(to: &mut Vec<u8>, table: u32, kind: u8, name: &str) {
    encode_catalogue(to, CREATE_TABLE, table, kind, name);
}

pub(crate) fn encode_drop_table(to: &mut Vec<u8>, table: u32, kind: u8, name: &str) {
    encode_catalogue(to, DROP_TABLE, table, kind, name);
}

fn encode_catalogue(to: &mut Vec<u8>, op: u8, table: u32, kind: u8, name: &str) {
    to.push(op);
    push_varint(to, table);
    to.push(kind);
    push_length(to, name.as_bytes());
    to.extend_from_slice(name.as_bytes());
}

/// Iterates over encoded rows; after the first malformed one it ends.
#[derive(Debug, Clone)]
pub(crate) struct Rows<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Rows { rest: bytes, length: bytes.len() }
    }

    /// The byte at which the next row starts.
    pub(crate) fn offset(&self) -> usize {
        self.length - self.rest.len()
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    #[inline]
    fn varint(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                return None;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn bytes(&mut self, length: u32) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length as usize)?;
        self.rest = rest;
        Some(bytes)
    }

    fn catalogue(&mut self) -> Option<(u32, u8, &'a str)> {
        let table = self.varint()?;
        let kind = self.byte()?;
        let length = self.varint()?;
        Some((table, kind, std::str::from_utf8(self.bytes(length)?).ok()?))
    }

    fn row(&mut self) -> Option<Row<'a>> {
        match self.byte()? {
            PUT => {
                let table = self.varint()?;
                let key = self.varint()?;
                let value = self.varint()?;
                Some(Row::Put { table, key: self.bytes(key)?, value: self.bytes(value)? })
            }
            PUT_STAMPED => {
                let table = self.varint()?;
                let key = self.varint()?;
                let value = self.varint()?;
                let (key, value) = (self.bytes(key)?, self.bytes(value)?);
                (value.len() >= STAMP_BYTES).then_some(Row::PutStamped { table, key, value })
            }
            DELETE => {
                let table = self.varint()?;
                let key = self.varint()?;
                Some(Row::Delete { table, key: self.bytes(key)? })
            }
            DELETE_RANGE => {
                let table = self.varint()?;
                let start = self.varint()?;
                let end = self.varint()?;
                let start = self.bytes(start)?;
                let end = match end.checked_sub(1) {
                    Some(length) => Some(self.bytes(length)?),
                    None => None,
                };
                Some(Row::DeleteRange { table, start, end })
            }
            MERGE => {
                let table = self.varint()?;
                let key = self.varint()?;
                let operand = self.varint()?;
                Some(Row::Merge { table, key: self.bytes(key)?, operand: self.bytes(operand)? })
            }
            CREATE_TABLE => self.catalogue().map(|(table, kind, name)| Row::CreateTable { table, kind, name }),
            DROP_TABLE => self.catalogue().map(|(table, kind, name)| Row::DropTable { table, kind, name }),
            _ => None,
        }
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let at = self.offset();
        match self.row() {
            Some(row) => Some(Ok(row)),
            None => {
                self.rest = &[];
                Some(Err(Malformed(at)))
            }
        }
    }
}
