use crate::probe::Probe;

#[test]
fn values_are_read_and_written_with_their_deadlines() {
    let mut probe = Probe::new();
    probe.check(
        "
        HSETEX h FXX EX 10 FIELDS 1 a 1 -> (0)
        EXISTS h -> (0)
        HSETEX h FNX EX 10 FIELDS 2 a 1 b 2 -> (1)
        HSETEX h FNX FIELDS 2 c 1 b 2 -> (0)
        HSETEX h FXX FIELDS 2 a 1 c 2 -> (0)
        HPTTL h FIELDS 2 a b -> [(10000) (10000)]
        HSETEX h FIELDS 1 a 5 -> (1)
        HSETEX h KEEPTTL FIELDS 2 b 6 c 7 -> (1)
        HGETEX h FIELDS 4 a b c x -> [\"5\" \"6\" \"7\" nil]
        HPTTL h FIELDS 3 a b c -> [(-1) (10000) (-1)]
        HGETEX h PERSIST FIELDS 2 a b -> [\"5\" \"6\"]
        HPTTL h FIELDS 3 a b c -> [(-1) (-1) (-1)]
        HGETEX h PX 5 FIELDS 2 a x -> [\"5\" nil]
        HGETEX h pxat 1700000000100 FIELDS 1 b -> [\"6\"]
        HPTTL h FIELDS 3 a b c -> [(5) (100) (-1)]
        HGETEX h EXAT 1 FIELDS 1 a -> [\"5\"]
        HMGET h a b c -> [nil \"6\" \"7\"]
        HSETEX h PXAT 1 FIELDS 1 d 1 -> (1)
        HGETDEL h FIELDS 2 b x -> [\"6\" nil]
        HGETDEL h FIELDS 2 c c -> [\"7\" nil]
        EXISTS h -> (0)
        HGETDEL h FIELDS 1 a -> [nil]
        HGETEX h EX 1 FIELDS 1 a -> [nil]
        HSETEX h EXAT 1 FIELDS 1 a 1 -> (1)
        EXISTS h -> (0)
        ",
    );
    probe.check("HSETEX h PX 50 FIELDS 1 a 1 -> (1)\nHSET h b 2 -> (1)");
    probe.reopen_store();
    probe.call.now_ms += 50;
    probe.check("HGETALL h -> [\"b\" \"2\"]");
}

#[test]
fn what_cannot_be_is_refused_with_redis_words() {
    let mut probe = Probe::new();
    probe.check(
        "
        SET s x -> OK
        HGETDEL s FIELDS 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
        HGETEX s FIELDS 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
        HSETEX s FIELDS 1 a 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
        HGETDEL h FIELDS 2 a -> -ERR The `numfields` parameter must match the number of arguments
        HGETDEL h FIELDS x a -> -ERR Number of fields must be a positive integer
        HGETDEL h x 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
        HGETEX h EX -1 FIELDS 1 a -> -ERR invalid expire time, must be >= 0
        HGETEX h EX 70368744177664 FIELDS 1 a -> -ERR invalid expire time in 'hgetex' command
        HGETEX h PERSIST EX 1 FIELDS 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
        HSETEX h FNX FXX FIELDS 1 a 1 -> -ERR Only one of FXX or FNX arguments can be specified
        HSETEX h EX 1 KEEPTTL FIELDS 1 a 1 -> -ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
        HSETEX h KEEPTTL FNX FNX EX -> -ERR Only one of FXX or FNX arguments can be specified
        HSETEX h bogus FIELDS 1 a 1 -> -ERR unknown argument: bogus
        HSETEX h FIELDS 0 a 1 -> -ERR invalid number of fields
        HSETEX h FIELDS 2 a 1 -> -ERR wrong number of arguments for 'hsetex' command
        HSETEX h FIELDS 1 a 1 b -> -ERR wrong number of arguments for 'hsetex' command
        EXISTS h -> (0)
        ",
    );
}
