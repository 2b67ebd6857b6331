//! Bits of a run of bytes. Bit 0 is the highest bit of the first byte, as Redis numbers them.
//!
//! Invariant of all functions with a range: its ends are included and lie within the bytes.

#[cfg(test)]
mod tests;

/// Bytes that the widest field can touch: 64 bits from anywhere in a byte.
pub(crate) const FIELD_BYTES: usize = 9;

/// A byte that has only the bit at `offset`, which counts from the start of the run.
#[inline]
pub(crate) fn mask(offset: usize) -> u8 {
    0x80 >> (offset % 8)
}

/// The bits that are set from bit `first` to bit `last`.
pub(crate) fn count(bytes: &[u8], first: usize, last: usize) -> u64 {
    let bytes = &bytes[first / 8..=last / 8];
    let mut words = bytes.chunks_exact(8);
    let mut ones = 0;
    for word in &mut words {
        ones += word.try_into().map_or(0, |word| u64::from(u64::from_ne_bytes(word).count_ones()));
    }
    ones += words.remainder().iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>();
    let before = bytes.first().map_or(0, |byte| byte & !(0xff >> (first % 8)));
    let behind = bytes.last().map_or(0, |byte| byte & !(0xff << (7 - last % 8)));
    ones - u64::from(before.count_ones()) - u64::from(behind.count_ones())
}

/// The first bit that is set, or clear, from bit `first` to bit `last`.
pub(crate) fn position(bytes: &[u8], first: usize, last: usize, set: bool) -> Option<usize> {
    let (start, end) = (first / 8, last / 8);
    // What is looked for as ones.
    let flip = if set { 0 } else { 0xff };
    let head = (bytes[start] ^ flip) & (0xff >> (first % 8));
    let (at, byte) = if head != 0 { (start, head) } else { other_byte(bytes, start + 1, end, flip)? };
    Some(at * 8 + byte.leading_zeros() as usize).filter(|found| *found <= last)
}

/// The first byte from `start` to `end` that is not `flip`, and where it differs from that.
fn other_byte(bytes: &[u8], start: usize, end: usize, flip: u8) -> Option<(usize, u8)> {
    let rest = bytes.get(start..=end)?;
    let skipped = [flip; 8];
    let words = rest.chunks_exact(8).take_while(|word| **word == skipped).count();
    let found = words * 8 + rest[words * 8..].iter().position(|byte| *byte != flip)?;
    Some((start + found, rest[found] ^ flip))
}

/// The `width` bits, 1 to 64, from bit `offset` on; what lies behind the bytes is zeros.
pub(crate) fn read(bytes: &[u8], offset: usize, width: u32) -> u64 {
    let start = bytes.len().min(offset / 8);
    let window = &bytes[start..bytes.len().min(start + FIELD_BYTES)];
    let mut all = [0; 16];
    all[..window.len()].copy_from_slice(window);
    let value = u128::from_be_bytes(all) << (offset % 8) >> (128 - width);
    value as u64
}

/// Sets `width` bits, 1 to 64, from bit `offset` on to the low ones of `value`. They lie within the bytes.
pub(crate) fn write(bytes: &mut [u8], offset: usize, width: u32, value: u64) {
    let start = offset / 8;
    let end = (offset + width as usize).div_ceil(8);
    let window = &mut bytes[start..end];
    let mut all = [0; 16];
    all[..window.len()].copy_from_slice(window);
    let low = 128 - width - (offset % 8) as u32;
    let mask = (u128::MAX >> (128 - width)) << low;
    let changed = (u128::from_be_bytes(all) & !mask) | ((u128::from(value) << low) & mask);
    window.copy_from_slice(&changed.to_be_bytes()[..window.len()]);
}
