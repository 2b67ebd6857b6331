use crate::probe::Probe;

#[test]
fn hashes_answer_as_in_redis() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        HSET h a 1 b 2 -> (2)
        HSET h a 3 -> (0)
        HGETALL h -> ["a" "3" "b" "2"]
        HMGET h a x b -> ["3" nil "2"]
        HSETNX h a 4 -> (0)
        HSETNX h c 4 -> (1)
        HINCRBY h a 10 -> (13)
        HINCRBYFLOAT h a 0.5 -> "13.5"
        HINCRBY h a 1 -> -ERR hash value is not an integer
        HSTRLEN h a -> (4)
        HKEYS h -> ["a" "b" "c"]
        HVALS h -> ["13.5" "2" "4"]
        HEXISTS h c -> (1)
        HLEN h -> (3)
        TYPE h -> OK
        HDEL h a b x -> (2)
        HRANDFIELD h -> "c"
        HRANDFIELD h 5 WITHVALUES -> [["c" "4"]]
        HRANDFIELD h -3 -> ["c" "c" "c"]
        HSCAN h 0 -> ["0" ["c" "4"]]
        HDEL h c -> (1)
        EXISTS h -> (0)
        HGET h c -> nil
        SET s x -> OK
        HGET s x -> -WRONGTYPE Operation against a key holding the wrong kind of value
        HSET s x y -> -WRONGTYPE Operation against a key holding the wrong kind of value
        HSET h x -> -ERR wrong number of arguments for 'hset' command
        "#
        .replace("TYPE h -> OK", "TYPE h -> hash")
        .as_str(),
    );
}

#[test]
fn a_hash_is_the_same_small_large_copied_and_read_back() {
    let mut probe = Probe::new();
    for number in 0..300 {
        probe.run(&format!("HSET h field:{number} {number}"));
        probe.run(&format!("HINCRBY h field:{} 1000", number / 2));
    }
    assert_eq!(probe.run("OBJECT ENCODING h"), "\"listpack\"");
    probe.run("EXPIRE h 100000");
    let value = |probe: &mut Probe, key: &str| {
        let text = probe.run(&format!("HGETALL {key}"));
        let mut words: Vec<String> = text.split_ascii_whitespace().map(|word| word.replace(['[', ']'], "")).collect();
        let mut pairs: Vec<(String, String)> =
            words.chunks_mut(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        pairs.sort();
        pairs
    };
    let expected = value(&mut probe, "h");
    assert_eq!(expected.len(), 300);
    probe.check("COPY h copy -> (1)\nRENAME h {x}h -> OK\nHLEN {x}h -> (300)\nDEL gone -> (0)");
    for _ in 0..2 {
        assert_eq!(value(&mut probe, "copy"), expected);
        assert_eq!(value(&mut probe, "{x}h"), expected);
        assert_eq!(probe.run("TTL copy"), "(100000)");
        probe.reopen_store();
    }
    let mut cursor = 0u64;
    let mut met = 0;
    probe.keyspace.settings().thresholds().set(crate::Threshold::HashEntries, 10);
    probe.run("HSET copy more 1");
    assert_eq!(probe.run("OBJECT ENCODING copy"), "\"hashtable\"");
    loop {
        let page = probe.run(&format!("HSCAN copy {cursor} COUNT 7"));
        met += page.matches("field:").count();
        cursor = page.split('"').nth(1).unwrap().parse().unwrap();
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(met, 300);
    probe.check("DEL copy -> (1)\nEXISTS copy -> (0)");
    probe.reopen();
    probe.check("EXISTS copy -> (0)");
    // No row of the deleted object is left.
    let database = probe.store.table("kv.0.chunks").unwrap();
    let rows = probe.store.snapshot();
    let mut rows = rows.iter(database, &[], None);
    rows.seek_to_first();
    let mut left = 0;
    while rows.valid() {
        left += 1;
        rows.next();
    }
    assert_eq!(left, 300);
}

#[test]
fn payloads_of_hashes_come_back() {
    let mut probe = Probe::new();
    for number in 0..100 {
        probe.run(&format!("HSET h field:{number} value:{number}"));
    }
    let mut payload = Bytes::default();
    probe.execute(&[b"DUMP", b"h"], &mut payload).unwrap();
    assert_eq!(probe.words(&[b"RESTORE", b"other", b"0", &payload.0]), "OK");
    assert_eq!(probe.run("HLEN other"), "(100)");
    assert_eq!(probe.run("HGET other field:77"), "\"value:77\"");
}

/// A reply that is one bulk string.
#[derive(Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl crate::Reply for Bytes {
    fn protocol(&self) -> u8 {
        2
    }
    fn simple(&mut self, _text: &str) {}
    fn error(&mut self, _text: &str) {}
    fn integer(&mut self, _value: i64) {}
    fn bulk(&mut self, bytes: &[u8]) {
        self.0 = bytes.to_vec();
    }
    fn null(&mut self) {}
    fn null_array(&mut self) {}
    fn array(&mut self, _len: usize) {}
    fn map(&mut self, _pairs: usize) {}
    fn set(&mut self, _len: usize) {}
    fn push(&mut self, _len: usize) {}
    fn attribute(&mut self, _pairs: usize) {}
    fn double(&mut self, _value: f64) {}
    fn boolean(&mut self, _value: bool) {}
    fn big_number(&mut self, _digits: &str) {}
    fn verbatim(&mut self, _format: &str, _text: &[u8]) {}
}
