//! What concurrent clients asked and were told, and when: the material of the checker.

use std::collections::BTreeMap;

use super::checker::{self, Verdict};
use super::model::{Answer, Key, Registers, Request, Store};
use super::watch::Log;

/// The return of an operation whose client never learnt what became of it: it may have happened at any time, or not at all.
pub(crate) const NEVER: u64 = u64::MAX;

/// One request of one client, which waits for the answer before it asks again. Times are of one clock, any unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation<R = Request, A = Answer> {
    pub(crate) client: usize,
    pub(crate) request: R,
    /// None when the outcome is unknown.
    pub(crate) answer: Option<A>,
    pub(crate) called: u64,
    pub(crate) returned: u64,
}

/// Judges the history of a store with revisions; with a log, watchers must have been told the same.
pub(crate) fn check_store(history: &[Operation], log: Option<&Log>, steps_max: usize) -> Verdict {
    let taken = history.iter().filter_map(|operation| operation.answer.as_ref()?.written()).collect();
    checker::check(&Store { log, taken }, history, steps_max)
}

/// Judges a history by values and versions alone, part by part; None when it compares revisions.
pub(crate) fn check_registers(history: &[Operation], steps_max: usize) -> Option<Verdict> {
    if !history.iter().all(|operation| Registers::knows(&operation.request)) {
        return None;
    }
    let mut worst = Verdict::Linearizable(Vec::new());
    for part in parts(history) {
        match checker::check(&Registers, &part, steps_max) {
            Verdict::Linearizable(_) => {}
            Verdict::Undecided => worst = Verdict::Undecided,
            violation @ Verdict::Violation { .. } => return Some(violation),
        }
    }
    Some(worst)
}

/// Operations that share no key, not even through others, cannot explain each other's answers. So each part is judged
/// alone, which is sound and takes a fraction of the time (locality, Herlihy and Wing).
pub(crate) fn parts(history: &[Operation]) -> Vec<Vec<Operation>> {
    let mut numbers: BTreeMap<&Key, usize> = BTreeMap::new();
    for key in history.iter().filter_map(|operation| operation.request.keys()).flatten() {
        let next = numbers.len();
        numbers.entry(key).or_insert(next);
    }
    let mut joined: Vec<usize> = (0..numbers.len()).collect();
    for operation in history {
        let Some(keys) = operation.request.keys() else {
            return vec![history.iter().cloned().map(blinded).collect()];
        };
        for pair in keys.windows(2) {
            let (first, second) = (find(&joined, numbers[pair[0]]), find(&joined, numbers[pair[1]]));
            joined[first] = second;
        }
    }
    let mut parts: BTreeMap<usize, Vec<Operation>> = BTreeMap::new();
    for operation in history {
        let part = operation.request.keys().and_then(|keys| keys.first().map(|key| find(&joined, numbers[*key])));
        if let Some(part) = part {
            parts.entry(part).or_default().push(blinded(operation.clone()));
        }
    }
    parts.into_values().collect()
}

fn find(joined: &[usize], mut at: usize) -> usize {
    while joined[at] != at {
        at = joined[at];
    }
    at
}

fn blinded(mut operation: Operation) -> Operation {
    operation.answer = operation.answer.map(Registers::blind);
    operation
}
