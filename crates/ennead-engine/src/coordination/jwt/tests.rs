use std::path::PathBuf;

use ennead_coord::Error;

use super::*;

/// A key of this folder; they were made for these tests.
fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/coordination/jwt/tests");
    folder.join(name).to_str().unwrap().to_owned()
}

fn open(options: &[(&str, &str)]) -> Result<Jwt, String> {
    Jwt::open(&options.iter().copied().collect())
}

/// With the private key, and with the public key only.
fn both(method: &str, name: &str) -> (Jwt, Jwt) {
    let (private, public) = (file(&format!("{name}.pem")), file(&format!("{name}.pub.pem")));
    let signing = open(&[("sign-method", method), ("priv-key", &private), ("pub-key", &public)]).unwrap();
    // Without the public key it is found.
    let alone = open(&[("sign-method", method), ("priv-key", &private)]).unwrap();
    assert!(alone.claim(&signing.give("u", 7).unwrap()).is_some(), "{method}");
    (signing, open(&[("sign-method", method), ("pub-key", &public)]).unwrap())
}

#[test]
fn tokens_of_every_method_are_read_by_whoever_has_the_public_key() {
    let methods = [
        ("rsa", vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
        ("ec", vec!["ES256"]),
        ("ec384", vec!["ES384"]),
        ("ed", vec!["EdDSA"]),
    ];
    for (name, methods) in methods {
        for method in methods {
            let (signing, verifying) = both(method, name);
            let token = signing.give("u", 7).unwrap();
            let claim = Claim { user: "u".into(), revision: Some(7) };
            assert_eq!(
                (signing.claim(&token), verifying.claim(&token)),
                (Some(claim.clone()), Some(claim)),
                "{method}"
            );
            assert_eq!(verifying.give("u", 7), Err(Error::VerifyOnly));
            let (start, end) = token.split_at(token.len() - 10);
            let forged = format!("{start}{}", end.chars().rev().collect::<String>());
            assert_eq!(verifying.claim(&forged), None, "{method}");
        }
    }
}

#[test]
fn a_secret_signs_and_verifies() {
    let secret = file("rsa.pub.pem");
    let jwt = |method| open(&[("sign-method", method), ("priv-key", secret.as_str())]).unwrap();
    for method in ["HS256", "HS384", "HS512"] {
        assert!(jwt(method).claim(&jwt(method).give("u", 1).unwrap()).is_some());
    }
    // Whoever knows a public key cannot pass it off as a secret.
    let (_, verifying) = both("RS256", "rsa");
    assert_eq!(verifying.claim(&jwt("HS256").give("root", 1).unwrap()), None);
}

#[test]
fn tokens_end() {
    let key = file("ed.pem");
    let ended = open(&[("sign-method", "EdDSA"), ("priv-key", &key), ("ttl", "0s")]).unwrap();
    let good = open(&[("sign-method", "EdDSA"), ("priv-key", &key), ("ttl", "1h30m")]).unwrap();
    assert_eq!(good.claim(&ended.give("u", 1).unwrap()), None);
    assert!(ended.claim(&good.give("u", 1).unwrap()).is_some());
}

#[test]
fn wrong_options_are_refused() {
    let (rsa, ec) = (file("rsa.pem"), file("ec.pem"));
    let (public, other) = (file("rsa.pub.pem"), file("ed.pub.pem"));
    let check = |options: &[(&str, &str)], expected: &str| {
        let error = open(options).unwrap_err();
        assert!(error.contains(expected), "{options:?}: {error}");
    };
    check(&[], "the sign-method `` is none of RS256");
    check(&[("sign-method", "none"), ("priv-key", &rsa)], "is none of");
    check(&[("sign-method", "RS256")], "one of pub-key and priv-key is needed");
    check(&[("sign-method", "HS256"), ("pub-key", &public)], "the secret of HMAC");
    check(&[("sign-method", "RS256"), ("priv-key", &ec)], "priv-key is no key for RS256");
    check(&[("sign-method", "RS256"), ("priv-key", &public)], "priv-key is no PEM of a private key");
    check(&[("sign-method", "EdDSA"), ("pub-key", &public)], "pub-key is no key for EdDSA");
    check(&[("sign-method", "EdDSA"), ("pub-key", &rsa)], "pub-key is no PEM of a public key");
    check(&[("sign-method", "ES384"), ("priv-key", &ec)], "priv-key is no key for ES384");
    check(&[("sign-method", "ES256"), ("pub-key", &file("ec384.pub.pem"))], "pub-key is no key for ES256");
    check(&[("sign-method", "RS256"), ("priv-key", "/nowhere")], "/nowhere");
    check(&[("sign-method", "RS256"), ("priv-key", &rsa), ("ttl", "5")], "is no time");
    check(&[("sign-method", "RS256"), ("priv-key", &rsa), ("colour", "red")], "`colour` is none of");
    check(&[("sign-method", "EdDSA"), ("priv-key", &file("ed.pem")), ("pub-key", &public)], "pub-key is no key");
    check(
        &[("sign-method", "EdDSA"), ("priv-key", &file("ed.pem")), ("pub-key", &file("other.pub.pem"))],
        "belong together",
    );
    assert!(open(&[("sign-method", "EdDSA"), ("pub-key", &other)]).is_ok());
}

#[test]
fn times_that_are_none_are_not_to_come() {
    let key = file("ed.pem");
    let jwt = open(&[("sign-method", "EdDSA"), ("priv-key", &key)]).unwrap();
    let claim = |claims: &Value| jwt.claim(&jwt.made(claims).unwrap()).map(|claim| claim.revision);
    assert_eq!(claim(&json!({ "username": "u", "revision": 3 })), Some(Some(3)));
    assert_eq!(claim(&json!({ "username": "u", "revision": 3.0, "exp": 9e9, "nbf": 1, "aud": "x" })), Some(Some(3)));
    assert_eq!(claim(&json!({ "username": "u", "revision": 3, "nbf": 9e9 })), None);
    assert_eq!(claim(&json!({ "username": "u", "revision": 3, "exp": "never" })), None);
    assert_eq!(claim(&json!({ "username": "u" })), None);
    assert_eq!(claim(&json!({ "username": 5, "revision": 3 })), None);
    assert_eq!(claim(&json!("u")), None);
}
