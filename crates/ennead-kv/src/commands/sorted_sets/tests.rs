use crate::place::next_random;
use crate::probe::Probe;

#[test]
fn sorted_sets_answer_as_in_redis() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        ZADD z 1 a 2 b 3 c -> (3)
        ZADD z CH 5 a 2 b 4 d -> (2)
        ZADD z NX 9 a 9 e -> (1)
        ZADD z XX CH 10 e 1 x -> (1)
        ZADD z GT CH 1 e 11 d -> (1)
        ZADD z LT CH 1 e 12 d -> (1)
        ZADD z INCR 2.5 a -> 7.5
        ZADD z NX INCR 2.5 a -> nil
        ZADD z NX XX 1 a -> -ERR XX and NX options at the same time are not compatible
        ZADD z GT LT 1 a -> -ERR GT, LT, and/or NX options at the same time are not compatible
        ZADD z INCR 1 a 2 b -> -ERR INCR option supports a single increment-element pair
        ZADD z 1 a 2 -> -ERR syntax error
        ZADD z 1 a x b -> -ERR value is not a valid float
        ZADD z nan a -> -ERR value is not a valid float
        ZRANGE z 0 -1 WITHSCORES -> [["e" 1] ["b" 2] ["c" 3] ["a" 7.5] ["d" 11]]
        ZREVRANGE z 1 2 -> ["a" "c"]
        ZRANGE z 0 1 REV -> ["d" "a"]
        ZRANGE z (1 +inf BYSCORE LIMIT 1 2 -> ["c" "a"]
        ZRANGE z +inf (1 BYSCORE REV LIMIT 1 2 -> ["a" "c"]
        ZREVRANGEBYSCORE z 3 1 WITHSCORES -> [["c" 3] ["b" 2] ["e" 1]]
        ZRANGEBYSCORE z -inf inf LIMIT -1 5 -> []
        ZRANGEBYSCORE z -inf inf LIMIT 3 -1 -> ["a" "d"]
        ZRANGE z 0 -1 LIMIT 0 1 -> -ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
        ZRANGE z [a [b BYLEX WITHSCORES -> -ERR syntax error, WITHSCORES not supported in combination with BYLEX
        ZRANGE z a 1 BYSCORE -> -ERR min or max is not a float
        ZRANGE z a b BYLEX -> -ERR min or max not valid string range item
        ZRANK z a -> (3)
        ZREVRANK z a WITHSCORE -> [(1) 7.5]
        ZRANK z x -> nil
        ZRANK z x WITHSCORE -> nil[]
        ZRANK z a b -> -ERR syntax error
        ZSCORE z a -> 7.5
        ZMSCORE z a x -> [7.5 nil]
        ZCARD z -> (5)
        ZCOUNT z 2 (7.5 -> (2)
        ZINCRBY z -inf a -> -inf
        ZINCRBY z inf a -> -ERR resulting score is not a number (NaN)
        ZREM z a x b -> (2)
        ZPOPMIN z -> ["e" 1]
        ZPOPMAX z 5 -> [["d" 11] ["c" 3]]
        EXISTS z -> (0)
        ZPOPMIN z 5 -> []
        ZPOPMIN z -1 -> -ERR value is out of range, must be positive
        ZADD z 0 a 0 b 0 c 0 d -> (4)
        ZRANGEBYLEX z - + -> ["a" "b" "c" "d"]
        ZRANGEBYLEX z (a [c -> ["b" "c"]
        ZREVRANGEBYLEX z + [b LIMIT 0 2 -> ["d" "c"]
        ZLEXCOUNT z - (c -> (2)
        ZRANGESTORE to z 1 2 -> (2)
        ZRANGE to 0 -1 WITHSCORES -> [["b" 0] ["c" 0]]
        ZRANGESTORE to z 7 8 -> (0)
        EXISTS to -> (0)
        ZREMRANGEBYLEX z [d + -> (1)
        ZREMRANGEBYRANK z 0 0 -> (1)
        ZREMRANGEBYSCORE z (0 0 -> (0)
        ZREMRANGEBYSCORE z 0 0 -> (2)
        TYPE z -> none
        "#,
    );
}

#[test]
fn sets_and_sorted_sets_are_combined() {
    let mut probe = Probe::new();
    probe.check(
        r#"
        ZADD z 1 a 2 b 3 c -> (3)
        ZADD y 10 b 20 c 30 d -> (3)
        SADD s c d e -> (3)
        ZUNION 2 z y WITHSCORES -> [["a" 1] ["b" 12] ["c" 23] ["d" 30]]
        ZUNION 3 z y s WEIGHTS 1 2 100 AGGREGATE MAX WITHSCORES -> [["a" 1] ["b" 20] ["c" 100] ["d" 100] ["e" 100]]
        ZINTER 2 z s WITHSCORES -> [["c" 4]]
        ZDIFF 2 z y -> ["a"]
        ZINTERCARD 2 z y -> (2)
        ZINTERCARD 2 z y LIMIT 1 -> (1)
        ZINTERCARD 2 z y LIMIT -1 -> -ERR LIMIT can't be negative
        ZUNIONSTORE z 2 z y WEIGHTS 1 0 -> (4)
        ZRANGE z 0 -1 WITHSCORES -> [["d" 0] ["a" 1] ["b" 2] ["c" 3]]
        ZDIFFSTORE z 1 none -> (0)
        EXISTS z -> (0)
        ZUNION 0 z -> -ERR at least 1 input key is needed for 'zunion' command
        ZUNION 3 z y -> -ERR syntax error
        ZUNION 1 y WEIGHTS x -> -ERR weight value is not a float
        ZUNION 1 y AGGREGATE x -> -ERR syntax error
        ZDIFF 1 y WEIGHTS 1 -> -ERR syntax error
        ZMPOP 2 none y MIN COUNT 2 -> ["y" [["b" 10] ["c" 20]]]
        ZMPOP 1 none MAX -> nil[]
        ZMPOP 0 y MIN -> -ERR numkeys should be greater than 0
        ZMPOP 1 y MIN COUNT 0 -> -ERR count should be greater than 0
        ZMPOP 1 s MIN -> -WRONGTYPE Operation against a key holding the wrong kind of value
        SET text x -> OK
        ZUNION 2 y text -> -WRONGTYPE Operation against a key holding the wrong kind of value
        ZADD text 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn encodings_are_told_as_redis_would() {
    let mut probe = Probe::new();
    for number in 0..128 {
        probe.run(&format!("ZADD z {number} {number}"));
    }
    probe.check(
        r#"
        OBJECT ENCODING z -> "listpack"
        ZADD z 5 5 -> (0)
        OBJECT ENCODING z -> "listpack"
        ZADD z 0.1 one-more -> (1)
        OBJECT ENCODING z -> "skiplist"
        ZSCAN z 0 MATCH one* COUNT 1000 -> ["0" ["one-more" "0.10000000000000001"]]
        ZREMRANGEBYRANK z 9 -1 -> (120)
        OBJECT ENCODING z -> "skiplist"
        ZRANGESTORE y z 0 -1 -> (9)
        OBJECT ENCODING y -> "listpack"
        ZSCAN y 0 MATCH one* COUNT 1000 -> ["0" ["one-more" "0.1"]]
        "#,
    );
}

/// Members in order, as simple as can be.
#[derive(Default)]
struct Model(Vec<(f64, String)>);

impl Model {
    fn set(&mut self, member: &str, score: f64) {
        self.0.retain(|(_, other)| other != member);
        self.0.push((score, member.to_owned()));
        self.0.sort_by(|left, right| left.0.total_cmp(&right.0).then_with(|| left.1.cmp(&right.1)));
    }

    fn show(members: &[(f64, String)]) -> String {
        let pairs: Vec<String> = members.iter().map(|(score, member)| format!("[\"{member}\" {score}]")).collect();
        format!("[{}]", pairs.join(" "))
    }

    fn range(&self, from: usize, to: usize) -> &[(f64, String)] {
        let end = (to + 1).min(self.0.len());
        &self.0[from.min(end)..end]
    }
}

#[test]
fn random_changes_leave_what_a_simple_model_has() {
    let mut state = std::env::var("ENNEAD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7u64);
    eprintln!("ENNEAD_SEED={state}");
    let mut next = move |below: u64| next_random(&mut state) % below;
    for members in [8, 60, 2000] {
        let mut probe = Probe::new();
        let mut model = Model::default();
        for step in 0..members * 3 + 200 {
            let member = format!("member:{}", next(members));
            let score = next(50) as f64 / 2.0;
            let (from, to) = (next(members) as usize, next(members) as usize);
            match next(12) {
                0..=5 => {
                    probe.run(&format!("ZADD z {score} {member}"));
                    model.set(&member, score);
                }
                6 => {
                    let former = model.0.iter().find(|(_, other)| *other == member).map_or(0.0, |(score, _)| *score);
                    model.set(&member, former + 1.5);
                    assert_eq!(probe.run(&format!("ZINCRBY z 1.5 {member}")), format!("{}", former + 1.5));
                }
                7 => {
                    let there = model.0.iter().any(|(_, other)| *other == member);
                    model.0.retain(|(_, other)| *other != member);
                    assert_eq!(probe.run(&format!("ZREM z {member}")), format!("({})", u8::from(there)));
                }
                8 if !model.0.is_empty() => {
                    let least = model.0.remove(0);
                    assert_eq!(probe.run("ZPOPMIN z"), format!("[\"{}\" {}]", least.1, least.0));
                }
                9 => {
                    let rank = model.0.iter().position(|(_, other)| *other == member);
                    let shown = rank.map_or("nil".to_owned(), |rank| format!("({rank})"));
                    assert_eq!(probe.run(&format!("ZRANK z {member}")), shown);
                    let count = model.0.iter().filter(|(other, _)| *other >= score && *other < score + 3.0).count();
                    assert_eq!(probe.run(&format!("ZCOUNT z {score} ({}", score + 3.0)), format!("({count})"));
                }
                10 if step % 7 == 0 => {
                    let count = model.range(from, from + 3).len();
                    assert_eq!(probe.run(&format!("ZREMRANGEBYRANK z {from} {}", from + 3)), format!("({count})"));
                    model.0.drain(from.min(model.0.len())..from.min(model.0.len()) + count);
                }
                11 if step % 50 == 0 => probe.reopen_store(),
                _ => {
                    let shown = Model::show(model.range(from, to));
                    assert_eq!(probe.run(&format!("ZRANGE z {from} {to} WITHSCORES")), shown);
                }
            }
        }
        probe.reopen_store();
        assert_eq!(probe.run("ZRANGE z 0 -1 WITHSCORES"), Model::show(&model.0));
        let mut reversed = model.0.clone();
        reversed.reverse();
        assert_eq!(probe.run("ZRANGE z inf -inf BYSCORE REV WITHSCORES"), Model::show(&reversed));
    }
}

#[test]
fn a_scan_meets_every_member_of_a_large_one() {
    let mut probe = Probe::new();
    for number in 0..500 {
        probe.run(&format!("ZADD z {number} member:{number}"));
    }
    let (mut cursor, mut met) = (0u64, 0);
    loop {
        let page = probe.run(&format!("ZSCAN z {cursor} COUNT 7"));
        met += page.matches("member:").count();
        cursor = page.split('"').nth(1).unwrap().parse().unwrap();
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(met, 500);
    probe.check("ZRANDMEMBER z 0 -> []");
    assert_eq!(probe.run("ZRANDMEMBER z 600").matches("member:").count(), 500);
    assert_eq!(probe.run("ZRANDMEMBER z -600 WITHSCORES").matches("member:").count(), 600);
    assert_eq!(probe.run("ZRANDMEMBER z 20").matches("member:").count(), 20);
}
