//! Ziplists: small hashes and sorted sets of Redis before 7, and the nodes of its lists.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | all bytes, u32 LE |
//! | 4 | where the last entry begins, u32 LE |
//! | 2 | entries, u16 LE; 65535 for not known |
//! | n | entries: the length of the one before (a byte, or 254 and u32 LE), a head that tells length or integer, the bytes |
//! | 1 | 255 |

use super::cursor::{array, bytes};

#[cfg(test)]
mod tests;

const HEADER: usize = 10;
const END: u8 = 0xff;
/// Before a length of four bytes.
const LONG: u8 = 0xfe;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// All entries; none if any byte is not what it must be.
pub(super) fn items(list: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = list;
    let total = u32::from_le_bytes(array(&mut rest)?) as usize;
    let tail = u32::from_le_bytes(array(&mut rest)?) as usize;
    let count = u16::from_le_bytes(array(&mut rest)?);
    let (&end, mut rest) = rest.split_last()?;
    if total != list.len() || end != END {
        return None;
    }
    let mut items = Vec::new();
    let (mut last, mut former) = (HEADER, 0);
    while !rest.is_empty() {
        last = list.len() - 1 - rest.len();
        let before = rest.len();
        let [short] = array(&mut rest)?;
        let told = match short {
            END => return None,
            LONG => u32::from_le_bytes(array(&mut rest)?) as usize,
            short => usize::from(short),
        };
        if told != former {
            return None;
        }
        items.push(item(&mut rest)?);
        former = before - rest.len();
    }
    let sound = tail == last && (count == COUNT_UNKNOWN || usize::from(count) == items.len());
    sound.then_some(items)
}

/// The first entry, without the length before it.
fn item(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let [first] = array(rest)?;
    let low = usize::from(first & 0x3f);
    let integer = match first {
        0..0x40 => return bytes(rest, low),
        0x40..0x80 => {
            let [second] = array(rest)?;
            return bytes(rest, low << 8 | usize::from(second));
        }
        0x80 => {
            let len = u32::from_be_bytes(array(rest)?);
            return bytes(rest, len as usize);
        }
        0xc0 => i64::from(i16::from_le_bytes(array(rest)?)),
        0xd0 => i64::from(i32::from_le_bytes(array(rest)?)),
        0xe0 => i64::from_le_bytes(array(rest)?),
        0xf0 => {
            let [a, b, c] = array(rest)?;
            i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)
        }
        0xfe => {
            let [byte] = array(rest)?;
            i64::from(byte as i8)
        }
        0xf1..=0xfd => i64::from(first & 0x0f) - 1,
        _ => return None,
    };
    Some(integer.to_string().into_bytes())
}
