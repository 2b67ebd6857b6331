//! Values that do not fit into an entry: they live in the slab of their slot, and each member has a row of its own in the
//! store. The row's key ends in the member's suffix: for a member of a set, hash or sorted set its name, for an element
//! of a list its position.

use crate::entry::Kind;
use crate::packed;
use crate::place::Placer;
use crate::sequence::Approach;

pub(crate) mod fields;
pub(crate) mod list;
pub(crate) mod stream;
#[cfg(test)]
mod tests;
pub(crate) mod zset;

use fields::Fields;
use list::List;
use stream::Stream;
use zset::Zset;

/// A value of a slot's slab.
#[derive(Debug)]
pub(crate) enum Object {
    LongString(LongString),
    List(List),
    /// A set's members are fields without values.
    Set(Fields),
    Hash(Fields),
    Zset(Zset),
    Stream(Stream),
}

/// A string kept in chunks on disk.
#[derive(Debug)]
pub(crate) struct LongString {
    /// The number its chunks are stored under.
    pub(crate) id: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Takes the suffix and the value of a row.
pub(crate) type RowVisitor<'v> = &'v mut dyn FnMut(&[u8], &[u8]);

impl Object {
    /// An empty collection of a kind that is kept as an object; none for strings.
    pub(crate) fn empty(kind: Kind, id: u64) -> Option<Object> {
        match kind {
            Kind::String | Kind::LongString => None,
            Kind::List | Kind::LongList => Some(Object::List(List::new(id))),
            Kind::Set | Kind::LongSet => Some(Object::Set(Fields::new(id))),
            Kind::Hash | Kind::LongHash => Some(Object::Hash(Fields::new(id))),
            Kind::Zset | Kind::LongZset => Some(Object::Zset(Zset::new(id))),
            Kind::Stream | Kind::LongStream => Some(Object::Stream(Stream::new(id))),
        }
    }

    /// A collection none of whose members is in memory; none for strings and streams.
    pub(crate) fn outline(kind: Kind, id: u64, len: usize) -> Option<Object> {
        let mut object = Object::empty(kind, id)?;
        *object.elsewhere_mut()? = len;
        Some(object)
    }

    /// How many members only the store has.
    pub(crate) fn elsewhere(&self) -> usize {
        match self {
            Object::LongString(_) | Object::Stream(_) => 0,
            Object::List(list) => list.elsewhere,
            Object::Set(fields) | Object::Hash(fields) => fields.elsewhere,
            Object::Zset(zset) => zset.elsewhere,
        }
    }

    fn elsewhere_mut(&mut self) -> Option<&mut usize> {
        match self {
            Object::LongString(_) | Object::Stream(_) => None,
            Object::List(list) => Some(&mut list.elsewhere),
            Object::Set(fields) | Object::Hash(fields) => Some(&mut fields.elsewhere),
            Object::Zset(zset) => Some(&mut zset.elsewhere),
        }
    }

    /// Whether memory has a member of a set, hash or sorted set, or knows what became of an element of a list.
    pub(crate) fn has(&self, placer: &Placer, member: &[u8]) -> bool {
        match self {
            Object::LongString(_) | Object::Stream(_) => false,
            Object::List(list) => list.knows(member),
            Object::Set(fields) | Object::Hash(fields) => fields.get(placer, member).is_some(),
            Object::Zset(zset) => zset.score(placer, member).is_some(),
        }
    }

    /// The members by their fragments, of a collection in which they are found by those.
    pub(crate) fn by_fragment(&self) -> Option<&dyn Approach> {
        match self {
            Object::LongString(_) | Object::List(_) | Object::Stream(_) => None,
            Object::Set(fields) | Object::Hash(fields) => Some(fields.by_fragment()),
            Object::Zset(zset) => Some(zset.by_fragment()),
        }
    }

    /// Takes in the row of a member that only the store had; whether it is one.
    pub(crate) fn take_in(&mut self, suffix: &[u8], value: &[u8], placer: &Placer) -> bool {
        let Some(left) = self.elsewhere().checked_sub(1) else { return false };
        if let Some(elsewhere) = self.elsewhere_mut() {
            *elsewhere = left;
        }
        self.admit(suffix, value, placer)
    }

