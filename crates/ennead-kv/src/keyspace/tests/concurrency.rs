//! Several threads at once: locks taken in any order by the words of commands, scans beside growth.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use crate::Call;
use crate::probe::{Probe, Text, execute};

#[test]
fn commands_on_many_keys_both_ways_neither_lock_up_nor_tear() {
    let probe = Probe::new();
    let keyspace = &probe.keyspace;
    let names: Vec<String> = (0..24).map(|number| format!("key:{number}")).collect();
    thread::scope(|scope| {
        for worker in 0..4u64 {
            let (names, call) = (&names, &probe.call);
            scope.spawn(move || {
                for round in 0..400u64 {
                    let value = format!("{worker}:{round}");
                    let mut words: Vec<&[u8]> = vec![b"mset"];
                    let forward = names.iter().flat_map(|name| [name.as_bytes(), value.as_bytes()]);
                    words.extend(forward);
                    if worker % 2 == 1 {
                        words[1..].reverse();
                        words[1..].chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
                    }
                    run(keyspace, call, &words);
                    let (from, to) = (round as usize % 24, (round as usize * 7 + worker as usize) % 24);
                    run(keyspace, call, &[b"copy", names[from].as_bytes(), b"copied", b"replace"]);
                    run(keyspace, call, &[b"rename", b"copied", format!("renamed:{to}").as_bytes()]);
                    let mut words: Vec<&[u8]> = vec![b"mget"];
                    words.extend(names.iter().rev().map(String::as_bytes));
                    let values = run(keyspace, call, &words);
                    let values: BTreeSet<&str> = values.trim_matches(['[', ']', ' ']).split(' ').collect();
                    assert_eq!(values.len(), 1, "all keys are set by one command: {values:?}");
                    if round % 50 == 0 {
                        run(keyspace, call, &[b"swapdb", b"1", b"2"]);
                        while keyspace.expire_due(call.now_ms, 10).unwrap() {}
                    }
                }
            });
        }
    });
}

fn run(keyspace: &crate::Keyspace, call: &Call, words: &[&[u8]]) -> String {
    let mut text = Text::default();
    match execute(keyspace, call, words, &mut text) {
        Ok(_) => text.out,
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_scan_meets_every_key_that_stays_while_others_come_and_go() {
    let mut probe = Probe::new();
    let kept: BTreeSet<String> = (0..3_000).map(|number| format!("kept:{number}")).collect();
    for (number, key) in kept.iter().enumerate() {
        probe.run(&format!("set {key} {number}"));
        // Some share a slot, so that its table grows while it is scanned.
        probe.run(&format!("set {{one}}{number} 1"));
    }
    let (keyspace, call) = (probe.keyspace.clone(), probe.call.clone());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0u64;
            while !done.load(Relaxed) {
                number += 1;
                for key in [format!("{{one}}new:{number}"), format!("new:{number}")] {
                    run(&keyspace, &call, &[b"set", key.as_bytes(), b"x"]);
                }
                if number.is_multiple_of(3) {
                    run(&keyspace, &call, &[b"del", format!("new:{}", number / 2).as_bytes()]);
                }
            }
        });
        for _ in 0..3 {
            let mut met = BTreeSet::new();
            let mut cursor = "0".to_owned();
            loop {
                let reply = run(&keyspace, &call, &[b"scan", cursor.as_bytes(), b"count", b"100"]);
                let mut words = reply.split(['[', ']', ' ', '"']).filter(|word| !word.is_empty());
                cursor = words.next().unwrap().to_owned();
                met.extend(words.map(str::to_owned));
                if cursor == "0" {
                    break;
                }
            }
            assert!(kept.is_subset(&met));
            assert!((0..3_000).all(|number| met.contains(&format!("{{one}}{number}"))));
        }
        done.store(true, Relaxed);
    });
}
