//! Classes of keyspace events, in the letters of `notify-keyspace-events`.

use std::fmt::{self, Write};

use super::{Cell, Kind, Value, word};

/// The classes in the order in which they are shown.
const CLASSES: &[char] = &['g', '$', 'l', 's', 'h', 'z', 'x', 'e', 't', 'd', 'n'];
/// Classes that `A` stands for: all but `n`.
const ALL: u16 = (1 << 10) - 1;
/// Which channels are written to, and misses, which belong to no class: shown behind the classes.
const OTHERS: &[char] = &['K', 'E', 'm'];

const KEYSPACE: u16 = 1 << 11;
const KEYEVENT: u16 = 1 << 12;

/// A set of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventClasses(u16);

impl EventClasses {
    /// # Errors
    /// Redis's text when there is a letter that means nothing.
    pub fn parse(text: &str) -> Result<EventClasses, String> {
        let letters = || CLASSES.iter().chain(OTHERS);
        let bit = |letter: char| match letter {
            'A' => Some(ALL),
            letter => letters().position(|known| *known == letter).map(|place| 1 << place),
        };
        let bits: Option<u16> = text.chars().try_fold(0, |set, letter| Some(set | bit(letter)?));
        bits.map(EventClasses).ok_or_else(|| "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.".to_owned())
    }

    /// From the bits of [`EventClasses::bits`].
    pub(super) fn of(bits: i64) -> EventClasses {
        EventClasses(bits as u16)
    }

    /// A bit for each letter, as in [`ennead_kv::EventClass`].
    pub fn bits(self) -> u32 {
        self.0.into()
    }

    /// The classes whose events go anywhere.
    pub(crate) fn wanted(self) -> u32 {
        if self.to_keyspace() || self.to_keyevent() { self.bits() } else { 0 }
    }

    /// Whether the channels are written to that have the names of keys.
    pub(crate) fn to_keyspace(self) -> bool {
        self.0 & KEYSPACE != 0
    }

    /// Whether the channels are written to that have the names of events.
    pub(crate) fn to_keyevent(self) -> bool {
        self.0 & KEYEVENT != 0
    }
}

impl Value for EventClasses {
    fn load(cell: &Cell) -> Self {
        EventClasses::of(word(cell))
    }
    fn fits(kind: &Kind) -> bool {
        matches!(kind, Kind::Events)
    }
}

impl fmt::Display for EventClasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.0 & ALL == ALL;
        if all {
            f.write_char('A')?;
        }
        for (place, letter) in CLASSES.iter().chain(OTHERS).enumerate() {
            let shown = !all || place >= CLASSES.len();
            if shown && self.0 & 1 << place != 0 {
                f.write_char(*letter)?;
            }
        }
        Ok(())
    }
}
