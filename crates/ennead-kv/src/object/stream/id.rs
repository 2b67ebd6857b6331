//! The id of an entry: a time and a number within it.

use std::fmt;

use smallvec::SmallVec;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub(crate) struct Id {
    /// Unix ms, if the server gave it.
    pub(crate) ms: u64,
    pub(crate) sequence: u64,
}

impl Id {
    pub(crate) const MIN: Id = Id { ms: 0, sequence: 0 };
    pub(crate) const MAX: Id = Id { ms: u64::MAX, sequence: u64::MAX };

    /// The id right behind; none behind the last.
    pub(crate) fn next(self) -> Option<Id> {
        Some(match self.sequence.checked_add(1) {
            Some(sequence) => Id { sequence, ..self },
            None => Id { ms: self.ms.checked_add(1)?, sequence: 0 },
        })
    }

    /// The id right before; none before the first.
    pub(crate) fn previous(self) -> Option<Id> {
        Some(match self.sequence.checked_sub(1) {
            Some(sequence) => Id { sequence, ..self },
            None => Id { ms: self.ms.checked_sub(1)?, sequence: u64::MAX },
        })
    }

    /// In the order of ids.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.sequence)).to_be_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Id {
        let both = u128::from_be_bytes(bytes);
        Id { ms: (both >> 64) as u64, sequence: both as u64 }
    }
}

impl Id {
    /// As clients see it.
    pub(crate) fn text(self) -> SmallVec<[u8; 48]> {
        let mut text = SmallVec::from_slice(itoa::Buffer::new().format(self.ms).as_bytes());
        text.push(b'-');
        text.extend_from_slice(itoa::Buffer::new().format(self.sequence).as_bytes());
        text
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.ms, self.sequence)
    }
}
