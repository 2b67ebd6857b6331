use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::probe::{Probe, Text, with_args};
use crate::{Ended, Ran, Waiting};

/// Clients that wait in one keyspace.
struct Room {
    probe: Probe,
    woken: Arc<AtomicUsize>,
}

impl Room {
    fn new() -> Room {
        Room { probe: Probe::new(), woken: Arc::default() }
    }

    /// A command that has to wait.
    #[track_caller]
    fn wait(&mut self, line: &str) -> Waiting {
        let words: Vec<&[u8]> = line.split_ascii_whitespace().map(str::as_bytes).collect();
        let woken = Arc::clone(&self.woken);
        let wake = Box::new(move || {
            woken.fetch_add(1, Ordering::SeqCst);
        });
        let (keyspace, call) = (&self.probe.keyspace, self.probe.call.clone());
        let ran = with_args(&words, |command, args| {
            keyspace.execute_or_wait(command, &call, args, &mut Text::default(), wake)
        });
        match ran {
            Ok(Ran::Waits(waiting)) => waiting,
            other => panic!("{line}: {other:?}"),
        }
    }
}

fn shown(waiting: &Waiting) -> String {
    match waiting.ended() {
        None => "waits".into(),
        Some(Ended::Replied { reply, effect }) => {
            assert!(effect.wrote.is_some());
            let mut text = Text::default();
            reply.replay(&mut text);
            text.out.trim_end().to_owned()
        }
        Some(Ended::Failed(error)) => format!("-{error}"),
        Some(Ended::Unblocked { error }) => format!("unblocked {error}"),
    }
}

