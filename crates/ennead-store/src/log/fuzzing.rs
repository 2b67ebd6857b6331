//! The body of the fuzz target `log_record`, which a test of this crate runs on random bytes as well. Not for users.

#[cfg(test)]
mod tests;

use super::record::{self, FIXED_BYTES};

/// Decodes `bytes` as a log record, once as they are and once with length and checksum put right, so that what lies
/// behind the checksum is reached too. Panics when a decoded record is not what its bytes say.
pub fn log_record(bytes: &[u8], salt: u32) {
    check(bytes, salt);
    if bytes.len() < FIXED_BYTES {
        return;
    }
    let mut record = bytes.to_vec();
    let length = (record.len() - 8) as u32;
    record[..4].copy_from_slice(&length.to_le_bytes());
    let checksum = record::checksum(salt, &record);
    record[4..8].copy_from_slice(&checksum.to_le_bytes());
    check(&record, salt);
}

fn check(bytes: &[u8], salt: u32) {
    let Ok(record) = record::decode(bytes, salt) else { return };
    assert!(record.bytes <= bytes.len(), "a record of {} bytes in {}", record.bytes, bytes.len());
    assert_eq!(record.rows().count(), record.header.rows as usize, "the rows of a record that was decoded");
    assert!(record::decode(&bytes[..record.bytes], salt).is_ok(), "a record needs no byte behind its end");
    assert!(record::decode(&bytes[..record.bytes - 1], salt).is_err(), "a record cut short is none");
}
