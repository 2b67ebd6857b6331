use std::collections::BTreeSet;

use crate::place::next_random;
use crate::probe::Probe;

#[test]
fn sets_answer_as_in_redis() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        SADD a 1 2 3 -> (3)
        SADD a 3 4 -> (1)
        OBJECT ENCODING a -> "intset"
        SADD b 3 4 x -> (3)
        OBJECT ENCODING b -> "listpack"
        SCARD a -> (4)
        SISMEMBER a 2 -> (1)
        SMISMEMBER a 2 9 -> [(1) (0)]
        SINTER a b -> ["3" "4"]
        SINTERCARD 2 a b LIMIT 1 -> (1)
        SDIFF a b -> ["1" "2"]
        SUNION a b -> ["1" "2" "3" "4" "x"]
        SUNIONSTORE a a b -> (5)
        SCARD a -> (5)
        SMOVE a b 1 -> (1)
        SMOVE a b 1 -> (0)
        SMEMBERS b -> ["3" "4" "x" "1"]
        SREM b 3 4 x -> (3)
        SPOP b -> "1"
        EXISTS b -> (0)
        SPOP b -> nil
        SPOP b 2 -> []
        SRANDMEMBER b -> nil
        SINTERSTORE a a missing -> (0)
        EXISTS a -> (0)
        SINTERCARD 0 a -> -ERR numkeys should be greater than 0
        SINTERCARD 3 a b -> -ERR Number of keys can't be greater than number of args
        SPOP a -1 -> -ERR value is out of range, must be positive
        "#,
    );
}

#[test]
fn large_sets_are_the_same_as_a_model_and_read_back() {
    let mut probe = Probe::new();
    let mut model: BTreeSet<String> = BTreeSet::new();
    let mut random = 11;
    for step in 0..6_000 {
        let member = format!("member:{}", next_random(&mut random) % 1_500);
        if next_random(&mut random).is_multiple_of(3) {
            assert_eq!(probe.run(&format!("SREM s {member}")), format!("({})", u8::from(model.remove(&member))));
        } else {
            assert_eq!(probe.run(&format!("SADD s {member}")), format!("({})", u8::from(model.insert(member))));
        }
        if step % 1_000 == 999 {
            if step % 2_000 == 1_999 {
                probe.reopen_store();
            }
            let shown = probe.run("SMEMBERS s");
            let members: BTreeSet<String> =
                shown.split_ascii_whitespace().map(|word| word.replace(['[', ']', '"'], "")).collect();
            assert_eq!(members, model);
        }
    }
    for member in &model {
        assert_eq!(probe.run(&format!("SISMEMBER s {member}")), "(1)");
    }
    let popped = probe.run("SPOP s 500");
    assert_eq!(popped.matches("member").count(), 500);
    assert_eq!(probe.run("SCARD s"), format!("({})", model.len() - 500));
}

#[test]
fn every_member_is_drawn_about_equally_often() {
    let mut probe = Probe::new();
    for number in 0..600 {
        probe.run(&format!("SADD s member:{number}"));
    }
    let mut counts = std::collections::HashMap::new();
    for _ in 0..60 {
        let drawn = probe.run("SRANDMEMBER s -1000");
        for member in drawn.split_ascii_whitespace() {
            *counts.entry(member.replace(['[', ']'], "")).or_insert(0usize) += 1;
        }
    }
    assert_eq!(counts.len(), 600);
    // 100 each are expected; ten standard deviations are 100.
    assert!(counts.values().all(|count| (30..=200).contains(count)), "{counts:?}");
}
