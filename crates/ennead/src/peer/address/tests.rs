use super::*;

fn address(host: &str, port: u16, user: Option<&str>, password: Option<&str>, db: Option<u64>) -> Address {
    let own = |text: Option<&str>| text.map(str::to_owned);
    Address { encrypted: false, host: host.to_owned(), port, user: own(user), password: own(password), db }
}

#[test]
fn addresses_are_taken_apart() {
    for (text, expected) in [
        ("redis://example.org", address("example.org", 6379, None, None, None)),
        ("redis://h:7000/3", address("h", 7000, None, None, Some(3))),
        ("redis://h:7000/", address("h", 7000, None, None, None)),
        ("redis://secret@h", address("h", 6379, None, Some("secret"), None)),
        ("redis://:secret@h", address("h", 6379, None, Some("secret"), None)),
        ("redis://joe:p%40ss%3aw@h:1", address("h", 1, Some("joe"), Some("p@ss:w"), None)),
        ("[::1]:7000", address("::1", 7000, None, None, None)),
        ("redis://[::1]", address("::1", 6379, None, None, None)),
        ("127.0.0.1:7000", address("127.0.0.1", 7000, None, None, None)),
    ] {
        assert_eq!(Address::parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_address_is_refused_without_the_password() {
    for text in
        ["redis://", "redis://h:99999", "redis://h/x", "http://h", "redis://joe:secret%4@h", "rediss://:secret@h:x"]
    {
        let problem = Address::parse(text).unwrap_err();
        assert!(!problem.contains("secret"), "{problem}");
    }
}

#[test]
fn the_scheme_says_whether_a_connection_is_encrypted() {
    let expected = Address { encrypted: true, ..address("h", 7000, None, Some("secret"), Some(1)) };
    assert_eq!(Address::parse("rediss://:secret@h:7000/1"), Ok(expected));
    assert!(!Address::parse("h:7000").unwrap().encrypted);
}

#[test]
fn addresses_of_etcd_are_those_of_http() {
    let parsed = |text: &str| {
        let address = Address::parse_etcd(text).unwrap();
        (address.encrypted, address.place(), address.user, address.password)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(parsed("host"), (false, "host:2379".to_owned(), None, None));
    assert_eq!(parsed("http://host:1"), (false, "host:1".to_owned(), None, None));
    assert_eq!(parsed("https://u:p%40@[::1]"), (true, "[::1]:2379".to_owned(), some("u"), some("p@")));
    assert_eq!(parsed("https://:p@host/"), (true, "host:2379".to_owned(), None, some("p")));
    for wrong in ["redis://host", "http://", "http://host/3", "host:x"] {
        assert!(Address::parse_etcd(wrong).is_err(), "{wrong}");
    }
}
