use super::*;

impl Fixture {
    /// Another client of the same engine.
    fn beside(&mut self, request: &str) -> String {
        let other = Fixture::connect(&self.engine);
        let own = std::mem::replace(&mut self.session, other);
        let answer = self.ask(request);
        self.session = own;
        answer
    }
}

#[test]
fn requests_are_queued_and_run_by_exec() {
    let mut it = Fixture::new(&[]);
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    it.check("incr a", "+QUEUED");
    it.check("get a", "+QUEUED");
    assert!(it.ask("client list").starts_with("+QUEUED"));
    assert_eq!(it.beside("get a"), "null");
    let list = it.beside("client list");
    assert!(list.contains("flags=x ") && list.contains("multi=4 "), "{list}");
    let answer = it.ask("exec");
    assert!(answer.starts_with("*4 +OK :2 2 id="), "{answer}");
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::Written(_), close: false }));
    it.check("get a", "2");
    it.check("multi", "+OK");
    it.check("exec", "*0");
}

#[test]
fn control_words_are_checked() {
    let mut it = Fixture::new(&[]);
    it.check("exec", "-ERR EXEC without MULTI");
    it.check("discard", "-ERR DISCARD without MULTI");
    it.check("multi", "+OK");
    it.check("multi", "-ERR MULTI calls can not be nested");
    it.check("watch a", "-ERR WATCH inside MULTI is not allowed");
    it.check("set a 1", "+QUEUED");
    it.check("discard", "+OK");
    it.check("exec", "-ERR EXEC without MULTI");
    it.check("get a", "null");
}

#[test]
fn an_error_while_queueing_spoils_the_transaction() {
    let mut it = Fixture::new(&[]);
    for wrong in ["nope", "get", "config nope", "shutdown", "save", "migrate h 1 a 0 9"] {
        it.check("multi", "+OK");
        it.check("set a 1", "+QUEUED");
        assert!(it.ask(wrong).starts_with("-ERR "), "{wrong}");
        it.check("exec", "-EXECABORT Transaction discarded because of previous errors.");
        it.check("get a", "null");
    }
}

#[test]
fn an_exec_that_is_refused_ends_the_transaction() {
    let mut it = Fixture::new(&[]);
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    let refused = "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command";
    it.check("exec now", refused);
    it.check("exec", "-ERR EXEC without MULTI");
    it.check("get a", "null");
}

#[test]
fn an_error_while_running_is_an_element() {
    let mut it = Fixture::new(&[]);
    it.check("multi", "+OK");
    for request in ["set a x", "incr a", "select 99", "select 1", "set b 1", "dbsize", "get b"] {
        it.check(request, "+QUEUED");
    }
    it.check("exec", "*7 +OK -ERR value is not an integer or out of range -ERR DB index is out of range +OK +OK :1 1");
    it.check("get b", "1");
    it.check("select 0", "+OK");
    it.check("mget a b", "*2 x null");
}

#[test]
fn commands_of_the_engine_do_not_wait_for_their_own_transaction() {
    let mut it = Fixture::new(&[]);
    it.check("multi", "+OK");
    let requests = [
        "set a 1",
        "info everything",
        "memory stats",
        "config set maxmemory 100mb",
        "config resetstat",
        "command count",
    ];
    for request in requests {
        it.check(request, "+QUEUED");
    }
    assert!(it.ask("exec").starts_with("*6 +OK # Server"));
}

#[test]
fn a_watched_key_that_others_touch_gives_nothing() {
    let mut it = Fixture::new(&[]);
    it.check("watch a b", "+OK");
    it.beside("set b 1");
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    it.check("exec", "null*");
    it.check("get a", "null");
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    it.check("exec", "*1 +OK");

    it.check("watch a", "+OK");
    it.beside("set c 1");
    it.check("multi", "+OK");
    it.check("incr a", "+QUEUED");
    it.check("exec", "*1 :2");

    for forget in ["unwatch", "multi discard", "multi exec", "reset"] {
        it.check("watch a", "+OK");
        it.beside("incr a");
        for word in forget.split(' ') {
            it.ask(word);
        }
        it.check("multi", "+OK");
        assert_eq!(it.ask("ping"), "+QUEUED");
        it.check("exec", "*1 +PONG");
    }
}

#[test]
fn reset_ends_a_transaction() {
    let mut it = Fixture::new(&[]);
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    it.check("reset", "+RESET");
    it.check("get a", "null");
}

#[test]
fn a_pause_puts_off_the_exec_of_writes() {
    let mut it = Fixture::new(&[]);
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    it.beside("client pause 100000 write");
    it.check("exec", "");
    assert!(matches!(it.outcome, Outcome::Later(_)));
    it.beside("client unpause");
    it.check("exec", "*1 +OK");
}

#[test]
fn a_queue_has_a_limit() {
    let mut it = Fixture::new(&[("clients.query_buffer_limit", "1mb")]);
    it.check("multi", "+OK");
    let request = format!("set a {}", "x".repeat(600_000));
    it.check(&request, "+QUEUED");
    it.check(&request, "");
    assert!(matches!(it.outcome, Outcome::Done { close: true, .. }));
}

#[test]
fn a_full_memory_refuses_what_grows() {
    let mut it = Fixture::new(&[("memory.maxmemory_policy", "noeviction")]);
    it.ask("set b 1");
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    it.beside("config set maxmemory 1");
    it.check(
        "exec",
        "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.",
    );
    // What is queued takes memory, too.
    it.check("multi", "+OK");
    it.check("get a", "-OOM command not allowed when used memory > 'maxmemory'.");
    it.check("exec", "-EXECABORT Transaction discarded because of previous errors.");
    it.check("multi", "+OK");
    it.check("set a 1", "-OOM command not allowed when used memory > 'maxmemory'.");
    it.check("discard", "+OK");
    it.beside("config set maxmemory 0");
    it.check("multi", "+OK");
    it.check("get a", "+QUEUED");
    it.beside("config set maxmemory 1");
    it.check("exec", "*1 null");
}
