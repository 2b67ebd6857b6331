use super::*;

#[track_caller]
fn sum(left: &str, right: &str) -> Option<String> {
    let [left, right] = [left, right].map(|text| Extended::parse(text.as_bytes()).unwrap());
    Some(left.add(right)?.to_text())
}

#[test]
fn sums_have_the_precision_of_a_long_double() {
    for (left, right, expected) in [
        ("0.1", "0.2", "0.3"),
        ("10.50", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("3", "1.1", "4.1"),
        ("1", "-1", "0"),
        ("-1.5", "1.25", "-0.25"),
        ("0", "-0.0", "0"),
        ("1e20", "1", "100000000000000000000"),
        ("17179869184", "1.5", "17179869185.5"),
        ("1", "1e-17", "1.00000000000000001"),
        ("1", "1e-30", "1"),
        ("0x10", "0x.8p1", "17"),
        ("9223372036854775807", "1", "9223372036854775808"),
        ("1e30", "0", "1000000000000000000024696061952"),
        ("0", "3.141592653589793238", "3.14159265358979324"),
        ("0", "1e-18", "0"),
        ("0", "-1e-18", "0"),
        ("0", "6e-18", "0.00000000000000001"),
    ] {
        assert_eq!(sum(left, right).as_deref(), Some(expected), "{left} + {right}");
    }
    assert_eq!(sum("inf", "1"), None);
    assert_eq!(sum("1.1e4932", "1.1e4932"), None);
}

#[test]
fn only_numbers_are_numbers() {
    for text in ["", "-", ".", "abc", "1a", " 1", "1 ", "1e", "1e+", "nan", "0x", "--1", "1e5000", "1e-5000", "1.2.3"] {
        assert_eq!(Extended::parse(text.as_bytes()), None, "{text}");
    }
    for text in ["1.", ".5", "+1", "1E5", "-infinity", "0e99999999"] {
        assert!(Extended::parse(text.as_bytes()).is_some(), "{text}");
    }
    assert!(Extended::parse(&[b'1'; 5 * 1024]).is_none());
}
