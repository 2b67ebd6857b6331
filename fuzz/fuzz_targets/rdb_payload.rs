//! The reader of RESTORE's payloads: no bytes make it panic or take memory that they do not fill.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ennead_kv::rdb::fuzzing::payload(data));
