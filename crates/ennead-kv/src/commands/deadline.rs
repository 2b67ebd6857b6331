//! Expiry times in arguments.

use crate::error::{Error, Result};
use crate::number::parse_integer;

/// How an expiry is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
    UnixSeconds,
    UnixMilliseconds,
}

impl Unit {
    /// The option of SET and GETEX.
    pub(super) fn from_option(word: &[u8]) -> Option<Unit> {
        [
            (&b"ex"[..], Unit::Seconds),
            (b"px", Unit::Milliseconds),
            (b"exat", Unit::UnixSeconds),
            (b"pxat", Unit::UnixMilliseconds),
        ]
        .into_iter()
        .find_map(|(option, unit)| word.eq_ignore_ascii_case(option).then_some(unit))
    }

    pub(super) fn is_seconds(self) -> bool {
        matches!(self, Unit::Seconds | Unit::UnixSeconds)
    }

    pub(super) fn is_relative(self) -> bool {
        matches!(self, Unit::Seconds | Unit::Milliseconds)
    }
}

/// The deadline in Unix ms that a positive amount means, for the commands that set a value with it.
///
/// # Errors
/// Not an integer, not positive, or out of range: with the command's name in the text, as Redis has it.
pub(super) fn deadline(amount: &[u8], unit: Unit, now_ms: u64, command: &str) -> Result<u64> {
    let amount = parse_integer(amount).ok_or(Error::NotInteger)?;
    let invalid = || Error::Text(format!("ERR invalid expire time in '{command}' command").into());
    let ms = unix_ms(amount, unit, now_ms).ok_or_else(invalid)?;
    if amount <= 0 { Err(invalid()) } else { u64::try_from(ms).map_err(|_| invalid()) }
}

/// The amount in Unix ms, unless it overflows.
pub(super) fn unix_ms(amount: i64, unit: Unit, now_ms: u64) -> Option<i64> {
    let ms = if unit.is_seconds() { amount.checked_mul(1000)? } else { amount };
    if unit.is_relative() { ms.checked_add_unsigned(now_ms) } else { Some(ms) }
}
