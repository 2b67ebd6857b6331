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
