use super::*;

fn fence(key: &[u8], revision: Option<i64>, lease: Option<i64>) -> Fence {
    Fence { key: Bytes::copy_from_slice(key), revision, lease }
}

#[test]
fn a_field_has_a_key_and_what_it_was_made_with() {
    assert_eq!("lock/a; revision=12; lease=345".parse(), Ok(fence(b"lock/a", Some(12), Some(345))));
    assert_eq!("a%20b%3b%00;lease = 0x694d".parse(), Ok(fence(b"a b;\0", None, Some(0x694d))));
    assert_eq!("a;revision=-5".parse(), Ok(fence(b"a", Some(-5), None)));
    // Leases are shown as unsigned numbers by some.
    assert_eq!("a;lease=0xffffffffffffffff".parse(), Ok(fence(b"a", None, Some(-1))));
}

#[test]
fn what_is_no_fence_is_refused() {
    for text in [
        "",
        ";revision=1",
        "a",
        "a;",
        "a;revision",
        "a;revision=",
        "a;revision=x",
        "a;revision=1;revision=1",
        "a;other=1",
        "a%2;revision=1",
        "a%zz;revision=1",
        "a;lease=0x",
        "a;lease=99999999999999999999",
    ] {
        assert!(text.parse::<Fence>().is_err(), "{text}");
    }
}
