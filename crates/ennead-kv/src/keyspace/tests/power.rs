//! Power cuts and kills of the process while random commands run, at random calls to the disk.
//!
//! Oracle: what could be read after each command. After the restart every database must read as it did after one of the
//! commands, the same for all keys: values, types and deadlines, so no command and no transaction is there in parts. It must
//! not be one before what was acknowledged, by an fsync for a power cut, by a hand-over for a kill. The figures that
//! DBSIZE and INFO tell must be those of the keys that are there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ennead_store::disk::simulated::{Ending, Fault, Random, SimulatedDisk, for_seeds};
use ennead_store::{Options, Sequence, Store};

use crate::probe::{Text, execute, with_args};
use crate::{Call, Effect, Keyspace, KvOptions, Policy, Result};

const DATABASES: usize = 3;
const START_MS: u64 = 1_700_000_000_000;
/// Some in one slot, so that commands on several keys meet there, and in different ones.
const KEYS: [&str; 7] = ["a", "b", "c", "{t}d", "{t}e", "{t}f", "number"];

/// By database and key: type, value, deadline (0 for none).
type State = BTreeMap<(usize, String), (String, String, u64)>;

/// What could be read, and the last batch that had been committed by then.
struct History(Vec<(Sequence, State)>);

impl History {
    /// What is to be read once the batches up to `sequence` are there.
    fn at(&self, sequence: Sequence) -> &State {
        let index = self.0.partition_point(|(of, _)| *of <= sequence);
        &self.0[index - 1].1
    }

