//! Commands about the server that wait, or that look at all keys.

use super::{Duration, Fixture, Outcome, Session};

impl Fixture {
    /// Asks again and again, as a listener does for a request that is put off.
    fn insist(&mut self, request: &str) -> String {
        let start = std::time::Instant::now();
        loop {
            self.clock.turn();
            let reply = self.ask(request);
            if matches!(self.outcome, Outcome::Done { .. }) {
                return reply;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{request} is put off for ever");
            std::thread::yield_now();
        }
    }
}

#[test]
fn waitaof_answers_when_the_log_is_on_disk() {
    let mut it = Fixture::new(&[("store.durability", "none")]);
    it.check("set a 1", "+OK");
    let written = it.engine.store().committed();
    assert_eq!(it.insist("waitaof 1 0 0"), "*2 :1 :0");
    assert!(it.engine.store().durable() >= written);
    it.check("waitaof 1 0 0", "*2 :1 :0");
    it.check("waitaof 0 0 0", "*2 :1 :0");
    it.check("waitaof 0 1 100", "*2 :1 :0");
}

#[test]
fn waitaof_checks_its_words() {
    let mut it = Fixture::new(&[]);
    it.check("waitaof 2 0 0", "-ERR value is out of range, value must between 0 and 1");
    it.check("waitaof x 0 0", "-ERR value is not an integer or out of range");
    it.check("waitaof 1 -1 0", "-ERR value is out of range, must be positive");
    it.check("waitaof 1 0 -1", "-ERR timeout is negative");
    it.check("waitaof 1 0 x", "-ERR timeout is not an integer or out of range");
    assert!(it.ask("waitaof 1 1 0").starts_with("-ERR WAITAOF without a timeout"));
    it.check("multi", "+OK");
    it.check("waitaof 1 0 0", "+QUEUED");
    assert!(["*1 *2 :0 :0", "*1 *2 :1 :0"].contains(&it.ask("exec").as_str()));
}

#[test]
fn there_are_no_modules() {
    let mut it = Fixture::new(&[]);
    it.check("module list", "*0");
    assert!(it.ask("module load /tmp/x.so").starts_with("-ERR modules cannot be loaded"));
    it.check("module", "-ERR wrong number of arguments for 'module' command");
}

#[test]
fn a_reload_reads_everything_again() {
    let mut it = Fixture::new(&[("server.debug_command", "yes")]);
    it.check("set a 1 px 100000", "+OK");
    it.check("set b 2", "+OK");
    let average = |it: &mut Fixture| {
        let text = it.ask("info keyspace");
        let average =
            text.split("db0:keys=2,expires=1,avg_ttl=").nth(1).unwrap_or_else(|| panic!("{text}")).trim().to_owned();
        average.parse::<u64>().unwrap()
    };
    for name in ["debug reload", "debug loadaof"] {
        let found = average(&mut it);
        assert!((50_000..=100_000).contains(&found), "{found}");
        it.check(name, "+OK");
        it.check("mget a b", "*2 1 2");
    }
    it.check("multi", "+OK");
    it.check("debug reload", "+QUEUED");
    assert!(it.ask("exec").starts_with("*1 -ERR DEBUG RELOAD is not supported inside a transaction"));
}

#[test]
fn a_server_without_a_host_cannot_send_keys() {
    let mut it = Fixture::new(&[]);
    it.check("migrate 127.0.0.1 1 a 0 100", "+NOKEY");
    it.check("set a 1", "+OK");
    it.check("migrate 127.0.0.1 1 a 0 100", "-ERR this server cannot send keys");
    it.check("migrate 127.0.0.1 port a 0 100", "-ERR Invalid TCP port specified");
    it.check("get a", "1");
}

#[test]
fn an_attribute_comes_before_its_reply_where_there_are_any() {
    let mut it = Fixture::new(&[("server.debug_command", "yes")]);
    it.check("debug protocol attrib", "Some real reply following the attribute");
    it.ask("hello 3");
    it.check("debug protocol attrib", "|1 key-popularity *2 key:123 :90 Some real reply following the attribute");
}

#[test]
fn clients_put_off_by_a_pause_are_counted() {
    let mut it = Fixture::new(&[]);
    let mut other: Session = Fixture::connect(&it.engine);
    it.check("client pause 100000 write", "+OK");
    std::mem::swap(&mut it.session, &mut other);
    it.ask("set a 1");
    assert!(matches!(it.outcome, Outcome::Later(_)));
    std::mem::swap(&mut it.session, &mut other);
    assert!(it.ask("info clients").contains("blocked_clients:1\r\n"));
    it.check("client unpause", "+OK");
    std::mem::swap(&mut it.session, &mut other);
    it.check("set a 1", "+OK");
    assert!(it.ask("info clients").contains("blocked_clients:0\r\n"));
}
