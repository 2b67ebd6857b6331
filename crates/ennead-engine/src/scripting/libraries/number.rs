//! Numbers as text, as C's `printf` writes and its `strtod` reads them.

#[cfg(test)]
mod tests;

/// A number with so many significant digits and nothing superfluous: `%.{precision}g`.
pub(super) fn format(number: f64, precision: usize) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    // The exponent is that of the rounded number.
    let scientific = format!("{number:.*e}", precision - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..precision as i32).contains(&exponent) {
        let decimals = (precision as i32 - 1 - exponent) as usize;
        return without_zeros(&format!("{number:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_zeros(digits), exponent.unsigned_abs())
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// The number that a text begins with, and how many bytes it takes; none of them if there is none.
pub(super) fn parse(text: &[u8]) -> (f64, usize) {
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let magnitude = &text[sign..];
    let (number, len) = match magnitude {
        [b'0', b'x' | b'X', ..] => hexadecimal(magnitude),
        [b'0'..=b'9' | b'.', ..] => decimal(magnitude),
        _ => named(magnitude),
    };
    if len == 0 {
        return (0.0, 0);
    }
    (if text[0] == b'-' { -number } else { number }, sign + len)
}

fn digits(text: &[u8], is_digit: fn(&u8) -> bool) -> usize {
    text.iter().take_while(|byte| is_digit(byte)).count()
}

/// The length of a fraction, its point included, that follows so many digits.
fn fraction(text: &[u8], whole: usize, is_digit: fn(&u8) -> bool) -> usize {
    match text.get(whole) {
        Some(b'.') => match digits(&text[whole + 1..], is_digit) {
            0 if whole == 0 => 0,
            count => 1 + count,
        },
        _ => 0,
    }
}

/// The length of an exponent with its letter, and its value.
fn exponent(text: &[u8], letter: u8) -> (usize, i32) {
    if !text.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&letter)) {
        return (0, 0);
    }
    let sign = usize::from(matches!(text.get(1), Some(b'-' | b'+')));
    let count = digits(&text[1 + sign..], u8::is_ascii_digit);
    if count == 0 {
        return (0, 0);
    }
    let shown = &text[1 + sign..1 + sign + count];
    let value = shown.iter().fold(0i32, |value, byte| value.saturating_mul(10).saturating_add(i32::from(byte - b'0')));
    (1 + sign + count, if text[1] == b'-' { -value } else { value })
}

fn decimal(text: &[u8]) -> (f64, usize) {
    let whole = digits(text, u8::is_ascii_digit);
    let mantissa = whole + fraction(text, whole, u8::is_ascii_digit);
    if mantissa == 0 {
        return (0.0, 0);
    }
    let (tail, _) = exponent(&text[mantissa..], b'e');
    let len = mantissa + tail;
    let number = std::str::from_utf8(&text[..len]).ok().and_then(|text| text.parse().ok());
    (number.unwrap_or(0.0), len)
}

fn hexadecimal(text: &[u8]) -> (f64, usize) {
    let body = &text[2..];
    let whole = digits(body, u8::is_ascii_hexdigit);
    let mantissa = whole + fraction(body, whole, u8::is_ascii_hexdigit);
    if mantissa == 0 {
        // The zero alone.
        return (0.0, 1);
    }
    let (mut bits, mut scale, mut lost, mut after_point) = (0u64, 0i32, false, false);
    for byte in &body[..mantissa] {
        let Some(digit) = (*byte as char).to_digit(16) else {
            after_point = true;
            continue;
        };
        if bits >> 60 == 0 {
            bits = bits << 4 | u64::from(digit);
            scale -= if after_point { 4 } else { 0 };
        } else {
            lost |= digit != 0;
            scale += if after_point { 0 } else { 4 };
        }
    }
    let (tail, power) = exponent(&body[mantissa..], b'p');
    // What was cut off only matters for which way a tie goes.
    let number = (bits | u64::from(lost)) as f64;
    (scaled(number, scale.saturating_add(power)), 2 + mantissa + tail)
}

/// A number times a power of two, which may be out of range by itself.
fn scaled(number: f64, power: i32) -> f64 {
    let power = power.clamp(-2200, 2200);
    let half = power / 2;
    number * 2f64.powi(half) * 2f64.powi(power - half)
}

/// Infinity, and what is no number.
fn named(text: &[u8]) -> (f64, usize) {
    let begins = |name: &[u8]| text.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    if begins(b"infinity") {
        return (f64::INFINITY, 8);
    }
    if begins(b"inf") {
        return (f64::INFINITY, 3);
    }
    if !begins(b"nan") {
        return (0.0, 0);
    }
    let inner = text.get(4..).map_or(0, |rest| digits(rest, |byte| byte.is_ascii_alphanumeric() || *byte == b'_'));
    let is_closed = text.get(3) == Some(&b'(') && text.get(4 + inner) == Some(&b')');
    (f64::NAN, if is_closed { 5 + inner } else { 3 })
}
