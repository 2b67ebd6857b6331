//! MIGRATE to a real redis-server and to a second Ennead: what arrives, what stays, and what happens to keys that others
//! change meanwhile.

use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::server::Server;
use crate::wire::{Reply, Wire};

/// A request to `server`, as its words after the name.
fn migrate(wire: &mut Wire, target: SocketAddr, words: &[&[u8]]) -> Reply {
    let port = target.port().to_string();
    let mut all: Vec<&[u8]> = vec![b"MIGRATE", b"127.0.0.1", port.as_bytes()];
    all.extend(words);
    wire.call(&all).unwrap()
}

fn ok() -> Reply {
    Reply::Simple(b"OK".to_vec())
}

fn error(text: &str) -> Reply {
    Reply::Error(text.as_bytes().to_vec())
}

#[test]
fn keys_move_to_redis() {
    let Some(target) = Server::redis(&[]) else { return };
    keys_move(&Server::subject(&[]), &target);
}

#[test]
fn keys_move_from_redis() {
    let Some(source) = Server::redis(&[]) else { return };
    keys_move(&source, &Server::subject(&[]));
}

#[test]
fn keys_move_to_another_ennead() {
    keys_move(&Server::subject(&[]), &Server::subject(&[]));
}

fn keys_move(source: &Server, target: &Server) {
    let (mut from, mut to) = (source.connect(), target.connect());
    let address = target.address;
    let long = b"a long and repetitive text ".repeat(10_000);
    let values: [(&[u8], &[u8]); 4] =
        [(b"number", b"12345"), (b"short", b"value"), (b"long", &long), (b"", b"nameless")];
    for (key, value) in values {
        assert_eq!(from.call(&[b"SET", key, value]).unwrap(), ok());
    }
    from.call(&[b"PEXPIRE", b"short", b"1000000"]).unwrap();
    for key in [&b"number"[..], b"short", b"long"] {
        assert_eq!(migrate(&mut from, address, &[key, b"0", b"20000"]), ok());
        assert_eq!(from.call(&[b"EXISTS", key]).unwrap(), Reply::Integer(0));
    }
    for (key, value) in &values[..3] {
        assert_eq!(to.call(&[b"GET", key]).unwrap(), Reply::Bulk(value.to_vec()));
    }
    let Reply::Integer(ttl) = to.call(&[b"PTTL", b"short"]).unwrap() else { panic!("PTTL gives a number") };
    assert!((900_000..=1_000_000).contains(&ttl), "{ttl}");
    assert_eq!(to.call(&[b"PTTL", b"long"]).unwrap(), Reply::Integer(-1));
    // Gone already.
    assert_eq!(migrate(&mut from, address, &[b"number", b"0", b"20000"]), Reply::Simple(b"NOKEY".to_vec()));
    // Several, one of them missing, into another database, and kept here.
    from.call(&[b"MSET", b"a", b"1", b"b", b"2", b"short", b"new"]).unwrap();
    let words: &[&[u8]] = &[b"", b"3", b"20000", b"COPY", b"KEYS", b"a", b"missing", b"b"];
    assert_eq!(migrate(&mut from, address, words), ok());
    assert_eq!(from.call(&[b"EXISTS", b"a", b"b"]).unwrap(), Reply::Integer(2));
    to.call(&[b"SELECT", b"3"]).unwrap();
    assert_eq!(
        to.call(&[b"MGET", b"a", b"b"]).unwrap(),
        Reply::List(vec![Reply::Bulk(b"1".to_vec()), Reply::Bulk(b"2".to_vec())])
    );
    // A key of the same name there: refused, what others take is deleted, then replaced.
    let busy = "ERR Target instance replied with error: BUSYKEY Target key name already exists.";
    let words: &[&[u8]] = &[b"", b"0", b"20000", b"KEYS", b"short", b"a"];
    assert_eq!(migrate(&mut from, address, words), error(busy));
    assert_eq!(from.call(&[b"EXISTS", b"short", b"a"]).unwrap(), Reply::Integer(1));
    assert_eq!(migrate(&mut from, address, &[b"short", b"0", b"20000", b"REPLACE"]), ok());
    to.call(&[b"SELECT", b"0"]).unwrap();
    assert_eq!(to.call(&[b"GET", b"short"]).unwrap(), Reply::Bulk(b"new".to_vec()));
    let range = "ERR Target instance replied with error: ERR DB index is out of range";
    assert_eq!(migrate(&mut from, address, &[b"b", b"99", b"20000"]), error(range));
    assert_eq!(from.call(&[b"GET", b"b"]).unwrap(), Reply::Bulk(b"2".to_vec()));
}

