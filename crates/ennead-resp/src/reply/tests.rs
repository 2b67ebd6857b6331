use super::*;

#[track_caller]
fn check(write: impl Fn(&mut Encoder), resp2: &str, resp3: &str) {
    for (protocol, expected) in [(2, resp2), (3, resp3)] {
        let mut encoder = Encoder::new(protocol);
        write(&mut encoder);
        assert_eq!(String::from_utf8_lossy(encoder.bytes()), expected, "RESP{protocol}");
    }
}

#[test]
fn scalars() {
    check(|r| r.ok(), "+OK\r\n", "+OK\r\n");
    check(|r| r.error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n");
    check(|r| r.integer(7), ":7\r\n", ":7\r\n");
    check(|r| r.integer(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n");
    check(|r| r.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n");
    check(|r| r.bulk(b"0123456789"), "$10\r\n0123456789\r\n", "$10\r\n0123456789\r\n");
    check(|r| r.null(), "$-1\r\n", "_\r\n");
    check(|r| r.null_array(), "*-1\r\n", "_\r\n");
    check(|r| r.boolean(true), ":1\r\n", "#t\r\n");
    check(|r| r.big_number("123"), "$3\r\n123\r\n", "(123\r\n");
    check(|r| r.verbatim("txt", b"hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n");
}

#[test]
fn aggregates() {
    check(|r| r.array(2), "*2\r\n", "*2\r\n");
    check(|r| r.map(2), "*4\r\n", "%2\r\n");
    check(|r| r.set(2), "*2\r\n", "~2\r\n");
    check(|r| r.push(12), "*12\r\n", ">12\r\n");
}

#[test]
fn doubles() {
    check(|r| r.double(3.25), "$4\r\n3.25\r\n", ",3.25\r\n");
    check(|r| r.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
}

#[test]
fn what_is_taken_back_was_never_said() {
    let mut encoder = Encoder::new(2);
    encoder.ok();
    let mark = encoder.mark();
    encoder.bulk(b"lie");
    encoder.rewind(mark);
    assert_eq!(encoder.bytes(), b"+OK\r\n");
}
