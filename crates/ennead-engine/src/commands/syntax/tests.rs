use super::*;

/// An argument as a short text.
fn show(argument: &Argument) -> String {
    let inner = argument.arguments.iter().map(show).collect::<Vec<_>>().join(" ");
    let mut text = match &argument.token {
        Some(token) if argument.kind == "pure-token" => token.clone(),
        Some(token) => format!("{token}={}", argument.name),
        None => argument.name.clone(),
    };
    if !inner.is_empty() {
        text = format!("{}:{}({inner})", argument.token.as_deref().unwrap_or(""), argument.kind);
    }
    if argument.multiple {
        text.push('+');
    }
    if argument.optional {
        text.push('?');
    }
    text
}

#[track_caller]
fn check(syntax: &str, expected: &str) {
    let shown = parse(syntax).iter().map(show).collect::<Vec<_>>().join(" ");
    assert_eq!(shown, expected);
}

#[test]
fn lines_of_the_manual() {
    check("", "");
    check("key", "key");
    check("key [key ...]", "key+");
    check("key value [key value ...]", ":block(key value)+");
    check("key [NX | XX] [GET]", "key :oneof(NX XX)? GET?");
    check("key [EX seconds | PERSIST]", "key :oneof(EX=seconds PERSIST)?");
    check(
        "[protover [AUTH username password] [SETNAME clientname]]",
        ":block(protover AUTH:block(username password)? SETNAME=clientname?)?",
    );
    check("<ON | OFF>", ":oneof(ON OFF)");
}

/// redis-cli ends with a fault when it is told of an argument without parts.
#[test]
fn no_syntax_has_no_arguments() {
    assert!(super::parse("").is_empty());
}
