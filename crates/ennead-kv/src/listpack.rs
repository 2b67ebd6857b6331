//! Redis's listpack: a run of elements, each an integer or a string with its length behind it, so that it can be read from
//! both ends. Streams are kept in this form, and payloads of Redis have it for all that is small. This is the elements; header and
//! end come with [`seal`].
//!
//! | first byte | what |
//! |---|---|
//! | `0xxxxxxx` | an integer of 7 bits, not negative |
//! | `10xxxxxx` | a string of up to 63 bytes |
//! | `110xxxxx` | an integer of 13 bits, its other 8 in the next byte |
//! | `1110xxxx` | a string of up to 4,095 bytes, the other 8 bits of its length in the next byte |
//! | `0xf0` | a string, its length as u32 LE |
//! | `0xf1` to `0xf4` | an integer of 16, 24, 32 or 64 bits, LE |

use std::borrow::Cow;

use crate::encoding::INTEGER_LEN_MAX;
use crate::number::parse_integer;

#[cfg(test)]
mod tests;

/// Bytes of the header: length (u32 LE) and elements (u16 LE).
const HEADER: usize = 6;
const END: u8 = 0xff;
/// Where there are more elements than the header can tell.
const COUNT_UNKNOWN: u16 = u16::MAX;
/// What a listpack takes besides its elements.
pub(crate) const FRAME: usize = HEADER + 1;
/// What the smallest element takes.
pub(crate) const ENTRY_MIN: usize = 2;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    Integer(i64),
    Bytes(&'a [u8]),
}

impl<'a> Element<'a> {
    /// As text.
    pub(crate) fn text(self) -> Cow<'a, [u8]> {
        match self {
            Element::Integer(integer) => Cow::Owned(integer.to_string().into_bytes()),
            Element::Bytes(bytes) => Cow::Borrowed(bytes),
        }
    }

    pub(crate) fn integer(self) -> Option<i64> {
        match self {
            Element::Integer(integer) => Some(integer),
            Element::Bytes(_) => None,
        }
    }
}

/// Appends an element's bytes, those of a number in its form.
pub(crate) fn push(elements: &mut Vec<u8>, bytes: &[u8]) {
    let integer = if bytes.len() <= INTEGER_LEN_MAX { parse_integer(bytes) } else { None };
    if let Some(integer) = integer {
        return push_integer(elements, integer);
    }
    let start = elements.len();
    match bytes.len() {
        len @ ..64 => elements.push(0x80 | len as u8),
        len @ 64..4096 => elements.extend_from_slice(&[0xe0 | (len >> 8) as u8, len as u8]),
        len => {
            elements.push(0xf0);
            elements.extend_from_slice(&(len as u32).to_le_bytes());
        }
    }
    elements.extend_from_slice(bytes);
    push_length(elements, start);
}

pub(crate) fn push_integer(elements: &mut Vec<u8>, integer: i64) {
    let start = elements.len();
    let bytes = integer.to_le_bytes();
    match integer {
        0..=127 => elements.push(integer as u8),
        -4096..=4095 => {
            let bits = integer as u16 & 0x1fff;
            elements.extend_from_slice(&[0xc0 | (bits >> 8) as u8, bits as u8]);
        }
        -0x8000..=0x7fff => {
            elements.push(0xf1);
            elements.extend_from_slice(&bytes[..2]);
        }
        -0x80_0000..=0x7f_ffff => {
            elements.push(0xf2);
            elements.extend_from_slice(&bytes[..3]);
        }
        -0x8000_0000..=0x7fff_ffff => {
            elements.push(0xf3);
            elements.extend_from_slice(&bytes[..4]);
        }
        _ => {
            elements.push(0xf4);
            elements.extend_from_slice(&bytes);
        }
    }
    push_length(elements, start);
}

/// Bytes of the length behind an element of so many. Redis takes a byte more for the largest of each size but the first.
fn length_bytes(len: usize) -> usize {
    match len {
        ..128 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    }
}

/// Bytes that an element takes: its own with a header, or those of a number, and their length behind them.
pub(crate) fn size(element: &[u8]) -> usize {
    let number = if element.len() <= INTEGER_LEN_MAX { parse_integer(element) } else { None };
    let bytes = match (number, element.len()) {
        (Some(0..=127), _) => 1,
        (Some(-4096..=4095), _) => 2,
        (Some(-0x8000..=0x7fff), _) => 3,
        (Some(-0x80_0000..=0x7f_ffff), _) => 4,
        (Some(-0x8000_0000..=0x7fff_ffff), _) => 5,
        (Some(_), _) => 9,
        (None, len @ ..64) => 1 + len,
        (None, len @ 64..4096) => 2 + len,
        (None, len) => 5 + len,
    };
    bytes + length_bytes(bytes)
}

