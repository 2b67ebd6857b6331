//! The members of a long sorted set, twice: by fragment, to find the score of a member, and by score and name, which
//! knows ranks.

use std::cmp::Ordering;

use ennead_store::prefetch_at;
use triomphe::ThinArc;

use crate::entry::allocation_size;
use crate::packed::rank_order;
use crate::place::Placer;
use crate::sequence::{Approach, At, Keyed, Sequence};

/// A count of references and a length before the name.
const OVERHEAD: usize = 16;

/// Bytes of a name that are asked for ahead.
const NAME_PREFETCHED: usize = 32;

#[derive(Debug)]
pub(crate) struct Zset {
    pub(crate) id: u64,
    /// Those that only the store has; nothing but lookups of the others is right while there are any.
    pub(crate) elsewhere: usize,
    members: Sequence<Scored>,
    order: Sequence<Ranked>,
    /// Of the members' own allocations.
    bytes: usize,
}

type Name = ThinArc<(), u8>;

#[derive(Debug)]
struct Scored {
    fragment: u32,
    score: f64,
    name: Name,
}

#[derive(Debug)]
struct Ranked {
    score: f64,
    name: Name,
}

impl Keyed for Scored {
    fn key(&self) -> u64 {
        self.fragment.into()
    }

    fn prefetch(&self) {
        // To ask for its length would be to wait for it.
        prefetch_at(self.name.heap_ptr(), OVERHEAD + NAME_PREFETCHED);
    }
}

impl Keyed for Ranked {
    fn key(&self) -> u64 {
        score_key(self.score)
    }
}

/// A number in the order of scores.
fn score_key(score: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    // The sum makes 0 of -0.
    let bits = (score + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

impl Ranked {
    fn pair(&self) -> (f64, &[u8]) {
        (self.score, &self.name.slice)
    }
}

impl Scored {
    fn order(&self, fragment: u32, name: &[u8]) -> Ordering {
        self.fragment.cmp(&fragment).then_with(|| self.name.slice.cmp(name))
    }
}

impl Zset {
    pub(crate) fn new(id: u64) -> Zset {
        Zset { id, elsewhere: 0, members: Sequence::default(), order: Sequence::default(), bytes: 0 }
    }

    pub(crate) fn by_fragment(&self) -> &dyn Approach {
        &self.members
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len() + self.elsewhere
    }

    pub(crate) fn size(&self) -> usize {
        self.members.size() + self.order.size() + self.bytes
    }

    /// See [`Sequence::dissolve`].
    pub(crate) fn dissolve(&mut self, chunks: usize) -> bool {
        self.members.dissolve(chunks) || self.order.dissolve(chunks)
    }

    fn locate(&self, placer: &Placer, name: &[u8]) -> (u32, Result<At, At>) {
        let fragment = placer.fragment(name);
        (fragment, self.members.search(fragment.into(), |member| member.order(fragment, name)))
    }

    pub(crate) fn score(&self, placer: &Placer, name: &[u8]) -> Option<f64> {
        let at = self.locate(placer, name).1.ok()?;
        self.members.get(at).map(|member| member.score)
    }

    /// Sets the score of a member; whether it is new.
    pub(crate) fn set(&mut self, placer: &Placer, name: &[u8], score: f64) -> bool {
        let (fragment, found) = self.locate(placer, name);
        let shared = match found {
            Ok(at) => {
                let Some(member) = self.members.get_mut(at) else { return false };
                let former = std::mem::replace(&mut member.score, score);
                let shared = member.name.clone();
                self.take_rank(former, name);
                shared
            }
            Err(at) => {
                self.bytes += allocation_size(OVERHEAD + name.len());
                let shared = ThinArc::from_header_and_slice((), name);
                self.members.insert(at, Scored { fragment, score, name: shared.clone() });
                shared
            }
        };
        let at = self.place_of(score, name);
        self.order.insert(at, Ranked { score, name: shared });
        found.is_err()
    }

    /// Whether the member was there.
    pub(crate) fn remove(&mut self, placer: &Placer, name: &[u8]) -> bool {
        let Ok(at) = self.locate(placer, name).1 else { return false };
        let Some(member) = self.members.remove(at) else { return false };
        self.take_rank(member.score, name);
        self.bytes -= allocation_size(OVERHEAD + name.len());
        true
    }

    fn take_rank(&mut self, score: f64, name: &[u8]) {
        if let Ok(at) = self.order.search(score_key(score), |ranked| rank_order(ranked.pair(), (score, name))) {
            self.order.remove(at);
        }
    }

    fn place_of(&self, score: f64, name: &[u8]) -> At {
        match self.order.search(score_key(score), |ranked| rank_order(ranked.pair(), (score, name))) {
            Ok(at) | Err(at) => at,
        }
    }

    /// How many members stand before one that is there.
    pub(crate) fn rank(&self, placer: &Placer, name: &[u8]) -> Option<(usize, f64)> {
        let score = self.score(placer, name)?;
        Some((self.order.position(self.place_of(score, name)), score))
    }

    /// How many members stand before the first that does not lie `before`.
    pub(crate) fn rank_where(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        let at = self.order.partition_point(|ranked| before(ranked.score, &ranked.name.slice));
        self.order.position(at)
    }

    /// Members and scores, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], f64)> {
        self.order.iter().map(|ranked| (&ranked.name.slice, ranked.score))
    }

    /// From a rank on.
    pub(crate) fn iter_from(&self, rank: usize) -> impl Iterator<Item = (&[u8], f64)> {
        self.order.iter_from(self.order.at(rank)).map(|ranked| (&ranked.name.slice, ranked.score))
    }

    /// Backwards from before a rank.
    pub(crate) fn iter_back(&self, rank: usize) -> impl Iterator<Item = (&[u8], f64)> {
        self.order.iter_back(self.order.at(rank)).map(|ranked| (&ranked.name.slice, ranked.score))
    }

    /// Fragment, member and score, from a fragment on.
    pub(crate) fn scan_from(&self, fragment: u32) -> impl Iterator<Item = (u32, &[u8], f64)> {
        let at = self.members.partition_point(|member| member.fragment < fragment);
        self.members.iter_from(at).map(|member| (member.fragment, &member.name.slice, member.score))
    }
}
