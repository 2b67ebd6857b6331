//! Ranges of a sorted set, by score, by member or by rank, and which ranks they are.

use std::ops::Range;

use crate::context::collections::View;
use crate::error::{Error, Result};
use crate::number::double::parse_bound;
use crate::number::parse_integer;

/// How a request names a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    /// By member, where all scores are the same.
    Name,
}

/// A range that was read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Interval<'a> {
    /// From and to, both included; negative ranks count from the end.
    Ranks(i64, i64),
    Scores(Bound<f64>, Bound<f64>),
    Names(NameBound<'a>, NameBound<'a>),
}

/// An end of a range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound<T> {
    value: T,
    open: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum NameBound<'a> {
    Least,
    Greatest,
    Name(Bound<&'a [u8]>),
}

impl Bound<f64> {
    fn parse(word: &[u8]) -> Option<Bound<f64>> {
        match word {
            [b'(', word @ ..] => Some(Bound { value: parse_bound(word)?, open: true }),
            word => Some(Bound { value: parse_bound(word)?, open: false }),
        }
    }

    /// Whether a score is too small for a range that begins here.
    fn before(self, score: f64) -> bool {
        if self.open { score <= self.value } else { score < self.value }
    }

    /// Whether a score is small enough for a range that ends here.
    fn reaches(self, score: f64) -> bool {
        if self.open { score < self.value } else { score <= self.value }
    }
}

impl<'a> NameBound<'a> {
    fn parse(word: &'a [u8]) -> Option<NameBound<'a>> {
        match word {
            // Redis looks at a zero byte as at the end.
            [b'-'] | [b'-', 0, ..] => Some(NameBound::Least),
            [b'+'] | [b'+', 0, ..] => Some(NameBound::Greatest),
            [b'(', value @ ..] => Some(NameBound::Name(Bound { value, open: true })),
            [b'[', value @ ..] => Some(NameBound::Name(Bound { value, open: false })),
            _ => None,
        }
    }

    fn before(self, name: &[u8]) -> bool {
        match self {
            NameBound::Least => false,
            NameBound::Greatest => true,
            NameBound::Name(Bound { value, open: true }) => name <= value,
            NameBound::Name(Bound { value, open: false }) => name < value,
        }
    }

    fn reaches(self, name: &[u8]) -> bool {
        match self {
            NameBound::Least => false,
            NameBound::Greatest => true,
            NameBound::Name(Bound { value, open: true }) => name < value,
            NameBound::Name(Bound { value, open: false }) => name <= value,
        }
    }
}

impl<'a> Interval<'a> {
    pub(super) fn parse(by: By, from: &'a [u8], to: &'a [u8]) -> Result<Interval<'a>> {
        match by {
            By::Rank => {
                let from = parse_integer(from).ok_or(Error::NotInteger)?;
                Ok(Interval::Ranks(from, parse_integer(to).ok_or(Error::NotInteger)?))
            }
            By::Score => match (Bound::parse(from), Bound::parse(to)) {
                (Some(from), Some(to)) => Ok(Interval::Scores(from, to)),
                _ => Err(Error::text("ERR min or max is not a float")),
            },
            By::Name => match (NameBound::parse(from), NameBound::parse(to)) {
                (Some(from), Some(to)) => Ok(Interval::Names(from, to)),
                _ => Err(Error::text("ERR min or max not valid string range item")),
            },
        }
    }

    /// The ranks of the members within. With `reverse` ranks are counted from the other end.
    pub(super) fn ranks(self, view: View<'_>, reverse: bool) -> Range<usize> {
        let (from, to) = match self {
            Interval::Ranks(from, to) => return ranks(from, to, view.pair_count(), reverse),
            Interval::Scores(from, to) => {
                (view.rank_where(|score, _| from.before(score)), view.rank_where(|score, _| to.reaches(score)))
            }
            Interval::Names(from, to) => {
                (view.rank_where(|_, name| from.before(name)), view.rank_where(|_, name| to.reaches(name)))
            }
        };
        from..to.max(from)
    }
}

fn ranks(from: i64, to: i64, len: usize, reverse: bool) -> Range<usize> {
    let len = len as i64;
    let counted = |rank: i64| if rank < 0 { len.saturating_add(rank) } else { rank };
    let (from, to) = (counted(from).max(0), counted(to).min(len - 1));
    if from > to {
        return 0..0;
    }
    let (from, end) = if reverse { (len - 1 - to, len - from) } else { (from, to + 1) };
    from as usize..end as usize
}
