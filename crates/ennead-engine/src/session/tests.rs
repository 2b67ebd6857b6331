mod attention;
mod blocking;
mod permission;
mod pipeline;
mod pubsub;
mod server;
mod transaction;

use std::ops::Range;

use super::*;
use crate::registry::Registry;
use crate::{Settings, Store, StoreOptions};

/// Replies as short texts, for tests of what sessions answer.
#[derive(Default)]
struct Transcript {
    texts: Vec<String>,
    protocol: u8,
}

impl Reply for Transcript {
    fn protocol(&self) -> u8 {
        self.protocol
    }
    fn simple(&mut self, text: &str) {
        self.texts.push(format!("+{text}"));
    }
    fn error(&mut self, text: &str) {
        self.texts.push(format!("-{text}"));
    }
    fn integer(&mut self, value: i64) {
        self.texts.push(format!(":{value}"));
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.texts.push(String::from_utf8_lossy(bytes).into_owned());
    }
    fn null(&mut self) {
        self.texts.push("null".to_owned());
    }
    fn null_array(&mut self) {
        self.texts.push("null*".to_owned());
    }
    fn array(&mut self, len: usize) {
        self.texts.push(format!("*{len}"));
    }
    fn map(&mut self, pairs: usize) {
        self.texts.push(format!("%{pairs}"));
    }
    fn set(&mut self, len: usize) {
        self.texts.push(format!("~{len}"));
    }
    fn push(&mut self, len: usize) {
        self.texts.push(format!(">{len}"));
    }
    fn attribute(&mut self, pairs: usize) {
        self.texts.push(format!("|{pairs}"));
    }
    fn double(&mut self, value: f64) {
        self.texts.push(format!(",{value}"));
    }
    fn boolean(&mut self, value: bool) {
        self.texts.push(format!("#{value}"));
    }
    fn big_number(&mut self, digits: &str) {
        self.texts.push(format!("({digits}"));
    }
    fn verbatim(&mut self, _format: &str, text: &[u8]) {
        self.bulk(text);
    }
}

impl Output for Transcript {
    fn mark(&self) -> usize {
        self.texts.len()
    }
    fn rewind(&mut self, mark: usize) {
        self.texts.truncate(mark);
    }
    fn set_protocol(&mut self, version: u8) {
        self.protocol = version;
    }
}

struct Fixture {
    engine: Engine,
    session: Session,
    clock: Clock,
    outcome: Outcome,
    _directory: tempfile::TempDir,
}

impl Fixture {
    fn new(settings: &[(&str, &str)]) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let known = Settings::new();
        known.preset("server.data", directory.path().to_str().unwrap()).unwrap();
        for (name, value) in settings {
            known.preset(name, value).unwrap();
        }
        let store = Store::open(StoreOptions::new(directory.path())).unwrap();
        let engine = Engine::open(store, Arc::new(known)).unwrap();
        let clock = Clock::new();
        let session = Fixture::connect(&engine);
        Fixture { engine, session, clock, outcome: Outcome::Later(Duration::ZERO), _directory: directory }
    }

    fn connect(engine: &Engine) -> Session {
        let origin = Origin { address: "127.0.0.1:1".to_owned(), local: true, ..Origin::default() };
        Session::open(engine, engine.figures().shard(), origin, &Clock::new()).unwrap()
    }

    /// The reply to a request, words parted by blanks.
    fn ask(&mut self, request: &str) -> String {
        self.ask_bytes(request.as_bytes())
    }

    fn ask_bytes(&mut self, request: &[u8]) -> String {
        self.outcome = Outcome::Later(Duration::ZERO);
        let mut spans: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        for word in request.split(|byte| *byte == b' ') {
            spans.push(at..at + word.len());
            at += word.len() + 1;
        }
        let mut reply = Transcript { protocol: self.session.protocol, ..Transcript::default() };
        self.outcome = self.session.execute(Args::new(request, &spans), &mut reply, &mut self.clock);
        reply.texts.join(" ")
    }

    #[track_caller]
    fn check(&mut self, request: &str, expected: &str) {
        assert_eq!(self.ask(request), expected, "{request}");
    }
}

