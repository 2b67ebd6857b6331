//! Changing lists: as [`super::collections`] says, by index.

use std::ops::Range;

use super::Context;
use super::collections::{Edit, Form, GONE, Long};
use crate::error::Result;
use crate::object::Object;
use crate::object::list::{Inserted, List};
use crate::packed;

impl Context<'_> {
    /// Inserts an element into a list before the one of an index, or at the end.
    pub(crate) fn list_insert(&mut self, edit: &mut Edit, key: &[u8], index: usize, element: &[u8]) -> Result {
        match &mut edit.form {
            Form::Packed(bytes) => {
                let at = if index == 0 { 0 } else { packed_index(bytes, index).start };
                packed::splice(bytes, at..at, &[element]);
            }
            Form::Long => {
                let Long { object, mut rows, .. } = self.long(edit)?;
                let list = list(object)?;
                match list.insert(index, element) {
                    Inserted::One(suffix) => rows.put(&suffix, element),
                    Inserted::Renumbered { from, to, former } => {
                        former.iter().for_each(|suffix| rows.delete(suffix));
                        for (suffix, bytes) in list.rows_between(from, to) {
                            rows.put(&suffix, bytes);
                        }
                    }
                }
            }
        }
        self.grow(edit, key)
    }

    /// Appends an element to a list.
    pub(crate) fn list_push(&mut self, edit: &mut Edit, key: &[u8], element: &[u8]) -> Result {
        match &mut edit.form {
            Form::Packed(bytes) => {
                packed::push(bytes, element);
                self.grow(edit, key)
            }
            Form::Long => self.list_insert(edit, key, usize::MAX, element),
        }
    }

    /// Replaces the element of an index, which exists.
    pub(crate) fn list_replace(&mut self, edit: &mut Edit, key: &[u8], index: usize, element: &[u8]) -> Result {
        match &mut edit.form {
            Form::Packed(bytes) => {
                let range = packed_index(bytes, index);
                packed::splice(bytes, range, &[element]);
            }
            Form::Long => {
                let Long { object, mut rows, .. } = self.long(edit)?;
                if let Some(suffix) = list(object)?.replace(index, element) {
                    rows.put(&suffix, element);
                }
            }
        }
        self.grow(edit, key)
    }

    /// Takes elements of a list away, from an index to before another.
    pub(crate) fn list_drop(&mut self, edit: &mut Edit, range: Range<usize>) -> Result {
        if range.is_empty() {
            return Ok(());
        }
        match &mut edit.form {
            Form::Packed(bytes) => {
                let (from, to) = (packed_index(bytes, range.start).start, packed_index(bytes, range.end - 1).end);
                bytes.drain(from..to);
                edit.changed = true;
            }
            Form::Long => {
                let Long { object, mut rows, .. } = self.long(edit)?;
                list(object)?.remove_range(range, &mut |suffix| rows.delete(&suffix));
            }
        }
        Ok(())
    }
}

/// Where the item of an index stands in a packed collection; its end for an index beyond it.
fn packed_index(bytes: &[u8], index: usize) -> Range<usize> {
    packed::items(bytes).nth(index).map_or(bytes.len()..bytes.len(), |item| item.range)
}

fn list(object: &mut Object) -> Result<&mut List> {
    match object {
        Object::List(list) => Ok(list),
        _ => Err(GONE),
    }
}