#[test]
fn those_who_came_first_are_served_first() {
    let mut room = Room::new();
    let waiting: Vec<Waiting> = (0..3).map(|_| room.wait("BLPOP k 0")).collect();
    assert_eq!(room.probe.keyspace.waiting(), 3);
    room.probe.check("RPUSH k a b -> (2)\nLLEN k -> (0)");
    let replies: Vec<String> = waiting.iter().map(shown).collect();
    assert_eq!(replies, [r#"["k" "a"]"#, r#"["k" "b"]"#, "waits"]);
    room.probe.check("LPUSH k c d -> (2)\nLRANGE k 0 -1 -> [\"c\"]");
    assert_eq!(shown(&waiting[2]), r#"["k" "d"]"#);
    assert_eq!((room.probe.keyspace.waiting(), room.woken.load(Ordering::SeqCst)), (0, 3));
    room.probe.reopen();
    room.probe.check("LRANGE k 0 -1 -> [\"c\"]");
}

#[test]
fn keys_of_any_slot_wake_and_only_those_of_the_type() {
    let mut room = Room::new();
    let several = room.wait("BRPOP a b c 0");
    let moving = room.wait("BLMOVE b a LEFT RIGHT 0");
    let popping = room.wait("BLMPOP 0 2 x a LEFT COUNT 2");
    room.probe.check("SET a text -> OK\nHSET c f v -> (1)\nDEL a -> (1)");
    assert_eq!(shown(&several), "waits");
    // The first takes one, the second brings the other to the key of the third.
    room.probe.check("RPUSH b 1 2 -> (2)\nEXISTS a b -> (0)");
    let replies = [shown(&several), shown(&moving), shown(&popping)];
    assert_eq!(replies, [r#"["b" "2"]"#, "\"1\"", r#"["a" ["1"]]"#]);
    assert_eq!(room.probe.keyspace.waiting(), 0);
}

#[test]
fn what_comes_by_copy_rename_restore_or_another_database_wakes() {
    let mut room = Room::new();
    room.probe.check("RPUSH {k}l x -> (1)");
    for command in ["COPY {k}l k", "RENAME {k}l k"] {
        let waiting = room.wait("BLPOP k 0");
        room.probe.run(command);
        assert_eq!(shown(&waiting), r#"["k" "x"]"#, "{command}");
    }
    room.probe.call.db = 1;
    room.probe.check("RPUSH k y -> (1)");
    room.probe.call.db = 0;
    let waiting = room.wait("BLPOP k 0");
    room.probe.check("SWAPDB 0 1 -> OK");
    assert_eq!(shown(&waiting), r#"["k" "y"]"#);
    room.probe.call.db = 1;
    let waiting = room.wait("BLPOP m 0");
    room.probe.call.db = 0;
    room.probe.check("RPUSH m z -> (1)\nMOVE m 1 -> (1)");
    assert_eq!(shown(&waiting), r#"["m" "z"]"#);
}

#[test]
fn a_wrong_destination_is_an_error_and_the_element_stays() {
    let mut room = Room::new();
    let waiting = room.wait("BRPOPLPUSH k other 0");
    room.probe.check("SET other text -> OK\nRPUSH k x -> (1)\nLLEN k -> (1)");
    assert_eq!(shown(&waiting), "-WRONGTYPE Operation against a key holding the wrong kind of value");
}

#[test]
fn one_list_in_a_circle() {
    let mut room = Room::new();
    let first = room.wait("BRPOPLPUSH a b 0");
    let second = room.wait("BRPOPLPUSH b a 0");
    room.probe.check("RPUSH a x -> (1)\nLRANGE a 0 -1 -> [\"x\"]\nEXISTS b -> (0)");
    assert_eq!((shown(&first), shown(&second)), ("\"x\"".into(), "\"x\"".into()));
}

#[test]
fn who_gave_up_or_was_unblocked_is_passed_over() {
    let mut room = Room::new();
    let gone = room.wait("BLPOP k 0");
    let unblocked = room.wait("BLPOP k k 0.5");
    let last = room.wait("BLPOP k 0");
    assert_eq!((gone.timeout_ms(), unblocked.timeout_ms()), (0, 500));
    assert!(gone.give_up().is_none());
    assert!(unblocked.unblocker().unblock(true) && !unblocked.unblocker().unblock(true));
    room.probe.check("RPUSH k x -> (1)");
    assert_eq!((shown(&unblocked), shown(&last)), ("unblocked true".into(), r#"["k" "x"]"#.into()));
    assert!(!last.unblocker().unblock(false));
    drop(unblocked);
    assert_eq!(room.probe.keyspace.waiting(), 0);
}

#[test]
fn a_transaction_serves_when_it_is_over_and_never_waits() {
    let mut room = Room::new();
    let first = room.wait("BLPOP b 0");
    let second = room.wait("BLPOP a b 0");
    let (keyspace, call) = (room.probe.keyspace.clone(), room.probe.call.clone());
    let mut text = Text::default();
    let ran = keyspace.transaction(&call, true, |transaction| {
        for line in ["RPUSH a 1", "LPOP a", "RPUSH b 2", "RPUSH a 3"] {
            let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
            with_args(&words, |command, args| transaction.execute(command, &call, args, &mut text))?;
        }
        with_args(&[b"BLPOP", b"none", b"0"], |command, args| transaction.execute(command, &call, args, &mut text))
    });
    ran.unwrap();
    assert_eq!(text.out.trim_end(), r#"(1) "1" (1) (1) nil[]"#);
    // Key a came first, so the second is served first.
    assert_eq!((shown(&first), shown(&second)), (r#"["b" "2"]"#.into(), r#"["a" "3"]"#.into()));
    room.probe.check("EXISTS a b -> (0)");
}

#[test]
fn no_element_is_lost_between_threads() {
    let room = Room::new();
    let keyspace = &room.probe.keyspace;
    let call = &room.probe.call;
    let taken = AtomicUsize::new(0);
    const EACH: usize = 400;
    std::thread::scope(|scope| {
        for number in 0..4 {
            let taken = &taken;
            scope.spawn(move || {
                let keys: [&[u8]; 2] = if number % 2 == 0 { [b"a", b"b"] } else { [b"b", b"a"] };
                for _ in 0..EACH {
                    let (sender, receiver) = std::sync::mpsc::channel();
                    let wake = Box::new(move || {
                        let _ = sender.send(());
                    });
                    let words: [&[u8]; 4] = [b"BLPOP", keys[0], keys[1], b"0"];
                    let mut text = Text::default();
                    let ran = with_args(&words, |command, args| {
                        keyspace.execute_or_wait(command, call, args, &mut text, wake)
                    });
                    if let Ran::Waits(waiting) = ran.unwrap() {
                        receiver.recv().unwrap();
                        assert!(matches!(waiting.ended(), Some(Ended::Replied { .. })));
                    }
                    taken.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for key in [&b"a"[..], b"b"] {
            scope.spawn(move || {
                for _ in 0..EACH * 2 {
                    let words: [&[u8]; 3] = [b"RPUSH", key, b"x"];
                    crate::probe::execute(keyspace, call, &words, &mut Text::default()).unwrap();
                }
            });
        }
    });
    assert_eq!((taken.into_inner(), keyspace.waiting()), (EACH * 4, 0));
}

#[test]
fn readers_of_a_stream_are_all_served_by_one_entry() {
    let mut room = Room::new();
    room.probe.run("XADD s 1-1 a 1");
    let readers = [room.wait("XREAD BLOCK 0 STREAMS s $"), room.wait("XREAD BLOCK 0 STREAMS s 1-1")];
    let later = room.wait("XREAD BLOCK 0 STREAMS s 2-1");
    room.probe.run("XADD s 2-1 a 2");
    for reader in &readers {
        let Some(Ended::Replied { reply, .. }) = reader.ended() else { panic!("it waits") };
        let mut text = Text::default();
        reply.replay(&mut text);
        assert_eq!(text.out.trim_end(), r#"["s" [["2-1" ["a" "2"]]]]"#);
    }
    assert_eq!(shown(&later), "waits");
}

#[test]
fn a_member_of_a_group_is_told_when_there_is_nothing_to_wait_for() {
    let mut room = Room::new();
    room.probe.run("XGROUP CREATE s g $ MKSTREAM");
    let first = room.wait("XREADGROUP GROUP g ann BLOCK 0 STREAMS s >");
    let second = room.wait("XREADGROUP GROUP g bob BLOCK 0 STREAMS s >");
    room.probe.run("XADD s 1-1 a 1");
    assert_eq!(shown(&first), r#"["s" [["1-1" ["a" "1"]]]]"#);
    assert_eq!(shown(&second), "waits");
    room.probe.run("XGROUP DESTROY s g");
    let gone = "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option";
    assert_eq!(shown(&second), gone);
    for line in ["DEL s", "RENAME s t", "FLUSHALL", "SET s text"] {
        room.probe.run("DEL s");
        room.probe.run("XGROUP CREATE s g $ MKSTREAM");
        let waiting = room.wait("XREADGROUP GROUP g bob BLOCK 0 STREAMS s >");
        let reader = room.wait("XREAD BLOCK 0 STREAMS s $");
        room.probe.run(line);
        let told = if line.starts_with("SET") {
            "-WRONGTYPE Operation against a key holding the wrong kind of value"
        } else {
            gone
        };
        assert_eq!(shown(&waiting), told, "{line}");
        assert_eq!(shown(&reader), "waits", "{line}");
    }
    room.probe.run("DEL s");
    room.probe.run("XGROUP CREATE s g $ MKSTREAM");
    room.probe.run("PEXPIRE s 10");
    let waiting = room.wait("XREADGROUP GROUP g bob BLOCK 0 STREAMS s >");
    room.probe.call.now_ms += 20;
    while room.probe.keyspace.expire_due(room.probe.call.now_ms, 100).unwrap() {}
    assert_eq!(shown(&waiting), gone);
}