    /// Adds what a packed collection of the same type has.
    pub(crate) fn unpack(&mut self, packed: &[u8], placer: &Placer) {
        match self {
            // A stream is never packed.
            Object::LongString(_) | Object::Stream(_) => {}
            Object::List(list) => packed::items(packed).for_each(|item| drop(list.push_back(item.bytes))),
            Object::Set(set) => packed::items(packed).for_each(|item| {
                set.set(placer, item.bytes, &[]);
            }),
            Object::Hash(hash) => packed::pairs(packed).for_each(|(field, value)| {
                hash.set(placer, field.bytes, value.bytes);
            }),
            Object::Zset(zset) => packed::pairs(packed).for_each(|(member, score)| {
                zset.set(placer, member.bytes, packed::score(score.bytes));
            }),
        }
    }

    /// Takes in a row of the store; whether it is one.
    pub(crate) fn admit(&mut self, suffix: &[u8], value: &[u8], placer: &Placer) -> bool {
        match self {
            Object::LongString(_) => false,
            Object::List(list) => list.admit(suffix, value),
            Object::Set(set) => {
                set.set(placer, suffix, &[]);
                true
            }
            Object::Hash(hash) => match fields::parse_row(value) {
                Some((value, deadline)) => {
                    hash.set(placer, suffix, value);
                    if deadline != 0 {
                        hash.set_deadline(placer, suffix, deadline);
                    }
                    true
                }
                None => false,
            },
            Object::Zset(zset) => match <[u8; 8]>::try_from(value) {
                Ok(score) => {
                    zset.set(placer, suffix, f64::from_le_bytes(score));
                    true
                }
                Err(_) => false,
            },
            Object::Stream(stream) => stream.admit(suffix, value),
        }
    }

    /// All rows of a collection.
    pub(crate) fn rows(&self, visit: RowVisitor<'_>) {
        match self {
            Object::LongString(_) => {}
            Object::List(list) => list.rows(visit),
            Object::Set(set) => set.iter().for_each(|(member, _)| visit(member, &[])),
            Object::Hash(hash) => {
                let mut row = Vec::new();
                for (field, value, deadline) in hash.iter_dated() {
                    visit(field, fields::row_value(&mut row, value, deadline));
                }
            }
            Object::Zset(zset) => zset.iter().for_each(|(member, score)| visit(member, &score.to_le_bytes())),
            Object::Stream(stream) => stream.rows(visit),
        }
    }

    /// The number its rows are stored under.
    pub(crate) fn id(&self) -> u64 {
        match self {
            Object::LongString(string) => string.id,
            Object::List(list) => list.id,
            Object::Set(fields) | Object::Hash(fields) => fields.id,
            Object::Zset(zset) => zset.id,
            Object::Stream(stream) => stream.id,
        }
    }

    /// When its first field goes, Unix ms; 0 when nothing of it goes by itself.
    pub(crate) fn first_deadline(&self) -> u64 {
        match self {
            Object::Hash(hash) => hash.first_deadline(),
            _ => 0,
        }
    }

    /// The deadline under which its slot knows it, 0 for none.
    pub(crate) fn noted_deadline(&self) -> u64 {
        match self {
            Object::Hash(hash) => hash.noted,
            _ => 0,
        }
    }

    /// Bytes of a string, members of a collection, entries of a stream.
    pub(crate) fn len(&self) -> usize {
        match self {
            Object::LongString(string) => string.bytes.len(),
            Object::List(list) => list.len(),
            Object::Set(fields) | Object::Hash(fields) => fields.len(),
            Object::Zset(zset) => zset.len(),
            Object::Stream(stream) => stream.len(),
        }
    }

    /// Frees a part of it; whether there is more. It is of no other use after that.
    pub(crate) fn dissolve(&mut self, chunks: usize) -> bool {
        match self {
            Object::LongString(_) => false,
            Object::List(list) => list.dissolve(chunks),
            Object::Set(fields) | Object::Hash(fields) => fields.dissolve(chunks),
            Object::Zset(zset) => zset.dissolve(chunks),
            Object::Stream(stream) => stream.dissolve(chunks),
        }
    }

    /// Bytes that it takes in memory.
    pub(crate) fn size(&self) -> usize {
        size_of::<Object>()
            + match self {
                Object::LongString(string) => string.bytes.capacity(),
                Object::List(list) => list.size(),
                Object::Set(fields) | Object::Hash(fields) => fields.size(),
                Object::Zset(zset) => zset.size(),
                Object::Stream(stream) => stream.size(),
            }
    }
}
