use super::*;

fn texts(set: &[u8]) -> Option<Vec<String>> {
    members(set).map(|members| members.into_iter().map(|member| String::from_utf8(member).unwrap()).collect())
}

#[test]
fn intsets_of_redis_are_read() {
    let two = b"\x02\x00\x00\x00\x04\x00\x00\x00\xfb\xff\x01\x00\x02\x00,\x01";
    assert_eq!(texts(two).unwrap(), ["-5", "1", "2", "300"]);
    let four = b"\x04\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00p\x11\x01\x00";
    assert_eq!(texts(four).unwrap(), ["1", "70000"]);
    let eight = b"\x08\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00";
    assert_eq!(texts(eight).unwrap(), ["1", "1099511627776"]);
}

#[test]
fn what_is_not_sound_is_refused() {
    for set in [
        &b""[..],
        b"\x02\x00\x00\x00",
        // A width that is none, fewer and more members than announced, a number that no memory holds.
        b"\x03\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00",
        b"\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00",
        b"\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x02\x00",
        b"\x08\x00\x00\x00\xff\xff\xff\xff",
        // Not in order, a member twice.
        b"\x02\x00\x00\x00\x02\x00\x00\x00\x02\x00\x01\x00",
        b"\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x01\x00",
    ] {
        assert_eq!(texts(set), None, "{}", set.escape_ascii());
    }
    assert_eq!(texts(b"\x02\x00\x00\x00\x00\x00\x00\x00").unwrap(), Vec::<String>::new());
}
