//! Collections as payloads: written in the plain forms that every version of Redis reads, one member after the other;
//! read in every form that a version up to 7.2 writes.

use super::shape::{self, shape};
use super::{Reader, Refusal, dated, frame, intset, write_length, write_string, ziplist, zipmap};
use crate::context::collections::View;
use crate::entry::Kind;
use crate::listpack;
use crate::number::double::parse_double;
use crate::object::Object;

/// A node of a list that is one element, as it is.
const NODE_PLAIN: u64 = 1;
const NODE_PACKED: u64 = 2;

/// Members of a collection, as they come from a payload or a snapshot file.
#[derive(Debug, Clone, PartialEq)]
pub enum Collection {
    /// Elements in their order.
    List(Vec<Vec<u8>>),
    /// Members.
    Set(Vec<Vec<u8>>),
    /// Fields and values.
    Hash(Vec<(Vec<u8>, Vec<u8>)>),
    /// Members and scores.
    Zset(Vec<(Vec<u8>, f64)>),
}

impl Collection {
    /// Members, or fields with their values.
    pub fn len(&self) -> usize {
        match self {
            Collection::List(items) | Collection::Set(items) => items.len(),
            Collection::Hash(fields) => fields.len(),
            Collection::Zset(members) => members.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no name is there twice.
    fn is_distinct(&self) -> bool {
        match self {
            Collection::List(_) => true,
            Collection::Set(members) => distinct(members.iter()),
            Collection::Hash(fields) => distinct(fields.iter().map(|(field, _)| field)),
            Collection::Zset(members) => distinct(members.iter().map(|(member, _)| member)),
        }
    }
}

/// A collection as payload. `kind` is its type in one piece.
pub(crate) fn dump(kind: Kind, view: View<'_>) -> Vec<u8> {
    let mut payload = Vec::new();
    match kind {
        Kind::Hash => {
            if let View::Long(Object::Hash(hash)) = view
                && hash.first_deadline() != 0
            {
                return dated::dump(hash);
            }
            payload.push(shape::HASH);
            write_length(&mut payload, view.pair_count() as u64);
            for (field, value) in view.fields() {
                write_string(&mut payload, field);
                write_string(&mut payload, value);
            }
        }
        Kind::Zset => {
            payload.push(shape::ZSET);
            write_length(&mut payload, view.pair_count() as u64);
            // Redis writes the highest first, which makes reading back an insertion at the front each time.
            let members: Vec<_> = view.members().collect();
            for (member, score) in members.into_iter().rev() {
                write_string(&mut payload, member);
                payload.extend_from_slice(&score.to_le_bytes());
            }
        }
        _ => {
            payload.push(if kind == Kind::List { shape::LIST } else { shape::SET });
            write_length(&mut payload, view.len() as u64);
            view.items().for_each(|item| write_string(&mut payload, item));
        }
    }
    frame(payload)
}

/// A collection of one of the types that hold one.
pub(super) fn read(kind: u8, reader: &mut Reader<'_>, longest: u64) -> Result<Collection, Refusal> {
    let shape = shape(kind).filter(|shape| shape.lead == 0).ok_or(Refusal::Format)?;
    let count = if shape.counted { reader.plain_length().ok_or(Refusal::Format)? } else { 1 };
    if count == 0 {
        return Err(Refusal::Empty);
    }
    let collection = members(kind, reader, count, longest).ok_or(Refusal::Format)?;
    if collection.is_empty() {
        return Err(Refusal::Empty);
    }
    if collection.is_distinct() { Ok(collection) } else { Err(Refusal::Format) }
}

/// So many members, or nodes of members, as they follow each other; none when they are not sound. Whether a name is there
/// twice is not looked at.
pub(super) fn members(kind: u8, reader: &mut Reader<'_>, count: u64, longest: u64) -> Option<Collection> {
    // Memory follows what is there, not what is announced.
    match kind {
        shape::LIST => strings(reader, count, longest).map(Collection::List),
        shape::SET => strings(reader, count, longest).map(Collection::Set),
        shape::HASH => (0..count)
            .map(|_| Some((reader.string(longest)?, reader.string(longest)?)))
            .collect::<Option<_>>()
            .map(Collection::Hash),
        shape::ZSET | shape::ZSET_TEXT => (0..count)
            .map(|_| {
                let member = reader.string(longest)?;
                let score = if kind == shape::ZSET { f64::from_le_bytes(reader.array()?) } else { text(reader)? };
                (!score.is_nan()).then_some((member, score))
            })
            .collect::<Option<_>>()
            .map(Collection::Zset),
        shape::LIST_ZIPLIST | shape::LIST_ZIPLISTS | shape::LIST_NODES => {
            nodes(kind, reader, count, longest).map(Collection::List)
        }
        shape::SET_INTSET => intset::members(&reader.string(longest)?).map(Collection::Set),
        shape::SET_LISTPACK => listpack::texts(&reader.string(longest)?).map(Collection::Set),
        shape::HASH_ZIPMAP => pairs(zipmap::items(&reader.string(longest)?)?).map(Collection::Hash),
        shape::HASH_ZIPLIST => pairs(ziplist::items(&reader.string(longest)?)?).map(Collection::Hash),
        shape::HASH_LISTPACK => pairs(listpack::texts(&reader.string(longest)?)?).map(Collection::Hash),
        shape::ZSET_ZIPLIST => scored(ziplist::items(&reader.string(longest)?)?).map(Collection::Zset),
        shape::ZSET_LISTPACK => scored(listpack::texts(&reader.string(longest)?)?).map(Collection::Zset),
        _ => None,
    }
}

fn strings(reader: &mut Reader<'_>, count: u64, longest: u64) -> Option<Vec<Vec<u8>>> {
    (0..count).map(|_| reader.string(longest)).collect()
}

/// The elements of a list's nodes.
fn nodes(kind: u8, reader: &mut Reader<'_>, count: u64, longest: u64) -> Option<Vec<Vec<u8>>> {
    let mut elements = Vec::new();
    for _ in 0..count {
        let form = if kind == shape::LIST_NODES { Some(reader.plain_length()?) } else { None };
        let node = reader.string(longest)?;
        match form {
            None => elements.append(&mut ziplist::items(&node)?),
            Some(NODE_PACKED) => elements.append(&mut listpack::texts(&node)?),
            Some(NODE_PLAIN) if !node.is_empty() => elements.push(node),
            Some(_) => return None,
        }
    }
    Some(elements)
}

fn pairs(items: Vec<Vec<u8>>) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut pairs = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let Some(field) = items.next() {
        pairs.push((field, items.next()?));
    }
    Some(pairs)
}

fn scored(items: Vec<Vec<u8>>) -> Option<Vec<(Vec<u8>, f64)>> {
    pairs(items)?.into_iter().map(|(member, score)| Some((member, parse_double(&score)?))).collect()
}

/// A score as text.
fn text(reader: &mut Reader<'_>) -> Option<f64> {
    match reader.byte()? {
        253 => None,
        254 => Some(f64::INFINITY),
        255 => Some(f64::NEG_INFINITY),
        len => parse_double(reader.bytes(len.into())?),
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a Vec<u8>>) -> bool {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().all(|name| seen.insert(name))
}
