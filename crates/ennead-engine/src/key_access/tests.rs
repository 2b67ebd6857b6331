use super::*;
use crate::Registry;

/// What happens to the keys of a request: each with `r` and `w` behind it.
fn rights(request: &str) -> String {
    let mut spans = Vec::new();
    let mut at = 0;
    for word in request.split(' ') {
        spans.push(at..at + word.len());
        at += word.len() + 1;
    }
    let args = Args::new(request.as_bytes(), &spans);
    let crate::Lookup::Found(command) = Registry::get().lookup(&args) else { panic!("{request} is unknown") };
    let shown = keys(&command.spec, args).map(|(word, access)| {
        let letters = [(access.reads(), "r"), (access.writes(), "w")];
        let letters: String = letters.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect();
        format!("{}:{letters}", String::from_utf8_lossy(&args[word]))
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_are_read_and_written_as_options_say() {
    let check = |request: &str, expected: &str| assert_eq!(rights(request), expected, "{request}");
    check("get a", "a:r");
    check("set a 1", "a:w");
    check("set a get", "a:w");
    check("set a 1 ex 10 get", "a:rw");
    check("strlen a", "a:");
    check("mset a 1 b 2", "a:w b:w");
    check("copy a b", "a:r b:w");
    check("rename a b", "a:rw b:w");
    check("append a b", "a:w");
    check("incr a", "a:rw");
    check("ping", "");
    check("migrate h 1 a 0 10", "a:rw");
}

#[test]
fn a_bitfield_that_only_gets_reads() {
    let args = |request: &'static str| {
        let spans: Vec<Range<usize>> = request
            .split(' ')
            .scan(0, |at, word| {
                let span = *at..*at + word.len();
                *at = span.end + 1;
                Some(span)
            })
            .collect();
        only_gets(Args::new(request.as_bytes(), &spans))
    };
    assert!(args("bitfield a get u8 0 overflow wrap GET i4 8"));
    assert!(!args("bitfield a get u8 0 set u8 0 1"));
    assert!(!args("bitfield a get u8"));
}
