//! What a reply or a message waits for before it may be sent.

use ennead_kv::Effect;
use ennead_store::{Durability, Sequence};

/// What must have happened before a reply may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    None,
    /// [`ennead_store::Store::written`] covers the sequence.
    Written(Sequence),
    /// [`ennead_store::Store::durable`] covers the sequence.
    Durable(Sequence),
}

impl Hold {
    /// What a server of this durability promises about something with this effect.
    #[inline]
    pub(crate) fn of(effect: Effect, durability: Durability) -> Hold {
        let sequence = effect.saw.max(effect.wrote.unwrap_or(0));
        match durability {
            _ if sequence == 0 => Hold::None,
            Durability::None => Hold::None,
            Durability::EverySec => Hold::Written(sequence),
            Durability::Always => Hold::Durable(sequence),
        }
    }

    /// What asks for more of two.
    pub(crate) fn longer(self, other: Hold) -> Hold {
        match (self, other) {
            (Hold::None, other) | (other, Hold::None) => other,
            (Hold::Written(first), Hold::Written(second)) => Hold::Written(first.max(second)),
            (Hold::Written(first) | Hold::Durable(first), Hold::Written(second) | Hold::Durable(second)) => {
                Hold::Durable(first.max(second))
            }
        }
    }
}
