use super::*;

#[test]
fn a_zipmap_of_redis_is_read() {
    assert_eq!(items(b"\x02\x02f1\x02\x00v1\x02f2\x02\x00v2\xff").unwrap(), [b"f1", b"v1", b"f2", b"v2"]);
    // Unused bytes, and a long value.
    let long = [&b"\xfe\x01f\xfe\x2c\x01\x00\x00\x03"[..], &[b'x'; 303], &[END]].concat();
    assert_eq!(items(&long).unwrap()[1], [b'x'; 300]);
}

#[test]
fn what_is_not_sound_is_refused() {
    let map = b"\x02\x02f1\x02\x00v1\x02f2\x02\x00v2\xff";
    for cut in 0..map.len() {
        assert_eq!(items(&map[..cut]), None, "{cut}");
    }
    for map in [
        &b"\x00\xff"[..],
        b"\x01\x02f1\x02\x00v1\x02f2\x02\x00v2\xff",
        b"\x01\x02f1\x02\x09v1\xff",
        b"\x01\xfe\xff\xff\xff\xfff\x01\x00v\xff",
        b"\x01\x01f\xff\x00v\xff",
    ] {
        assert_eq!(items(map), None, "{}", map.escape_ascii());
    }
}
