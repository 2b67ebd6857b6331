//! The value of a row of history: the message `mvccpb.KeyValue`, as etcd stores it, so that hashes over both compare.
//!
//! A tombstone is one with nothing but its key; a key that is there has a version of at least 1.

use bytes::{Buf, Bytes};
use prost::Message;
use prost::encoding::{DecodeContext, decode_key, decode_varint, skip_field};

use crate::api::mvccpb::KeyValue;
use crate::error::{Error, Result};
use crate::index::Generation;

/// What the index and the leases need to know of a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) key: &'a [u8],
    /// None for a tombstone.
    pub(crate) generation: Option<Generation>,
    pub(crate) lease: i64,
}

const KEY: u32 = 1;
const CREATE_REVISION: u32 = 2;
const VERSION: u32 = 4;
const LEASE: u32 = 6;

/// Reads what comes before and behind the value, without copying.
pub(crate) fn head(mut row: &[u8]) -> Result<Head<'_>> {
    let mut head = Head { key: &[], generation: None, lease: 0 };
    let (mut created, mut version) = (0, 0);
    while row.has_remaining() {
        let (field, wire) = decode_key(&mut row).map_err(damaged)?;
        match field {
            KEY => {
                let length = decode_varint(&mut row).map_err(damaged)? as usize;
                (head.key, row) = row.split_at_checked(length).ok_or(Error::Corrupt)?;
            }
            CREATE_REVISION => created = decode_varint(&mut row).map_err(damaged)? as i64,
            VERSION => version = decode_varint(&mut row).map_err(damaged)? as i64,
            LEASE => head.lease = decode_varint(&mut row).map_err(damaged)? as i64,
            _ => skip_field(wire, field, &mut row, DecodeContext::default()).map_err(damaged)?,
        }
    }
    head.generation = (version > 0).then_some(Generation { created, version });
    Ok(head)
}

/// The whole row; key and value share its memory.
pub(crate) fn decode(row: Vec<u8>) -> Result<KeyValue> {
    KeyValue::decode(Bytes::from(row)).map_err(damaged)
}

fn damaged(error: prost::DecodeError) -> Error {
    Error::Store(format!("a row of the history is damaged: {error}"))
}

#[cfg(test)]
mod tests;
