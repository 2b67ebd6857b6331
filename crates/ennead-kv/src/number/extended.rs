//! Floats with a mantissa of 64 bits, the `long double` of x86: INCRBYFLOAT's results show that precision, so they are
//! computed with it.

use super::natural::Natural;

#[cfg(test)]
mod tests;

/// Longest text of a number, bytes.
const TEXT_MAX: usize = 5 * 1024;
/// Every finite value is less than 2 to this.
const EXPONENT_MAX: i32 = 16_384;
/// The value of the lowest bit of the smallest number is 2 to this.
const EXPONENT_MIN: i32 = -16_445;
/// Digits after the point in texts.
const DECIMALS: usize = 17;

/// `mantissa * 2^exponent`, the mantissa's top bit set unless it is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extended {
    negative: bool,
    infinite: bool,
    mantissa: u64,
    exponent: i32,
}

impl Extended {
    pub(crate) const ZERO: Extended = Extended { negative: false, infinite: false, mantissa: 0, exponent: 0 };

    /// A whole word in one of the forms that C's `strtold` takes, but no NaN, and nothing that is too large, or so small
    /// that it would be zero.
    pub(crate) fn parse(text: &[u8]) -> Option<Extended> {
        if text.len() >= TEXT_MAX {
            return None;
        }
        let (negative, text) = match text {
            [b'-', text @ ..] => (true, text),
            [b'+', text @ ..] | text => (false, text),
        };
        if text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity") {
            return Some(Extended { negative, infinite: true, ..Extended::ZERO });
        }
        let number = match text {
            [b'0', b'x' | b'X', text @ ..] => Scanned::scan(text, 16)?.hexadecimal()?,
            text => Scanned::scan(text, 10)?.decimal()?,
        };
        Some(Extended { negative, ..number })
    }

    /// About the same number, infinite where it is too large.
    pub(crate) fn to_f64(self) -> f64 {
        let magnitude = if self.infinite { f64::INFINITY } else { self.mantissa as f64 * 2f64.powi(self.exponent) };
        if self.negative { -magnitude } else { magnitude }
    }

    pub(crate) fn is_finite(self) -> bool {
        !self.infinite
    }

    /// The sum, unless it is not finite.
    pub(crate) fn add(self, other: Extended) -> Option<Extended> {
        if self.infinite || other.infinite {
            return None;
        }
        let (large, small) = if self.magnitude() >= other.magnitude() { (self, other) } else { (other, self) };
        if small.mantissa == 0 {
            return Some(if large.mantissa == 0 { Extended::ZERO } else { large });
        }
        // The top bit of the larger one stands at bit 126, so that a carry fits; bits that the smaller one loses are
        // remembered in its lowest bit.
        let distance = (large.exponent - small.exponent) as u32;
        let wide = u128::from(small.mantissa) << 63;
        let aligned = wide.checked_shr(distance).unwrap_or(0);
        let lost = distance >= 128 || aligned << distance != wide;
        let aligned = aligned | u128::from(lost);
        let wide = u128::from(large.mantissa) << 63;
        let sum = if large.negative == small.negative { wide + aligned } else { wide - aligned };
        let rounded = Extended::round(sum, false, large.exponent - 63)?;
        Some(Extended { negative: large.negative && rounded.mantissa != 0, ..rounded })
    }

    fn magnitude(&self) -> (i32, u64) {
        if self.mantissa == 0 { (i32::MIN, 0) } else { (self.exponent, self.mantissa) }
    }

    /// The nearest number to `wide * 2^exponent`, ties to even; none when it is too large. `more` says that there is
    /// something beyond the lowest bit.
    fn round(wide: u128, more: bool, exponent: i32) -> Option<Extended> {
        if wide == 0 {
            return Some(Extended::ZERO);
        }
        let shift = wide.leading_zeros();
        let wide = wide << shift;
        let (top, rest) = ((wide >> 64) as u64, wide as u64);
        let mut exponent = exponent - shift as i32 + 64;
        const HALF: u64 = 1 << 63;
        let up = rest > HALF || (rest == HALF && (more || top & 1 == 1));
        let mantissa = match top.checked_add(u64::from(up)) {
            Some(mantissa) => mantissa,
            None => {
                exponent += 1;
                HALF
            }
        };
        if exponent + 64 > EXPONENT_MAX {
            return None;
        }
        Some(Extended { negative: false, infinite: false, mantissa, exponent })
    }

    /// With up to 17 digits after the point and no trailing zeros.
    pub(crate) fn to_text(self) -> String {
        let scaled = u128::from(self.mantissa) * 10u128.pow(DECIMALS as u32);
        let (whole, decimals) = if self.exponent >= 0 {
            let mut whole = Natural::new(self.mantissa);
            whole.shift_left(self.exponent as usize);
            (whole.into_decimal(), String::new())
        } else {
            let shift = self.exponent.unsigned_abs();
            let mut value = scaled.checked_shr(shift).unwrap_or(0);
            if shift < 128 {
                let rest = scaled - (value << shift);
                let half = 1u128 << (shift - 1);
                value += u128::from(rest > half || (rest == half && value & 1 == 1));
            } else if shift == 128 {
                value = u128::from(scaled > 1 << 127);
            }
            let digits = format!("{value:0width$}", width = DECIMALS + 1);
            let (whole, decimals) = digits.split_at(digits.len() - DECIMALS);
            (whole.to_owned(), decimals.trim_end_matches('0').to_owned())
        };
        let sign = if self.negative && (whole != "0" || !decimals.is_empty()) { "-" } else { "" };
        let point = if decimals.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{decimals}")
    }
}

