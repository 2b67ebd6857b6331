//! The arithmetic of BITFIELD: numbers of any width up to 64 bits, and what happens when they do not fit.

use crate::error::{Error, Result};

/// What a number becomes that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Overflow {
    /// It loses its high bits.
    #[default]
    Wrap,
    /// The nearest number that fits.
    Saturate,
    /// Nothing is changed.
    Fail,
}

impl Overflow {
    pub(super) fn parse(word: &[u8]) -> Result<Overflow> {
        if word.eq_ignore_ascii_case(b"wrap") {
            Ok(Overflow::Wrap)
        } else if word.eq_ignore_ascii_case(b"sat") {
            Ok(Overflow::Saturate)
        } else if word.eq_ignore_ascii_case(b"fail") {
            Ok(Overflow::Fail)
        } else {
            Err(Error::text("ERR Invalid OVERFLOW type specified"))
        }
    }
}

/// The type of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) signed: bool,
    /// Bits; up to 64, unsigned up to 63.
    pub(super) width: u32,
}

/// On which side a number does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excess {
    Above,
    Below,
}

impl Encoding {
    pub(super) fn parse(word: &[u8]) -> Result<Encoding> {
        let (signed, most) = match word.first() {
            Some(b'i') => (true, 64),
            Some(b'u') => (false, 63),
            _ => (false, 0),
        };
        let width = word.get(1..).and_then(crate::number::parse_integer);
        match width.filter(|width| (1..=most).contains(width)) {
            Some(width) => Ok(Encoding { signed, width: width as u32 }),
            None => Err(Error::text(
                "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
            )),
        }
    }

    /// The number that the low bits are.
    pub(super) fn decode(self, bits: u64) -> i64 {
        let shift = 64 - self.width;
        if self.signed { (bits << shift) as i64 >> shift } else { (bits << shift >> shift) as i64 }
    }

    /// `number` plus `increment` as a number of this type; none when it does not fit and that is to fail.
    pub(super) fn add(self, number: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        let excess = if self.signed { self.signed_excess(number, increment) } else { self.excess(number, increment) };
        match (excess, overflow) {
            (Some(_), Overflow::Fail) => None,
            (Some(Excess::Above), Overflow::Saturate) => Some(self.greatest()),
            (Some(Excess::Below), Overflow::Saturate) => Some(if self.signed { !self.greatest() } else { 0 }),
            (Some(_), Overflow::Wrap) | (None, _) => Some(self.decode(number.wrapping_add(increment) as u64)),
        }
    }

    fn greatest(self) -> i64 {
        let bits = if self.signed { self.width - 1 } else { self.width };
        ((1u128 << bits) - 1) as i64
    }

    fn excess(self, number: i64, increment: i64) -> Option<Excess> {
        let (number, greatest) = (number as u64, self.greatest() as u64);
        if number > greatest || increment > 0 && increment > (greatest - number) as i64 {
            Some(Excess::Above)
        } else if increment < 0 && increment < (number as i64).wrapping_neg() {
            Some(Excess::Below)
        } else {
            None
        }
    }

    /// Redis's differences wrap around, and so does what follows from them: SET of a number far below an i8 saturates
    /// to 127.
    fn signed_excess(self, number: i64, increment: i64) -> Option<Excess> {
        let (greatest, least) = (self.greatest(), !self.greatest());
        let (above, below) = (greatest.wrapping_sub(number), least.wrapping_sub(number));
        let narrow = self.width != 64;
        if number > greatest || (narrow || number >= 0 && increment > 0) && increment > above {
            Some(Excess::Above)
        } else if number < least || (narrow || number < 0 && increment < 0) && increment < below {
            Some(Excess::Below)
        } else {
            None
        }
    }
}
