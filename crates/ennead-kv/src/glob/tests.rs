use super::*;

#[test]
fn patterns_match_as_in_redis() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("*", "", true),
        ("*", "anything", true),
        ("h?llo", "hello", true),
        ("h?llo", "hllo", false),
        ("h*llo", "heeeello", true),
        ("h[ae]llo", "hallo", true),
        ("h[ae]llo", "hillo", false),
        ("h[^e]llo", "hallo", true),
        ("h[^e]llo", "hello", false),
        ("h[a-b]llo", "hbllo", true),
        ("h[b-a]llo", "hallo", true),
        ("h[a-b]llo", "hcllo", false),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("[\\]]", "]", true),
        ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false),
        ("a", "ab", false),
        ("ab", "a", false),
        ("[]", "a", false),
        ("[a", "a", true),
        ("*[0-9]", "key1", true),
        ("a\\", "a\\", true),
        ("**a**", "bab", true),
    ] {
        assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
    }
}

#[test]
fn many_stars_take_no_exponential_time() {
    let pattern = "a*".repeat(30) + "b";
    assert!(!matches(pattern.as_bytes(), "a".repeat(2_000).as_bytes()));
}
