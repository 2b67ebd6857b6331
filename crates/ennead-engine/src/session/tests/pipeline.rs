use super::*;

/// Where the words of a line are.
fn spans(line: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    let span = |word: &str| {
        at += word.len() + 1;
        at - word.len() - 1..at - 1
    };
    line.split(' ').map(span).collect()
}

/// How many of the lines run together, and their replies.
fn together(it: &mut Fixture, lines: &[&str]) -> (usize, Vec<String>) {
    let spans: Vec<_> = lines.iter().map(|line| spans(line)).collect();
    let requests = lines.iter().zip(&spans).map(|(line, spans)| {
        let args = Args::new(line.as_bytes(), spans);
        (Registry::get().lookup(&args), args)
    });
    let together = it.session.together(requests);
    let mut reply = Transcript { protocol: 3, ..Transcript::default() };
    match it.session.execute_together(&together, &mut reply, &mut it.clock) {
        Some((outcome, count)) => {
            assert!(matches!(outcome, Outcome::Done { close: false, .. }));
            it.outcome = outcome;
            (count, reply.texts)
        }
        None => (0, reply.texts),
    }
}

#[test]
fn requests_on_one_key_run_together_up_to_another() {
    let mut it = Fixture::new(&[]);
    let (count, replies) = together(&mut it, &["rpush l a", "get l", "llen l", "rpush l b", "rpush other c", "llen l"]);
    assert_eq!(count, 4);
    assert_eq!(replies, [":1", "-WRONGTYPE Operation against a key holding the wrong kind of value", ":1", ":2"]);
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::Written(_), .. }));
    let lines =
        ["get a", "mset a 1 b 2", "blpop l 1", "rpush l", "multi", "nothing l", "eval return 0", "sort l", "copy l m"];
    for alone in lines {
        assert_eq!(together(&mut it, &[alone, alone]).0, if alone == "get a" { 2 } else { 0 }, "{alone}");
    }
    assert_eq!(together(&mut it, &["get a"]).0, 0);
}

#[test]
fn what_is_to_be_done_between_requests_keeps_them_apart() {
    for before in ["multi", "client reply off", "client pause 1000", "client tracking on", "monitor", "subscribe c"] {
        let mut it = Fixture::new(&[]);
        if before == "subscribe c" {
            it.ask("hello 2");
        }
        it.ask(before);
        assert_eq!(together(&mut it, &["incr a", "incr a"]).0, 0, "{before}");
    }
}

#[test]
fn no_request_of_a_run_that_fails_is_acknowledged() {
    let mut it = Fixture::new(&[]);
    it.ask("rpush l old");
    it.engine.store().close().unwrap();
    let (count, replies) = together(&mut it, &["rpush l a", "llen l", "get l", "rpush l b"]);
    assert_eq!((count, replies.len()), (4, 4));
    assert!(replies.iter().all(|reply| reply.starts_with('-') && reply == &replies[0]), "{replies:?}");
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::None, .. }));
}

/// Runs a script until it counts as one that is over at once.
fn make_quick(it: &mut Fixture, script: &str) {
    for _ in 0..100 {
        while let Outcome::Later(_) = {
            it.ask(script);
            it.outcome
        } {
            std::thread::yield_now();
        }
    }
}

#[test]
fn quick_scripts_run_together_and_become_one_batch() {
    let mut it = Fixture::new(&[]);
    let add = "eval return(redis.call('incrby',KEYS[1],ARGV[1])) 1";
    make_quick(&mut it, &format!("{add} a 1"));
    let before = it.engine.store().committed();
    let lines = [&format!("{add} a 1"), &format!("{add} b 5"), &format!("{add} a x"), &format!("{add} a 1"), "get a"];
    let (count, replies) = together(&mut it, &lines.map(|line| line as &str));
    assert_eq!(count, 4);
    assert_eq!((&*replies[0], &*replies[1], &*replies[3]), (":101", ":5", ":102"));
    assert!(replies[2].starts_with("-ERR value is not an integer or out of range script: "), "{}", replies[2]);
    assert_eq!(it.engine.store().committed(), before + 1);
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::Written(_), .. }));
    // One that is not known to be quick, and one that is wrong, run alone.
    let lines = [&format!("{add} a 1"), "eval return(1) 0", "eval return(1) x"];
    assert_eq!(together(&mut it, &lines.map(|line| line as &str)).0, 1);
    assert_eq!(together(&mut it, &lines[1..].iter().map(|line| *line as &str).collect::<Vec<_>>()).0, 0);
    it.check("get a", "103");
}

#[test]
fn no_script_of_a_run_that_fails_is_acknowledged() {
    let mut it = Fixture::new(&[]);
    let push = "eval return(redis.call('rpush',KEYS[1],'x')) 1 l";
    make_quick(&mut it, push);
    it.engine.store().close().unwrap();
    let (count, replies) = together(&mut it, &[push, "eval return(0) 0", push]);
    assert_eq!((count, replies.len()), (1, 1));
    assert!(replies[0].starts_with('-'), "{replies:?}");
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::None, .. }));
}
