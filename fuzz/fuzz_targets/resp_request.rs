//! The parser of requests: no bytes make it panic, and where they are split changes nothing.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: (u64, &[u8])| ennead_resp::request::fuzzing::requests(data.1, data.0));
