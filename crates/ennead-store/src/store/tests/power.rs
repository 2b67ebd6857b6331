//! Power cuts and kills at random calls to the disk.
//!
//! Oracle: after the restart the store holds exactly the state of one sequence (so no batch is half there and order is
//! kept), and that sequence is not below what was acknowledged: by an fsync for a power cut, by a hand-over for a kill.

use super::world::{self, History, Model};
use crate::disk::simulated::{Ending, Fault, Random, SimulatedDisk};
use crate::{Options, Result, Sequence, Store};

#[derive(Debug, Default, Clone, Copy)]
struct Acknowledged {
    durable: Sequence,
    written: Sequence,
}

#[test]
fn nothing_acknowledged_is_lost() {
    world::for_seeds(1000, run);
}

fn run(seed: u64) {
    let random = &mut Random::new(seed);
    let disk = SimulatedDisk::default();
    let options = world::options(random);
    let mut history = History::new();
    let mut acknowledged = Acknowledged::default();
    for _ in 0..1 + random.below(4) {
        disk.fail_after(1 + random.below(250), Fault::PowerCut);
        if let Ok(store) = world::open(&disk, &options) {
            check(&store, &mut history, acknowledged.durable);
            // The end is not judged here: what was acknowledged before it counts.
            drop(work(random, &store, &mut history, &mut acknowledged));
        }
        let killed = random.once_in(4);
        let ending = if killed { Ending::Killed } else { Ending::PowerCut(random.next()) };
        disk.restart(ending);
        let store = world::open(&disk, &options).unwrap();
        let least = if killed { acknowledged.written } else { acknowledged.durable };
        let now = check(&store, &mut history, least);
        acknowledged = Acknowledged { durable: now, written: now };
    }
}

/// Random work until the disk is gone.
fn work(random: &mut Random, store: &Store, history: &mut History, acknowledged: &mut Acknowledged) -> Result<()> {
    let tables = world::tables(store)?;
    history.push_same(store.committed());
    for _ in 0..random.below(120) {
        let last = history.last();
        match random.below(16) {
            0..=9 => {
                let batch = world::batch(random, tables);
                store.commit(&batch)?;
                history.push(&batch);
            }
            10..=12 => {
                store.hand_over(last)?;
                acknowledged.written = last;
            }
            13 | 14 => {
                store.wait_durable(last)?;
                *acknowledged = Acknowledged { durable: last, written: last };
            }
            _ => store.flush()?,
        }
        // Whatever the store claims counts as much as what it was asked for.
        acknowledged.durable = acknowledged.durable.max(store.durable());
        acknowledged.written = acknowledged.written.max(store.written());
    }
    if random.once_in(3) { store.close() } else { Ok(()) }
}

fn check(store: &Store, history: &mut History, least: Sequence) -> Sequence {
    let now = store.committed();
    assert!(now >= least, "sequence {least} was acknowledged, the store is at {now}");
    // Tables may have been made by a batch whose end nobody saw.
    history.push_same(now.min(3));
    assert!(now <= history.last(), "the store is at {now}, only {} were committed", history.last());
    let tables = [crate::Table(1), crate::Table(2), crate::Table(3)];
    let seen = Model::of(store, &store.snapshot(), tables);
    assert_eq!(&seen, history.at(now), "the state at sequence {now}");
    history.truncate(now);
    now
}

#[test]
fn a_record_damaged_after_it_was_durable_stops_the_start_with_its_place() {
    let disk = SimulatedDisk::default();
    let options = Options { segment_bytes: 1 << 16, ..world::options(&mut Random::new(1)) };
    let store = world::open(&disk, &options).unwrap();
    let tables = world::tables(&store).unwrap();
    let mut batch = crate::WriteBatch::new();
    for value in [b"first ", b"second", b"third "] {
        batch.clear();
        batch.put(tables[0], b"key", value);
        let commit = store.commit(&batch).unwrap();
        store.wait_durable(commit.sequence).unwrap();
    }
    drop(store);
    let path = std::path::Path::new("/data/log/00000000000000000001.seg");
    let at = disk.with_file(path, |bytes| {
        let at = bytes.windows(6).position(|window| window == b"second").unwrap();
        bytes[at] ^= 1;
        at
    });
    let refused = world::open(&disk, &options).unwrap_err();
    assert_eq!(refused.code(), crate::ErrorCode::Corrupted);
    let text = refused.to_string();
    assert!(text.contains("record 5 at byte") && text.contains("00000000000000000001.seg"), "{text}");
    // The last one of a log may be a torn write: it is cut, and said.
    disk.with_file(path, |bytes| {
        bytes[at] ^= 1;
        let at = bytes.windows(6).position(|window| window == b"third ").unwrap();
        bytes[at] ^= 1;
    });
    let store = world::open(&disk, &options).unwrap();
    assert_eq!(store.committed(), 5);
    assert!(store.recovery().bytes_cut > 0 && store.recovery().cut_at.is_some());
    assert_eq!(store.get(tables[0], b"key").unwrap().as_deref(), Some(&b"second"[..]));
}
