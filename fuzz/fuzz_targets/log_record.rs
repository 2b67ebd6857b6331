//! The decoder of log records: no bytes make it panic, and what it decodes is what the bytes say.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: (u32, &[u8])| ennead_store::fuzzing::log_record(data.1, data.0));
