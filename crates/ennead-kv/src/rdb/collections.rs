//! Collections as payloads: written in the plain forms that every version of Redis reads, one member after the other.

use super::{Reader, frame, write_length, write_string};
use crate::context::collections::View;
use crate::entry::Kind;

pub(super) const TYPE_LIST: u8 = 1;
pub(super) const TYPE_SET: u8 = 2;
pub(super) const TYPE_HASH: u8 = 4;
/// Scores as eight bytes.
pub(super) const TYPE_ZSET: u8 = 5;

/// A collection as it comes from a payload: elements, members, fields and values in turn, or members and scores.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Collection {
    List(Vec<Vec<u8>>),
    Set(Vec<Vec<u8>>),
    Hash(Vec<(Vec<u8>, Vec<u8>)>),
    Zset(Vec<(Vec<u8>, f64)>),
}

/// A collection as payload. `kind` is its type in one piece.
pub(crate) fn dump(kind: Kind, view: View<'_>) -> Vec<u8> {
    let mut payload = Vec::new();
    match kind {
        Kind::Hash => {
            payload.push(TYPE_HASH);
            write_length(&mut payload, view.pair_count() as u64);
            for (field, value) in view.fields() {
                write_string(&mut payload, field);
                write_string(&mut payload, value);
            }
        }
        Kind::Zset => {
            payload.push(TYPE_ZSET);
            write_length(&mut payload, view.pair_count() as u64);
            // Redis writes the highest first, which makes reading back an insertion at the front each time.
            let members: Vec<_> = view.members().collect();
            for (member, score) in members.into_iter().rev() {
                write_string(&mut payload, member);
                payload.extend_from_slice(&score.to_le_bytes());
            }
        }
        _ => {
            payload.push(if kind == Kind::List { TYPE_LIST } else { TYPE_SET });
            write_length(&mut payload, view.len() as u64);
            view.items().for_each(|item| write_string(&mut payload, item));
        }
    }
    frame(payload)
}

/// A collection of one of the types above; none for a payload that is not sound: cut off, empty, or with a member twice.
pub(super) fn read(kind: u8, reader: &mut Reader<'_>, longest: u64) -> Option<Collection> {
    let len = reader.plain_length().filter(|len| *len > 0)?;
    // Memory follows what is there, not what is announced.
    match kind {
        TYPE_LIST => (0..len).map(|_| reader.string(longest)).collect::<Option<_>>().map(Collection::List),
        TYPE_SET => {
            let members: Vec<Vec<u8>> = (0..len).map(|_| reader.string(longest)).collect::<Option<_>>()?;
            distinct(members.iter()).then_some(Collection::Set(members))
        }
        TYPE_HASH => {
            let fields: Vec<(Vec<u8>, Vec<u8>)> =
                (0..len).map(|_| Some((reader.string(longest)?, reader.string(longest)?))).collect::<Option<_>>()?;
            distinct(fields.iter().map(|(field, _)| field)).then_some(Collection::Hash(fields))
        }
        TYPE_ZSET => {
            let members: Vec<(Vec<u8>, f64)> = (0..len)
                .map(|_| Some((reader.string(longest)?, f64::from_le_bytes(reader.array()?))))
                .collect::<Option<_>>()?;
            let sound = members.iter().all(|(_, score)| !score.is_nan()) && distinct(members.iter().map(|(m, _)| m));
            sound.then_some(Collection::Zset(members))
        }
        _ => None,
    }
}

fn distinct<'a>(names: impl Iterator<Item = &'a Vec<u8>>) -> bool {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().all(|name| seen.insert(name))
}
