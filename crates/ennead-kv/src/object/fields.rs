//! The fields of a hash, or the members of a set, in the order of their fragments: a scan's cursor is a fragment.
//!
//! The row of a hash's field has the value and a byte for what may come before it some day, now 0; the row of a set's
//! member is empty.

use std::cmp::Ordering;

use crate::entry::allocation_size;
use crate::place::Placer;
use crate::sequence::{At, Keyed, Sequence};

#[derive(Debug)]
pub(crate) struct Fields {
    pub(crate) id: u64,
    /// Those that only the store has; nothing but lookups of the others is right while there are any.
    pub(crate) elsewhere: usize,
    fields: Sequence<Field>,
    /// Of the fields' own allocations.
    bytes: usize,
}

#[derive(Debug)]
struct Field {
    fragment: u32,
    name_len: u32,
    /// Name and value.
    bytes: Box<[u8]>,
}

impl Keyed for Field {
    fn key(&self) -> u64 {
        self.fragment.into()
    }
}

impl Field {
    fn new(fragment: u32, name: &[u8], value: &[u8]) -> Field {
        let mut bytes = Vec::with_capacity(name.len() + value.len());
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(value);
        Field { fragment, name_len: name.len() as u32, bytes: bytes.into_boxed_slice() }
    }

    fn split(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at(self.name_len as usize)
    }

    fn order(&self, fragment: u32, name: &[u8]) -> Ordering {
        self.fragment.cmp(&fragment).then_with(|| self.split().0.cmp(name))
    }
}

impl Fields {
    pub(crate) fn new(id: u64) -> Fields {
        Fields { id, elsewhere: 0, fields: Sequence::default(), bytes: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len() + self.elsewhere
    }

    pub(crate) fn size(&self) -> usize {
        self.fields.size() + self.bytes
    }

    /// See [`Sequence::dissolve`].
    pub(crate) fn dissolve(&mut self, chunks: usize) -> bool {
        self.fields.dissolve(chunks)
    }

    fn locate(&self, placer: &Placer, name: &[u8]) -> (u32, Result<At, At>) {
        let fragment = placer.fragment(name);
        (fragment, self.fields.search(fragment.into(), |field| field.order(fragment, name)))
    }

    pub(crate) fn get(&self, placer: &Placer, name: &[u8]) -> Option<&[u8]> {
        let at = self.locate(placer, name).1.ok()?;
        self.fields.get(at).map(|field| field.split().1)
    }

    /// Whether the field is new.
    pub(crate) fn set(&mut self, placer: &Placer, name: &[u8], value: &[u8]) -> bool {
        let (fragment, found) = self.locate(placer, name);
        match found {
            Ok(at) => {
                if let Some(field) = self.fields.get_mut(at) {
                    let (_, former) = field.split();
                    if former.len() == value.len() {
                        field.bytes[name.len()..].copy_from_slice(value);
                    } else {
                        self.bytes -= allocation_size(field.bytes.len());
                        *field = Field::new(fragment, name, value);
                        self.bytes += allocation_size(field.bytes.len());
                    }
                }
                false
            }
            Err(at) => {
                let field = Field::new(fragment, name, value);
                self.bytes += allocation_size(field.bytes.len());
                self.fields.insert(at, field);
                true
            }
        }
    }

    /// Whether the field was there.
    pub(crate) fn remove(&mut self, placer: &Placer, name: &[u8]) -> bool {
        let Ok(at) = self.locate(placer, name).1 else { return false };
        let removed = self.fields.remove(at);
        self.bytes -= removed.map_or(0, |field| allocation_size(field.bytes.len()));
        true
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

/// The value of a field's row.
pub(crate) fn row_value<'r>(row: &'r mut Vec<u8>, value: &[u8]) -> &'r [u8] {
    row.clear();
    row.extend_from_slice(value);
    row.push(0);
    row
}

/// The field's value in its row; none when the row has a form that is not known.
pub(crate) fn parse_row(row: &[u8]) -> Option<&[u8]> {
    match row.split_last() {
        Some((0, value)) => Some(value),
        _ => None,
    }
}
