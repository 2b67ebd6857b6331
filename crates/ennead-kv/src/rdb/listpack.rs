//! Listpacks: small hashes, sets and sorted sets of Redis 7, and the nodes of its lists.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | all bytes, u32 LE |
//! | 2 | entries, u16 LE; 65535 for not known |
//! | n | entries: a head that tells length or integer, the bytes, and the length of both, to be read backwards |
//! | 1 | 255 |

#[cfg(test)]
mod tests;

const HEADER: usize = 6;
const END: u8 = 0xff;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// All entries; none if any byte is not what it must be.
pub(super) fn items(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (head, rest) = bytes.split_first_chunk::<HEADER>()?;
    let (total, count) =
        (u32::from_le_bytes([head[0], head[1], head[2], head[3]]), u16::from_le_bytes([head[4], head[5]]));
    let (&end, mut rest) = rest.split_last()?;
    if total as usize != bytes.len() || end != END {
        return None;
    }
    let mut items = Vec::new();
    while !rest.is_empty() {
        let before = rest;
        items.push(item(&mut rest)?);
        rest = rest.strip_prefix(Backwards::of(before.len() - rest.len()).bytes())?;
    }
    (count == COUNT_UNKNOWN || usize::from(count) == items.len()).then_some(items)
}

/// The first entry, without the length behind it.
fn item(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let [first] = array(rest)?;
    let low = usize::from(first);
    let integer = match first {
        0..0x80 => i64::from(first),
        0x80..0xc0 => return bytes(rest, low & 0x3f),
        0xc0..0xe0 => {
            let [second] = array(rest)?;
            // 13 bits with a sign.
            i64::from((u16::from(first & 0x1f) << 8 | u16::from(second)).wrapping_shl(3) as i16 >> 3)
        }
        0xe0..0xf0 => {
            let [second] = array(rest)?;
            return bytes(rest, (low & 0x0f) << 8 | usize::from(second));
        }
        0xf0 => {
            let len = u32::from_le_bytes(array(rest)?);
            return bytes(rest, len as usize);
        }
        0xf1 => i64::from(i16::from_le_bytes(array(rest)?)),
        0xf2 => {
            let [a, b, c] = array(rest)?;
            i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)
        }
        0xf3 => i64::from(i32::from_le_bytes(array(rest)?)),
        0xf4 => i64::from_le_bytes(array(rest)?),
        _ => return None,
    };
    Some(integer.to_string().into_bytes())
}

pub(super) fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*bytes)
}

pub(super) fn bytes(rest: &mut &[u8], len: usize) -> Option<Vec<u8>> {
    let (bytes, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(bytes.to_vec())
}

/// A length as it stands behind an entry: seven bits a byte, the highest first, all but the first marked.
struct Backwards {
    bytes: [u8; 5],
    len: usize,
}

impl Backwards {
    fn of(length: usize) -> Backwards {
        // Redis takes a byte more for the largest length of each size but the first.
        let len = match length {
            0..=127 => 1,
            128..16_383 => 2,
            16_383..2_097_151 => 3,
            2_097_151..268_435_455 => 4,
            _ => 5,
        };
        let mut bytes = [0; 5];
        for (at, byte) in bytes.iter_mut().take(len).enumerate() {
            let part = length >> (7 * (len - 1 - at));
            *byte = if at == 0 { part as u8 } else { part as u8 & 0x7f | 0x80 };
        }
        Backwards { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
