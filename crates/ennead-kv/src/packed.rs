//! Small collections as one run of bytes, which is the value of their entry and the payload of their row: each item is
//! its length (LEB128) and its bytes. A list has its elements, a set its members, a hash field and value in turn, a
//! sorted set member and score (f64 LE) in turn, in order.

use std::cmp::Ordering;
use std::ops::Range;

#[cfg(test)]
mod tests;

/// A collection that takes more is kept as an object, with a row for each member.
pub(crate) const PACKED_MAX: usize = 512;

/// An item and where it stands, its length included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) range: Range<usize>,
    pub(crate) bytes: &'a [u8],
}

#[derive(Debug, Clone)]
pub(crate) struct Items<'a> {
    packed: &'a [u8],
    at: usize,
}

/// The items of a packed collection, in order. What is cut off or overlong ends them.
pub(crate) fn items(packed: &[u8]) -> Items<'_> {
    Items { packed, at: 0 }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let start = self.at;
        let mut at = start;
        let mut length = 0usize;
        for shift in (0..35).step_by(7) {
            let byte = *self.packed.get(at)?;
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let bytes = self.packed.get(at..at.checked_add(length)?)?;
                self.at = at + length;
                return Some(Item { range: start..self.at, bytes });
            }
        }
        None
    }
}

/// Two items in turn: field and value, or member and score.
pub(crate) fn pairs(packed: &[u8]) -> impl Iterator<Item = (Item<'_>, Item<'_>)> {
    let mut items = items(packed);
    std::iter::from_fn(move || Some((items.next()?, items.next()?)))
}

pub(crate) fn push(packed: &mut Vec<u8>, item: &[u8]) {
    let mut length = item.len();
    while length >= 0x80 {
        packed.push(length as u8 | 0x80);
        length >>= 7;
    }
    packed.push(length as u8);
    packed.extend_from_slice(item);
}

/// Puts items where others were, or between them when the range is empty.
pub(crate) fn splice(packed: &mut Vec<u8>, range: Range<usize>, new: &[&[u8]]) {
    let mut bytes = Vec::new();
    new.iter().for_each(|item| push(&mut bytes, item));
    packed.splice(range, bytes);
}

/// Sets a field of a hash; whether it is new.
pub(crate) fn hash_set(packed: &mut Vec<u8>, field: &[u8], value: &[u8]) -> bool {
    let found = pairs(packed).find(|(item, _)| item.bytes == field).map(|(_, value)| value.range);
    match found {
        Some(range) => splice(packed, range, &[value]),
        None => {
            push(packed, field);
            push(packed, value);
            return true;
        }
    }
    false
}

/// Removes a field of a hash or a member of a sorted set; whether it was there.
pub(crate) fn pair_remove(packed: &mut Vec<u8>, first: &[u8]) -> bool {
    let found =
        pairs(packed).find(|(item, _)| item.bytes == first).map(|(item, second)| item.range.start..second.range.end);
    found.is_some_and(|range| packed.drain(range).count() > 0)
}

/// The value of a field.
pub(crate) fn pair_get<'a>(packed: &'a [u8], first: &[u8]) -> Option<&'a [u8]> {
    pairs(packed).find(|(item, _)| item.bytes == first).map(|(_, second)| second.bytes)
}

/// Adds a member to a set; whether it is new.
pub(crate) fn set_add(packed: &mut Vec<u8>, member: &[u8]) -> bool {
    let new = !items(packed).any(|item| item.bytes == member);
    if new {
        push(packed, member);
    }
    new
}

/// Removes a member of a set; whether it was there.
pub(crate) fn set_remove(packed: &mut Vec<u8>, member: &[u8]) -> bool {
    let found = items(packed).find(|item| item.bytes == member).map(|item| item.range);
    found.is_some_and(|range| packed.drain(range).count() > 0)
}

/// The score of a sorted set's second items.
pub(crate) fn score(bytes: &[u8]) -> f64 {
    <[u8; 8]>::try_from(bytes).map_or(0.0, f64::from_le_bytes)
}

/// The order of a sorted set: by score, then by member.
pub(crate) fn rank_order(left: (f64, &[u8]), right: (f64, &[u8])) -> Ordering {
    left.0.partial_cmp(&right.0).unwrap_or(Ordering::Equal).then_with(|| left.1.cmp(right.1))
}

/// Sets the score of a sorted set's member where it belongs; whether the member is new.
pub(crate) fn zset_add(packed: &mut Vec<u8>, member: &[u8], to: f64) -> bool {
    let new = !pair_remove(packed, member);
    let at = pairs(packed)
        .find(|(item, value)| rank_order((score(value.bytes), item.bytes), (to, member)).is_gt())
        .map_or(packed.len(), |(item, _)| item.range.start);
    splice(packed, at..at, &[member, &to.to_le_bytes()]);
    new
}
