//! A failing disk: every call of a fixed run fails once, in each way.
//!
//! After the failure the store refuses writes and still reads; after a restart everything acknowledged is there.

use super::world::{self, History, Model};
use crate::disk::simulated::{Ending, Fault, Random, SimulatedDisk};
use crate::{Error, Result, Sequence, Store};

#[test]
fn a_failed_call_poisons_and_loses_nothing_acknowledged() {
    let calls = {
        let disk = SimulatedDisk::default();
        let (_, outcome) = attempt(&disk);
        outcome.unwrap();
        disk.calls()
    };
    assert!(calls > 60, "{calls}");
    for fault in [Fault::Io, Fault::NoSpace] {
        for at in 1..=calls {
            let disk = SimulatedDisk::default();
            disk.fail_after(at, fault);
            let (acknowledged, outcome) = attempt(&disk);
            if let Err(error) = outcome {
                let expected = matches!(error, Error::Poisoned(_) | Error::Open(_) | Error::Io(_));
                assert!(expected, "call {at}, {fault:?}: {error:?}");
            }
            disk.heal();
            disk.restart(Ending::PowerCut(at));
            let store = world::open(&disk, &world::options(&mut Random::new(7))).unwrap();
            assert!(store.committed() >= acknowledged, "call {at}, {fault:?}");
            let history = history();
            let seen = Model::of(&store, &store.snapshot(), [crate::Table(1), crate::Table(2), crate::Table(3)]);
            assert_eq!(&seen, history.at(store.committed()), "call {at}, {fault:?}");
        }
    }
}

fn batches() -> Vec<crate::WriteBatch> {
    let random = &mut Random::new(11);
    (0..60).map(|_| world::batch(random, [crate::Table(1), crate::Table(2), crate::Table(3)])).collect()
}

fn history() -> History {
    let mut history = History::new();
    history.push_same(3);
    for batch in batches() {
        history.push(&batch);
    }
    history
}

/// The fixed run. Answers what was acknowledged as durable, and how it ended.
fn attempt(disk: &SimulatedDisk) -> (Sequence, Result<()>) {
    let mut acknowledged = 0;
    let outcome = world::open(disk, &world::options(&mut Random::new(7))).and_then(|store| {
        let outcome = steps(&store, &mut acknowledged);
        if let Err(error) = &outcome {
            check_poisoned(&store, error);
        }
        outcome.and_then(|()| store.close())
    });
    (acknowledged, outcome)
}

fn steps(store: &Store, acknowledged: &mut Sequence) -> Result<()> {
    world::tables(store)?;
    for (index, batch) in batches().iter().enumerate() {
        let commit = store.commit(batch)?;
        match index % 6 {
            1 => store.hand_over(commit.sequence)?,
            3 | 5 => {
                store.wait_durable(commit.sequence)?;
                *acknowledged = commit.sequence;
            }
            _ => {}
        }
        if index % 20 == 19 {
            store.flush()?;
        }
    }
    Ok(())
}

fn check_poisoned(store: &Store, error: &Error) {
    if !matches!(error, Error::Poisoned(_)) {
        return;
    }
    assert!(store.poisoned().is_some());
    let (before, durable) = (store.committed(), store.durable());
    let mut batch = crate::WriteBatch::new();
    batch.put(crate::Table(1), b"refused", b"");
    assert!(matches!(store.commit(&batch), Err(Error::Poisoned(_) | Error::Invalid(_))));
    assert!(store.wait_durable(before.max(durable + 1)).is_err());
    assert_eq!((store.committed(), store.durable()), (before, durable));
    assert_eq!(store.get(crate::Table(1), b"refused").unwrap(), None);
}

/// What a failed sync left in the kernel's memory is there after a restart of the process; from then on it is durable like
/// what comes after it.
#[test]
fn what_a_failed_sync_has_left_is_durable_after_a_start() {
    let mut unsynced = 0;
    for seed in 0..80 {
        let disk = SimulatedDisk::default();
        let options = world::options(&mut Random::new(7));
        let write = |store: &Store, of: std::ops::Range<usize>| {
            let sequences: Vec<_> = batches()[of].iter().map(|batch| store.commit(batch).unwrap().sequence).collect();
            let last = sequences[sequences.len() - 1];
            (last, store.wait_durable(last))
        };
        let store = world::open(&disk, &options).unwrap();
        world::tables(&store).unwrap();
        write(&store, 0..5).1.unwrap();
        // One of the calls that write and sync them.
        disk.fail_after(1 + seed / 2 % 8, [Fault::Io, Fault::NoSpace][seed as usize % 2]);
        let (_, refused) = write(&store, 5..10);
        disk.heal();
        unsynced += usize::from(refused.is_err());
        drop(store);
        disk.restart(Ending::Killed);
        let store = world::open(&disk, &options).unwrap();
        let from = store.committed() as usize - 3;
        let (last, written) = write(&store, from..from + 5);
        written.unwrap();
        drop(store);
        disk.restart(Ending::PowerCut(seed));
        let store = world::open(&disk, &options).unwrap();
        assert_eq!(store.committed(), last, "seed {seed}");
        let seen = Model::of(&store, &store.snapshot(), [crate::Table(1), crate::Table(2), crate::Table(3)]);
        assert_eq!(&seen, history().at(last), "seed {seed}");
    }
    assert!(unsynced >= 10, "{unsynced}");
}
