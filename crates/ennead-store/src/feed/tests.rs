use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use super::*;
use crate::disk::simulated::{Ending, Fault, Random, SimulatedDisk};
use crate::{Options, TableKind, WriteBatch};

const PATIENCE: Duration = Duration::from_secs(20);

fn options(directory: &tempfile::TempDir) -> Options {
    Options { segment_bytes: 64 << 10, ..Options::new(directory.path()) }
}

fn put(store: &Store, table: Table, number: u64) -> Sequence {
    let mut batch = WriteBatch::new();
    batch.put(table, &number.to_be_bytes(), &[number as u8; 100]);
    batch.set_event(&number.to_le_bytes());
    store.write(&batch, Durability::EverySec).unwrap().sequence
}

/// Reads until the feed has nothing more at once, and checks that no sequence is missing.
fn drain(feed: &mut Feed) -> Vec<FeedBatch> {
    let mut batches = Vec::new();
    while let Some(batch) = feed.try_next().unwrap() {
        assert_eq!(batch.sequence() + 1, feed.position());
        batches.push(batch);
    }
    assert!(batches.windows(2).all(|pair| pair[0].sequence() + 1 == pair[1].sequence()));
    batches
}

#[test]
fn everything_is_read_again_over_segments_flushes_and_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    for number in 0..2000 {
        put(&store, table, number);
        if number == 1000 {
            store.flush().unwrap();
        }
    }
    store.close().unwrap();
    drop(store);
    let store = Store::open(options(&directory)).unwrap();
    let batches = drain(&mut store.feed(1).unwrap());
    assert_eq!(batches.len(), 2001);
    let created: Vec<_> = batches[0].table_changes().collect();
    assert_eq!(created, [TableChange::Created { table, name: "t".into() }]);
    for (number, batch) in batches[1..].iter().enumerate() {
        let number = number as u64;
        assert_eq!(batch.event(), number.to_le_bytes());
        let put = Operation::Put { table, key: &number.to_be_bytes(), value: &[number as u8; 100] };
        assert_eq!(batch.operations().collect::<Vec<_>>(), [put]);
        assert!(batch.time_ms() > 1_500_000_000_000);
    }
    assert_eq!(drain(&mut store.feed(1500).unwrap())[0].sequence(), 1500);
    assert!(matches!(store.feed(2003), Err(Error::Invalid(_))));
}

#[test]
fn a_live_feed_gets_every_batch_of_many_writers_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let mut feeds = [store.feed(1).unwrap(), store.feed(2).unwrap().with_durability(Durability::Always)];
    thread::scope(|scope| {
        for writer in 0..3_u64 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..500 {
                    put(store, table, writer * 1000 + number);
                }
            });
        }
        for feed in &mut feeds {
            scope.spawn(|| {
                let mut last_of_writer = [None; 3];
                while feed.position() <= 1501 {
                    let at = feed.position();
                    let batch = feed.next(PATIENCE).unwrap().expect("all of them come in time");
                    assert_eq!(batch.sequence(), at);
                    if at == 1 {
                        continue;
                    }
                    let number = u64::from_le_bytes(batch.event().try_into().unwrap());
                    let (writer, number) = ((number / 1000) as usize, number % 1000);
                    assert!(last_of_writer[writer] < Some(number));
                    last_of_writer[writer] = Some(number);
                }
            });
        }
    });
    assert_eq!(feeds[0].next(Duration::ZERO).unwrap(), None);
}

#[test]
fn a_reader_behind_retention_is_told_where_the_log_begins() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options { log_retention_bytes: 0, ..options(&directory) }).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let mut slow = store.feed(1).unwrap();
    assert_eq!(slow.try_next().unwrap().unwrap().sequence(), 1);
    for number in 0..3000 {
        put(&store, table, number);
    }
    store.flush().unwrap();
    let begun = Instant::now();
    let oldest = loop {
        match store.feed(1) {
            Err(Error::FeedLost { wanted: 1, oldest }) => break oldest,
            // It is cut just behind the flush.
            _ => assert!(begun.elapsed() < Duration::from_secs(30), "the log was not cut"),
        }
        thread::yield_now();
    };
    assert!(oldest > 2);
    // What its buffer and its file still hold may come; then the loss is told, never a gap.
    let lost = loop {
        let at = slow.position();
        match slow.try_next() {
            Ok(Some(batch)) => assert_eq!(batch.sequence(), at),
            Ok(None) => panic!("the feed believes to be at the end"),
            Err(error) => break error,
        }
        // The shelf takes the file for another segment.
        put(&store, table, at);
        put(&store, table, at + 1);
        if at.is_multiple_of(100) {
            store.flush().unwrap();
        }
    };
    assert!(matches!(lost, Error::FeedLost { .. }), "{lost}");
    let batches = drain(&mut store.feed(oldest_now(&store)).unwrap());
    assert_eq!(batches.last().unwrap().sequence(), store.committed());
}

fn oldest_now(store: &Store) -> Sequence {
    match store.feed(1) {
        Err(Error::FeedLost { oldest, .. }) => oldest,
        _ => 1,
    }
}

