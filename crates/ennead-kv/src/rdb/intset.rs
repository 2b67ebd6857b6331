//! Intsets: sets of integers. Bytes of an integer (u32 LE: 2, 4 or 8), their number (u32 LE), and the integers, LE,
//! each greater than the one before.

use super::cursor::array;

#[cfg(test)]
mod tests;

/// All members; none if any byte is not what it must be.
pub(super) fn members(set: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut rest = set;
    let width = u32::from_le_bytes(array(&mut rest)?) as usize;
    let count = u32::from_le_bytes(array(&mut rest)?) as usize;
    if !matches!(width, 2 | 4 | 8) || count.checked_mul(width) != Some(rest.len()) {
        return None;
    }
    let mut members = Vec::new();
    let mut former = None;
    for bytes in rest.chunks_exact(width) {
        let mut integer = [0; 8];
        integer[8 - width..].copy_from_slice(bytes);
        let integer = i64::from_le_bytes(integer) >> (8 * (8 - width));
        if former.is_some_and(|former| former >= integer) {
            return None;
        }
        former = Some(integer);
        members.push(integer.to_string().into_bytes());
    }
    Some(members)
}
