use super::*;

const LIMITS: Limits = Limits { bulk_bytes_max: 1 << 20, authenticated: true };

fn words(args: Args<'_>) -> Vec<Vec<u8>> {
    args.iter_from(0).map(<[u8]>::to_vec).collect()
}

/// What a connection does with an input that comes in pieces: requests, and whether it ended in an error.
fn in_pieces(input: &[u8], piece: usize, limits: Limits) -> (Vec<Vec<Vec<u8>>>, bool) {
    let (mut own, mut ahead, mut requests) = (Parser::new(), Ahead::default(), Vec::new());
    let (mut start, mut end) = (0, 0);
    while end < input.len() {
        end = (end + piece).min(input.len());
        loop {
            let known = &input[start..end];
            let parsed = ahead.fill(&mut own, known, limits);
            let mut consumed = 0;
            for index in 0..ahead.len() {
                let parsed = ahead.request(index, known);
                requests.push(words(parsed.args));
                consumed += ahead.bytes(index..index + 1);
            }
            start += consumed;
            if parsed.is_err() {
                return (requests, true);
            }
            if ahead.len() == 0 {
                break;
            }
        }
    }
    (requests, false)
}

fn one_by_one(input: &[u8]) -> (Vec<Vec<Vec<u8>>>, bool) {
    let (mut parser, mut requests, mut start) = (Parser::new(), Vec::new(), 0);
    loop {
        match parser.parse(&input[start..], LIMITS) {
            Ok(Some(len)) => {
                requests.push(words(parser.args(&input[start..])));
                parser.reset();
                start += len;
            }
            Ok(None) => return (requests, false),
            Err(_) => return (requests, true),
        }
    }
}

#[test]
fn requests_are_the_same_as_one_by_one_however_they_come() {
    let mut input = Vec::new();
    for number in 0..50 {
        input.extend_from_slice(format!("*2\r\n$4\r\nECHO\r\n$2\r\n{number:02}\r\n").as_bytes());
        input.extend_from_slice(b"SET \"a b\" 'c'\r\n\r\n*0\r\n");
    }
    for end in [b"*1\r\n$4\r\nPI".as_slice(), b"*1\r\n!oops", b"SET \"unbalanced\r\nPING\r\n"] {
        let input = [&input, end].concat();
        let expected = one_by_one(&input);
        assert_eq!(expected.0.len(), 200);
        for piece in [1, 2, 3, 7, 50, 1000, input.len()] {
            assert_eq!(in_pieces(&input, piece, LIMITS), expected, "pieces of {piece}");
            assert_eq!(in_pieces(&input, piece, Limits { authenticated: false, ..LIMITS }), expected);
        }
    }
}

#[test]
fn a_request_that_is_put_back_is_resumed_first() {
    let input = b"*1\r\n$1\r\na\r\n*1\r\n$2\r\nbb\r\n*1\r\n$3\r\nccc\r\n*1\r\n$4\r\ndd";
    let (mut own, mut ahead) = (Parser::new(), Ahead::default());
    ahead.fill(&mut own, input, LIMITS).unwrap();
    assert_eq!(ahead.len(), 3);
    let first = ahead.bytes(0..1);
    let put_back = ahead.put_back(1, &mut own);
    // The connection drops what was executed; the rest stands at the start of its input now.
    let input = &input[first..];
    ahead.resume(&mut own, put_back);
    let len = put_back.1;
    assert_eq!(ahead.iter(input).map(|(_, args)| words(args)).collect::<Vec<_>>(), [[b"bb".to_vec()]]);
    ahead.fill(&mut own, &input[len..], LIMITS).unwrap();
    assert_eq!(ahead.iter(&input[len..]).map(|(_, args)| words(args)).collect::<Vec<_>>(), [[b"ccc".to_vec()]]);
}