#[test]
fn a_waker_is_called_and_the_batch_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let mut feed = store.feed(store.committed() + 1).unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let counter = calls.clone();
    feed.set_waker(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(feed.try_next().unwrap(), None);
    put(&store, table, 7);
    assert!(calls.load(Ordering::SeqCst) > 0);
    assert!(feed.try_next().unwrap().is_some());
    let before = calls.load(Ordering::SeqCst);
    drop(feed);
    put(&store, table, 8);
    assert_eq!(calls.load(Ordering::SeqCst), before);
}

#[test]
fn what_is_only_in_memory_is_handed_over_for_the_feed() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let mut feed = store.feed(store.committed() + 1).unwrap();
    let mut batch = WriteBatch::new();
    batch.delete(table, b"k");
    let commit = store.commit(&batch).unwrap();
    assert_eq!(feed.try_next().unwrap().unwrap().sequence(), commit.sequence);
    assert!(store.written() >= commit.sequence);
}

#[test]
fn a_durable_feed_waits_for_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(options(&directory)).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    let mut feed = store.feed(store.committed() + 1).unwrap().with_durability(Durability::Always);
    let sequence = put(&store, table, 1);
    let batch = feed.next(PATIENCE).unwrap().expect("the log is synced within a second");
    assert_eq!(batch.sequence(), sequence);
    assert!(store.durable() >= sequence);
}

#[derive(Debug)]
struct NoClock;

impl crate::Clock for NoClock {
    fn now_ms(&self) -> u64 {
        1_700_000_000_000
    }
}

/// What a durable feed has handed out is there after a power cut, and the feed goes on behind it with the same batches
/// that the writers had committed.
#[test]
fn a_feed_goes_on_after_a_power_cut_where_it_was() {
    for seed in 0..150 {
        let random = &mut Random::new(seed);
        let disk = SimulatedDisk::default();
        let options =
            Options { segment_bytes: 2048, memtable_bytes: 16 << 10, cache_bytes: 1 << 20, ..Options::new("/data") };
        let open = || Store::open_with(Arc::new(disk.clone()), Arc::new(NoClock), options.clone(), false);
        // The events of the batches that were committed, by sequence.
        let mut committed: Vec<Vec<u8>> = Vec::new();
        let mut position = 1;
        for _ in 0..4 {
            disk.fail_after(20 + random.below(150), Fault::PowerCut);
            // What fails is judged by what is there afterwards.
            drop(open().and_then(|store| {
                committed.truncate(store.committed() as usize);
                let table = store.create_table("t", TableKind::Ordered)?;
                committed.resize(store.committed() as usize, Vec::new());
                let mut feed = store.feed(position)?.with_durability(Durability::Always);
                for _ in 0..random.below(60) {
                    let mut batch = WriteBatch::new();
                    let event = random.next().to_le_bytes();
                    batch.put(table, &event, &event);
                    batch.set_event(&event);
                    let sequence = store.commit(&batch)?.sequence;
                    committed.push(event.to_vec());
                    match random.below(5) {
                        0 => store.wait_durable(sequence)?,
                        1 => store.flush()?,
                        2 => store.hand_over(sequence)?,
                        _ => {}
                    }
                    while let Some(batch) = feed.try_next()? {
                        assert!(batch.sequence() <= store.durable());
                        assert_eq!(batch.event(), committed[batch.sequence() as usize - 1], "seed {seed}");
                        position = feed.position();
                    }
                }
                Ok(())
            }));
            disk.restart(Ending::PowerCut(random.next()));
        }
        let store = open().unwrap();
        assert!(store.committed() + 1 >= position, "seed {seed}: the feed was ahead of the disk");
        let mut feed = store.feed(position).unwrap();
        while let Some(batch) = feed.try_next().unwrap() {
            assert_eq!(batch.event(), committed[batch.sequence() as usize - 1], "seed {seed}");
        }
        assert_eq!(feed.position(), store.committed() + 1, "seed {seed}");
    }
}

#[test]
fn a_feed_goes_on_over_a_rollback_or_ends_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Options { rollback: true, ..options(&directory) }).unwrap();
    let table = store.create_table("t", TableKind::Ordered).unwrap();
    for number in 2..=10 {
        assert_eq!(put(&store, table, number), number);
    }
    let (mut behind, mut ahead) = (store.feed(1).unwrap(), store.feed(1).unwrap());
    for sequence in 1..=5 {
        assert_eq!(behind.try_next().unwrap().unwrap().sequence(), sequence);
    }
    assert_eq!(drain(&mut ahead).len(), 10);
    let calls = Arc::new(AtomicU64::new(0));
    let counter = calls.clone();
    ahead.set_waker(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    store.rollback_after(7).unwrap();
    assert!(calls.load(Ordering::SeqCst) > 0, "who waits for more is told");
    for sequence in 8..=12 {
        assert_eq!(put(&store, table, sequence + 100), sequence);
    }
    // What its buffer still has of the batches that are gone is not handed out.
    let events: Vec<_> = drain(&mut behind).iter().map(|batch| batch.event().to_vec()).collect();
    let expected: Vec<_> = [6, 7, 108, 109, 110, 111, 112_u64].map(|number| number.to_le_bytes().to_vec()).into();
    assert_eq!(events, expected);
    for _ in 0..2 {
        assert!(matches!(ahead.try_next(), Err(Error::RolledBack(_))));
    }
}
