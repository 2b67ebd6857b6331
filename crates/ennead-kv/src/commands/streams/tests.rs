use crate::probe::Probe;

#[test]
fn entries_are_added_with_rising_ids() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        xadd s 1-1 a 1 -> "1-1"
        xadd s 1-1 a 1 -> -ERR The ID specified in XADD is equal or smaller than the target stream top item
        xadd s 1-* a 2 b 3 -> "1-2"
        xadd s 5 a 4 -> "5-0"
        xadd s * a 5 -> "1700000000000-0"
        xadd s * a 6 -> "1700000000000-1"
        xadd s 0-0 a 6 -> -ERR The ID specified in XADD must be greater than 0-0
        xadd s * a -> -ERR wrong number of arguments for 'xadd' command
        xadd none nomkstream * a 1 -> nil
        xlen s -> (5)
        xlen none -> (0)
        xrange s - + count 2 -> [["1-1" ["a" "1"]] ["1-2" ["a" "2" "b" "3"]]]
        xrange s (1-1 5 -> [["1-2" ["a" "2" "b" "3"]] ["5-0" ["a" "4"]]]
        xrevrange s + - count 1 -> [["1700000000000-1" ["a" "6"]]]
        xrevrange s 5 (1-2 -> [["5-0" ["a" "4"]]]
        xrange s - + count 0 -> nil[]
        xdel s 1-1 1-1 9-9 -> (1)
        xtrim s maxlen 2 -> (2)
        xtrim s maxlen ~ 1 limit 5 -> (0)
        xtrim s minid 1700000000000-1 -> (1)
        object encoding s -> "stream"
        "#,
    );
}

#[test]
fn an_empty_stream_stays() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        xadd s 1-1 a 1 -> "1-1"
        xdel s 1-1 -> (1)
        exists s -> (1)
        xlen s -> (0)
        xadd s 1-1 a 1 -> -ERR The ID specified in XADD is equal or smaller than the target stream top item
        xsetid s 9-9 entriesadded 50 -> OK
        xadd s 9-* a 1 -> "9-10"
        "#,
    );
    probe.reopen_store();
    probe.check(
        r#"
        xrange s - + -> [["9-10" ["a" "1"]]]
        copy s t -> (1)
        rename s u -> OK
        xadd t 10 b 2 -> "10-0"
        xlen u -> (1)
        xlen t -> (2)
        del u t -> (2)
        "#,
    );
}
