//! The dense form: registers of six bits one after the other, each from the low bits of a byte on.

use super::REGISTERS;

const BITS: usize = 6;
/// The highest value of a register.
pub(super) const MAX: u8 = (1 << BITS) - 1;
/// Bytes of all registers.
pub(super) const LEN: usize = REGISTERS * BITS / 8;

pub(super) fn get(registers: &[u8], index: usize) -> u8 {
    let (at, shift) = place(index);
    let low = u16::from(registers[at]);
    let high = registers.get(at + 1).map_or(0, |byte| u16::from(*byte));
    ((high << 8 | low) >> shift) as u8 & MAX
}

pub(super) fn set(registers: &mut [u8], index: usize, value: u8) {
    let (at, shift) = place(index);
    let mask = u16::from(MAX) << shift;
    let value = u16::from(value) << shift;
    registers[at] = registers[at] & !(mask as u8) | value as u8;
    if let Some(high) = registers.get_mut(at + 1) {
        *high = *high & !((mask >> 8) as u8) | (value >> 8) as u8;
    }
}

/// Byte and bit where a register begins.
fn place(index: usize) -> (usize, usize) {
    (index * BITS / 8, index * BITS % 8)
}

/// All registers in order. Four of them are three bytes.
pub(super) fn values(registers: &[u8]) -> impl Iterator<Item = u8> + '_ {
    registers.chunks_exact(3).flat_map(|bytes| {
        let four = u32::from(bytes[0]) | u32::from(bytes[1]) << 8 | u32::from(bytes[2]) << 16;
        [four, four >> 6, four >> 12, four >> 18].map(|value| value as u8 & MAX)
    })
}
