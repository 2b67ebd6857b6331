//! Lists that are not in memory are used at their ends without the elements between, and equal a model.

use std::collections::VecDeque;

use crate::place::next_random;
use crate::probe::{Probe, Text, with_args};

/// More than an end ahead of time, on both sides, and more than what Redis keeps in one node.
const ELEMENTS: u64 = 6_000;

fn filled(elements: u64) -> (Probe, VecDeque<String>) {
    let mut probe = Probe::new();
    let names: VecDeque<String> = (0..elements).map(|number| format!("e{number}")).collect();
    for first in (0..elements as usize).step_by(500) {
        let some: Vec<&str> = names.iter().skip(first).take(500).map(String::as_str).collect();
        probe.run(&format!("rpush list {}", some.join(" ")));
    }
    probe.reopen_store();
    (probe, names)
}

#[test]
fn the_ends_of_a_cold_list_take_no_more_than_they_are() {
    let (mut probe, _) = filled(50_000);
    let empty = probe.keyspace.used_bytes();
    probe.check(
        r#"
        llen list -> (50000)
        rpush list r -> (50001)
        lpush list l1 l2 -> (50003)
        rpop list -> "r"
        lpop list -> "l2"
        lpop list 3 -> ["l1" "e0" "e1"]
        lindex list 0 -> "e2"
        lindex list -1 -> "e49999"
        lindex list 50000 -> nil
        lrange list 1 2 -> ["e3" "e4"]
        lrange list -2 -1 -> ["e49998" "e49999"]
        lset list 1 other -> OK
        lset list -1 last -> OK
        ltrim list 1 -2 -> OK
        lmove list list left right -> "other"
        lmove list other right left -> "other"
        rpoplpush list list -> "e49998"
        lmpop 2 none list left -> ["list" ["e49998"]]
        rpushx list tail -> (49995)
        llen list -> (49995)
        object encoding list -> "quicklist"
        type list -> list
        hget list f -> -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
    let figures = probe.keyspace.figures();
    assert!(figures.fetched <= 2_000, "{} elements were read", figures.fetched);
    assert!(probe.keyspace.used_bytes() < empty + 150_000);
    probe.check(
        r#"
        lpos list e40000 -> (39996)
        lindex list 0 -> "e4"
        lindex list -1 -> "tail"
        lrem list 0 e40000 -> (1)
        ltrim list 5 1 -> OK
        exists list -> (0)
        "#,
    );
}

/// One random step on the list; the request with the reply that the model gives.
fn step(model: &mut VecDeque<String>, number: u64, random: &mut u64) -> (String, String) {
    let mut draw = |below: u64| next_random(random) % below;
    let quoted = |value: Option<&String>| value.map_or("nil".to_owned(), |value| format!("\"{value}\""));
    let listed = |items: Vec<&String>| {
        format!("[{}]", items.iter().map(|item| format!("\"{item}\"")).collect::<Vec<_>>().join(" "))
    };
    let new = format!("n{number}");
    let len = model.len();
    match draw(16) {
        0..3 => {
            model.push_front(new.clone());
            (format!("lpush list {new}"), format!("({})", len + 1))
        }
        3..6 => {
            model.push_back(new.clone());
            (format!("rpush list {new}"), format!("({})", len + 1))
        }
        6 | 7 => ("lpop list".into(), quoted(model.pop_front().as_ref())),
        8 | 9 => ("rpop list".into(), quoted(model.pop_back().as_ref())),
        10 => {
            let count = (draw(300) as usize + 1).min(len);
            let gone: Vec<String> = model.drain(..count).collect();
            (format!("lpop list {count}"), listed(gone.iter().collect()))
        }
        11 => {
            let (first, last) = (draw(5) as usize, draw(40) as usize);
            (
                format!("lrange list {first} {last}"),
                listed(model.iter().skip(first).take((last + 1).saturating_sub(first)).collect()),
            )
        }
        12 => {
            let back = draw(700) as usize + 1;
            (format!("lindex list -{back}"), quoted(len.checked_sub(back).and_then(|index| model.get(index))))
        }
        13 => {
            let (front, back) = (draw(3) as usize, draw(3) as usize);
            model.drain(..front);
            model.truncate(model.len() - back);
            (format!("ltrim list {front} {}", -1 - back as i64), "OK".into())
        }
        14 => {
            model.rotate_left(1);
            ("lmove list list left right".into(), quoted(model.back()))
        }
        _ => ("llen list".into(), format!("({len})")),
    }
}

#[test]
fn a_cold_list_equals_a_model() {
    for seed in 0..6 {
        let mut random = seed;
        let (mut probe, mut model) = filled(ELEMENTS);
        for number in 0..600 {
            let (request, expected) = step(&mut model, number, &mut random);
            assert_eq!(probe.run(&request), expected, "{request} at step {number} of seed {seed}");
            // In the middle, which needs all of it, and out of memory again.
            if next_random(&mut random).is_multiple_of(200) {
                let middle = model.len() / 2;
                let pivot = model[middle].clone();
                model.insert(middle, format!("m{number}"));
                assert_eq!(probe.run(&format!("linsert list before {pivot} m{number}")), format!("({})", model.len()));
            }
            match next_random(&mut random) % 100 {
                0 => probe.reopen_store(),
                1 | 2 => probe.reopen(),
                _ => {}
            }
        }
        let all = probe.run("lrange list 0 -1");
        let expected: Vec<String> = model.iter().map(|element| format!("\"{element}\"")).collect();
        assert!(all == format!("[{}]", expected.join(" ")), "the list differs with seed {seed}");
    }
}

#[test]
fn what_a_transaction_did_to_a_cold_list_is_seen_in_it() {
    let (mut probe, _) = filled(ELEMENTS);
    let call = probe.call.clone();
    let keyspace = probe.keyspace.clone();
    let mut replies = Vec::new();
    // More are taken than are read at once, then more are read, and then all.
    let lines = [
        "rpush list a",
        "lpop list 600",
        "lpop list",
        "rpop list",
        "rpop list 599",
        "rpop list",
        "lpush list b",
        "llen list",
        "lpos list e3000",
    ];
    let run = keyspace.transaction(&call, false, |transaction| {
        for line in lines {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            let mut text = Text::default();
            with_args(&words, |command, args| transaction.execute(command, &call, args, &mut text))?;
            replies.push(text.out.trim_end().rsplit(' ').next().unwrap_or_default().to_owned());
        }
        Ok(())
    });
    run.unwrap();
    let expected = r#"(6001)|"e599"]|"e600"|"a"|"e5401"]|"e5400"|(4800)|(4800)|(2400)"#;
    assert_eq!(replies.join("|"), expected);
    for _ in 0..2 {
        probe.check(
            r#"
            llen list -> (4800)
            lrange list 0 1 -> ["b" "e601"]
            lindex list -1 -> "e5399"
            lpos list e3000 -> (2400)
            "#,
        );
        probe.reopen_store();
    }
}
