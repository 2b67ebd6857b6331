use super::{parse_bound, parse_double, seventeen_digits, with_double_text};

#[test]
fn words_are_read_as_strtod_reads_them() {
    let cases: &[(&str, f64)] = &[
        ("1", 1.0),
        ("+1.5", 1.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("inf", f64::INFINITY),
        ("+Infinity", f64::INFINITY),
        ("-INF", f64::NEG_INFINITY),
        ("0x10", 16.0),
        ("0x1p3", 8.0),
        ("-0X1.8p1", -3.0),
        ("0x.8", 0.5),
        ("0x1p-1074", 5e-324),
        ("0x1.8p-1075", 5e-324),
        ("0x1.fffffffffffff8p0", 2.0),
        ("0x1.fffffffffffff7p0", 1.9999999999999998),
        ("0x1.00000000000008p0", 1.0),
        ("0x1.000000000000080000001p0", 1.0000000000000002),
        ("0x00000000000000000000000000001", 1.0),
        ("0x10000000000000000000p-76", 1.0),
        ("4.9e-324", 5e-324),
        ("1.7976931348623157e308", f64::MAX),
        ("0x1.fffffffffffffp1023", f64::MAX),
        ("0e999999", 0.0),
    ];
    for (text, value) in cases {
        assert_eq!(parse_double(text.as_bytes()), Some(*value), "{text}");
        assert_eq!(parse_bound(text.as_bytes()), Some(*value), "{text}");
    }
    for text in ["abc", "1x", "nan", "-nan", "1e", "0x", "0x1p", ".", "-", "1.2.3", "+-1", "infin", "1_0"] {
        assert_eq!(parse_double(text.as_bytes()), None, "{text}");
        assert_eq!(parse_bound(text.as_bytes()), None, "{text}");
    }
    for (text, bound) in [
        ("", Some(0.0)),
        (" 1", Some(1.0)),
        ("1 ", None),
        (" ", None),
        ("1\0x", Some(1.0)),
        ("1e400", Some(f64::INFINITY)),
        ("-0x1p1024", Some(f64::NEG_INFINITY)),
        ("1e-400", Some(0.0)),
        ("0x1p-1076", Some(0.0)),
        ("0x1p-99999999999", Some(0.0)),
    ] {
        assert_eq!(parse_double(text.as_bytes()), None, "{text}");
        assert_eq!(parse_bound(text.as_bytes()), bound, "{text}");
    }
}

#[test]
fn texts_read_back_as_the_same_number() {
    let cases = [
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-17.0, "-17"),
        (3.25, "3.25"),
        (-0.001, "-0.001"),
        (0.1, "0.1"),
        (1e15, "1000000000000000"),
        (1e18, "1000000000000000000"),
        (1e20, "1e+20"),
        (123456789012345680000.0, "123456789012345680000"),
        (123456789.0, "123456789"),
        (1.5e300, "1.5e+300"),
        (1e-9, "1e-9"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ];
    for (value, text) in cases {
        with_double_text(value, |shown| {
            assert_eq!(shown, text);
            if !value.is_nan() {
                assert_eq!(shown.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{shown}");
            }
        });
    }
}

#[test]
fn seventeen_digits_are_laid_out_as_by_printf() {
    let cases = [
        (0.0, "0"),
        (-0.0, "-0"),
        (0.1, "0.10000000000000001"),
        (3.0, "3"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (0.0001, "0.0001"),
        (0.00001, "1.0000000000000001e-05"),
        (-1.5e300, "-1.5000000000000001e+300"),
        (f64::INFINITY, "inf"),
    ];
    for (value, text) in cases {
        assert_eq!(seventeen_digits(value), text);
    }
}
