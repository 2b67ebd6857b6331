//! Random commands against a naive model, while memory is tiered, keys expire, slots are warmed, and keyspace and store
//! are opened again.

use std::collections::BTreeMap;

use crate::place::next_random;
use crate::probe::Probe;
use crate::{KvOptions, Policy};

/// By database and key: value and expiry, 0 for none.
type Model = BTreeMap<(usize, String), (String, u64)>;

struct Run {
    probe: Probe,
    model: Model,
    random: u64,
}

impl Run {
    fn new(seed: u64) -> Run {
        let policy = if seed.is_multiple_of(2) { Policy::Tier } else { Policy::NoEviction };
        let maxmemory = if policy == Policy::Tier { 3 * (16_384 * 112) + 40_000 } else { 0 };
        let options = KvOptions { databases: 3, policy, maxmemory, ..KvOptions::default() };
        Run { probe: Probe::with(options), model: Model::new(), random: seed }
    }

    fn draw(&mut self, below: u64) -> u64 {
        next_random(&mut self.random) % below
    }

    fn key(&mut self) -> String {
        match self.draw(3) {
            0 => format!("{{tag}}{}", self.draw(40)),
            1 => format!("key:{}", self.draw(150)),
            _ => format!("{{b}}{}", self.draw(5)),
        }
    }

    fn value(&mut self) -> String {
        match self.draw(40) {
            0 => "long".repeat(20_000 + self.draw(100) as usize),
            1..10 => self.draw(1_000).to_string(),
            _ => "v".repeat(self.draw(300) as usize) + "x",
        }
    }

    fn now(&self) -> u64 {
        self.probe.call.now_ms
    }

    fn purge(&mut self) {
        let now = self.now();
        self.model.retain(|_, (_, expiry)| *expiry == 0 || *expiry > now);
    }

    fn get(&self, key: &str) -> Option<&(String, u64)> {
        self.model.get(&(self.probe.call.db, key.to_owned()))
    }

    fn put(&mut self, key: &str, value: String, expiry: u64) {
        self.model.insert((self.probe.call.db, key.to_owned()), (value, expiry));
    }

    fn remove(&mut self, key: &str) -> Option<(String, u64)> {
        self.model.remove(&(self.probe.call.db, key.to_owned()))
    }

    #[track_caller]
    fn expect(&mut self, words: &[&str], reply: String) {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let got = self.probe.words(&words);
        assert!(got == reply, "{words:?}: {:.100} instead of {reply:.100}", got);
    }

    fn step(&mut self) {
        self.purge();
        match self.draw(100) {
            0..60 => self.change(),
            60..90 => self.read(),
            _ => self.disturb(),
        }
    }

    fn change(&mut self) {
        let (key, other, value) = (self.key(), self.key(), self.value());
        let later = self.now() + 1 + self.draw(5_000);
        let former = self.get(&key).cloned();
        match self.draw(12) {
            0..3 => {
                self.expect(&["set", &key, &value], "OK".into());
                self.put(&key, value, 0);
            }
            3 => {
                self.expect(&["set", &key, &value, "pxat", &later.to_string()], "OK".into());
                self.put(&key, value, later);
            }
            4 => {
                let deleted = self.remove(&key).is_some() as u8 + self.remove(&other).is_some() as u8;
                self.expect(&["del", &key, &other, &key], format!("({deleted})"));
            }
            5 => {
                let (was, expiry) = former.unwrap_or_default();
                let is = was + &value[..value.len().min(50)];
                self.expect(&["append", &key, &value[..value.len().min(50)]], format!("({})", is.len()));
                self.put(&key, is, expiry);
            }
            6 => {
                let (was, expiry) = former.unwrap_or_default();
                let offset = self.draw(was.len() as u64 + 1) as usize;
                let mut bytes = was.into_bytes();
                bytes.resize(bytes.len().max(offset + 3), 0);
                bytes[offset..offset + 3].copy_from_slice(b"set");
                let is = String::from_utf8(bytes).unwrap();
                self.expect(&["setrange", &key, &offset.to_string(), "set"], format!("({})", is.len()));
                self.put(&key, is, expiry);
            }
            7 => {
                let found = former.is_some();
                self.expect(&["pexpireat", &key, &later.to_string()], format!("({})", found as u8));
                if let Some((value, _)) = former {
                    self.put(&key, value, later);
                }
            }
            8 => match former {
                None => self.expect(&["rename", &key, &other], "-ERR no such key".into()),
                Some((value, expiry)) => {
                    self.expect(&["rename", &key, &other], "OK".into());
                    self.remove(&key);
                    self.put(&other, value, expiry);
                }
            },
            9 => {
                let db = self.draw(3) as usize;
                let target = (db, other.clone());
                let same = db == self.probe.call.db && key == other;
                let copied = !same && former.is_some();
                let reply = if same {
                    "-ERR source and destination objects are the same".to_owned()
                } else {
                    format!("({})", copied as u8)
                };
                self.expect(&["copy", &key, &other, "db", &db.to_string(), "replace"], reply);
                if let Some(former) = former.filter(|_| copied) {
                    self.model.insert(target, former);
                }
            }
            10 => {
                let volatile = former.as_ref().is_some_and(|(_, expiry)| *expiry != 0);
                self.expect(&["persist", &key], format!("({})", volatile as u8));
                if let Some((value, _)) = former {
                    self.put(&key, value, 0);
                }
            }
            _ => {
                let second = value.clone() + "2";
                self.expect(&["mset", &key, &value, &other, &second], "OK".into());
                self.put(&key, value, 0);
                self.put(&other, second, 0);
            }
        }
    }

