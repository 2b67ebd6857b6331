use arbtest::arbtest;

use super::log_record;
use crate::batch::WriteBatch;
use crate::log::record;
use crate::store::Table;

#[test]
fn no_bytes_make_the_decoder_panic() {
    arbtest(|u| {
        let salt = u.arbitrary()?;
        let bytes: Vec<u8> = u.arbitrary()?;
        log_record(&bytes, salt);
        Ok(())
    });
}

#[test]
fn no_damage_to_a_record_makes_the_decoder_panic() {
    arbtest(|u| {
        let mut batch = WriteBatch::new();
        for _ in 0..u.int_in_range(0..=4)? {
            let key: Vec<u8> = u.arbitrary()?;
            let value: Vec<u8> = u.arbitrary()?;
            batch.put(Table(u.int_in_range(1..=300)?), &key, &value);
        }
        let mut bytes = Vec::new();
        record::encode(&mut bytes, 7, u.arbitrary()?, u.arbitrary()?, u.arbitrary()?, &batch);
        for _ in 0..u.int_in_range(0..=8)? {
            let at = u.choose_index(bytes.len())?;
            bytes[at] = u.arbitrary()?;
        }
        log_record(&bytes, 7);
        Ok(())
    });
}
