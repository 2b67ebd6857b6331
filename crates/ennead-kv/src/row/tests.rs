use super::*;

#[test]
fn rows_come_back_as_they_went() {
    let place = Place { slot: 258, fragment: 0x0304_0506 };
    let mut row = RowBuffer::default();
    for (payload, expiry) in [(&b"value"[..], 0), (b"", 0), (b"value", 1_700_000_000_000), (b"", 1)] {
        row.set_key(place, b"key");
        row.set_value(payload, kind_bits(Kind::String, Hint::Raw), expiry);
        assert_eq!(row.row_key(), b"\x01\x02\x03\x04\x05\x06key");
        assert_eq!(parse_row_key(row.row_key()).unwrap(), (place, &b"key"[..]));
        assert_eq!(row.entry_bytes(), [b"key", payload].concat());
        let value = RowValue::parse(row.row_value()).unwrap();
        assert_eq!((value.payload, value.expiry, value.kind, value.hint), (payload, expiry, Kind::String, Hint::Raw));
    }
}

#[test]
fn broken_rows_are_seen() {
    assert!(RowValue::parse(b"").is_none());
    assert!(RowValue::parse(b"abc\x80").is_none());
    assert!(RowValue::parse(b"abc\x0f").is_none());
    assert!(parse_row_key(b"abcde").is_none());
}

#[test]
fn a_long_string_names_object_and_length() {
    let mut row = RowBuffer::default();
    row.set_key(Place { slot: 0, fragment: 1 }, b"k");
    row.set_value(&object_payload(77, 1 << 40, 0), kind_bits(Kind::LongString, Hint::Auto), 0);
    let value = RowValue::parse(row.row_value()).unwrap();
    assert_eq!(value.object(), Some((77, 1 << 40)));
}
