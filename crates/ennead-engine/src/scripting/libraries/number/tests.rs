use super::*;

#[test]
fn numbers_are_written_as_printf_writes_them() {
    for (number, precision, text) in [
        (0.0, 14, "0"),
        (-0.0, 14, "-0"),
        (1.0, 14, "1"),
        (100_000_000_000_000.0, 14, "1e+14"),
        (10_000_000_000_000.0, 14, "10000000000000"),
        (0.0001, 14, "0.0001"),
        (0.00001, 14, "1e-05"),
        (1.0 / 3.0, 14, "0.33333333333333"),
        (1.0 / 3.0, 3, "0.333"),
        (1234.5, 2, "1.2e+03"),
        (9.99, 2, "10"),
        (2.5, 1, "2"),
        (1e300, 14, "1e+300"),
        (f64::INFINITY, 14, "inf"),
        (f64::NEG_INFINITY, 14, "-inf"),
    ] {
        assert_eq!(format(number, precision), text, "{number} {precision}");
    }
}

#[test]
fn numbers_are_read_as_strtod_reads_them() {
    for (text, number, len) in [
        ("1", 1.0, 1),
        ("-1.5e3x", -1500.0, 6),
        ("007", 7.0, 3),
        ("1e", 1.0, 1),
        ("1e+", 1.0, 1),
        ("1.", 1.0, 2),
        ("-", 0.0, 0),
        ("+1", 1.0, 2),
        ("0x10", 16.0, 4),
        ("0x", 0.0, 1),
        ("0x.8p1", 1.0, 6),
        ("0x1p", 1.0, 3),
        ("0xffffffffffffffffff", 4_722_366_482_869_645_213_695.0, 20),
        ("1e999", f64::INFINITY, 5),
        ("-infinity", f64::NEG_INFINITY, 9),
        ("Infin", f64::INFINITY, 3),
        ("x", 0.0, 0),
    ] {
        assert_eq!(parse(text.as_bytes()), (number, len), "{text}");
    }
    assert_eq!(parse(b"nan(a_1)x").1, 8);
    assert_eq!(parse(b"nan(a").1, 3);
}

#[test]
fn any_text_is_read_within_its_bounds() {
    arbtest::arbtest(|draw| {
        let text: Vec<u8> =
            draw.arbitrary_iter::<u8>()?.take(40).map(|byte| byte.map(symbol)).collect::<Result<_, _>>()?;
        assert!(parse(&text).1 <= text.len());
        Ok(())
    });
}

/// Mostly what numbers are made of.
fn symbol(byte: u8) -> u8 {
    const SYMBOLS: &[u8] = b"0123456789.eE+-xXpPinfaINFA()_";
    SYMBOLS.get(usize::from(byte)).copied().unwrap_or(byte)
}