    fn read(&mut self) {
        let key = self.key();
        let former = self.get(&key).cloned();
        match self.draw(5) {
            0..3 => {
                let reply = former.map_or("nil".into(), |(value, _)| format!("\"{}\"", value.escape_default()));
                self.expect(&["get", &key], reply);
            }
            3 => {
                let reply = match former {
                    None => -2,
                    Some((_, 0)) => -1,
                    Some((_, expiry)) => expiry as i64,
                };
                self.expect(&["pexpiretime", &key], format!("({reply})"));
            }
            _ => {
                let reply = former.map_or(0, |(value, _)| value.len());
                self.expect(&["strlen", &key], format!("({reply})"));
            }
        }
    }

    fn disturb(&mut self) {
        let now = self.now();
        match self.draw(60) {
            0..20 => self.probe.call.now_ms += self.draw(400),
            20..30 => {
                while self.probe.keyspace.expire_due(now, 50).unwrap() {}
                self.check_size();
            }
            30..35 => {
                let _ = self.probe.keyspace.warm(now, 20).unwrap();
            }
            35 => while self.probe.keyspace.warm(now, 1_000).unwrap() {},
            36 => self.probe.reopen(),
            37 => self.probe.reopen_store(),
            38 => self.probe.store.flush().unwrap(),
            39 => {
                self.expect(&["flushdb"], "OK".into());
                let db = self.probe.call.db;
                self.model.retain(|(of, _), _| *of != db);
            }
            40 => {
                self.expect(&["swapdb", "0", "2"], "OK".into());
                let swapped = |db| if db == 1 { 1 } else { 2 - db };
                self.model =
                    std::mem::take(&mut self.model).into_iter().map(|((db, k), v)| ((swapped(db), k), v)).collect();
            }
            41..45 => self.check_walks(),
            _ => self.probe.call.db = self.draw(3) as usize,
        }
    }

    /// After due keys were deleted: nothing else counts.
    fn check_size(&mut self) {
        self.purge();
        let db = self.probe.call.db;
        let keys = self.model.keys().filter(|(of, _)| *of == db).count();
        let volatile = self.model.iter().filter(|((of, _), (_, expiry))| *of == db && *expiry != 0).count();
        let all_known = self.probe.keyspace.figures().cold_slots == 0;
        if all_known {
            let figures = self.probe.keyspace.figures();
            let figures = figures.databases.iter().find(|figures| figures.db == db).copied().unwrap_or_default();
            assert_eq!((figures.keys, figures.volatile), (keys as u64, volatile as u64));
        }
    }

    fn check_walks(&mut self) {
        let db = self.probe.call.db;
        let mut expected: Vec<String> =
            self.model.keys().filter(|(of, _)| *of == db).map(|(_, key)| key.clone()).collect();
        expected.sort();
        let split = |reply: &str| -> Vec<String> {
            reply.split(['[', ']', ' ', '"']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let mut keys = split(&self.probe.run("keys *"));
        keys.sort();
        assert_eq!(keys, expected);
        let (mut scanned, mut cursor) = (Vec::new(), "0".to_owned());
        loop {
            let reply = split(&self.probe.run(&format!("scan {cursor} count 7")));
            scanned.extend_from_slice(&reply[1..]);
            cursor.clone_from(&reply[0]);
            if cursor == "0" {
                break;
            }
        }
        scanned.sort();
        assert_eq!(scanned, expected);
        let drawn = self.probe.run("randomkey");
        assert!(if expected.is_empty() { drawn == "nil" } else { expected.contains(&drawn.replace('"', "")) });
    }
}

#[test]
fn behaves_like_a_map_of_values_and_deadlines() {
    for seed in 0..8 {
        let mut run = Run::new(seed);
        let steps = 1_500;
        for step in 0..steps {
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.step()));
            assert!(outcome.is_ok(), "seed {seed}, step {step}");
        }
        run.check_walks();
    }
}