/// Digits without point, and the exponent of their last one.
struct Scanned {
    digits: Vec<u8>,
    exponent: i64,
}

impl Scanned {
    fn scan(text: &[u8], radix: u32) -> Option<Scanned> {
        let mark = if radix == 16 { b'p' } else { b'e' };
        let end = text.iter().position(|byte| byte.to_ascii_lowercase() == mark).unwrap_or(text.len());
        let (mantissa, exponent) = text.split_at(end);
        let exponent = match exponent {
            [] => 0,
            [_, exponent @ ..] => scan_exponent(exponent)?,
        };
        let point = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len());
        let (whole, fraction) = mantissa.split_at(point);
        let fraction = fraction.get(1..).unwrap_or_default();
        let digits: Vec<u8> = whole
            .iter()
            .chain(fraction)
            .map(|&byte| char::from(byte).to_digit(radix).map(|digit| digit as u8))
            .collect::<Option<_>>()?;
        if digits.is_empty() {
            return None;
        }
        let unit = if radix == 16 { 4 } else { 1 };
        Some(Scanned { digits, exponent: exponent - fraction.len() as i64 * unit })
    }

    fn number(&self, radix: u32) -> Natural {
        let mut number = Natural::default();
        for &digit in &self.digits {
            number.multiply_add(radix, u32::from(digit));
        }
        number
    }

    fn hexadecimal(self) -> Option<Extended> {
        let number = self.number(16);
        if number.is_zero() {
            return Some(Extended::ZERO);
        }
        quotient(number, Natural::new(1), self.exponent)
    }

    fn decimal(self) -> Option<Extended> {
        let mut number = self.number(10);
        if number.is_zero() {
            return Some(Extended::ZERO);
        }
        // Beyond this nothing is finite, or more than zero, whatever the digits.
        if self.exponent.abs() > 2 * TEXT_MAX as i64 {
            return None;
        }
        let power = Natural::power_of_ten(self.exponent.unsigned_abs() as usize);
        if self.exponent <= 0 {
            return quotient(number, power, 0);
        }
        // The product: 10^n = 5^n * 2^n is not worth the trouble for numbers this rare.
        for _ in 0..self.exponent / 9 {
            number.multiply_add(1_000_000_000, 0);
        }
        for _ in 0..self.exponent % 9 {
            number.multiply_add(10, 0);
        }
        quotient(number, Natural::new(1), 0)
    }
}

/// The nearest number to `number / divisor * 2^exponent`; none when it is too large or would be zero.
fn quotient(mut number: Natural, mut divisor: Natural, exponent: i64) -> Option<Extended> {
    const BITS: i64 = 66;
    let shift = BITS + divisor.bits() as i64 - number.bits() as i64;
    if shift >= 0 {
        number.shift_left(shift as usize)
    } else {
        divisor.shift_left(shift.unsigned_abs() as usize)
    }
    let (quotient, more) = number.divide(divisor, BITS as usize + 2);
    // The lowest of the 66 or 67 bits only tells whether there is more.
    let exponent = i32::try_from(exponent - shift).ok()?;
    let rounded = Extended::round(quotient | u128::from(more), more, exponent)?;
    (rounded.exponent >= EXPONENT_MIN - 64).then_some(rounded)
}

fn scan_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(1 << 30));
    Some(if negative { -value } else { value })
}
