//! Reading collections, whichever form they have.

use std::ops::Range;

use super::collections::View;
use crate::object::Object;
use crate::packed;
use crate::place::Placer;

type Boxed<'a, T> = Box<dyn Iterator<Item = T> + 'a>;

impl<'a> View<'a> {
    /// How many elements, members or fields there are. `width` is 2 for hashes and sorted sets, else 1.
    fn count(self, width: usize) -> usize {
        match self {
            View::Packed(bytes) => packed::items(bytes).count() / width,
            View::Long(object) => object.len(),
        }
    }

    /// Elements of a list or members of a set.
    pub(crate) fn len(self) -> usize {
        self.count(1)
    }

    /// Fields of a hash or members of a sorted set.
    pub(crate) fn pair_count(self) -> usize {
        self.count(2)
    }

    pub(crate) fn is_empty(self) -> bool {
        matches!(self, View::Packed([]))
    }

    /// The value of a hash's field.
    pub(crate) fn field(self, placer: &Placer, field: &[u8]) -> Option<&'a [u8]> {
        match self {
            View::Packed(bytes) => packed::pair_get(bytes, field),
            View::Long(Object::Hash(fields)) => fields.get(placer, field),
            View::Long(_) => None,
        }
    }

    /// When a hash's field goes, Unix ms; 0 for one that stays, none for one that is not there.
    pub(crate) fn deadline(self, placer: &Placer, field: &[u8]) -> Option<u64> {
        match self {
            View::Long(Object::Hash(fields)) => fields.deadline(placer, field),
            _ => self.field(placer, field).map(|_| 0),
        }
    }

    /// Whether a set has a member.
    pub(crate) fn contains(self, placer: &Placer, member: &[u8]) -> bool {
        match self {
            View::Packed(bytes) => packed::items(bytes).any(|item| item.bytes == member),
            View::Long(Object::Set(fields)) => fields.get(placer, member).is_some(),
            View::Long(_) => false,
        }
    }

    /// Fields and values of a hash.
    pub(crate) fn fields(self) -> Boxed<'a, (&'a [u8], &'a [u8])> {
        match self {
            View::Packed(bytes) => Box::new(packed::pairs(bytes).map(|(field, value)| (field.bytes, value.bytes))),
            View::Long(Object::Hash(fields)) => Box::new(fields.iter()),
            View::Long(_) => Box::new(std::iter::empty()),
        }
    }

    /// Members of a set or elements of a list.
    pub(crate) fn items(self) -> Boxed<'a, &'a [u8]> {
        match self {
            View::Packed(bytes) => Box::new(packed::items(bytes).map(|item| item.bytes)),
            View::Long(Object::Set(fields)) => Box::new(fields.iter().map(|(member, _)| member)),
            View::Long(Object::List(list)) => Box::new(list.iter()),
            View::Long(_) => Box::new(std::iter::empty()),
        }
    }

    /// The field at a position in the order of [`View::fields`].
    pub(crate) fn nth_field(self, index: usize) -> Option<(&'a [u8], &'a [u8])> {
        match self {
            View::Long(Object::Hash(fields)) => fields.nth(index),
            _ => self.fields().nth(index),
        }
    }

    /// The member or element at a position in the order of [`View::items`].
    pub(crate) fn nth(self, index: usize) -> Option<&'a [u8]> {
        match self {
            View::Long(Object::Set(fields)) => fields.nth(index).map(|(member, _)| member),
            View::Long(Object::List(list)) => list.get(index),
            _ => self.items().nth(index),
        }
    }

    /// Elements of a list, from an index on.
    pub(crate) fn elements_from(self, index: usize) -> Boxed<'a, &'a [u8]> {
        match self {
            View::Long(Object::List(list)) => Box::new(list.iter_from(index)),
            _ => Box::new(self.items().skip(index)),
        }
    }

    /// Elements of a list, backwards from before an index.
    pub(crate) fn elements_back(self, index: usize) -> Boxed<'a, &'a [u8]> {
        match self {
            View::Long(Object::List(list)) => Box::new(list.iter_back(index)),
            _ => Box::new(self.items().take(index).collect::<Vec<_>>().into_iter().rev()),
        }
    }

    /// Members and scores of a sorted set, in order.
    pub(crate) fn members(self) -> Boxed<'a, (&'a [u8], f64)> {
        match self {
            View::Packed(bytes) => {
                Box::new(packed::pairs(bytes).map(|(member, score)| (member.bytes, packed::score(score.bytes))))
            }
            View::Long(Object::Zset(zset)) => Box::new(zset.iter()),
            View::Long(_) => Box::new(std::iter::empty()),
        }
    }

    /// How many members of a sorted set stand before the first that does not lie `before`.
    pub(crate) fn rank_where(self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        match self {
            View::Long(Object::Zset(zset)) => zset.rank_where(before),
            _ => self.members().take_while(|(member, score)| before(*score, member)).count(),
        }
    }

    /// How many members of a sorted set stand before one that is there, and its score.
    pub(crate) fn rank(self, placer: &Placer, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            View::Long(Object::Zset(zset)) => zset.rank(placer, member),
            _ => {
                let mut members = self.members().enumerate();
                members.find_map(|(rank, (other, score))| (other == member).then_some((rank, score)))
            }
        }
    }

    /// The members of a sorted set that have these ranks, the last one first if `reverse`.
    pub(crate) fn ranked(self, ranks: Range<usize>, reverse: bool) -> Boxed<'a, (&'a [u8], f64)> {
        let count = ranks.len();
        match self {
            View::Long(Object::Zset(zset)) if reverse => Box::new(zset.iter_back(ranks.end).take(count)),
            View::Long(Object::Zset(zset)) => Box::new(zset.iter_from(ranks.start).take(count)),
            _ if reverse => {
                let members: Vec<_> = self.members().skip(ranks.start).take(count).collect();
                Box::new(members.into_iter().rev())
            }
            _ => Box::new(self.members().skip(ranks.start).take(count)),
        }
    }

    /// The score of a sorted set's member.
    pub(crate) fn score(self, placer: &Placer, member: &[u8]) -> Option<f64> {
        match self {
            View::Packed(bytes) => packed::pair_get(bytes, member).map(packed::score),
            View::Long(Object::Zset(zset)) => zset.score(placer, member),
            View::Long(_) => None,
        }
    }
}
