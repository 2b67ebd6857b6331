//! Doubles as Redis reads and writes them: read in all forms of C's `strtod`, written with the fewest digits that read
//! back as the same number.

#[cfg(test)]
mod tests;

/// Integers up to this are written in full.
const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;
const MANTISSA_BITS: i32 = 53;
/// The smallest number with a whole mantissa is 2 to this; below it every step loses a bit.
const NORMAL_MIN: i32 = -1022;
/// The smallest number is 2 to this.
const EXPONENT_MIN: i32 = -1074;

/// A whole word as a number, but no NaN, nothing that is too large, and nothing so small that it would be zero.
pub(crate) fn parse_double(word: &[u8]) -> Option<f64> {
    match read(word)? {
        Read { value, lost: false } => Some(value),
        _ => None,
    }
}

/// A bound of a range, with everything that `strtod` forgives: blanks before it, nothing at all for 0, and anything
/// behind a zero byte.
pub(crate) fn parse_bound(word: &[u8]) -> Option<f64> {
    read_leniently(word).map(|read| read.value)
}

/// What SORT goes by: as [`parse_bound`], but nothing too large, and nothing so small that it would be zero.
pub(crate) fn parse_weight(word: &[u8]) -> Option<f64> {
    read_leniently(word).filter(|read| !read.lost).map(|read| read.value)
}

fn read_leniently(word: &[u8]) -> Option<Read> {
    let end = memchr::memchr(0, word).unwrap_or(word.len());
    if end == 0 {
        return Some(Read { value: 0.0, lost: false });
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = word[..end].iter().position(|byte| !blank(byte))?;
    read(&word[start..end])
}

/// A number, and whether it stands for one that is too large or too small.
struct Read {
    value: f64,
    lost: bool,
}

fn read(word: &[u8]) -> Option<Read> {
    let (negative, text) = match word {
        [b'-', text @ ..] => (true, text),
        [b'+', text @ ..] | text => (false, text),
    };
    let read = match text {
        _ if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") => {
            Read { value: f64::INFINITY, lost: false }
        }
        [b'0', b'x' | b'X', text @ ..] => read_hexadecimal(text)?,
        [b'0'..=b'9' | b'.', ..] => read_decimal(text)?,
        _ => return None,
    };
    Some(if negative { Read { value: -read.value, ..read } } else { read })
}

fn read_decimal(text: &[u8]) -> Option<Read> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let mut digits = text.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    let lost = value.is_infinite() || value == 0.0 && digits.any(|byte| matches!(byte, b'1'..=b'9'));
    Some(Read { value, lost })
}

fn read_hexadecimal(text: &[u8]) -> Option<Read> {
    let end = text.iter().position(|byte| matches!(byte, b'p' | b'P')).unwrap_or(text.len());
    let (digits, power) = text.split_at(end);
    let mut exponent = match power {
        [] => 0,
        [_, power @ ..] => read_power(power)?,
    };
    // More digits than fit only tell whether there is something beyond the others.
    let (mut mantissa, mut more, mut point, mut any) = (0u64, false, false, false);
    for &byte in digits {
        if byte == b'.' && !point {
            point = true;
            continue;
        }
        let digit = char::from(byte).to_digit(16)?;
        any = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if point { 4 } else { 0 };
        } else {
            more |= digit != 0;
            exponent += if point { 0 } else { 4 };
        }
    }
    any.then(|| scale(mantissa, more, exponent))
}

fn read_power(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(1 << 40));
    Some(if negative { -value } else { value })
}

/// The nearest number to `mantissa * 2^exponent`, ties to even. `more` says that there is something beyond the mantissa.
fn scale(mantissa: u64, more: bool, exponent: i64) -> Read {
    if mantissa == 0 {
        return Read { value: 0.0, lost: false };
    }
    let bits = 64 - mantissa.leading_zeros() as i32;
    let top = exponent + i64::from(bits) - 1;
    if top > 1023 {
        return Read { value: f64::INFINITY, lost: true };
    }
    let top = top.max(-2000) as i32;
    let precision = if top >= NORMAL_MIN { MANTISSA_BITS } else { MANTISSA_BITS - (NORMAL_MIN - top) };
    let shift = bits - precision;
    if precision < 0 {
        return Read { value: 0.0, lost: true };
    }
    // Where the lowest bit that stays lies.
    let unit = top - precision + 1;
    let rounded = if shift <= 0 {
        mantissa << shift.unsigned_abs()
    } else {
        let wide = u128::from(mantissa) << 1 | u128::from(more);
        let (kept, rest) = (wide >> (shift + 1), wide & ((1 << (shift + 1)) - 1));
        let half = 1u128 << shift;
        (kept + u128::from(rest > half || rest == half && kept & 1 == 1)) as u64
    };
    let value = rounded as f64 * power_of_two(unit.max(EXPONENT_MIN));
    Read { value, lost: value.is_infinite() || value == 0.0 }
}

fn power_of_two(exponent: i32) -> f64 {
    if exponent >= NORMAL_MIN {
        f64::from_bits(((exponent + 1023) as u64) << 52)
    } else {
        f64::from_bits(1 << (exponent - EXPONENT_MIN))
    }
}

/// Hands over the text of a number as Redis 7.2 lays it out: `3.14`, `1e+20`, `inf`, `-inf`, `nan`.
pub fn with_double_text<T>(value: f64, take: impl FnOnce(&str) -> T) -> T {
    if value.abs() <= INTEGER_MAX && value.trunc() == value && (value != 0.0 || value.is_sign_positive()) {
        return take(itoa::Buffer::new().format(value as i64));
    }
    take(&shortest(value))
}

fn shortest(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let sign = if value.is_sign_negative() { "-" } else { "" };
    // The power of ten of the last digit.
    let scale = exponent + 1 - digits.len() as i32;
    if scale >= 0 && exponent < digits.len() as i32 + 7 {
        return format!("{sign}{digits}{}", "0".repeat(scale as usize));
    }
    if scale < 0 && (scale > -7 || exponent.abs() < 4) {
        return format!("{sign}{}", decimal(&digits, exponent + 1));
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{exponent_sign}{}", exponent.abs())
}

/// Digits with the point before the digit of this number.
fn decimal(digits: &str, point: i32) -> String {
    if point <= 0 {
        format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
    } else {
        match digits.split_at_checked(point as usize) {
            Some((whole, "")) => whole.to_owned(),
            Some((whole, fraction)) => format!("{whole}.{fraction}"),
            None => format!("{digits}{}", "0".repeat(point as usize - digits.len())),
        }
    }
}

/// With 17 digits at most, as C's `%.17g`.
pub(crate) fn seventeen_digits(value: f64) -> String {
    if !value.is_finite() {
        return shortest(value);
    }
    let scientific = format!("{:.16e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        digits => digits,
    };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    if (-4..17).contains(&exponent) {
        return format!("{sign}{}", decimal(digits, exponent + 1));
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{exponent_sign}{:02}", exponent.abs())
}
