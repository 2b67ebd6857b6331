//! Histories of concurrent clients of a server that is killed and started again, with watchers that come back: recorded,
//! then judged by `linearizability`.
//!
//! `ENNEAD_HISTORY_COUNT` sets how many, `ENNEAD_HISTORY_SECONDS` goes on for so long, `ENNEAD_HISTORY_SEED` replays the
//! choices of one (not its timing).

mod recorder;
mod translation;
mod watcher;

use std::time::{Duration, Instant};

use super::keeper::{Kind, etcd_program};
use crate::grpc::runtime;
use crate::linearizability::checker::Verdict;
use crate::linearizability::history::{check_registers, check_store};
use crate::linearizability::watch::faults;
use crate::random::{Random, setting};
use recorder::Recording;

/// Histories in `make test`.
const COUNT: u64 = 6;
/// Of the model, for one history: many times what a right server needs.
const STEPS_MAX: usize = 20_000_000;

#[test]
fn histories_with_kills_are_linearizable() {
    let kind = Kind::subject();
    if kind == Kind::Etcd && etcd_program("etcd").is_none() {
        return;
    }
    let replay = setting("ENNEAD_HISTORY_SEED");
    let first = replay.unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
    let count = if replay.is_some() { 1 } else { setting("ENNEAD_HISTORY_COUNT").unwrap_or(COUNT) };
    let time = setting("ENNEAD_HISTORY_SECONDS").map(Duration::from_secs);
    let begun = Instant::now();
    let (mut histories, mut operations, mut unknown, mut events) = (0, 0, 0, 0);
    for seed in first.. {
        if time.map_or(histories >= count, |time| begun.elapsed() >= time) {
            break;
        }
        let recording = runtime().block_on(recorder::record(kind, seed));
        if let Err(problem) = judge(&recording) {
            let folder = std::env::temp_dir().join(format!("ennead-history-{seed}.txt"));
            std::fs::write(&folder, format!("{problem}\n{:#?}\n{:#?}", recording.history, recording.watches)).unwrap();
            panic!("ENNEAD_HISTORY_SEED={seed}: {problem}\nthe history is in {}", folder.display());
        }
        histories += 1;
        operations += recording.history.len();
        unknown += recording.history.iter().filter(|operation| operation.answer.is_none()).count();
        events += recording.log.iter().count();
    }
    eprintln!(
        "{histories} histories from seed {first}: {operations} operations, {unknown} of them of unknown outcome, {events} events"
    );
    assert!(events > 0 && operations > unknown, "nothing was tested");
}

/// What is wrong with it.
fn judge(recording: &Recording) -> Result<(), String> {
    let Recording { history, log, watches, end } = recording;
    for (number, watch) in watches.iter().enumerate() {
        let faults = faults(watch, log, *end);
        if !faults.is_empty() {
            return Err(format!("watch {number} from {} to revision {end}: {faults:?}", watch.start));
        }
    }
    match check_store(history, Some(log), STEPS_MAX) {
        Verdict::Linearizable(_) => Ok(()),
        Verdict::Undecided => Err("not decided within the steps".into()),
        Verdict::Violation { explained, stuck } => {
            let alone = check_store(history, None, STEPS_MAX);
            let keys = check_registers(history, STEPS_MAX);
            let last: Vec<_> = explained.iter().rev().take(3).map(|at| &history[*at]).collect();
            let stuck: Vec<_> = stuck.iter().map(|at| &history[*at]).collect();
            let what = match (alone.is_violation(), keys.is_some_and(|keys| keys.is_violation())) {
                (false, _) => "the answers do not fit what watchers were told",
                (true, false) => "the answers do not fit each other, though values alone do or cannot be told apart",
                (true, true) => "the answers do not fit each other, not even the values of keys",
            };
            Err(format!("{what}\nexplained {}, last: {last:#?}\nnot explained, one of: {stuck:#?}", explained.len()))
        }
    }
}
