use super::*;

/// Two clients of one engine.
fn waiting(request: &str) -> (Fixture, Session) {
    let mut it = Fixture::new(&[]);
    let mut other = Fixture::connect(&it.engine);
    std::mem::swap(&mut it.session, &mut other);
    it.ask(request);
    assert!(matches!(it.outcome, Outcome::Later(_)), "{:?}", it.outcome);
    std::mem::swap(&mut it.session, &mut other);
    (it, other)
}

#[test]
fn a_waiting_client_gets_what_another_brings() {
    let (mut it, mut other) = waiting("blpop a b 0");
    assert!(other.is_blocked());
    assert!(it.ask("info clients").contains("blocked_clients:1\r\n"));
    assert!(it.ask("client list").contains("flags=b "));
    it.check("rpush b x", ":1");
    it.check("exists b", ":0");
    let Outcome::Done { hold: Hold::Written(pushed), .. } = it.outcome else { panic!("{:?}", it.outcome) };
    std::mem::swap(&mut it.session, &mut other);
    it.check("blpop a b 0", "*2 b x");
    // Its reply waits for the batch of its own pop.
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::Written(popped), .. } if popped >= pushed));
    assert!(it.ask("info clients").contains("blocked_clients:0\r\n"));
    assert!(it.ask("info commandstats").contains("cmdstat_blpop:calls=1,"));
}

#[test]
fn time_is_over_for_who_waits() {
    let (mut it, mut other) = waiting("blmove a b left left 0.02");
    std::mem::swap(&mut it.session, &mut other);
    let reply = loop {
        it.clock.turn();
        let reply = it.ask("blmove a b left left 0.02");
        if matches!(it.outcome, Outcome::Done { .. }) {
            break reply;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(reply, "null*");
    assert_eq!(it.engine.keyspace().waiting(), 0);
}

#[test]
fn clients_are_unblocked_by_others() {
    for (reason, reply) in
        [("", "null*"), (" timeout", "null*"), (" error", "-UNBLOCKED client unblocked via CLIENT UNBLOCK")]
    {
        let (mut it, mut other) = waiting("brpop a 0");
        let id = other.client().id;
        it.check(&format!("client unblock {id}{reason}"), ":1");
        it.check(&format!("client unblock {id}{reason}"), ":0");
        it.check(&format!("client unblock {}", it.session.client().id), ":0");
        std::mem::swap(&mut it.session, &mut other);
        it.check("brpop a 0", reply);
        it.check("rpush a x", ":1");
        it.check("llen a", ":1");
    }
}

#[test]
fn who_goes_waits_no_more() {
    let (mut it, other) = waiting("brpop a 0");
    drop(other);
    assert_eq!(it.engine.keyspace().waiting(), 0);
    it.check("rpush a x", ":1");
    it.check("brpop a 0", "*2 a x");
}

#[test]
fn a_transaction_does_not_wait() {
    let mut it = Fixture::new(&[]);
    for request in ["multi", "blpop a 0", "blmove a b left left 0", "blmpop 0 1 a left"] {
        it.ask(request);
    }
    it.check("exec", "*3 null* null null*");
}

#[test]
fn who_waits_for_replicas_is_unblocked_by_others() {
    for (request, reason, reply) in [
        ("wait 1 0", " timeout", ":0"),
        ("wait 1 0", " error", "-UNBLOCKED client unblocked via CLIENT UNBLOCK"),
        ("waitaof 0 1 0", " error", "-UNBLOCKED client unblocked via CLIENT UNBLOCK"),
    ] {
        let (mut it, mut other) = waiting(request);
        let id = other.client().id;
        assert!(other.is_blocked());
        it.check(&format!("client unblock {id}{reason}"), ":1");
        it.check(&format!("client unblock {id}{reason}"), ":0");
        std::mem::swap(&mut it.session, &mut other);
        it.check(request, reply);
        assert!(it.ask("info clients").contains("blocked_clients:0\r\n"));
    }
}
