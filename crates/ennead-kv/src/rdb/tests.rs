use super::*;

fn restore_string(payload: &[u8], longest: u64) -> Result<Vec<u8>, Refusal> {
    restore(payload, longest).map(|value| match value {
        Restored::String(string) => string,
        other => panic!("{other:?}"),
    })
}

/// Payloads of redis-server 7.0, which compresses.
const COMPRESSED: &[(&str, &[u8])] = &[
    ("a", b"\x00\xc3\t@d\x01aa\xe0W\x00\x01aa\n\x00\xe8\xa3\xb5\x07\xb0m\xf2q"),
    (
        "abcabcabcabcabcabcabcabcabcabc xyz xyz xyz xyz 0123456789",
        b"\x00\xc3+@\xe4\x03abca\xe0\x11\x02\x03 xyz\xe0\x04\x03\t0123456789\xe0\x125 \x1a\xe0\x044@D\xe0q8\x0189\n\x00\xcc8\xc5-\xa4W\x1f\x18",
    ),
];

#[test]
fn payloads_of_redis_are_read() {
    let longest = 1 << 20;
    let string = |payload: &[u8]| String::from_utf8(restore_string(payload, longest).unwrap()).unwrap();
    assert_eq!(string(b"\x00\x05hello\n\x00cr\xdfve4 \n"), "hello");
    assert_eq!(string(b"\x00\xc0\x0c\n\x00<*\xf8Q\\\x04\xbc\xd5"), "12");
    assert_eq!(string(b"\x00\xc1\xd4\xfe\n\x00\xc6\xc4\x86#\xfe\xbe\xde."), "-300");
    assert_eq!(string(b"\x00\xc2\xa0\x86\x01\x00\n\x00\xf1$\x03Po/\xa6t"), "100000");
    assert_eq!(string(COMPRESSED[0].1), COMPRESSED[0].0.repeat(100));
    assert_eq!(string(COMPRESSED[1].1), COMPRESSED[1].0.repeat(4));
}

#[test]
fn payloads_are_those_of_redis_byte_for_byte() {
    assert_eq!(dump_string(COMPRESSED[0].0.repeat(100).as_bytes()), COMPRESSED[0].1);
    assert_eq!(dump_string(COMPRESSED[1].0.repeat(4).as_bytes()), COMPRESSED[1].1);
    assert_eq!(dump_string(b"hello"), b"\x00\x05hello\n\x00cr\xdfve4 \n");
}

#[test]
fn strings_come_back() {
    for len in [0, 1, 11, 12, 63, 64, 16_383, 16_384, 100_000] {
        let value = vec![b'7'; len];
        assert_eq!(restore_string(&dump_string(&value), 1 << 20), Ok(value));
    }
    for integer in [0i64, -1, 127, -128, 128, 32_767, -32_768, 32_768, 2_147_483_647, 2_147_483_648] {
        let value = integer.to_string().into_bytes();
        assert_eq!(restore_string(&dump_string(&value), 1 << 20), Ok(value));
    }
}

#[test]
fn broken_payloads_are_refused() {
    let payload = dump_string(b"some value");
    for cut in 0..payload.len() {
        assert_eq!(restore_string(&payload[..cut], 1 << 20), Err(Refusal::VersionOrChecksum), "{cut}");
    }
    for at in 0..payload.len() {
        let mut broken = payload.clone();
        broken[at] ^= 1;
        assert!(restore_string(&broken, 1 << 20).is_err(), "{at}");
    }
    let sealed = |body: &[u8]| {
        let mut payload = [body, b"\x0a\x00"].concat();
        payload.extend_from_slice(&crc64(&payload).to_le_bytes());
        payload
    };
    for body in [
        &b""[..],
        b"\x00",
        b"\x00\x05hell",
        b"\x00\x05hello!",
        b"\x00\xc0",
        b"\x00\xc4",
        b"\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff",
        // Compressed: more announced than there is, a reference before the start, a length that is not met.
        b"\x00\xc3\x02\x80\xff\xff\xff\xff\x00a",
        b"\x00\xc3\x02\x05\x20\x10",
        b"\x00\xc3\x02\x05\x00a",
    ] {
        assert_eq!(restore_string(&sealed(body), 1 << 20), Err(Refusal::Format), "{}", body.escape_ascii());
    }
}

#[test]
fn collections_without_members_are_refused() {
    for body in [
        &b"\x01\x00"[..],
        b"\x02\x00",
        b"\x04\x00",
        b"\x12\x00",
        b"\x10\x07\x07\x00\x00\x00\x00\x00\xff",
        b"\x12\x01\x02\x07\x07\x00\x00\x00\x00\x00\xff",
        b"\x0d\x0b\x0b\x00\x00\x00\x0a\x00\x00\x00\x00\x00\xff",
        b"\x0b\x08\x02\x00\x00\x00\x00\x00\x00\x00",
    ] {
        assert_eq!(restore(&frame(body.to_vec()), 1 << 20), Err(Refusal::Empty), "{}", body.escape_ascii());
    }
}

#[test]
fn names_that_are_there_twice_are_refused() {
    for body in [
        &b"\x02\x02\x01a\x01a"[..],
        b"\x04\x02\x01f\x01v\x01f\x01w",
        b"\x10\x13\x13\x00\x00\x00\x04\x00\x81a\x02\x01\x01\x81a\x02\x02\x01\xff",
        b"\x14\x0d\x0d\x00\x00\x00\x02\x00\x81a\x02\x81a\x02\xff",
        // A field without a value, a score that is none, and NaN.
        b"\x10\x0a\x0a\x00\x00\x00\x01\x00\x81a\x02\xff",
        b"\x11\x0d\x0d\x00\x00\x00\x02\x00\x81a\x02\x81x\x02\xff",
        b"\x05\x01\x01a\x00\x00\x00\x00\x00\x00\xf8\x7f",
        b"\x03\x01\x01a\xfd",
        // A node of a list of no known form, one element that is empty.
        b"\x12\x01\x03\x01a",
        b"\x12\x01\x01\x00",
    ] {
        assert_eq!(restore(&frame(body.to_vec()), 1 << 20), Err(Refusal::Format), "{}", body.escape_ascii());
    }
}
