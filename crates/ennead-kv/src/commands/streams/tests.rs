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

#[test]
fn groups_share_a_stream() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        xgroup create s g $ -> -ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
        xgroup create s g $ mkstream -> OK
        xgroup create s g $ -> -BUSYGROUP Consumer Group name already exists
        xadd s 1-1 a 1 -> "1-1"
        xadd s 2-1 a 2 -> "2-1"
        xadd s 3-1 a 3 -> "3-1"
        xreadgroup group g ann count 2 streams s > -> ["s" [["1-1" ["a" "1"]] ["2-1" ["a" "2"]]]]
        xreadgroup group g bob streams s > -> ["s" [["3-1" ["a" "3"]]]]
        xreadgroup group g bob streams s > -> nil[]
        xreadgroup group h bob streams s > -> -NOGROUP No such key 's' or consumer group 'h' in XREADGROUP with GROUP option
        xpending s g -> [(3) "1-1" "3-1" [["ann" "2"] ["bob" "1"]]]
        xack s g 1-1 9-9 -> (1)
        xdel s 2-1 -> (1)
        xreadgroup group g ann streams s 0 -> ["s" [["2-1" nil[]]]]
        xclaim s g ann 0 3-1 justid -> ["3-1"]
        xpending s g - + 10 -> [["2-1" "ann" (0) (1)] ["3-1" "ann" (0) (1)]]
        xautoclaim s g bob 0 - -> ["0-0" [["3-1" ["a" "3"]]] ["2-1"]]
        xinfo groups s -> [["name" "g" "consumers" (2) "pending" (1) "last-delivered-id" "3-1" "entries-read" (3) "lag" (0)]]
        xinfo consumers s g -> [["name" "ann" "pending" (0) "idle" (0) "inactive" (0)] ["name" "bob" "pending" (1) "idle" (0) "inactive" (0)]]
        "#,
    );
    let full = probe.run("xinfo stream s full");
    probe.reopen_store();
    assert_eq!(probe.run("xinfo stream s full"), full);
    probe.check(
        r#"
        xgroup delconsumer s g bob -> (1)
        xgroup createconsumer s g bob -> (1)
        xgroup destroy s g -> (1)
        xgroup destroy s g -> (0)
        xread streams s 2-1 -> ["s" [["3-1" ["a" "3"]]]]
        xread streams s $ -> nil[]
        "#,
    );
}
