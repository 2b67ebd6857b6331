//! Zipmaps: small hashes of Redis before 2.6. The number of fields (a byte, 254 for not known), then for each the length of
//! its name, the name, the length of its value, a number of unused bytes, the value and the unused bytes; 255 at the end. A
//! length is a byte, or 254 and u32 LE.

use super::cursor::{array, bytes};

#[cfg(test)]
mod tests;

const LONG: u8 = 0xfe;
const END: u8 = 0xff;

/// Fields and values in turn; none if any byte is not what it must be.
pub(super) fn items(map: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = map;
    let [count] = array(&mut rest)?;
    let (&end, mut rest) = rest.split_last()?;
    if end != END {
        return None;
    }
    let mut items = Vec::new();
    while !rest.is_empty() {
        let len = length(&mut rest)?;
        items.push(bytes(&mut rest, len)?);
        let len = length(&mut rest)?;
        let [unused] = array(&mut rest)?;
        items.push(bytes(&mut rest, len)?);
        rest = rest.get(usize::from(unused)..)?;
    }
    let sound = !items.is_empty() && (count >= LONG || usize::from(count) == items.len() / 2);
    sound.then_some(items)
}

fn length(rest: &mut &[u8]) -> Option<usize> {
    let [first] = array(rest)?;
    match first {
        END => None,
        LONG => Some(u32::from_le_bytes(array(rest)?) as usize),
        short => Some(usize::from(short)),
    }
}
