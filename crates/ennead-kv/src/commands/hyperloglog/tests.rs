use super::selftest;
use crate::probe::Probe;

const NOT_ONE: &str = "-WRONGTYPE Key is not a valid HyperLogLog string value.";

#[test]
fn adds_counts_and_merges() {
    let mut probe = Probe::new();
    probe.check(
        "pfadd a x y z -> (1)
         pfadd a x y z -> (0)
         pfcount a -> (3)
         pfadd b z w -> (1)
         pfcount a b -> (4)
         pfcount nokey -> (0)
         pfcount nokey other -> (0)
         pfadd empty -> (1)
         pfadd empty -> (0)
         pfcount empty -> (0)
         pfmerge c a b -> OK
         pfcount c -> (4)
         pfmerge d -> OK
         pfcount d -> (0)
         object encoding c -> \"raw\"
         strlen empty -> (18)",
    );
}

#[test]
fn the_bytes_are_those_of_redis() {
    let mut probe = Probe::new();
    probe.run("pfadd k");
    assert_eq!(probe.run("get k"), r#""HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x7f\xff""#);
    // A merge of nothing, and a count, which is kept in the value.
    probe.check("pfcount k -> (0)");
    assert_eq!(probe.run("get k"), r#""HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f\xff""#);
}

#[test]
fn a_time_to_live_stays() {
    let mut probe = Probe::new();
    probe.check(
        "pfadd k a -> (1)
         expire k 100 -> (1)
         pfadd k b -> (1)
         pfcount k -> (2)
         pfmerge k nokey -> OK
         ttl k -> (100)
         pfdebug todense k -> (1)
         ttl k -> (100)",
    );
}

#[test]
fn debug_shows_and_changes_the_form() {
    let mut probe = Probe::new();
    probe.check(
        "pfdebug encoding k -> -ERR The specified key does not exist
         pfadd k a -> (1)
         pfdebug encoding k -> sparse
         pfdebug todense k -> (1)
         pfdebug todense k -> (0)
         pfdebug encoding k -> dense
         strlen k -> (12304)
         pfdebug decode k -> -ERR HLL encoding is not sparse
         pfdebug bogus k -> -ERR Unknown PFDEBUG subcommand 'bogus'
         pfcount k -> (1)
         pfmerge sparse k -> OK
         pfdebug encoding sparse -> dense
         pfadd other b -> (1)",
    );
    let registers = probe.run("pfdebug getreg other");
    assert_eq!(registers.split(' ').count(), 16384);
    assert_eq!(registers.matches("(0)").count(), 16383);
    probe.check("pfdebug encoding other -> dense");
}

#[test]
fn other_values_are_refused() {
    let mut probe = Probe::new();
    probe.run("set text hello");
    probe.run("set number 12");
    probe.run("rpush list a");
    for key in ["text", "number"] {
        for request in
            ["pfadd _ a", "pfcount _", "pfcount nokey _", "pfmerge new _", "pfmerge _ new", "pfdebug decode _"]
        {
            assert_eq!(probe.run(&request.replace('_', key)), NOT_ONE, "{request}");
        }
    }
    let wrong_type = format!("-{}", crate::Error::WrongType);
    for request in ["pfadd list a", "pfcount list", "pfmerge new list", "pfdebug decode list"] {
        assert_eq!(probe.run(request), wrong_type, "{request}");
    }
    probe.check("exists new -> (0)\n get text -> \"hello\"");
}

#[test]
fn a_corrupted_one_is_told_and_left_alone() {
    let mut probe = Probe::new();
    let corrupted = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x40\x40";
    probe.words(&[b"set", b"k", corrupted]);
    let before = probe.run("get k");
    for request in
        ["pfcount k", "pfcount k nokey", "pfmerge k", "pfmerge new k", "pfdebug todense k", "pfdebug getreg k"]
    {
        assert_eq!(probe.run(request), "-INVALIDOBJ Corrupted HLL object detected", "{request}");
    }
    // Some of these elements fall beyond the registers that it has.
    let elements: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(probe.run(&format!("pfadd k {}", elements.join(" "))), "-INVALIDOBJ Corrupted HLL object detected");
    assert_eq!(probe.run("get k"), before);
    probe.check("exists new -> (0)");
}

#[test]
fn the_sparse_form_ends_at_the_setting() {
    let mut probe = Probe::new();
    probe.keyspace.settings().set_hll_sparse_max_bytes(30);
    probe.check(
        "pfadd k a b c -> (1)\n pfdebug encoding k -> sparse\n pfadd k d e f g -> (1)\n pfdebug encoding k -> dense",
    );
    probe.check("pfcount k -> (7)");
    probe.reopen();
    probe.check("pfcount k -> (7)\n pfadd k a b c d e f g -> (0)");
}

#[test]
fn an_unchanged_sketch_is_no_change_for_those_who_watch() {
    let mut probe = Probe::new();
    probe.check("pfadd k a b -> (1)\n pfcount k -> (2)");
    let watched = probe.keyspace.watch(&probe.call, b"k").unwrap();
    probe.check("pfadd k a b -> (0)\n pfcount k -> (2)");
    let unchanged = |probe: &Probe| {
        let call = probe.call.clone();
        probe.keyspace.transaction(&call, false, |transaction| transaction.is_unchanged(&watched, &call)).unwrap().0
    };
    assert!(unchanged(&probe));
    probe.check("pfadd k c -> (1)");
    assert!(!unchanged(&probe));
}

#[test]
fn the_self_test_passes() {
    // The request itself adds ten million elements.
    for seed in [1, 0x1234_5678_9abc_def0] {
        selftest::estimates(selftest::ELEMENTS / 50, seed, 3000).unwrap();
    }
}
