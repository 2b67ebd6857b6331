//! Classes of keyspace events, in the letters of `notify-keyspace-events`.

use std::fmt::{self, Write};

/// The classes in the order in which they are shown.
const CLASSES: &[char] = &['g', '$', 'l', 's', 'h', 'z', 'x', 'e', 't', 'd', 'n'];
/// Classes that `A` stands for: all but `n`.
const ALL: u16 = (1 << 10) - 1;
/// Which channels are written to, and misses, which belong to no class: shown behind the classes.
const OTHERS: &[char] = &['K', 'E', 'm'];

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

    pub fn is_empty(self) -> bool {
        self.0 == 0
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
