use crate::probe::Probe;

/// Runs a command; the bytes that it adds to the log.
fn logged(probe: &mut Probe, words: &[&[u8]]) -> u64 {
    let bytes = |probe: &Probe| {
        probe.store.hand_over(probe.store.committed()).unwrap();
        probe.store.statistics().log_bytes
    };
    let before = bytes(probe);
    probe.words(words);
    bytes(probe) - before
}

#[test]
fn bits_are_set_and_read() {
    let mut probe = Probe::new();
    probe.check(
        "setbit k 7 1 -> (0)
         getbit k 7 -> (1)
         getbit k 6 -> (0)
         getbit k 100 -> (0)
         getbit nokey 0 -> (0)
         get k -> \"\\x01\"
         setbit k 7 0 -> (1)
         setbit k 15 1 -> (0)
         get k -> \"\\x00\\x01\"
         object encoding k -> \"raw\"
         setbit k x 1 -> -ERR bit offset is not an integer or out of range
         setbit k #1 1 -> -ERR bit offset is not an integer or out of range
         setbit k -1 1 -> -ERR bit offset is not an integer or out of range
         setbit k 4294967296 1 -> -ERR bit offset is not an integer or out of range
         setbit k 1 2 -> -ERR bit is not an integer or out of range
         setbit zero 9 0 -> (0)
         get zero -> \"\\x00\\x00\"
         rpush list a -> (1)
         setbit list 1 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}

#[test]
fn bits_are_counted_in_ranges() {
    let mut probe = Probe::new();
    probe.check(
        "set k foobar -> OK
         bitcount k -> (26)
         bitcount k 0 0 -> (4)
         bitcount k 1 1 -> (6)
         bitcount k 1 1 byte -> (6)
         bitcount k 5 30 bit -> (17)
         bitcount k -2 -1 -> (7)
         bitcount k -1 -2 -> (0)
         bitcount k -100 -200 -> (0)
         bitcount k 2 1 -> (0)
         bitcount k 100 200 -> (0)
         bitcount nokey -> (0)
         bitcount nokey 0 x -> -ERR value is not an integer or out of range
         bitcount nokey 0 1 bogus -> -ERR syntax error
         bitcount k 0 -> -ERR syntax error",
    );
}

#[test]
fn the_first_bit_is_found() {
    let mut probe = Probe::new();
    probe.words(&[b"set", b"k", b"\xff\xf0\x00"]);
    probe.words(&[b"set", b"ones", b"\xff\xff\xff"]);
    probe.words(&[b"set", b"zeros", b"\x00\x00\x00"]);
    probe.words(&[b"set", b"empty", b""]);
    probe.check(
        "bitpos k 0 -> (12)
         bitpos k 1 -> (0)
         bitpos k 1 2 -> (-1)
         bitpos k 0 0 0 -> (-1)
         bitpos k 0 13 20 bit -> (13)
         bitpos k 1 12 -1 bit -> (-1)
         bitpos ones 0 -> (24)
         bitpos ones 0 1 -> (24)
         bitpos ones 0 0 -1 -> (-1)
         bitpos zeros 1 -> (-1)
         bitpos empty 0 -> (-1)
         bitpos empty 1 -> (-1)
         bitpos nokey 0 -> (0)
         bitpos nokey 1 -> (-1)
         bitpos nokey 1 x -> -ERR value is not an integer or out of range
         bitpos nokey 1 0 1 bogus -> -ERR syntax error
         bitpos k 2 -> -ERR The bit argument must be 1 or 0.
         bitpos k 1 0 1 bit 1 -> -ERR syntax error",
    );
}

#[test]
fn strings_are_joined_bit_by_bit() {
    let mut probe = Probe::new();
    probe.words(&[b"set", b"a", b"\xf0\xff\x01"]);
    probe.words(&[b"set", b"b", b"\x3c\x0f"]);
    probe.check(
        "bitop and d a b -> (3)
         get d -> \"0\\x0f\\x00\"
         bitop or d a b -> (3)
         get d -> \"\\xfc\\xff\\x01\"
         bitop xor d a b nokey -> (3)
         get d -> \"\\xcc\\xf0\\x01\"
         bitop and d a nokey -> (3)
         get d -> \"\\x00\\x00\\x00\"
         bitop not d a -> (3)
         get d -> \"\\x0f\\x00\\xfe\"
         expire d 100 -> (1)
         bitop or d d -> (3)
         ttl d -> (-1)
         bitop and d nokey other -> (0)
         exists d -> (0)
         bitop not d a b -> -ERR BITOP NOT must be called with a single source key.
         bitop nand d a b -> -ERR syntax error
         rpush list x -> (1)
         bitop or d a list -> -WRONGTYPE Operation against a key holding the wrong kind of value
         bitop or list a -> (3)
         type list -> string",
    );
}

#[test]
fn fields_are_read_set_and_increased() {
    let mut probe = Probe::new();
    probe.check(
        "bitfield k set u8 #0 255 get u8 0 incrby u8 0 1 get i8 0 -> [(0) (255) (0) (0)]
         bitfield k overflow sat incrby i8 8 200 incrby i8 8 -300 -> [(127) (-128)]
         bitfield k overflow fail incrby u2 100 3 incrby u2 100 1 get u2 100 -> [(3) nil (3)]
         bitfield k overflow fail set i4 0 100 overflow wrap set i4 0 100 get i4 0 -> [nil (0) (4)]
         bitfield k set i64 0 -1 incrby i64 0 1 overflow sat incrby i64 0 9223372036854775807 incrby i64 0 1 -> [(4647714815446351872) (0) (9223372036854775807) (9223372036854775807)]
         bitfield_ro k get u63 1 get i5 200 -> [(9223372036854775807) (0)]
         bitfield nokey get u8 0 -> [(0)]
         exists nokey -> (0)
         bitfield nokey -> []
         bitfield grown overflow fail set u4 100 16 -> [nil]
         strlen grown -> (13)
         bitfield_ro k set u8 0 1 -> -ERR BITFIELD_RO only supports the GET subcommand
         bitfield k overflow bogus -> -ERR Invalid OVERFLOW type specified
         bitfield k get u64 0 -> -ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
         bitfield k get u8 -1 -> -ERR bit offset is not an integer or out of range
         bitfield k set u8 0 x -> -ERR value is not an integer or out of range
         bitfield k get u8 -> -ERR syntax error",
    );
}

#[test]
fn one_bit_of_a_long_string_is_one_chunk_of_the_log() {
    let mut probe = Probe::new();
    let bits = (100 << 20) * 8;
    let last = (bits - 1).to_string();
    assert_eq!(probe.words(&[b"setbit", b"k", last.as_bytes(), b"1"]), "(0)");
    for number in 0..20 {
        let offset = (bits / 20 * number + 5).to_string();
        let bytes = logged(&mut probe, &[b"setbit", b"k", offset.as_bytes(), b"1"]);
        assert!((4_096..4_500).contains(&bytes), "{bytes}");
        let bytes = logged(&mut probe, &[b"setbit", b"k", offset.as_bytes(), b"1"]);
        assert_eq!(bytes, 0, "nothing has changed");
    }
    let bytes = logged(&mut probe, &[b"bitfield", b"k", b"set", b"u8", b"800", b"255", b"get", b"u8", b"900"]);
    assert!((4_096..4_500).contains(&bytes), "{bytes}");
    probe.check("bitcount k -> (29)\n bitpos k 1 800 803 -> (-1)");
    probe.reopen();
    probe.check("bitcount k -> (29)\n strlen k -> (104857600)");
}

#[test]
fn a_string_that_becomes_long_keeps_its_bits() {
    let mut probe = Probe::new();
    probe.check(
        "setbit k 3 1 -> (0)
         expire k 100 -> (1)
         setbit k 600000 1 -> (0)
         bitfield k set u16 1200001 65535 incrby u16 1200001 1 get u1 3 -> [(0) (0) (1)]
         bitfield k overflow fail set u8 1300000 256 -> [nil]
         strlen k -> (162501)
         bitcount k -> (2)
         ttl k -> (100)",
    );
    probe.reopen();
    probe.check("bitcount k -> (2)\n strlen k -> (162501)\n getbit k 600000 -> (1)\n bitpos k 1 1 -> (600000)");
}

#[test]
fn a_bit_that_was_set_is_no_change_but_makes_the_string_raw() {
    let mut probe = Probe::new();
    probe.check("set k 12 -> OK\n object encoding k -> \"int\"");
    let watched = probe.keyspace.watch(&probe.call, b"k").unwrap();
    probe.check("setbit k 2 1 -> (1)\n object encoding k -> \"raw\"");
    let call = probe.call;
    let unchanged = probe.keyspace.transaction(&call, false, |transaction| transaction.is_unchanged(&watched, &call));
    assert!(unchanged.unwrap().0);
}
