//! The fields of a hash, or the members of a set, in the order of their fragments: a scan's cursor is a fragment.
//!
//! The row of a hash's field has the value and a byte, 0; or the value, the Unix ms at which the field goes (u64 LE), and
//! a byte, 1. The row of a set's member is empty.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use ennead_store::prefetch_at;

use crate::entry::allocation_size;
use crate::place::Placer;
use crate::sequence::{Approach, At, Keyed, Sequence};

#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) id: u64,
    /// Those that only the store has; nothing but lookups of the others is right while there are any.
    pub(crate) elsewhere: usize,
    fields: Sequence<Field>,
    /// Of the fields' own allocations.
    bytes: usize,
    #[expect(clippy::box_collection, reason = "most hashes and all sets have none")]
    /// Deadline and fragment of the fields that have a deadline.
    deadlines: Option<Box<BTreeSet<(u64, u32)>>>,
    /// The deadline under which the slot knows it, 0 for none; the slot keeps it.
    pub(crate) noted: u64,
}

#[derive(Debug)]
struct Field {
    fragment: u32,
    /// With [`DATED`].
    name_len: u32,
    /// Name and value, then the deadline if there is one.
    bytes: Box<[u8]>,
}

/// Set in a field's length of the name where a deadline follows the value.
const DATED: u32 = 1 << 31;
/// Bytes that an element of the order of deadlines takes, nodes included.
const DEADLINE_SIZE: usize = 24;
/// The latest deadline of a field, Unix ms.
pub(crate) const DEADLINE_MAX: u64 = ((1 << 48) - 2) >> 2;
const DEADLINE_BYTES: usize = size_of::<u64>();

impl Keyed for Field {
    fn key(&self) -> u64 {
        self.fragment.into()
    }

    fn prefetch(&self) {
        prefetch_at(self.bytes.as_ptr(), self.bytes.len());
    }
}

impl Field {
    /// `deadline` is 0 for none.
    fn new(fragment: u32, name: &[u8], value: &[u8], deadline: u64) -> Field {
        let dated = deadline != 0;
        let mut bytes = Vec::with_capacity(name.len() + value.len() + if dated { DEADLINE_BYTES } else { 0 });
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(value);
        if dated {
            bytes.extend_from_slice(&deadline.to_le_bytes());
        }
        let name_len = name.len() as u32 | if dated { DATED } else { 0 };
        Field { fragment, name_len, bytes: bytes.into_boxed_slice() }
    }

    fn split(&self) -> (&[u8], &[u8]) {
        let (name, rest) = self.bytes.split_at((self.name_len & !DATED) as usize);
        (name, if self.is_dated() { &rest[..rest.len() - DEADLINE_BYTES] } else { rest })
    }

    fn is_dated(&self) -> bool {
        self.name_len & DATED != 0
    }