#[test]
fn bytes_that_are_no_text_count_once_in_what_a_refusal_shows() {
    let mut it = Fixture::new(&[]);
    let request = [b"nope ".as_slice(), &[0xff; 100], b" some-arguments-and more"].concat();
    let shown = "\u{fffd}".repeat(100);
    let expected =
        format!("-ERR unknown command 'nope', with args beginning with: '{shown}' 'some-arguments-and' 'more' ");
    assert_eq!(it.ask_bytes(&request), expected);
}

#[test]
fn refusals_have_the_words_of_redis() {
    let mut it = Fixture::new(&[]);
    it.check("nope a b", "-ERR unknown command 'nope', with args beginning with: 'a' 'b' ");
    it.check("get", "-ERR wrong number of arguments for 'get' command");
    it.check("config", "-ERR wrong number of arguments for 'config' command");
    it.check("config get", "-ERR wrong number of arguments for 'config|get' command");
    it.check("config nope", "-ERR unknown subcommand 'nope'. Try CONFIG HELP.");
    it.check("select 16", "-ERR DB index is out of range");
    it.check("select a", "-ERR value is not an integer or out of range");
}

#[test]
fn a_password_is_asked_for() {
    let mut it = Fixture::new(&[("server.password", "secret")]);
    it.check("get a", "-NOAUTH Authentication required.");
    assert!(it.ask("hello 3").starts_with("-NOAUTH HELLO must be called"));
    it.check("auth wrong", "-WRONGPASS invalid username-password pair or user is disabled.");
    it.check("auth nobody secret", "-WRONGPASS invalid username-password pair or user is disabled.");
    it.check("auth default secret", "+OK");
    it.check("get a", "null");
    it.check("reset", "+RESET");
    it.check("get a", "-NOAUTH Authentication required.");
    assert!(it.ask("hello 3 auth default secret").starts_with("%7 server redis"));
}

#[test]
fn a_password_without_need_is_an_error() {
    let mut it = Fixture::new(&[]);
    assert!(it.ask("auth x").starts_with("-ERR AUTH <password> called without any password configured"));
    it.check("auth default x", "+OK");
}

#[test]
fn replies_wait_for_what_the_durability_asks() {
    let mut it = Fixture::new(&[]);
    it.check("set a 1", "+OK");
    let Outcome::Done { hold: Hold::Written(sequence), close: false } = it.outcome else {
        panic!("{:?}", it.outcome);
    };
    assert!(sequence > 0);
    it.check("ping", "+PONG");
    assert_eq!(it.outcome, Outcome::Done { hold: Hold::None, close: false });
    it.check("config set appendfsync always", "+OK");
    it.check("set a 2", "+OK");
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::Durable(_), .. }));
    it.check("get a", "2");
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::Durable(_), .. }), "a read may not run ahead");
    it.session.set_durability(Some(Durability::None));
    it.check("set a 3", "+OK");
    assert_eq!(it.outcome, Outcome::Done { hold: Hold::None, close: false });
}

#[test]
fn replies_can_be_switched_off() {
    let mut it = Fixture::new(&[]);
    it.check("client reply off", "");
    it.check("ping", "");
    it.check("nope", "");
    it.check("client reply on", "+OK");
    it.check("client reply skip", "");
    it.check("ping", "");
    it.check("ping", "+PONG");
}

