use super::*;

#[test]
fn replies_are_read_with_the_errors_inside() {
    let mut input = &b"*3\r\n+OK\r\n-ERR no\r\n*2\r\n$2\r\nab\r\n$-1\r\n+next\r\n"[..];
    let first = reply(&mut input).unwrap();
    assert_eq!((&first.text[..], &first.errors[..]), (&b"OKab"[..], &["ERR no".to_owned()][..]));
    assert_eq!(reply(&mut input).unwrap().text, b"next");
    assert_eq!(reply(&mut input).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(reply(&mut &b"$10\r\nabc"[..]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn requests_are_found_in_a_buffer_that_fills() {
    let mut bytes = Vec::new();
    request(&[b"SET", b"key", b"a\r\nb"], &mut bytes);
    let whole = bytes.len();
    for len in 0..whole {
        let Parsed::Needs(needs) = parse(&bytes[..len]) else { panic!("{len}") };
        assert!((len + 1..=whole).contains(&needs), "{len}: {needs}");
    }
    bytes.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
    let Parsed::Whole(len, words) = parse(&bytes) else { panic!("whole") };
    assert_eq!((len, &bytes[words[1].clone()], &bytes[words[2].clone()]), (whole, &b"key"[..], &b"a\r\nb"[..]));
    assert_eq!(parse(b"\n*1"), Parsed::Whole(1, Vec::new()));
    assert_eq!(parse(b"+OK\r\n"), Parsed::Broken);
    assert_eq!(parse(b"*1\r\n$99999999999999999999\r\n"), Parsed::Broken);
}
