//! Which encoding Redis would have changed a collection to: to be told of each addition.

use super::Context;
use super::collections::{Edit, View};
use crate::encoding::{Threshold, Thresholds};
use crate::entry::Hint;
use crate::listpack;
use crate::number::parse_integer;
use crate::object::Object;
use crate::object::list::List;
use crate::packed;

/// Bytes of a quicklist's node for the settings -1 to -5.
const NODE_BYTES: [usize; 5] = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];

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

    /// Before elements are added to a list.
    pub(crate) fn note_elements<'e>(&self, edit: &mut Edit, new: impl Iterator<Item = &'e [u8]>) {
        if edit.hint == Hint::Text {
            return;
        }
        let (added, bytes) = new.fold((0, 0), |(added, bytes), element| (added + 1, bytes + element.len()));
        let limits = self.node_limits();
        // What surely fits, which is nearly always, is not counted.
        if let View::Packed(packed) = self.edited(edit)
            && limits.count == usize::MAX
            && listpack::FRAME + packed.len() * 2 + bytes <= limits.bytes
        {
            return;
        }
        let size = self.node_size(edit);
        // Where elements are counted, a node is still one of 8 KB at most.
        let bytes_max = if limits.count == usize::MAX { limits.bytes } else { NODE_BYTES[1] };
        if size.bytes + bytes > bytes_max || size.count + added > limits.count {
            edit.hint = Hint::Text;
        }
    }

    /// After elements were taken away from a list, or replaced: at half of what makes it large it is small again.
    pub(crate) fn note_fewer_elements(&self, edit: &mut Edit) {
        if edit.hint == Hint::Text {
            let (size, limits) = (self.node_size(edit), self.node_limits());
            if size.bytes <= limits.bytes / 2 && size.count <= limits.count / 2 {
                edit.hint = Hint::Auto;
            }
        }
    }

    /// Whether a list is large, and stays so without all that memory has of it and so many elements more.
    pub(super) fn stays_large(&self, hint: Hint, list: &List, more: usize) -> bool {
        let (left, limits) = (list.elsewhere.saturating_sub(more), self.node_limits());
        hint == Hint::Text && (left * listpack::ENTRY_MIN > limits.bytes / 2 || left > limits.count / 2)
    }

    /// What a node holds at most.
    fn node_limits(&self) -> NodeSize {
        match self.thresholds().get(Threshold::ListSize) {
            0 => NodeSize { bytes: usize::MAX, count: 1 },
            count @ 1.. => NodeSize { bytes: usize::MAX, count: count as usize },
            size => NodeSize { bytes: NODE_BYTES[size.unsigned_abs().clamp(1, 5) as usize - 1], count: usize::MAX },
        }
    }

    /// What a list would take as one node.
    fn node_size(&self, edit: &Edit) -> NodeSize {
        match self.edited(edit) {
            View::Packed(bytes) => {
                packed::items(bytes).fold(NodeSize { bytes: listpack::FRAME, count: 0 }, |size, item| NodeSize {
                    bytes: size.bytes + listpack::size(item.bytes),
                    count: size.count + 1,
                })
            }
            View::Long(Object::List(list)) => {
                NodeSize { bytes: listpack::FRAME + list.listpack_bytes(), count: list.len() }
            }
            View::Long(_) => NodeSize { bytes: 0, count: 0 },
        }
    }
}

/// Size of a quicklist's node, which is a listpack.
#[derive(Debug, Clone, Copy)]
struct NodeSize {
    bytes: usize,
    count: usize,
}
