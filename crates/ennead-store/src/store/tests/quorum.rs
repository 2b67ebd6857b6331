//! The store over a log that is not on its disk: what is durable is for others to say, and what is not can be taken back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::{Durability, Error, Log, LogEntry, Options, Result, Sequence, Store, Table, TableKind, WriteBatch};

type Advanced = Arc<dyn Fn() + Send + Sync>;

#[derive(Default)]
struct State {
    /// The first is that of `released + 1`.
    entries: VecDeque<Vec<u8>>,
    released: Sequence,
    durable: Sequence,
    out_of_office: bool,
    advanced: Option<Advanced>,
}

impl State {
    fn appended(&self) -> Sequence {
        self.released + self.entries.len() as Sequence
    }
}

/// The log of a leader whose quorum is the test.
#[derive(Default)]
struct Quorum {
    state: Mutex<State>,
    changed: Condvar,
    waiting: AtomicU64,
}

impl Quorum {
    /// The quorum has everything up to here.
    fn acknowledge(&self, sequence: Sequence) {
        let advanced = {
            let mut state = self.state.lock();
            state.durable = sequence;
            state.advanced.clone()
        };
        self.changed.notify_all();
        advanced.unwrap()();
    }

    /// The leader is told that it is none any more.
    fn lose_office(&self) {
        self.state.lock().out_of_office = true;
        self.changed.notify_all();
    }

    fn regain_office(&self) {
        self.state.lock().out_of_office = false;
    }

    fn wait_for_sync(&self) {
        while self.waiting.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
    }
}

impl Log for Quorum {
    fn append(&self, sequence: Sequence, batch: &WriteBatch) -> usize {
        let mut state = self.state.lock();
        assert_eq!(sequence, state.appended() + 1);
        state.entries.push_back(batch.to_bytes());
        0
    }

    fn hand_over(&self, _sequence: Sequence) -> Result<()> {
        Ok(())
    }

