use super::*;

#[test]
fn credentials_name_a_user_or_none() {
    let check = |value: &str, expected: Option<(Option<&str>, &str)>| {
        let expected = expected.map(|(user, password)| (user.map(str::to_owned), password.to_owned()));
        assert_eq!(parse(value), expected, "{value}");
    };
    check("Bearer secret", Some((None, "secret")));
    check("Basic YW5uOmE6Yg==", Some((Some("ann"), "a:b")));
    check("basic OnNlY3JldA==", Some((Some(""), "secret")));
    check("Basic ???", None);
    check("Digest x", None);
    check("secret", None);
}
