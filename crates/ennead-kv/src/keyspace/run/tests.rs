use crate::place::next_random;
use crate::probe::{Probe, Text, with_args};
use crate::{Call, Effect, Keyspace, Result};

const KEY: &[u8] = b"k";

/// Runs the lines, all on the key, as one run; the replies, an error among them as its text.
fn run(keyspace: &Keyspace, call: &Call, lines: &[String]) -> (Vec<String>, Result<Effect>) {
    let ran = keyspace.run(call, KEY, |run| {
        let mut replies = Vec::new();
        for line in lines {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let mut text = Text::default();
            let ran = with_args(&words, |command, args| {
                assert_eq!(command.only_key(args), Some(KEY), "{line}");
                run.anticipate(std::iter::once((command, args)));
                run.execute(command, call, args, &mut text)
            });
            replies.push(match ran {
                Ok(()) => text.out.trim_end().to_owned(),
                Err(error) => format!("-{error}"),
            });
        }
        replies
    });
    ran.expect("nobody else has the keyspace")
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_run_is_one_batch_in_which_the_key_stands_once() {
    let mut probe = Probe::new();
    probe.run("set other 1");
    let before = probe.store.committed();
    let (replies, effect) =
        run(&probe.keyspace, &probe.call, &lines("set k 1\n incr k\n lpush k a\n append k 0\n get k\n expire k 100"));
    let wrong_type = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    assert_eq!(replies, ["OK", "(2)", wrong_type, "(2)", "\"20\"", "(1)"]);
    assert_eq!(effect.unwrap().wrote, Some(before + 1));
    probe.reopen_store();
    probe.check("get k -> \"20\"\n ttl k -> (100)\n dbsize -> (2)");
}

#[test]
fn reads_alone_write_nothing() {
    let mut probe = Probe::new();
    probe.run("set k 1");
    let (replies, effect) = run(&probe.keyspace, &probe.call, &lines("get k\n strlen k\n ttl k"));
    assert_eq!(replies, ["\"1\"", "(1)", "(-1)"]);
    let effect = effect.unwrap();
    assert_eq!((effect.wrote, effect.saw), (None, probe.store.committed()));
}

#[test]
fn a_key_that_is_gone_at_the_end_is_gone() {
    let mut probe = Probe::new();
    probe.run("rpush k old");
    let (replies, _) = run(&probe.keyspace, &probe.call, &lines("rpush k a\n del k\n set k b\n getdel k"));
    assert_eq!(replies, ["(2)", "(1)", "OK", "\"b\""]);
    probe.reopen_store();
    probe.check("exists k -> (0)\n dbsize -> (0)");
}

#[test]
fn a_run_that_the_store_refuses_leaves_nothing() {
    let mut probe = Probe::new();
    probe.run("set k old");
    let keyspace = probe.keyspace.clone();
    probe.store.close().unwrap();
    let (_, effect) = run(&keyspace, &probe.call, &lines("set k new\n append k er"));
    assert!(effect.is_err());
    probe.reopen_store();
    probe.check("get k -> \"old\"");
}

#[test]
fn who_has_the_keyspace_to_itself_stops_runs() {
    let probe = Probe::new();
    assert!(probe.keyspace.run(&probe.call, b"k", |_| ()).is_some());
    let gate = probe.keyspace.shared().gate.write();
    assert!(probe.keyspace.run(&probe.call, b"k", |_| ()).is_none());
    drop(gate);
}

/// A random request on one key; elements are long enough that a collection soon needs a row for each of them.
fn random_line(random: &mut u64) -> String {
    let mut below = |bound: u64| next_random(random) % bound;
    let element = format!("{}{}", "e".repeat(below(60) as usize), below(30));
    match below(24) {
        0 => "del k".to_owned(),
        1 => format!("set k {element}"),
        2 | 3 => format!("rpush k {element} b c"),
        4 | 5 => format!("lpush k {element}"),
        6 => "lpop k 2".to_owned(),
        7 | 8 => format!("sadd k {element} {}", below(1000)),
        9 => format!("srem k {element}"),
        10 | 11 => format!("hset k {element} v f {}", below(9)),
        12 => format!("zadd k {} {element}", below(9)),
        13 => "persist k".to_owned(),
        14 => "expire k 100".to_owned(),
        15..18 => format!("xadd k maxlen ~ 200 * f {element}"),
        18 => "xgroup create k g 0".to_owned(),
        19..22 => format!("xreadgroup group g c{} count 2 streams k >", below(3)),
        22 => format!("xtrim k maxlen {}", below(9)),
        _ => "type k".to_owned(),
    }
}

#[test]
fn runs_leave_what_the_commands_one_by_one_leave() {
    let mut random = 7;
    for _ in 0..20 {
        let (mut together, mut apart) = (Probe::new(), Probe::new());
        for _ in 0..12 {
            let lines: Vec<String> = (0..1 + next_random(&mut random) % 24).map(|_| random_line(&mut random)).collect();
            let (replies, effect) = run(&together.keyspace, &together.call, &lines);
            effect.unwrap();
            let expected: Vec<String> = lines.iter().map(|line| apart.run(line)).collect();
            assert_eq!(replies, expected, "{lines:?}");
        }
        together.reopen_store();
        for line in [
            "type k",
            "dbsize",
            "ttl k",
            "lrange k 0 -1",
            "zrange k 0 -1 withscores",
            "get k",
            "scard k",
            "hlen k",
            "xrange k - +",
            "xinfo stream k full",
        ] {
            assert_eq!(together.run(line), apart.run(line), "{line}");
        }
    }
}

/// A request about members of a large collection of a type, some of which it does not have.
fn line_about_members(kind: &str, random: &mut u64) -> String {
    let mut below = |bound: u64| next_random(random) % bound;
    let member = format!("m{}", below(2200));
    match (kind, below(4)) {
        ("hash", 0) => format!("hset k {member} {}", below(100)),
        ("hash", 1) => format!("hdel k {member} m1"),
        ("hash", 2) => format!("hincrby k {member} 3"),
        ("hash", _) => format!("hget k {member}"),
        ("set", 0) => format!("sadd k {member}"),
        ("set", 1) => format!("srem k {member}"),
        ("set", _) => format!("sismember k {member}"),
        (_, 0) => format!("zadd k {} {member}", below(100)),
        (_, 1) => format!("zrem k {member}"),
        (_, 2) => format!("zadd k xx {} {member}", below(100)),
        (_, _) => format!("zrank k {member}"),
    }
}

#[test]
fn members_that_are_fetched_ahead_are_as_they_were() {
    let mut random = 11;
    for (kind, add) in [("hash", "hset k m{} 1"), ("set", "sadd k m{}"), ("zset", "zadd k 1 m{}")] {
        let (mut together, mut apart) = (Probe::new(), Probe::new());
        for number in 0..2000 {
            let line = add.replace("{}", &number.to_string());
            assert_eq!(together.run(&line), apart.run(&line));
        }
        for round in 0..30 {
            let lines: Vec<String> = (0..16).map(|_| line_about_members(kind, &mut random)).collect();
            let (replies, effect) = run(&together.keyspace, &together.call, &lines);
            effect.unwrap();
            let expected: Vec<String> = lines.iter().map(|line| apart.run(line)).collect();
            assert_eq!(replies, expected, "{lines:?}");
            if round % 10 == 5 {
                // Then only those of its members are in memory that are asked for.
                together.reopen_store();
            }
        }
    }
}

#[test]
fn what_is_fetched_ahead_is_a_member_by_the_syntax() {
    let mut found = 0;
    for command in crate::commands() {
        let syntax = command.spec.syntax.split_inclusive(']').map(|part| part.split(['[', ']']).next().unwrap_or(""));
        let line = [command.spec.name, " ", &syntax.collect::<String>()].concat();
        let words: Vec<&[u8]> = line.split_ascii_whitespace().map(str::as_bytes).collect();
        // One that needs more words than stand outside of brackets has no member here.
        let _ = with_args(&words, |command, args| {
            if let Some(member) = command.likely_member(args) {
                assert!([&b"field"[..], b"member"].contains(&member), "{line}: {}", member.escape_ascii());
                found += 1;
            }
            Ok(())
        });
    }
    assert!(found >= 16, "{found}");
}
