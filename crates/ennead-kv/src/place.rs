//! Where a key lives: its hash slot (Redis Cluster's rule, so that clients can compute it) and its fragment, 32 bits of
//! a keyed hash that order the keys of a slot.
//!
//! Both stand in every row key on disk, so neither may ever change for an existing store: that is why the hash is
//! written out here and not taken from a crate that promises less. It is not a cryptographic hash; the seed is random
//! for each store, so that nobody can compute colliding keys ahead.

#[cfg(test)]
mod tests;

/// Number of hash slots of a database.
pub const SLOTS: usize = 16_384;

/// Slot and fragment of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) slot: u16,
    /// Never 0, which marks a free position of a slot's table.
    pub(crate) fragment: u32,
}

/// The hash slot of a key: CRC16 (XMODEM) of the key, or of its hash tag, modulo 16384.
pub fn key_slot(key: &[u8]) -> u16 {
    crc16(hash_tag(key)) & (SLOTS as u16 - 1)
}

/// The part of the key between the first `{` and the next `}` when it is not empty, else the whole key.
fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = memchr::memchr(b'{', key) else { return key };
    let rest = &key[open + 1..];
    match memchr::memchr(b'}', rest) {
        Some(len) if len > 0 => &rest[..len],
        _ => key,
    }
}

/// `TABLES[n][b]`: the CRC16 of byte `b` followed by `n` zero bytes, so that four bytes are taken in one step.
static TABLES: [[u16; 256]; 4] = tables();

const fn tables() -> [[u16; 256]; 4] {
    let mut tables = [[0u16; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut table = 1;
    while table < 4 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before << 8) ^ tables[0][(before >> 8) as usize];
            byte += 1;
        }
        table += 1;
    }
    tables
}

fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    let mut fours = bytes.chunks_exact(4);
    for four in &mut fours {
        crc = TABLES[3][usize::from(four[0] ^ (crc >> 8) as u8)]
            ^ TABLES[2][usize::from(four[1] ^ crc as u8)]
            ^ TABLES[1][usize::from(four[2])]
            ^ TABLES[0][usize::from(four[3])];
    }
    for &byte in fours.remainder() {
        crc = (crc << 8) ^ TABLES[0][usize::from((crc >> 8) as u8 ^ byte)];
    }
    crc
}

/// The keyed hash of one store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placer {
    keys: [u64; 4],
}

impl Placer {
    pub(crate) fn new(seed: u64) -> Placer {
        let mut state = seed;
        Placer { keys: std::array::from_fn(|_| next_random(&mut state) | 1) }
    }

    #[inline]
    pub(crate) fn place(&self, key: &[u8]) -> Place {
        Place { slot: key_slot(key), fragment: self.fragment(key) }
    }

    /// The hash of a key, or of a member of a collection; never 0.
    #[inline]
    pub(crate) fn fragment(&self, key: &[u8]) -> u32 {
        let [a, b, c, d] = self.keys;
        let mut state = fold(a ^ key.len() as u64, b);
        let mut blocks = key.chunks_exact(16);
        for block in &mut blocks {
            state = fold(word(&block[..8]) ^ c ^ state, word(&block[8..]) ^ d);
        }
        let rest = blocks.remainder();
        if !rest.is_empty() {
            let (low, high) = rest.split_at(rest.len().min(8));
            state = fold(word(low) ^ c ^ state, word(high) ^ b);
        }
        let hash = fold(state ^ d, a);
        ((hash >> 32) as u32).max(1)
    }
}

/// Up to eight bytes as a little endian number.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    match <[u8; 8]>::try_from(bytes) {
        Ok(bytes) => u64::from_le_bytes(bytes),
        Err(_) => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// Both halves of the product, folded.
#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

/// The next number of a small generator (a Weyl sequence, finalized); for sampling and seeds, not for secrets.
pub(crate) fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
