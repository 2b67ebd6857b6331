use arbtest::arbtest;

use super::payload;

/// Payloads of redis-server 7.0, and older ones, of each packed form; without version and checksum.
const SOUND: &[&[u8]] = &[
    b"\x00\xc3\t@d\x01aa\xe0W\x00\x01aa",
    b"\x01\x02\x01a\xc0\x07",
    b"\x04\x01\x01f\x01v",
    b"\x03\x02\x01a\x031.5\x01b\xfe",
    b"\x05\x01\x01a\x00\x00\x00\x00\x00\x00\xf0\x3f",
    b"\x09\x10\x02\x02f1\x02\x00v1\x02f2\x02\x00v2\xff",
    b"\x0b\x10\x02\x00\x00\x00\x04\x00\x00\x00\xfb\xff\x01\x00\x02\x00,\x01",
    b"\x0c\x19\x19\x00\x00\x00\x16\x00\x00\x00\x04\x00\x00\x03one\x05\xf2\x02\x03two\x05\xf3\xff",
    b"\r\x1b\x1b\x00\x00\x00\x16\x00\x00\x00\x04\x00\x00\x02f1\x04\x02v1\x04\x02f2\x04\x02v2\xff",
    b"\x0e\x01\r\r\x00\x00\x00\n\x00\x00\x00\x01\x00\x00\xf8\xff",
    b"\x11\"\"\x00\x00\x00\x08\x00\x81d\x02\xdf\xfd\x02\x81a\x02\x01\x01\x81b\x02\x832.5\x04\x81c\x02\x83inf\x04\xff",
    b"\x12\x01\x02\xc3\x18@v\x10v\x00\x00\x00\x04\x00\x81a\x02\x01\x01\xd0`\x02\xe0dx\xe0Z\x00\x01f\xff",
    b"\x12\x02\x01\x03abc\x02\r\r\x00\x00\x00\x02\x00\x81a\x02\xd0`\x02\xff",
    b"\x14\r\r\x00\x00\x00\x02\x00\x81a\x02\xd0`\x02\xff",
];

#[test]
fn no_bytes_make_the_reader_panic() {
    arbtest(|u| {
        let bytes: Vec<u8> = u.arbitrary()?;
        payload(&bytes);
        Ok(())
    });
}

#[test]
fn no_damage_to_a_payload_makes_the_reader_panic() {
    for sound in SOUND {
        assert!(super::unframed(sound, super::LONGEST).is_ok(), "{}", sound.escape_ascii());
    }
    arbtest(|u| {
        let mut bytes = u.choose(SOUND)?.to_vec();
        for _ in 0..u.int_in_range(1..=4)? {
            let at = u.choose_index(bytes.len())?;
            if u.ratio(1, 8)? {
                bytes.truncate(at.max(1));
            } else {
                bytes[at] = u.arbitrary()?;
            }
        }
        payload(&bytes);
        Ok(())
    });
}