    /// 0 for none.
    fn deadline(&self) -> u64 {
        let deadline = self.bytes.last_chunk().filter(|_| self.is_dated());
        deadline.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    fn order(&self, fragment: u32, name: &[u8]) -> Ordering {
        self.fragment.cmp(&fragment).then_with(|| self.split().0.cmp(name))
    }
}

impl Fields {
    pub(crate) fn new(id: u64) -> Fields {
        Fields { id, elsewhere: 0, fields: Sequence::default(), bytes: 0, deadlines: None, noted: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len() + self.elsewhere
    }

    pub(crate) fn size(&self) -> usize {
        self.fields.size() + self.bytes + self.deadlines.as_ref().map_or(0, |order| order.len() * DEADLINE_SIZE)
    }

    /// See [`Sequence::dissolve`].
    pub(crate) fn dissolve(&mut self, chunks: usize) -> bool {
        self.fields.dissolve(chunks)
    }

    fn locate(&self, placer: &Placer, name: &[u8]) -> (u32, Result<At, At>) {
        let fragment = placer.fragment(name);
        (fragment, self.fields.search(fragment.into(), |field| field.order(fragment, name)))
    }

    pub(crate) fn by_fragment(&self) -> &dyn Approach {
        &self.fields
    }

    pub(crate) fn get(&self, placer: &Placer, name: &[u8]) -> Option<&[u8]> {
        let at = self.locate(placer, name).1.ok()?;
        self.fields.get(at).map(|field| field.split().1)
    }

    /// When a field goes, Unix ms; 0 for one that stays, none for one that is not there.
    pub(crate) fn deadline(&self, placer: &Placer, name: &[u8]) -> Option<u64> {
        let at = self.locate(placer, name).1.ok()?;
        self.fields.get(at).map(Field::deadline)
    }

    /// When the first field goes, Unix ms; 0 when all stay.
    pub(crate) fn first_deadline(&self) -> u64 {
        self.deadlines.as_ref().and_then(|order| order.first()).map_or(0, |(deadline, _)| *deadline)
    }

    /// The name of a field that goes first.
    pub(crate) fn first_to_go(&self) -> Option<&[u8]> {
        let (deadline, fragment) = *self.deadlines.as_ref()?.first()?;
        self.of_fragment(fragment).find(|field| field.deadline() == deadline).map(|field| field.split().0)
    }

    fn of_fragment(&self, fragment: u32) -> impl Iterator<Item = &Field> {
        let at = self.fields.partition_point(|field| field.fragment < fragment);
        self.fields.iter_from(at).take_while(move |field| field.fragment == fragment)
    }

    /// Sets when a field goes, Unix ms, 0 for never; whether the field is there.
    pub(crate) fn set_deadline(&mut self, placer: &Placer, name: &[u8], deadline: u64) -> bool {
        let (fragment, Ok(at)) = self.locate(placer, name) else { return false };
        let Some(field) = self.fields.get_mut(at) else { return false };
        let was = field.deadline();
        let before = allocation_size(field.bytes.len());
        *field = Field::new(fragment, name, field.split().1, deadline);
        self.bytes = self.bytes + allocation_size(field.bytes.len()) - before;
        self.order(fragment, was, deadline);
        true
    }

    /// Keeps the order of deadlines, after a field of the fragment has the new one.
    fn order(&mut self, fragment: u32, was: u64, is: u64) {
        if was == is {
            return;
        }
        // Two fields may share fragment and deadline; the element then stays for the other one.
        let gone = was != 0 && !self.of_fragment(fragment).any(|field| field.deadline() == was);
        let order = self.deadlines.get_or_insert_default();
        if gone {
            order.remove(&(was, fragment));
        }
        if is != 0 {
            order.insert((is, fragment));
        }
        if order.is_empty() {
            self.deadlines = None;
        }
    }

    /// Sets a field to a value, with which it stays; whether the field is new.
    pub(crate) fn set(&mut self, placer: &Placer, name: &[u8], value: &[u8]) -> bool {
        let (fragment, found) = self.locate(placer, name);
        match found {
            Ok(at) => {
                if let Some(field) = self.fields.get_mut(at) {
                    let was = field.deadline();
                    if was == 0 && field.split().1.len() == value.len() {
                        field.bytes[name.len()..].copy_from_slice(value);
                    } else {
                        self.bytes -= allocation_size(field.bytes.len());
                        *field = Field::new(fragment, name, value, 0);
                        self.bytes += allocation_size(field.bytes.len());
                        self.order(fragment, was, 0);
                    }
                }
                false
            }
            Err(at) => {
                let field = Field::new(fragment, name, value, 0);
                self.bytes += allocation_size(field.bytes.len());
                self.fields.insert(at, field);
                true
            }
        }
    }

    /// Whether the field was there.
    pub(crate) fn remove(&mut self, placer: &Placer, name: &[u8]) -> bool {
        let (fragment, Ok(at)) = self.locate(placer, name) else { return false };
        if let Some(field) = self.fields.remove(at) {
            self.bytes -= allocation_size(field.bytes.len());
            self.order(fragment, field.deadline(), 0);
        }
        true
    }

    /// Names, values and deadlines, by fragment; 0 for a field that stays.
    pub(crate) fn iter_dated(&self) -> impl Iterator<Item = (&[u8], &[u8], u64)> {
        self.fields.iter().map(|field| {
            let (name, value) = field.split();
            (name, value, field.deadline())
        })
    }

    /// Names and values, by fragment.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(Field::split)
    }

    /// The field at a position in the order of [`Fields::iter`].
    pub(crate) fn nth(&self, position: usize) -> Option<(&[u8], &[u8])> {
        self.fields.get(self.fields.at(position)).map(Field::split)
    }

    /// Fragment, name and value, from a fragment on.
    pub(crate) fn iter_from(&self, fragment: u32) -> impl Iterator<Item = (u32, &[u8], &[u8])> {
        let at = self.fields.partition_point(|field| field.fragment < fragment);
        self.fields.iter_from(at).map(|field| {
            let (name, value) = field.split();
            (field.fragment, name, value)
        })
    }
}

/// The value of a field's row. `deadline` in Unix ms, 0 for none.
pub(crate) fn row_value<'r>(row: &'r mut Vec<u8>, value: &[u8], deadline: u64) -> &'r [u8] {
    row.clear();
    row.extend_from_slice(value);
    if deadline == 0 {
        row.push(STAYS);
    } else {
        row.extend_from_slice(&deadline.to_le_bytes());
        row.push(GOES);
    }
    row
}

/// The field's value in its row and its deadline, 0 for none; nothing when the row has a form that is not known.
pub(crate) fn parse_row(row: &[u8]) -> Option<(&[u8], u64)> {
    match row.split_last()? {
        (&STAYS, value) => Some((value, 0)),
        (&GOES, rest) => rest.split_last_chunk().map(|(value, deadline)| (value, u64::from_le_bytes(*deadline))),
        _ => None,
    }
}

/// The last byte of a field's row.
const STAYS: u8 = 0;
const GOES: u8 = 1;
