//! Numbers as Redis reads and writes them in arguments and values.

pub(crate) mod double;
pub(crate) mod extended;
mod natural;
#[cfg(test)]
mod tests;

/// A whole word as a signed number: decimal, no sign but `-`, no leading zeros, no blanks; as Redis reads integers.
#[inline]
pub(crate) fn parse_integer(word: &[u8]) -> Option<i64> {
    let (negative, digits) = match word {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [] => return None,
        [b'0'] => return (!negative).then_some(0),
        [b'0', ..] => return None,
        _ if digits.len() > 19 => return None,
        _ => {}
    }
    let mut magnitude = 0u64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}