    fn sync(&self) -> Result<Sequence> {
        let mut state = self.state.lock();
        let wanted = state.appended();
        self.waiting.fetch_add(1, Ordering::SeqCst);
        while state.durable < wanted && !state.out_of_office {
            self.changed.wait(&mut state);
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        if state.durable >= wanted { Ok(state.durable) } else { Err(Error::Io("there is no quorum".into())) }
    }

    fn appended(&self) -> Sequence {
        self.state.lock().appended()
    }

    fn written(&self) -> Sequence {
        self.state.lock().appended()
    }

    fn durable(&self) -> Sequence {
        self.state.lock().durable
    }

    fn truncate_after(&self, sequence: Sequence, undo: &mut dyn FnMut(&WriteBatch)) -> Result<()> {
        let mut state = self.state.lock();
        while state.appended() > sequence {
            let last = state.entries.pop_back().unwrap();
            undo(&WriteBatch::from_bytes(&last)?);
        }
        state.durable = state.durable.min(sequence);
        Ok(())
    }

    fn release(&self, flushed: Sequence) {
        let mut state = self.state.lock();
        assert!(flushed <= state.durable, "the tree has what the log could lose");
        // It keeps ten for those who read it.
        while state.released + 10 < flushed {
            state.entries.pop_front();
            state.released += 1;
        }
    }

    fn read(&self, from: Sequence, show: &mut dyn FnMut(LogEntry<'_>) -> Result<bool>) -> Result<()> {
        let (entries, first) = {
            let state = self.state.lock();
            (state.entries.clone(), state.released + 1)
        };
        if from < first {
            return Err(Error::FeedLost { wanted: from, oldest: first });
        }
        for (sequence, bytes) in (first..).zip(&entries).skip_while(|(sequence, _)| *sequence < from) {
            let batch = WriteBatch::from_bytes(bytes)?;
            if !show(LogEntry { sequence, time_ms: 7, batch: &batch })? {
                break;
            }
        }
        Ok(())
    }

    fn attach(&self, advanced: Advanced) {
        self.state.lock().advanced = Some(advanced);
    }

    fn close(&self) -> Result<()> {
        Ok(())
    }
}

fn put(table: Table, key: &str, value: &str) -> WriteBatch {
    let mut batch = WriteBatch::new();
    batch.put(table, key.as_bytes(), value.as_bytes());
    batch.tally(table, 1);
    batch
}

fn get(store: &Store, table: Table, key: &str) -> Option<String> {
    store.get(table, key.as_bytes()).unwrap().map(|value| String::from_utf8(value).unwrap())
}

fn open(directory: &tempfile::TempDir, log: &Arc<Quorum>) -> Store {
    Store::open_with_log(Options::new(directory.path()), "test quorum", log.clone()).unwrap()
}

#[test]
fn nothing_counts_before_the_quorum_has_it() {
    let (directory, log) = (tempfile::tempdir().unwrap(), Arc::new(Quorum::default()));
    let store = open(&directory, &log);
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let telling = told.clone();
    store.on_durable(Box::new(move |sequence| telling.store(sequence, Ordering::SeqCst)));
    store.write(&put(table, "a", "1"), Durability::EverySec).unwrap();
    assert_eq!((get(&store, table, "a").as_deref(), store.durable()), (Some("1"), 0));
    let mut early = store.feed(1).unwrap();
    let mut safe = store.feed(1).unwrap().with_durability(Durability::Always);
    assert!(early.try_next().unwrap().is_some() && safe.try_next().unwrap().is_none());
    thread::scope(|scope| {
        let writer = scope.spawn(|| store.write(&put(table, "b", "2"), Durability::Always));
        let follower = scope.spawn(|| safe.next(Duration::from_secs(30)).unwrap().unwrap().sequence());
        log.wait_for_sync();
        assert!(!writer.is_finished());
        log.acknowledge(2);
        assert_eq!(follower.join().unwrap(), 1);
        assert!(!writer.is_finished());
        while store.committed() < 3 {
            thread::yield_now();
        }
        log.acknowledge(3);
        assert_eq!(writer.join().unwrap().unwrap().sequence, 3);
    });
    assert_eq!(told.load(Ordering::SeqCst), 3);
    store.flush().unwrap();
    assert_eq!(store.statistics().flushed, 3);
}

#[test]
fn a_lost_office_takes_back_what_the_quorum_did_not_get() {
    let (directory, log) = (tempfile::tempdir().unwrap(), Arc::new(Quorum::default()));
    let store = open(&directory, &log);
    let table = store.create_table("t", TableKind::Hashed).unwrap();
    store.commit(&put(table, "k", "kept")).unwrap();
    log.acknowledge(2);
    thread::scope(|scope| {
        let writer = scope.spawn(|| store.write(&put(table, "k", "lost"), Durability::Always));
        while store.committed() < 3 {
            thread::yield_now();
        }
        store.commit(&put(table, "other", "lost")).unwrap();
        // It is frozen, and waits for the quorum before it may go into the tree.
        let flush = scope.spawn(|| store.flush());
        while store.shared().layers.load().frozen.is_none() {
            thread::yield_now();
        }
        log.wait_for_sync();
        log.lose_office();
        store.rollback_after(log.durable()).unwrap();
        // Told by the log, or by the rollback, whichever came first.
        assert!(matches!(writer.join().unwrap(), Err(Error::RolledBack(_) | Error::Io(_))));
        flush.join().unwrap().unwrap();
    });
    assert_eq!(store.shared().flusher.asked(), 2, "no request beyond the end of the log is left");
    assert_eq!((store.committed(), store.poisoned(), store.tally(table)), (2, None, 1));
    assert_eq!((get(&store, table, "k").as_deref(), get(&store, table, "other")), (Some("kept"), None));
    assert!(matches!(store.wait_durable(3), Err(Error::RolledBack(_))));
    log.regain_office();
    assert_eq!(store.commit(&put(table, "k", "new")).unwrap().sequence, 3);
    log.acknowledge(3);
    store.wait_durable(3).unwrap();
    store.flush().unwrap();
    assert_eq!((store.statistics().flushed, get(&store, table, "k").as_deref()), (3, Some("new")));
}

#[test]
fn a_start_takes_the_log_and_keeps_its_unsafe_end_out_of_the_tree() {
    let (directory, log) = (tempfile::tempdir().unwrap(), Arc::new(Quorum::default()));
    let table = {
        let store = open(&directory, &log);
        let table = store.create_table("t", TableKind::Ordered).unwrap();
        for n in 2..=40 {
            store.commit(&put(table, "k", &n.to_string())).unwrap();
        }
        log.acknowledge(20);
        store.rollback_after(30).unwrap();
        log.acknowledge(25);
        table
    };
    let options = Options { memtable_bytes: 1 << 8, ..Options::new(directory.path()) };
    let store = Store::open_with_log(options, "test quorum", log.clone()).unwrap();
    assert_eq!((store.committed(), store.durable(), get(&store, table, "k").as_deref()), (30, 25, Some("30")));
    let flushed = store.statistics().flushed;
    assert!((1..=25).contains(&flushed), "{flushed}");
    store.rollback_after(25).unwrap();
    assert_eq!((get(&store, table, "k").as_deref(), store.tally(table)), (Some("25"), 24));
    drop(store);
    let refused = Store::open(Options::new(directory.path())).unwrap_err().to_string();
    assert!(refused.contains("test quorum"), "{refused}");
    let (other, own) = (tempfile::tempdir().unwrap(), Options::new(directory.path()));
    assert!(matches!(Store::open_with_log(own, "another", log.clone()), Err(Error::Open(_))));
    Store::open(Options::new(other.path())).unwrap().create_table("t", TableKind::Ordered).unwrap();
    assert!(matches!(Store::open_with_log(Options::new(other.path()), "x", log.clone()), Err(Error::Open(_))));
    let behind = Store::open_with_log(Options::new(directory.path()), "test quorum", Arc::new(Quorum::default()));
    assert!(matches!(behind, Err(Error::Corrupted(_))));
}
