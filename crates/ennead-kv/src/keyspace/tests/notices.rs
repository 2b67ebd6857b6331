//! What a witness hears, and when.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::probe::Probe;
use crate::{Effect, Error, EventClass, KvOptions, Notice, Notices, Policy, Witness, command};

/// Writes down what it hears, a batch a line.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<(String, Effect)>>>);

impl Witness for Ear {
    fn witness(&self, notices: &Notices, effect: Effect) {
        let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        let shown = notices.iter().map(|notice| match notice {
            Notice::Event { name, db, key } => format!("{name}:{db}:{}", text(key)),
            Notice::Changed { key, client, meant } => {
                format!("{}{}@{client}", if meant { "" } else { "!" }, text(key))
            }
            Notice::Read { key, client } => format!("?{}@{client}", text(key)),
            Notice::Flushed => "flushed".to_owned(),
        });
        self.0.lock().push((shown.collect::<Vec<_>>().join(" "), effect));
    }
}

impl Ear {
    fn at(probe: &mut Probe) -> Ear {
        let ear = Ear::default();
        probe.keyspace.set_witness(Box::new(ear.clone()));
        probe.call.client = 7;
        ear
    }

    /// What was heard since the last time.
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock()).into_iter().map(|(line, _)| line).collect()
    }
}

fn all_events(probe: &Probe) {
    probe.keyspace.settings().set_events(u32::MAX);
}

#[test]
fn nothing_is_told_unasked() {
    let mut probe = Probe::new();
    let ear = Ear::at(&mut probe);
    probe.run("set k v");
    probe.run("get nothing");
    assert!(ear.heard().is_empty());
    probe.keyspace.settings().set_events(EventClass::String as u32 | EventClass::Miss as u32);
    probe.run("lpush l 1");
    probe.run("get nothing");
    probe.run("set k v");
    assert_eq!(ear.heard(), ["keymiss:0:nothing", "set:0:k"]);
}

#[test]
fn events_of_one_command_come_in_order_and_with_its_batch() {
    let mut probe = Probe::new();
    let ear = Ear::at(&mut probe);
    all_events(&probe);
    probe.run("mset a 1 b 2");
    let (line, effect) = ear.0.lock().pop().unwrap();
    assert_eq!(line, "new:0:a set:0:a new:0:b set:0:b");
    assert_eq!(effect.wrote, Some(probe.store.committed()));
    probe.run("rpush l x y");
    probe.run("lmove l m left right");
    probe.run("rpop l");
    probe.run("rename a b");
    probe.run("sunionstore b m nothing");
    assert_eq!(
        ear.heard(),
        [
            "new:0:l rpush:0:l",
            "new:0:m rpush:0:m lpop:0:l",
            "rpop:0:l del:0:l",
            "new:0:b rename_from:0:a rename_to:0:b",
        ]
    );
    probe.run("sadd s 1");
    probe.run("sinterstore b s");
    probe.run("sinterstore b s nothing");
    assert_eq!(ear.heard(), ["new:0:s sadd:0:s", "sinterstore:0:b", "keymiss:0:nothing del:0:b"]);
}

#[test]
fn changes_are_told_with_who_made_them() {
    let mut probe = Probe::new();
    let ear = Ear::at(&mut probe);
    probe.keyspace.settings().set_tells_changes(true);
    probe.run("set k v px 10");
    probe.call.remembers = true;
    probe.run("get k");
    probe.run("append k v");
    probe.call.now_ms += 10;
    probe.run("get k");
    probe.run("hset h a 1 b 2 c 3");
    probe.run("flushall");
    probe.run("flushall");
    assert_eq!(ear.heard(), ["k@7", "?k@7", "k@7", "!k@7 ?k@7", "h@7", "flushed", "flushed"]);
    probe.keyspace.settings().set_tells_changes(false);
    probe.call.remembers = false;
    probe.run("set k v");
    assert!(ear.heard().is_empty());
}