#[test]
fn clients_are_named_listed_and_killed() {
    let mut it = Fixture::new(&[]);
    let other = Fixture::connect(&it.engine);
    it.check("client setname a\nb", "-ERR Client names cannot contain spaces, newlines or special characters.");
    it.check("client setname me", "+OK");
    it.check("client setinfo lib-name lib", "+OK");
    it.check("client getname", "me");
    let list = it.ask("client list");
    assert_eq!(list.lines().count(), 2);
    assert!(list.contains("name=me ") && list.contains("cmd=client|list") && list.contains("lib-name=lib"), "{list}");
    it.check(&format!("client kill id {}", other.client().id), ":1");
    assert!(other.client().is_killed());
    drop(other);
    assert_eq!(it.ask("client list").lines().count(), 1);
    it.check("client kill skipme no", ":1");
    assert_eq!(it.outcome, Outcome::Done { hold: Hold::None, close: true });
}

#[test]
fn a_pause_puts_requests_off() {
    let mut it = Fixture::new(&[]);
    it.check("client pause 100000 write", "+OK");
    it.check("get a", "null");
    it.check("set a b", "");
    assert!(matches!(it.outcome, Outcome::Later(_)));
    it.check("client unpause", "+OK");
    it.check("set a b", "+OK");
}

#[test]
fn figures_count_calls_failures_and_refusals() {
    let mut it = Fixture::new(&[]);
    it.ask("set a b");
    it.ask("incr a");
    it.ask("incr");
    let stats = it.ask("info commandstats");
    let line = stats.lines().find(|line| line.starts_with("cmdstat_incr:")).unwrap();
    assert!(line.contains("calls=1,") && line.contains("rejected_calls=1,failed_calls=1"), "{line}");
    assert!(it.ask("info errorstats").contains("errorstat_ERR:count=2"));
    it.check("config resetstat", "+OK");
    assert!(!it.ask("info commandstats").contains("cmdstat_incr"));
}

#[test]
fn slow_requests_are_logged_cut_short() {
    let mut it = Fixture::new(&[]);
    it.check("config set slowlog-log-slower-than 0", "+OK");
    it.ask(&format!("set a {}", "x".repeat(200)));
    it.check("config set slowlog-log-slower-than -1", "+OK");
    let entry = it.ask("slowlog get");
    assert!(entry.contains(&format!("set a {}... (72 more bytes) 127.0.0.1:1", "x".repeat(128))), "{entry}");
    it.check("slowlog reset", "+OK");
    it.check("slowlog len", ":0");
}

#[test]
fn an_object_is_shown_to_those_who_debug() {
    let mut it = Fixture::new(&[("server.debug_command", "yes")]);
    it.check("debug object a", "-ERR no such key");
    it.ask("set a 12");
    let facts = it.ask("debug object a");
    assert!(facts.starts_with("+Value at:0x0 refcount:1 encoding:int serializedlength:2 lru:"), "{facts}");
    it.check("multi", "+OK");
    it.check("debug object a", "+QUEUED");
    it.check("exec", "*1 -ERR DEBUG OBJECT is not supported inside a transaction");
    it.check("command getkeysandflags set a 1", "*1 *2 a ~2 +OW +update");
    it.check("command getkeysandflags copy a b", "*2 *2 a ~2 +RO +access *2 b ~2 +OW +update");
    it.check("slowlog get 1 x", "-ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.");
}

#[test]
fn every_command_is_described() {
    let mut it = Fixture::new(&[]);
    it.check("command getkeys mset a 1 b 2", "*2 a b");
    it.check("command getkeys ping", "-ERR The command has no key arguments");
    it.check("command info nope", "*1 null*");
    assert!(it.ask("command docs get").starts_with("%1 get %5 summary"));
    assert!(it.ask("command list filterby pattern xyz*") == "*0");
    let count = Registry::get().commands().iter().filter(|command| command.parent.is_none()).count();
    it.check("command count", &format!(":{count}"));
    assert!(it.ask("command").starts_with(&format!("*{count} ")));
}

#[test]
fn more_clients_than_allowed_are_refused() {
    let it = Fixture::new(&[("clients.maxclients", "1")]);
    let origin = Origin::default();
    assert!(Session::open(&it.engine, it.engine.figures().shard(), origin, &Clock::new()).is_none());
    assert_eq!(it.engine.clients().counts(), (1, 1));
}
