//! The body of the fuzz target `rdb_payload`, which a test of this crate runs on random bytes as well. Not for users.

#[cfg(test)]
mod tests;

use super::{Refusal, Restored, frame, restore, unframed};

/// No payload decodes to more than this many times its length: a reference of LZF stands for 264 bytes.
const GROWTH_MAX: usize = 264;
const LONGEST: u64 = 1 << 20;

/// Reads `bytes` as a payload, as they are and with version and checksum put right, so that what lies behind them is reached
/// too. Panics when what was read is not sound.
pub fn payload(bytes: &[u8]) {
    let _ = restore(bytes, LONGEST);
    let framed = restore(&frame(bytes.to_vec()), LONGEST);
    assert_eq!(framed, unframed(bytes, LONGEST), "the frame changes nothing");
    match framed {
        Err(Refusal::Format | Refusal::Empty) => {}
        Err(Refusal::VersionOrChecksum) => panic!("version and checksum were put right"),
        Ok(Restored::String(string)) => assert!(string.len() <= bytes.len().saturating_mul(GROWTH_MAX)),
        Ok(Restored::Stream(_) | Restored::Dated(_)) => {}
        Ok(Restored::Collection(collection)) => {
            assert!(!collection.is_empty(), "an empty collection");
            assert!(collection.len() <= bytes.len().saturating_mul(GROWTH_MAX));
        }
    }
}
