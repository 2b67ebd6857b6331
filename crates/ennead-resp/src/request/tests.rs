use super::*;

const STRANGER: Limits = Limits { bulk_bytes_max: 512 << 20, authenticated: false };
const FRIEND: Limits = Limits { bulk_bytes_max: 512 << 20, authenticated: true };

type Words = Vec<Vec<u8>>;

/// All requests of some bytes that come in pieces, and the error that ended them.
fn parse_pieces(bytes: &[u8], pieces: &[usize], limits: Limits) -> (Vec<Words>, Option<ProtocolError>) {
    let mut parser = Parser::new();
    let mut requests = Vec::new();
    let mut start = 0;
    let mut ends: Vec<usize> = pieces.iter().map(|end| end % (bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    for end in ends {
        loop {
            match parser.parse(&bytes[start..end.max(start)], limits) {
                Ok(Some(len)) => {
                    let args = parser.args(&bytes[start..]);
                    requests.push(args.iter_from(0).map(<[u8]>::to_vec).collect());
                    parser.reset();
                    start += len;
                }
                Ok(None) => break,
                Err(error) => return (requests, Some(error)),
            }
        }
    }
    (requests, None)
}

fn parse_all(bytes: &[u8], limits: Limits) -> (Vec<Words>, Option<ProtocolError>) {
    parse_pieces(bytes, &[], limits)
}

#[track_caller]
fn check(bytes: &[u8], expected: &[&[&[u8]]]) {
    let expected: Vec<Words> = expected.iter().map(|words| words.iter().map(|word| word.to_vec()).collect()).collect();
    assert_eq!(parse_all(bytes, FRIEND), (expected.clone(), None));
    // Split at any byte, the same.
    for at in 0..bytes.len() {
        assert_eq!(parse_pieces(bytes, &[at], FRIEND), (expected.clone(), None), "split at {at}");
    }
    let every: Vec<usize> = (0..bytes.len()).collect();
    assert_eq!(parse_pieces(bytes, &every, FRIEND), (expected, None), "byte by byte");
}

#[track_caller]
fn check_error(bytes: &[u8], limits: Limits, text: &str) {
    let error = parse_all(bytes, limits).1.map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(text));
}

#[test]
fn requests_of_bulks() {
    check(b"*1\r\n$4\r\nPING\r\n", &[&[b"PING"]]);
    check(b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n", &[&[b"GET", b""], &[b"PING"]]);
    check(b"*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\0\xff\r\n", &[&[b"ECHO", b"\r\n\0\xff"]]);
}

#[test]
fn empty_requests_have_no_words() {
    check(b"*0\r\n*-1\r\n\r\n*1\r\n$1\r\nA\r\n", &[&[], &[], &[], &[b"A"]]);
}

#[test]
fn inline_requests() {
    check(b"PING\r\nset  a\tb \n", &[&[b"PING"], &[b"set", b"a", b"b"]]);
    check(b"SET \"a b\\x41\\n\" 'it\\'s'\r\n", &[&[b"SET", b"a bA\n", b"it's"]]);
    check(b"SET a \"\"\r\nGET a\r\n", &[&[b"SET", b"a", b""], &[b"GET", b"a"]]);
    check(b"\"\"\r\n", &[&[b""]]);
    check(b"foo\"bar\"\r\n", &[&[b"foobar"]]);
}

#[test]
fn unbalanced_quotes() {
    for line in ["\"a\r\n", "'a\r\n", "\"a\"b\r\n", "'a'b\r\n", "a \"\\\"\r\n"] {
        check_error(line.as_bytes(), FRIEND, "Protocol error: unbalanced quotes in request");
    }
}

#[test]
fn malformed_headers() {
    check_error(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", FRIEND, "Protocol error: expected '$', got 'f'");
    check_error(b"*x\r\n\0", FRIEND, "Protocol error: invalid multibulk length");
    check_error(b"*3000000000\r\n", FRIEND, "Protocol error: invalid multibulk length");
    check_error(b"*01\r\n", FRIEND, "Protocol error: invalid multibulk length");
    check_error(b"*+1\r\n", FRIEND, "Protocol error: invalid multibulk length");
    check_error(b"*1\r\n$-10\r\n", FRIEND, "Protocol error: invalid bulk length");
    check_error(b"*1\r\n$2000000000\r\n", FRIEND, "Protocol error: invalid bulk length");
    check_error(b"*1\r\n$blabla\r\n", FRIEND, "Protocol error: invalid bulk length");
    check_error(b"*1\r\n$99999999999999999999\r\n", FRIEND, "Protocol error: invalid bulk length");
}

#[test]
fn endless_lines() {
    let line = |head: &str| [head.as_bytes(), &vec![b'1'; 70_000]].concat();
    check_error(&line("*"), FRIEND, "Protocol error: too big mbulk count string");
    check_error(&line("*1\r\n$"), FRIEND, "Protocol error: too big bulk count string");
    check_error(&line("a"), FRIEND, "Protocol error: too big inline request");
}

#[test]
fn strangers_have_tighter_limits() {
    check_error(b"*11\r\n", STRANGER, "Protocol error: unauthenticated multibulk length");
    check_error(b"*1\r\n$16385\r\n", STRANGER, "Protocol error: unauthenticated bulk length");
    assert_eq!(parse_all(b"*10\r\n", STRANGER), (vec![], None));
    assert_eq!(parse_all(b"*1\r\n$16384\r\n", STRANGER), (vec![], None));
}

#[test]
fn announcements_allocate_nothing() {
    let mut parser = Parser::new();
    assert_eq!(parser.parse(b"*2147483647\r\n$536870912\r\n", FRIEND), Ok(None));
    assert!(parser.spans.capacity() <= SPANS_ANNOUNCED_MAX);
    assert_eq!(parser.wanted(), 25 + (512 << 20) + 2);
}

#[test]
fn any_bytes_in_any_pieces() {
    arbtest::arbtest(|u| {
        let mut bytes = Vec::new();
        let fragments: [&[u8]; 12] =
            [b"*", b"$", b"\r\n", b"1", b"3", b"-", b"\"", b"'", b"\\x", b"PING\r\n", b"*1\r\n$4\r\nPING\r\n", b"\r"];
        while !u.is_empty() && bytes.len() < 512 {
            if u.ratio(1, 4)? {
                bytes.push(u.arbitrary::<u8>()?);
            } else {
                bytes.extend_from_slice(u.choose(&fragments)?);
            }
        }
        let pieces = [u.arbitrary::<u16>()? as usize, u.arbitrary::<u16>()? as usize];
        let limits = if u.arbitrary()? { FRIEND } else { STRANGER };
        let whole = parse_all(&bytes, limits);
        assert_eq!(
            whole,
            parse_pieces(&bytes, &pieces, limits),
            "{:?} in {pieces:?}",
            bytes.escape_ascii().to_string()
        );
        Ok(())
    })
    .budget_ms(1_000);
}

#[test]
fn requests_survive_the_way() {
    arbtest::arbtest(|u| {
        let requests: Vec<Words> = u.arbitrary::<Vec<Words>>()?;
        let mut bytes = Vec::new();
        for words in &requests {
            bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
            for word in words {
                bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                bytes.extend_from_slice(word);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        let pieces = [u.arbitrary::<u16>()? as usize, u.arbitrary::<u16>()? as usize];
        assert_eq!(parse_pieces(&bytes, &pieces, FRIEND), (requests, None));
        Ok(())
    })
    .budget_ms(1_000);
}
