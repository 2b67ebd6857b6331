//! Which keys a request is about: one, or a range of them.

use std::ops::Bound;

/// The beginning and the end of a range in an ordered map.
pub(crate) type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// One key, or `start <= key < end`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Span<B> {
    One(B),
    /// Up to but without the second.
    Between(B, B),
    /// From here to the end of all keys.
    From(B),
}

impl<B: AsRef<[u8]>> Span<B> {
    /// As requests say it: no `end` for one key, a single zero byte for all from `key` on.
    pub(crate) fn new(key: B, end: B) -> Span<B> {
        match end.as_ref() {
            [] => Span::One(key),
            [0] => Span::From(key),
            _ => Span::Between(key, end),
        }
    }

    /// The least key that may be in it.
    pub(crate) fn start(&self) -> &[u8] {
        match self {
            Span::One(start) | Span::Between(start, _) | Span::From(start) => start.as_ref(),
        }
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        match self {
            Span::One(one) => one.as_ref() == key,
            Span::Between(start, end) => start.as_ref() <= key && key < end.as_ref(),
            Span::From(start) => start.as_ref() <= key,
        }
    }

    /// Bounds for an ordered map; none when there is no key in it.
    pub(crate) fn bounds(&self) -> Option<Bounds<'_>> {
        match self {
            Span::One(key) => Some((Bound::Included(key.as_ref()), Bound::Included(key.as_ref()))),
            Span::Between(start, end) if start.as_ref() < end.as_ref() => {
                Some((Bound::Included(start.as_ref()), Bound::Excluded(end.as_ref())))
            }
            Span::Between(..) => None,
            Span::From(start) => Some((Bound::Included(start.as_ref()), Bound::Unbounded)),
        }
    }
}
