use super::*;

fn decided(db: u64, text: &str) -> Decision {
    let words: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
    decide(3, db, &words)
}

#[test]
fn one_database_is_followed() {
    for (db, text, forward) in [
        (3, "SET a 1", true),
        (0, "SET a 1", false),
        (0, "MULTI", true),
        (0, "EXEC", true),
        (0, "SWAPDB 1 2", false),
        (3, "COPY a b", true),
        (0, "COPY a b", false),
        (3, "COPY a b DB 5", false),
        (0, "MOVE a 5", false),
        (0, "FUNCTION LOAD x", true),
    ] {
        assert_eq!(decided(db, text), if forward { Decision::Forward } else { Decision::Leave }, "{db} {text}");
    }
    assert_eq!(decided(0, "flushall"), Decision::Instead(b"*1\r\n$7\r\nFLUSHDB\r\n".to_vec()));
    assert_eq!(decided(3, "MOVE a 5"), Decision::Instead(b"*2\r\n$3\r\nDEL\r\n$1\r\na\r\n".to_vec()));
    for (db, text) in [(0, "SWAPDB 0 3"), (0, "MOVE a 3"), (0, "COPY a b REPLACE DB 3")] {
        assert!(matches!(decided(db, text), Decision::Cannot(_)), "{text}");
    }
}
