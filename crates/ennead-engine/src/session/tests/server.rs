//! Commands about the server that wait, or that look at all keys.

use std::sync::{Arc, Mutex};

use super::{Duration, Fixture, Outcome, Session};
use crate::copy::Made;
use crate::host::{Host, MemoryFigures};
use crate::migration::{Done, Report};

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
    assert_eq!(it.insist("waitaof 0 1 20"), "*2 :1 :0");
}

#[test]
fn waitaof_checks_its_words() {
    let mut it = Fixture::new(&[]);
    it.check("waitaof 2 0 0", "-ERR value is out of range, value must between 0 and 1");
    it.check("waitaof x 0 0", "-ERR value is not an integer or out of range");
    it.check("waitaof 1 -1 0", "-ERR value is out of range, must be positive");
    it.check("waitaof 1 0 -1", "-ERR timeout is negative");
    it.check("waitaof 1 0 x", "-ERR timeout is not an integer or out of range");
    it.check("waitaof 1 0 9223372036854775807", "-ERR timeout is out of range");
    it.check("multi", "+OK");
    it.check("waitaof 1 0 0", "+QUEUED");
    assert!(["*1 *2 :0 :0", "*1 *2 :1 :0"].contains(&it.ask("exec").as_str()));
}

#[test]
fn who_waits_for_replicas_waits_until_the_time_is_over() {
    let mut it = Fixture::new(&[]);
    it.check("wait 0 0", ":0");
    it.check("wait -1 0", ":0");
    it.ask("wait 1 30");
    assert!(matches!(it.outcome, Outcome::Later(wait) if wait <= Duration::from_millis(30)), "{:?}", it.outcome);
    assert!(it.session.is_blocked());
    assert_eq!(it.insist("wait 1 30"), ":0");
    assert!(!it.session.is_blocked());
    it.check("multi", "+OK");
    it.check("wait 1 0", "+QUEUED");
    it.check("exec", "*1 :0");
}

#[test]
fn a_server_without_replicas_says_so() {
    let mut it = Fixture::new(&[]);
    it.check("role", "*3 master :0 *0");
    it.check("replicaof no one", "+OK");
    it.check("slaveof localhost 70000", "-ERR Invalid master port");
    assert!(it.ask("replicaof localhost 7000").starts_with("-ERR this server cannot be a replica"));
    it.check("failover", "-ERR FAILOVER requires connected replicas.");
    it.check("cluster info", "-ERR This instance has cluster support disabled");
    it.check("readonly", "-ERR This instance has cluster support disabled");
    assert!(it.ask("script debug yes").starts_with("-ERR there is no debugger"));
}

#[test]
fn a_copy_is_sent_to_who_wants_nothing_behind_it() {
    let mut it = Fixture::new(&[]);
    it.check("set a 1", "+OK");
    assert!(it.ask("sync").starts_with("-ERR replicas cannot follow"));
    it.check("replconf rdb-only 1", "+OK");
    assert!(it.ask("psync ? -1").starts_with("-ERR the length of a copy"));
    it.check("replconf capa eof rdb-only 2", "-ERR value is out of range, value must between 0 and 1");
    it.check("multi", "+OK");
    it.check("sync", "-ERR Command not allowed inside a transaction");
    it.check("discard", "+OK");
    let answer = it.ask("psync ? -1");
    assert!(answer.starts_with("+FULLRESYNC "), "{answer}");
    assert!(it.session.is_copying());
    let mut bytes = Vec::new();
    loop {
        match it.session.take_copied() {
            Some(Made::Piece(piece)) => bytes.extend(piece),
            Some(Made::Later) => std::thread::yield_now(),
            Some(Made::End) => break,
            other => panic!("{other:?}"),
        }
    }
    let rest = bytes.strip_prefix(b"$EOF:").unwrap();
    let (mark, rest) = rest.split_at(40);
    assert!(rest.starts_with(b"\r\nREDIS") && rest.ends_with(mark));
    assert!(it.ask("info stats").contains("sync_full:1\r\n"));
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

/// What was sent, and whom to tell what became of it.
type Sent = Arc<Mutex<Vec<(Vec<Vec<u8>>, Done)>>>;

fn host(sent: &Sent) -> Host {
    let sent = Arc::clone(sent);
    Host {
        shutdown: Box::new(|_| {}),
        memory: Box::new(MemoryFigures::default),
        purge: Box::new(|| {}),
        allocator: "system",
        rewrite_config: Box::new(|| Ok(())),
        migrate: Box::new(move |_, parcels, done| {
            let keys = parcels.into_iter().map(|parcel| parcel.key).collect();
            sent.lock().unwrap().push((keys, done));
            Ok(())
        }),
        config_file: String::new(),
        executable: String::new(),
    }
}

#[test]
fn a_refused_migrate_is_not_taken_for_the_next_one() {
    let mut it = Fixture::new(&[]);
    let sent = Sent::default();
    it.engine.set_host(host(&sent));
    it.check("mset k1 1 k2 2", "+OK");
    it.ask("migrate 127.0.0.1 1 k1 0 100");
    assert!(matches!(it.outcome, Outcome::Later(_)));
    let (keys, done) = sent.lock().unwrap().pop().unwrap();
    assert_eq!(keys, [b"k1"]);
    done(Report { taken: vec![true], failure: None });
    // Any refusal does, such as the one for want of room; and what other commands wait for ends likewise.
    it.session.saving = true;
    it.engine.users().change(b"default", [&b"-migrate"[..]].into_iter()).unwrap();
    it.check("migrate 127.0.0.1 1 k1 0 100", "-NOPERM User default has no permissions to run the 'migrate' command");
    it.engine.users().change(b"default", [&b"+@all"[..]].into_iter()).unwrap();
    assert!(!it.session.saving && it.session.awaited.is_none());
    it.ask("migrate 127.0.0.1 1 k2 0 100");
    assert!(matches!(it.outcome, Outcome::Later(_)), "{:?}", it.outcome);
    let (keys, done) = sent.lock().unwrap().pop().unwrap();
    assert_eq!(keys, [b"k2"]);
    done(Report { taken: vec![true], failure: None });
    it.check("migrate 127.0.0.1 1 k2 0 100", "+OK");
    it.check("mget k1 k2", "*2 1 null");
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