#[test]
fn streams_move_in_all_directions() {
    let Some(redis) = Server::redis(&[]) else { return };
    let (ours, other) = (Server::subject(&[]), Server::subject(&[]));
    for (source, target) in [(&redis, &ours), (&ours, &redis), (&ours, &other)] {
        stream_moves(source, target);
    }
}

fn stream_moves(source: &Server, target: &Server) {
    let (mut from, mut to) = (source.connect(), target.connect());
    for wire in [&mut from, &mut to] {
        wire.call(&[b"FLUSHALL"]).unwrap();
    }
    for number in 1..300 {
        let id = format!("{number}-{}", number % 5);
        let number = (number * 1000).to_string();
        let words: &[&[u8]] = &[b"XADD", b"s", id.as_bytes(), b"a", number.as_bytes(), b"b", b"-7", b"c", b"some text"];
        from.call(&words[..if id.contains('9') { 9 } else { 5 }]).unwrap();
    }
    let steps: [&[u8]; 7] = [
        b"XDEL s 7-2 8-3",
        b"XTRIM s MAXLEN 280",
        b"XGROUP CREATE s g 25-0",
        b"XGROUP CREATE s h 0 ENTRIESREAD 3",
        b"XREADGROUP GROUP g ann COUNT 5 STREAMS s >",
        b"XREADGROUP GROUP g bob COUNT 3 STREAMS s >",
        b"XGROUP CREATECONSUMER s g cat",
    ];
    let words = |step: &'static [u8]| step.split(|byte| *byte == b' ').collect::<Vec<_>>();
    for step in steps {
        from.call(&words(step)).unwrap();
    }
    let looks: [&[u8]; 5] =
        [b"XRANGE s - +", b"XREVRANGE s + -", b"XPENDING s g", b"XINFO GROUPS s", b"XPENDING s g - + 3 none"];
    let before: Vec<Reply> = looks.iter().map(|look| from.call(&words(look)).unwrap()).collect();
    assert_eq!(migrate(&mut from, target.address, &[b"s", b"0", b"20000"]), ok());
    for (look, before) in looks.iter().zip(before) {
        assert_eq!(to.call(&words(look)).unwrap(), before, "{}", look.escape_ascii());
    }
    assert_eq!(to.call(&words(b"XADD s 299-* a b")).unwrap(), Reply::Bulk(b"299-5".to_vec()));
}

#[test]
fn a_password_of_the_other_server_is_given() {
    let target = Server::subject(&[]);
    let source = Server::subject(&[]);
    let (mut from, mut to) = (source.connect(), target.connect());
    to.call(&[b"CONFIG", b"SET", b"requirepass", b"swordfish"]).unwrap();
    from.call(&[b"MSET", b"a", b"1", b"b", b"2"]).unwrap();
    let refused = "ERR Target instance replied with error: NOAUTH Authentication required.";
    assert_eq!(migrate(&mut from, target.address, &[b"a", b"0", b"20000"]), error(refused));
    let wrong = migrate(&mut from, target.address, &[b"a", b"0", b"20000", b"AUTH", b"shark"]);
    assert!(
        matches!(&wrong, Reply::Error(text) if text.starts_with(b"ERR Target instance replied with error: WRONGPASS"))
    );
    assert_eq!(from.call(&[b"EXISTS", b"a", b"b"]).unwrap(), Reply::Integer(2));
    assert_eq!(migrate(&mut from, target.address, &[b"a", b"0", b"20000", b"AUTH", b"swordfish"]), ok());
    assert_eq!(migrate(&mut from, target.address, &[b"b", b"0", b"20000", b"AUTH2", b"default", b"swordfish"]), ok());
    assert_eq!(from.call(&[b"DBSIZE"]).unwrap(), Reply::Integer(0));
    assert_eq!(target.connect().call(&[b"PING"]).unwrap(), error("NOAUTH Authentication required."));
}

