//! The extent of a stream in a snapshot file. What is in it is the business of whoever restores the payload.
//!
//! A number of nodes, each an identifier and a listpack; how many entries, the last identifier (two numbers); from type 19
//! on the first identifier, the highest deleted one, and how many entries were ever added. Then a number of groups: name,
//! last identifier, from type 19 on entries read; a number of pending entries (16 bytes, a time of 8, a count); a number of
//! consumers: name, a time, from type 21 on another; a number of pending entries (16 bytes).

use std::io::Read;

use super::Error;
use super::source::Source;
use crate::rdb::shape::{STREAM_COUNTED, STREAM_TIMED};

const IDENTIFIER: u64 = 16;
const TIME: u64 = 8;

/// Appends a stream of a type as it is written.
pub(super) fn read<R: Read>(source: &mut Source<R>, kind: u8, raw: &mut Vec<u8>) -> Result<(), Error> {
    for _ in 0..source.number(raw)? {
        source.string(raw)?;
        source.string(raw)?;
    }
    let counted = kind >= STREAM_COUNTED;
    for _ in 0..if counted { 8 } else { 3 } {
        source.number(raw)?;
    }
    for _ in 0..source.number(raw)? {
        source.string(raw)?;
        for _ in 0..if counted { 3 } else { 2 } {
            source.number(raw)?;
        }
        for _ in 0..source.number(raw)? {
            source.bytes(IDENTIFIER + TIME, raw)?;
            source.number(raw)?;
        }
        for _ in 0..source.number(raw)? {
            source.string(raw)?;
            source.bytes(if kind >= STREAM_TIMED { 2 * TIME } else { TIME }, raw)?;
            for _ in 0..source.number(raw)? {
                source.bytes(IDENTIFIER, raw)?;
            }
        }
    }
    Ok(())
}