    fn truncate(&mut self, sequence: Sequence) {
        self.0.retain(|(of, _)| *of <= sequence);
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Acknowledged {
    durable: Sequence,
    written: Sequence,
}

/// One life of the machine: a store and its keyspace.
struct Life {
    store: Store,
    keyspace: Keyspace,
}

impl Life {
    fn open(disk: &SimulatedDisk, options: &Options, kv: &KvOptions) -> Result<Life> {
        let store = disk.open_store(options)?;
        let keyspace = Keyspace::open(store.clone(), kv.clone())?;
        Ok(Life { store, keyspace })
    }

    fn run(&self, call: &Call, line: &str) -> Result<(String, Effect)> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let mut text = Text::default();
        let effect = execute(&self.keyspace, call, &words, &mut text)?;
        Ok((text.out.trim_end().to_owned(), effect))
    }

    /// Everything that can be read.
    fn read(&self, now_ms: u64) -> Result<State> {
        let mut state = State::new();
        for db in 0..DATABASES {
            let call = Call { db, now_ms, seed: 1, no_touch: true, ..Call::default() };
            for key in KEYS {
                let kind = self.run(&call, &format!("type {key}"))?.0;
                if kind != "none" {
                    let reader = match kind.as_str() {
                        "string" => format!("get {key}"),
                        "hash" => format!("hgetall {key}"),
                        "set" => format!("smembers {key}"),
                        "list" => format!("lrange {key} 0 -1"),
                        "stream" => format!("xinfo stream {key} full count 0"),
                        other => panic!("a {other}"),
                    };
                    let mut value = self.run(&call, &reader)?.0;
                    if kind == "hash" {
                        value = self.dated(&call, key, &value)?;
                    }
                    let deadline = self.run(&call, &format!("pexpiretime {key}"))?.0;
                    let deadline = deadline.trim_matches(['(', ')']).parse::<i64>().unwrap();
                    state.insert((db, key.to_owned()), (kind, value, deadline.max(0) as u64));
                }
            }
        }
        Ok(state)
    }

    /// Fields and values of a hash, each with its deadline, in lines.
    fn dated(&self, call: &Call, key: &str, pairs: &str) -> Result<String> {
        let words: Vec<&str> = pairs.trim_matches(['[', ']']).split(' ').map(|word| word.trim_matches('"')).collect();
        let names: Vec<&str> = words.iter().copied().step_by(2).collect();
        let asked = format!("hpexpiretime {key} fields {} {}", names.len(), names.join(" "));
        let deadlines = self.run(call, &asked)?.0;
        let deadlines = deadlines.trim_matches(['[', ']']).split(' ').map(|word| word.trim_matches(['(', ')']));
        let lines = words.chunks(2).zip(deadlines);
        Ok(lines.map(|(pair, deadline)| format!("{} {} {deadline}\n", pair[0], pair[1])).collect())
    }

    /// The names of all keys of a database.
    fn keys(&self, db: usize, now_ms: u64) -> Vec<String> {
        let call = Call { db, now_ms, seed: 1, no_touch: true, ..Call::default() };
        let keys = self.run(&call, "keys *").unwrap().0;
        let names = keys.trim_matches(['[', ']']).split_ascii_whitespace();
        let mut names: Vec<String> = names.map(|name| name.trim_matches('"').to_owned()).collect();
        names.sort();
        names
    }

    fn warm(&self, now_ms: u64) {
        while self.keyspace.warm(now_ms, 1000).unwrap() {}
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_no_command_is_half_there() {
    for_seeds(300, run);
}

fn run(seed: u64) {
    let random = &mut Random::new(seed);
    let disk = SimulatedDisk::default();
    let mut options = Options::new(PathBuf::from("/data"));
    options.memtable_bytes = 32 << (10 + random.below(4));
    options.segment_bytes = 4096 << random.below(5);
    options.log_retention_bytes = [0, 64 << 10][random.below(2) as usize];
    options.cache_bytes = 1 << 20;
    let mut kv = KvOptions { databases: DATABASES, ..KvOptions::default() };
    if random.once_in(3) {
        // Only a few keys have room in memory.
        kv = KvOptions { policy: Policy::Tier, maxmemory: 3 * (16_384 * 112) + 4_000, ..kv };
    }
    let mut now_ms = START_MS;
    let mut history = History(vec![(0, State::new())]);
    let mut acknowledged = Acknowledged::default();
    for _ in 0..1 + random.below(3) {
        disk.fail_after(1 + random.below(400), Fault::PowerCut);
        if let Ok(life) = Life::open(&disk, &options, &kv) {
            // The end is not judged here: what was acknowledged before it counts.
            drop(work(random, &life, &mut now_ms, &mut history, &mut acknowledged));
        }
        let killed = random.once_in(4);
        disk.restart(if killed { Ending::Killed } else { Ending::PowerCut(random.next()) });
        let life = Life::open(&disk, &options, &kv).unwrap();
        let least = if killed { acknowledged.written } else { acknowledged.durable };
        let now = life.store.committed();
        assert!(now >= least, "batch {least} was acknowledged, the store is at {now}");
        check(random, &life, now_ms, &history.at(now).clone());
        history.truncate(now);
        let last = life.store.committed();
        life.store.wait_durable(last).unwrap();
        acknowledged = Acknowledged { durable: last, written: last };
    }
}

/// Random commands until the disk is gone.
fn work(
    random: &mut Random,
    life: &Life,
    now_ms: &mut u64,
    history: &mut History,
    acknowledged: &mut Acknowledged,
) -> Result {
    let store = &life.store;
    for _ in 0..random.below(60) {
        *now_ms += random.below(300);
        let call = Call {
            db: random.below(DATABASES as u64) as usize,
            now_ms: *now_ms,
            seed: random.next(),
            ..Call::default()
        };
        match random.below(20) {
            0..=1 => store.hand_over(store.committed())?,
            2..=3 => store.wait_durable(store.committed())?,
            4 => store.flush()?,
            5 => drop(life.keyspace.expire_due(*now_ms, 5)?),
            6 => drop(life.keyspace.warm(*now_ms, 50)?),
            7..=9 => transaction(random, life, &call)?,
            _ => {
                // What a command answers, an error like "no such key" as well, is for other tests.
                if let Err(error @ crate::Error::Store(_)) = life.run(&call, &command(random)) {
                    return Err(error);
                }
            }
        }
        let committed = store.committed();
        if history.0.last().is_none_or(|(of, _)| *of < committed) {
            // Reading may delete what is due, in batches of its own, which changes nothing that can be read.
            history.0.push((committed, life.read(*now_ms)?));
        }
        acknowledged.durable = acknowledged.durable.max(store.durable());
        acknowledged.written = acknowledged.written.max(store.written());
    }
    if random.once_in(3) { Ok(store.close()?) } else { Ok(()) }
}

fn transaction(random: &mut Random, life: &Life, call: &Call) -> Result {
    let lines: Vec<String> = (0..1 + random.below(5)).map(|_| command(random)).collect();
    life.keyspace
        .transaction(call, true, |transaction| {
            for line in &lines {
                let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
                let ran =
                    with_args(&words, |command, args| transaction.execute(command, call, args, &mut Text::default()));
                if let Err(error @ crate::Error::Store(_)) = ran {
                    return Err(error);
                }
            }
            Ok(())
        })
        .map(drop)
}

fn key(random: &mut Random) -> &'static str {
    KEYS[random.below(KEYS.len() as u64) as usize]
}

fn value(random: &mut Random) -> String {
    let length = match random.below(25) {
        // In chunks of its own.
        0 => 66_000 + random.below(9_000),
        1..=3 => random.below(3_000),
        _ => random.below(40),
    };
    let letter = char::from(b'a' + random.below(26) as u8);
    letter.to_string().repeat(length as usize + 1)
}

/// Words for a collection's members, now and then so many that it becomes a large one at once.
fn members(random: &mut Random, width: usize) -> String {
    let count = if random.once_in(4) { 30 + random.below(30) } else { 1 + random.below(4) };
    let mut words = String::new();
    for _ in 0..count {
        let member = random.below(80);
        words += &match width {
            1 => format!(" member-{member}-of-the-collection"),
            _ => format!(" field:{member} {}", "v".repeat(random.below(60) as usize + 1)),
        };
    }
    words
}

/// A command that changes a collection.
fn collection_command(random: &mut Random) -> String {
    let (first, second) = (key(random), key(random));
    match random.below(33) {
        30..=31 => format!("hpexpire {first} {} fields 2 field:{} counter", random.below(2_000), random.below(80)),
        32 => format!("hpersist {first} fields 2 field:{} counter", random.below(80)),
        18..=21 => format!("xadd {first} *{}", members(random, 2)),
        22 => format!("xadd {first} maxlen {} *{}", random.below(20), members(random, 2)),
        23 => format!("xgroup create {first} g 0"),
        24..=25 => format!("xreadgroup group g c{} count {} streams {first} >", random.below(3), 1 + random.below(5)),
        26 => format!("xautoclaim {first} g c{} 0 0 count 3", random.below(3)),
        27 => format!("xtrim {first} maxlen {}", random.below(30)),
        28 => format!("xgroup destroy {first} g"),
        29 => format!("xgroup delconsumer {first} g c{}", random.below(3)),
        10..=11 => format!("rpush {first}{}", members(random, 1)),
        12 => format!("lpush {first}{}", members(random, 1)),
        13 => format!("linsert {first} before member-{}-of-the-collection {second}", random.below(80)),
        14 => format!("lpop {first} {}", 1 + random.below(20)),
        15 => format!("ltrim {first} {} -2", random.below(10)),
        16 => format!("lmove {first} {second} left right"),
        17 => format!("lset {first} {} {second}", random.below(20)),
        0..=2 => format!("hset {first}{}", members(random, 2)),
        3 => format!("hdel {first}{}", members(random, 2)),
        4 => format!("hincrby {first} counter 1"),
        5..=6 => format!("sadd {first}{}", members(random, 1)),
        7 => format!("srem {first}{}", members(random, 1)),
        8 => format!("spop {first} {}", 1 + random.below(10)),
        _ => format!("sunionstore {first} {second} {first}"),
    }
}

/// A command that changes something, when it finds what it needs.
fn command(random: &mut Random) -> String {
    if random.once_in(2) {
        return collection_command(random);
    }
    let (first, second) = (key(random), key(random));
    match random.below(40) {
        0..=7 => format!("set {first} {}", value(random)),
        8..=10 => format!("set {first} {} px {}", value(random), 1 + random.below(2_000)),
        11..=13 => format!("append {first} {}", value(random)),
        14..=15 => format!("setrange {first} {} {}", random.below(70_000), value(random)),
        16..=18 => format!("mset {first} {} {second} {}", value(random), value(random)),
        19..=21 => format!("del {first} {second}"),
        22..=23 => "incr number".to_owned(),
        24..=25 => format!("rename {first} {second}"),
        26..=27 => format!("copy {first} {second} db {} replace", random.below(DATABASES as u64)),
        28 => format!("move {first} {}", random.below(DATABASES as u64)),
        29..=31 => format!("pexpire {first} {}", 1 + random.below(2_000)),
        32 => format!("persist {first}"),
        33 => format!("getdel {first}"),
        34 => format!("msetnx {first} {} {second} {}", value(random), value(random)),
        35 => "flushdb".to_owned(),
        36 => "swapdb 0 2".to_owned(),
        37 if random.once_in(3) => "flushall".to_owned(),
        _ => format!("set {first} {} get", value(random)),
    }
}

/// What is there against what is to be there, read in the ways in which clients can.
fn check(random: &mut Random, life: &Life, now_ms: u64, expected: &State) {
    let mut expected = expected.clone();
    expected.retain(|_, (kind, value, deadline)| {
        if kind == "hash" {
            *value = value.split_inclusive('\n').filter(|line| !is_over(line, now_ms)).collect();
        }
        (*deadline == 0 || *deadline > now_ms) && !(kind == "hash" && value.is_empty())
    });
    // Or as clients see it that come before the keys are in memory.
    let warm = !random.once_in(3);
    if warm {
        life.warm(now_ms);
    }
    let found = life.read(now_ms).unwrap();
    assert!(found == expected, "there is {}\nto be there {}", short(&found), short(&expected));
    life.warm(now_ms);
    while life.keyspace.expire_due(now_ms, 1000).unwrap() {}
    let figures = life.keyspace.figures();
    for db in 0..DATABASES {
        let keys: Vec<_> = expected.iter().filter(|((of, _), _)| *of == db).collect();
        assert_eq!(life.keyspace.len(db).unwrap(), keys.len() as u64, "the size of database {db}");
        let told = figures.databases.iter().find(|figures| figures.db == db);
        let volatile = keys.iter().filter(|(_, (_, _, deadline))| *deadline != 0).count() as u64;
        assert_eq!(told.map_or(0, |figures| figures.volatile), volatile, "keys with a deadline in database {db}");
        // On keys in memory only: a walk over slots that are not looks into the store for each of them.
        if warm {
            let mut names: Vec<String> = keys.into_iter().map(|((_, name), _)| name.clone()).collect();
            names.sort();
            assert_eq!(life.keys(db, now_ms), names, "the keys of database {db}");
        }
    }
    assert!(life.read(now_ms).unwrap() == expected, "after the due keys were deleted");
}

/// Whether a field's line tells of a deadline that has passed.
fn is_over(line: &str, now_ms: u64) -> bool {
    let deadline: i64 = line.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
    (1..=now_ms as i64).contains(&deadline)
}

fn short(state: &State) -> String {
    let lengths = state.iter().map(|(key, (kind, value, deadline))| (key, kind, value.len(), deadline));
    format!("{:?}", lengths.collect::<Vec<_>>())
}
