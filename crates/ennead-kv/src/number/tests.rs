use super::*;

#[test]
fn integers_are_read_as_redis_reads_them() {
    for (word, value) in [
        ("0", Some(0)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
        ("-9223372036854775809", None),
        ("18446744073709551615", None),
        ("", None),
        ("-", None),
        ("-0", None),
        ("01", None),
        ("+1", None),
        (" 1", None),
        ("1 ", None),
        ("1a", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(parse_integer(word.as_bytes()), value, "{word}");
    }
}