#[test]
fn keys_that_expire_or_are_evicted_by_themselves_are_told() {
    let mut probe = Probe::with(KvOptions { policy: Policy::AllKeysRandom, ..KvOptions::default() });
    let ear = Ear::at(&mut probe);
    all_events(&probe);
    probe.keyspace.settings().set_tells_changes(true);
    probe.run("set k v px 10");
    probe.run("set {k}2 v px 10");
    ear.heard();
    probe.reopen();
    let ear = Ear::at(&mut probe);
    all_events(&probe);
    while probe.keyspace.warm(probe.call.now_ms, 1024).unwrap() {}
    assert!(!probe.keyspace.expire_due(probe.call.now_ms + 10, 100).unwrap());
    let mut heard: Vec<String> = ear.heard().join(" ").split(' ').map(str::to_owned).collect();
    heard.sort();
    assert_eq!(heard, ["expired:0:k", "expired:0:{k}2"]);
    probe.run("set big v");
    ear.heard();
    probe.keyspace.settings().set_maxmemory(1);
    assert!(!probe.keyspace.has_room(&probe.call).unwrap());
    assert_eq!(ear.heard(), ["evicted:0:big"]);
}

#[test]
fn a_transaction_tells_when_it_is_committed() {
    let mut probe = Probe::new();
    let ear = Ear::at(&mut probe);
    all_events(&probe);
    let words = |line: &'static str| -> (Vec<u8>, Vec<std::ops::Range<usize>>) {
        let mut bytes = Vec::new();
        let spans = line.split(' ').map(|word| {
            bytes.extend_from_slice(word.as_bytes());
            bytes.len() - word.len()..bytes.len()
        });
        let spans = spans.collect();
        (bytes, spans)
    };
    let run = |fail: bool| {
        probe.keyspace.transaction(&probe.call, false, |transaction| {
            for line in ["set a 1", "swapdb 0 1", "set b 1"] {
                let (bytes, spans) = words(line);
                let args = crate::Args::new(&bytes, &spans);
                let command = command(line.split_once(' ').unwrap().0).unwrap();
                transaction.execute(command, &probe.call, args, &mut crate::Recorded::new(2))?;
                assert!(ear.heard().is_empty(), "it was told too early");
            }
            if fail { Err(Error::text("ERR on purpose")) } else { Ok(()) }
        })
    };
    run(true).unwrap_err();
    assert!(ear.heard().is_empty(), "what was not done was told");
    run(false).unwrap();
    assert_eq!(ear.heard(), ["new:0:a set:0:a new:0:b set:0:b"]);
}

#[test]
fn fields_that_go_are_told_of() {
    let mut probe = Probe::new();
    let ear = Ear::at(&mut probe);
    all_events(&probe);
    probe.run("hset h a 1 b 2 c 3 d 4 e 5");
    probe.run("hpexpire h 100 fields 2 a b");
    probe.run("hpexpire h 100 nx fields 1 a");
    probe.run("hpersist h fields 2 b c");
    probe.run("hpersist h fields 1 b");
    probe.run("hpexpire h 0 fields 2 b x");
    assert_eq!(ear.heard(), ["new:0:h hset:0:h", "hexpire:0:h", "hpersist:0:h", "hdel:0:h"]);
    probe.call.now_ms += 100;
    probe.run("hget h c");
    assert_eq!(ear.heard(), ["hexpired:0:h"]);
    probe.run("hpexpire h 100 fields 3 c d e");
    probe.call.now_ms += 100;
    probe.keyspace.expire_due(probe.call.now_ms, 10).unwrap();
    assert_eq!(ear.heard(), ["hexpire:0:h", "hexpired:0:h del:0:h"]);
    probe.run("hset h a 1");
    probe.run("hpexpire h 0 fields 1 a");
    assert_eq!(ear.heard(), ["new:0:h hset:0:h", "hdel:0:h del:0:h"]);
}
