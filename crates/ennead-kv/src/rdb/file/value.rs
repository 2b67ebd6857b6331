//! The value of a key in a snapshot file: whole, as a payload, or piece by piece.

use std::io::Read as Input;

use super::source::{Length, Source};
use super::{Error, Limits, Piece, Value, modules, streams};
use crate::rdb::shape::{self, Atom, Shape, shape};
use crate::rdb::{Reader, Refusal, collections, dated, frame_of, unframed};

/// A value with fewer bytes is looked into, in case there is nothing in it.
const EMPTY_BYTES_MAX: usize = 64;

/// A value, or its beginning.
pub(super) struct Read {
    pub(super) kind: &'static str,
    pub(super) value: Value,
    pub(super) rest: Option<Rest>,
}

/// What of a value is still to come.
#[derive(Debug)]
pub(super) enum Rest {
    /// So many bytes of a string.
    Bytes(u64),
    Members {
        kind: u8,
        shape: Shape,
        /// Members, or nodes, of which the last `ahead` are read already.
        left: u64,
        ahead: u64,
        raw: Vec<u8>,
        /// The first deadline of the fields.
        first: u64,
    },
}

pub(super) fn read<R: Input>(source: &mut Source<R>, kind: u8, key: &[u8], limits: Limits) -> Result<Read, Error> {
    let whole = |kind, value| Ok(Read { kind, value, rest: None });
    match kind {
        shape::MODULE | shape::MODULE_OLD => {
            let name = modules::value(source, kind, key)?;
            whole("module", Value::Foreign(name))
        }
        shape::STREAM | shape::STREAM_COUNTED | shape::STREAM_TIMED => {
            let mut payload = vec![kind];
            streams::read(source, kind, &mut payload)?;
            whole("stream", Value::Payload(frame_of(payload)))
        }
        _ => match shape(kind) {
            Some(shape) => shaped(source, kind, shape, limits),
            None => Err(source.damaged(format!("or new: key {} has the unknown type {kind}", key.escape_ascii()))),
        },
    }
}

fn shaped<R: Input>(source: &mut Source<R>, kind: u8, shape: Shape, limits: Limits) -> Result<Read, Error> {
    let name = type_name(kind);
    let mut lead = Vec::new();
    source.bytes(shape.lead as u64, &mut lead)?;
    let first = lead.first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mut raw = vec![kind];
    if kind == shape::STRING {
        match source.length(&mut raw)? {
            Length::Plain(len) if len > limits.whole_bytes_max as u64 => {
                return Ok(Read { kind: name, value: Value::Pieces, rest: Some(Rest::Bytes(len)) });
            }
            Length::Plain(len) => source.bytes(len, &mut raw)?,
            Length::Form(form) => source.string_of_form(form, &mut raw)?,
        }
        return Ok(Read { kind: name, value: Value::Payload(frame_of(raw)), rest: None });
    }
    let count = if shape.counted { source.number(&mut raw)? } else { 1 };
    let head = raw.len();
    // No payload of these types is understood by a Redis of 7.2.
    let in_pieces = dated::is_dated(kind);
    for done in 0..count {
        member(source, shape.member, &mut raw)?;
        let large = shape.counted && raw.len() > limits.whole_bytes_max;
        if in_pieces || large {
            let raw = raw.split_off(head);
            let rest = Rest::Members { kind, shape, left: count, ahead: done + 1, raw, first };
            return Ok(Read { kind: name, value: Value::Pieces, rest: Some(rest) });
        }
    }
    let empty = count == 0 || raw.len() < EMPTY_BYTES_MAX && matches!(unframed(&raw, u64::MAX), Err(Refusal::Empty));
    let value = if empty { Value::Empty } else { Value::Payload(frame_of(raw)) };
    Ok(Read { kind: name, value, rest: None })
}

/// Appends one member, or node.
fn member<R: Input>(source: &mut Source<R>, atoms: &[Atom], raw: &mut Vec<u8>) -> Result<(), Error> {
    for atom in atoms {
        match atom {
            Atom::String => source.string(raw)?,
            Atom::Number => drop(source.number(raw)?),
            Atom::Double => source.bytes(8, raw)?,
            Atom::Text => {
                source.bytes(1, raw)?;
                let len = raw.last().copied().unwrap_or_default();
                source.bytes(if len > 252 { 0 } else { len.into() }, raw)?;
            }
        }
    }
    Ok(())
}

impl Rest {
    /// The next piece of about so many bytes; none after the last.
    pub(super) fn next<R: Input>(&mut self, source: &mut Source<R>, bytes: usize) -> Result<Option<Piece>, Error> {
        match self {
            Rest::Bytes(0) => Ok(None),
            Rest::Bytes(left) => {
                let len = (*left).min(bytes as u64);
                let mut piece = Vec::new();
                source.bytes(len, &mut piece)?;
                *left -= len;
                Ok(Some(Piece::Bytes(piece)))
            }
            Rest::Members { kind, shape, left, ahead, raw, first } => {
                while *ahead < *left && raw.len() < bytes {
                    member(source, shape.member, raw)?;
                    *ahead += 1;
                }
                if *left == 0 {
                    return Ok(None);
                }
                let mut reader = Reader(raw);
                let piece = if dated::is_dated(*kind) {
                    dated::fields(*kind, &mut reader, *ahead, *first, u64::MAX).map(Piece::Deadlines)
                } else {
                    collections::members(*kind, &mut reader, *ahead, u64::MAX).map(Piece::Members)
                };
                let piece = piece.ok_or_else(|| source.damaged(format!("in a {}", type_name(*kind))))?;
                *left -= *ahead;
                *ahead = 0;
                raw.clear();
                Ok(Some(piece))
            }
        }
    }
}

fn type_name(kind: u8) -> &'static str {
    match kind {
        shape::STRING => "string",
        shape::LIST | shape::LIST_ZIPLIST | shape::LIST_ZIPLISTS | shape::LIST_NODES => "list",
        shape::SET | shape::SET_INTSET | shape::SET_LISTPACK => "set",
        shape::ZSET | shape::ZSET_TEXT | shape::ZSET_ZIPLIST | shape::ZSET_LISTPACK => "zset",
        _ => "hash",
    }
}