/// The length of an element as it stands behind it, to be read backwards: seven bits a byte, the highest first, all but the
/// first marked.
struct Behind {
    bytes: [u8; 5],
    len: usize,
}

impl Behind {
    fn of(length: usize) -> Behind {
        let len = length_bytes(length);
        let mut bytes = [0; 5];
        for (at, byte) in bytes.iter_mut().take(len).enumerate() {
            let part = (length >> (7 * (len - 1 - at))) as u8;
            *byte = if at == 0 { part } else { part & 0x7f | 0x80 };
        }
        Behind { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Appends the length of the element that begins at `start`.
fn push_length(elements: &mut Vec<u8>, start: usize) {
    let behind = Behind::of(elements.len() - start);
    elements.extend_from_slice(behind.bytes());
}

/// The element at `at` and where the next one begins; none at the end, or where there is none.
pub(crate) fn element(elements: &[u8], at: usize) -> Option<(Element<'_>, usize)> {
    let (element, len) = read(elements, at)?;
    let next = at + len + length_bytes(len);
    (next <= elements.len()).then_some((element, next))
}

/// The element at `at` and its bytes, without the length behind it.
fn read(elements: &[u8], at: usize) -> Option<(Element<'_>, usize)> {
    let rest = elements.get(at..)?;
    let &first = rest.first()?;
    let signed = |bytes: usize| {
        let raw = rest.get(1..=bytes)?;
        let mut wide = [0; 8];
        wide[8 - bytes..].copy_from_slice(raw);
        Some((Element::Integer(i64::from_le_bytes(wide) >> (64 - 8 * bytes)), 1 + bytes))
    };
    let string = |head: usize, len: usize| Some((Element::Bytes(rest.get(head..head.checked_add(len)?)?), head + len));
    Some(match first {
        0..=0x7f => (Element::Integer(first.into()), 1),
        0x80..=0xbf => string(1, usize::from(first & 0x3f))?,
        0xc0..=0xdf => {
            let bits = u16::from(first & 0x1f) << 8 | u16::from(*rest.get(1)?);
            (Element::Integer(i64::from((bits << 3) as i16 >> 3)), 2)
        }
        0xe0..=0xef => string(2, usize::from(first & 0x0f) << 8 | usize::from(*rest.get(1)?))?,
        0xf0 => string(5, u32::from_le_bytes(*rest.get(1..)?.first_chunk()?) as usize)?,
        0xf1 => signed(2)?,
        0xf2 => signed(3)?,
        0xf3 => signed(4)?,
        0xf4 => signed(8)?,
        _ => return None,
    })
}

/// All elements from a place on. What is cut off ends them.
pub(crate) fn elements_from(elements: &[u8], at: usize) -> impl Iterator<Item = Element<'_>> {
    let mut at = at;
    std::iter::from_fn(move || {
        let (element, next) = element(elements, at)?;
        at = next;
        Some(element)
    })
}

/// Header, elements and end.
pub(crate) fn seal(elements: &[u8]) -> Vec<u8> {
    let mut listpack = Vec::with_capacity(elements.len() + FRAME);
    let count = elements_from(elements, 0).count();
    listpack.extend_from_slice(&((elements.len() + FRAME) as u32).to_le_bytes());
    listpack.extend_from_slice(&u16::try_from(count).unwrap_or(COUNT_UNKNOWN).to_le_bytes());
    listpack.extend_from_slice(elements);
    listpack.push(END);
    listpack
}

/// The elements of a whole listpack; none if any byte is not what it must be.
pub(crate) fn unseal(listpack: &[u8]) -> Option<&[u8]> {
    let (header, rest) = listpack.split_first_chunk::<HEADER>()?;
    let (&end, elements) = rest.split_last()?;
    let len = u32::from_le_bytes(*header.first_chunk()?) as usize;
    let told = u16::from_le_bytes(*header.last_chunk()?);
    let (mut at, mut count) = (0, 0);
    while at < elements.len() {
        let (_, len) = read(elements, at)?;
        let behind = Behind::of(len);
        if !elements[at + len..].starts_with(behind.bytes()) {
            return None;
        }
        (at, count) = (at + len + behind.len, count + 1);
    }
    let counted = told == COUNT_UNKNOWN || usize::from(told) == count;
    (len == listpack.len() && end == END && counted).then_some(elements)
}

/// All elements of a whole listpack, as text.
pub(crate) fn texts(listpack: &[u8]) -> Option<Vec<Vec<u8>>> {
    Some(elements_from(unseal(listpack)?, 0).map(|element| element.text().into_owned()).collect())
}