#[test]
fn a_target_that_does_not_answer_costs_nobody_else_anything() {
    let source = Server::subject(&["--set", "clients.workers=1"]);
    // Accepts, by the system's queue, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut from = source.connect();
    from.call(&[b"SET", b"a", b"1"]).unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let request = |timeout_ms: &[u8]| {
        crate::wire::request(&[&b"MIGRATE"[..], b"127.0.0.1", port.as_bytes(), b"a", b"0", timeout_ms])
    };
    let unread = error("IOERR error or timeout reading to target instance");
    from.send(&request(b"100")).unwrap();
    assert_eq!(crate::wire::parse(&from.reply().unwrap()), unread);
    drop(silent.accept().unwrap());
    from.send(&request(b"60000")).unwrap();
    // The request has arrived. It waits for longer than a test does for a reply.
    let (mut unanswered, _) = silent.accept().unwrap();
    unanswered.read_exact(&mut [0; 8]).unwrap();
    let mut other = source.connect();
    for _ in 0..100 {
        assert_eq!(other.call(&[b"GET", b"a"]).unwrap(), Reply::Bulk(b"1".to_vec()));
    }
    drop((unanswered, silent));
    assert_eq!(crate::wire::parse(&from.reply().unwrap()), unread);
    assert_eq!(from.call(&[b"GET", b"a"]).unwrap(), Reply::Bulk(b"1".to_vec()));
    from.send(&request(b"2000")).unwrap();
    assert_eq!(crate::wire::parse(&from.reply().unwrap()), error("IOERR error or timeout writing to target instance"));
}

/// Every INCR that was acknowledged is counted in one of the two places, however often the key goes there and back.
#[test]
fn changes_of_a_key_on_its_way_are_not_lost() {
    const MOVES: usize = 200;
    let (first, second) = (Server::subject(&[]), Server::subject(&[]));
    let stop = AtomicBool::new(false);
    let counted = AtomicI64::new(0);
    let sum = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut wire = first.connect();
            while !stop.load(Ordering::SeqCst) {
                assert!(matches!(wire.call(&[b"INCR", b"counter"]).unwrap(), Reply::Integer(_)));
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        let (mut from, mut to) = (first.connect(), second.connect());
        let mut sum = 0;
        let mut take = |wire: &mut Wire| match wire.call(&[b"GETDEL", b"counter"]).unwrap() {
            Reply::Bulk(text) => sum += String::from_utf8(text).unwrap().parse::<i64>().unwrap(),
            Reply::Nil => {}
            other => panic!("GETDEL gives a text: {other:?}"),
        };
        let mut moved = 0;
        while moved < MOVES {
            match migrate(&mut from, second.address, &[b"counter", b"0", b"20000"]) {
                Reply::Simple(text) if text == b"OK" => {
                    moved += 1;
                    take(&mut to);
                }
                Reply::Simple(text) => assert_eq!(text, b"NOKEY"),
                // Changed too often meanwhile: it stays here, and what was sent counts for nothing.
                Reply::Error(text) => {
                    assert!(text.starts_with(b"IOERR keys are changed faster"), "{}", crate::wire::show(&text));
                    to.call(&[b"DEL", b"counter"]).unwrap();
                    take(&mut from);
                    moved += 1;
                }
                other => panic!("MIGRATE answers {other:?}"),
            }
        }
        stop.store(true, Ordering::SeqCst);
        sum
    });
    let rest = match first.connect().call(&[b"GET", b"counter"]).unwrap() {
        Reply::Bulk(text) => String::from_utf8(text).unwrap().parse::<i64>().unwrap(),
        _ => 0,
    };
    assert_eq!(sum + rest, counted.load(Ordering::SeqCst));
}
