//! From an element to its register: MurmurHash64A with the seed that Redis chose.

/// Bits of the hash that choose the register.
pub(super) const INDEX_BITS: u32 = 14;
/// Bits of the hash in which zeros are counted.
pub(super) const COUNT_BITS: u32 = 64 - INDEX_BITS;
const SEED: u64 = 0xadc8_3b19;

/// The register of an element, and what it raises that to: 1 to 51.
pub(super) fn register(element: &[u8]) -> (usize, u8) {
    let hash = murmur(element, SEED);
    let index = hash & ((1 << INDEX_BITS) - 1);
    // One more bit, so that there is an end to the zeros.
    let counted = hash >> INDEX_BITS | 1 << COUNT_BITS;
    (index as usize, counted.trailing_zeros() as u8 + 1)
}

/// MurmurHash2, the variant with 64 bits for 64-bit machines, on little-endian words.
pub(super) fn murmur(bytes: &[u8], seed: u64) -> u64 {
    const FACTOR: u64 = 0xc6a4_a793_5bd1_e995;
    const SHIFT: u32 = 47;
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(FACTOR);
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let mut word = little_endian(word).wrapping_mul(FACTOR);
        word ^= word >> SHIFT;
        hash = (hash ^ word.wrapping_mul(FACTOR)).wrapping_mul(FACTOR);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash = (hash ^ little_endian(rest)).wrapping_mul(FACTOR);
    }
    hash ^= hash >> SHIFT;
    hash = hash.wrapping_mul(FACTOR);
    hash ^ hash >> SHIFT
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}
