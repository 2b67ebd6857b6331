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

mod commands;

use commands::command;

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
                        "zset" => format!("zrange {key} 0 -1 withscores"),
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
