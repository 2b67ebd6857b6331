use super::unix_ms;

#[test]
fn times_are_read_as_the_calendar_has_them() {
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", 0),
        ("2000-03-01T00:00:00Z", 951_868_800_000),
        ("2026-11-23T16:40:00Z", 1_795_452_000_000),
        ("2026-11-23 16:40:00.25Z", 1_795_452_000_250),
        ("2024-02-29T23:59:59.9999Z", 1_709_251_199_999),
    ] {
        assert_eq!(unix_ms(text), Some(expected), "{text}");
    }
    for text in [
        "",
        "2026-11-23",
        "2026-11-23T16:40:00",
        "2023-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-23T24:00:00Z",
    ] {
        assert_eq!(unix_ms(text), None, "{text}");
    }
}
