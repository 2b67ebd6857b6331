//! Which encoding Redis would have changed a collection to: to be told of each addition.

use super::Context;
use super::collections::{Edit, View};
use crate::encoding::{Threshold, Thresholds};
use crate::entry::Hint;
use crate::number::parse_integer;
use crate::object::Object;

/// Bytes of a quicklist's node for the settings -1 to -5.
const NODE_BYTES: [usize; 5] = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];
/// Bytes that an element takes in a node besides its own, about.
const ELEMENT_OVERHEAD: usize = 2;

impl Context<'_> {
    fn thresholds(&self) -> &Thresholds {
        self.keyspace.settings().thresholds()
    }

    /// After a field of a hash was set.
    pub(crate) fn note_field(&self, edit: &mut Edit, field: &[u8], value: &[u8]) {
        if self.thresholds().exceeded(Threshold::HashValue, field.len().max(value.len())) {
            edit.hint = Hint::Text;
        }
    }

    /// After fields were added to a hash.
    pub(crate) fn note_fields(&self, edit: &mut Edit) {
        if edit.hint != Hint::Text && self.thresholds().exceeded(Threshold::HashEntries, self.edited(edit).pair_count())
        {
            edit.hint = Hint::Text;
        }
    }

    /// After a member was added to a set.
    pub(crate) fn note_member(&self, edit: &mut Edit, member: &[u8]) {
        if edit.hint == Hint::Text {
            return;
        }
        let after = self.edited(edit).len();
        let thresholds = self.thresholds();
        if edit.hint == Hint::Auto && parse_integer(member).is_some() {
            if thresholds.exceeded(Threshold::SetIntegers, after) {
                edit.hint = Hint::Text;
            }
        } else if thresholds.exceeded(Threshold::SetEntries, after)
            || thresholds.exceeded(Threshold::SetValue, member.len())
        {
            edit.hint = Hint::Text;
        } else {
            edit.hint = Hint::Raw;
        }
    }

    /// After a member was added to a sorted set.
    pub(crate) fn note_ranked(&self, edit: &mut Edit, member: &[u8]) {
        if edit.hint != Hint::Text
            && (self.thresholds().exceeded(Threshold::ZsetValue, member.len())
                || self.thresholds().exceeded(Threshold::ZsetEntries, self.edited(edit).pair_count()))
        {
            edit.hint = Hint::Text;
        }
    }

    /// After elements were added to a list.
    pub(crate) fn note_elements(&self, edit: &mut Edit) {
        if edit.hint != Hint::Text && self.fills_nodes(edit, 1) {
            edit.hint = Hint::Text;
        }
    }

    /// After elements were taken out of a list: at half of what it may be it becomes compact again.
    pub(crate) fn note_elements_gone(&self, edit: &mut Edit) {
        if edit.hint == Hint::Text && !self.fills_nodes(edit, 2) {
            edit.hint = Hint::Auto;
        }
    }

    /// Whether a list is more than a part of one node.
    fn fills_nodes(&self, edit: &Edit, part: usize) -> bool {
        let size = self.thresholds().get(Threshold::ListSize);
        let (len, bytes) = match self.edited(edit) {
            View::Packed(bytes) => (crate::packed::items(bytes).count(), bytes.len()),
            View::Long(Object::List(list)) => (list.len(), list.element_bytes() + list.len() * ELEMENT_OVERHEAD),
            View::Long(_) => return false,
        };
        match usize::try_from(size) {
            Ok(most) => len > most / part,
            Err(_) => bytes > NODE_BYTES[(size.unsigned_abs() as usize).clamp(1, 5) - 1] / part,
        }
    }
}
