//! The judge judged: against trying all orders, against histories known to be right or wrong, against servers with bugs.

#![cfg(test)]

use super::checker::Verdict;
use super::history::{NEVER, Operation, check_registers, check_store, parts};
use super::model::{Action, Answer, Compare, Entry, Key, Outcome, Registers, Relation, Request, State, Target, Value};
use super::simulation::{BUGS, Size, falsify, key, simulate};
use super::watch::{Fault, Log, Message, Watch, faults, joined};
use crate::random::{Random, setting};

const STEPS: usize = 2_000_000;
/// Few enough operations to try all orders of them.
const SMALL: Size = Size { clients: 3, operations: 6, keys: 2, lost: 8 };
const LARGE: Size = Size { clients: 8, operations: 400, keys: 4, lost: 60 };

fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let replay = setting("ENNEAD_HISTORY_SEED");
    let first = replay.unwrap_or_else(|| Random::new(u64::from(std::process::id())).next() >> 32);
    let count = if replay.is_some() { 1 } else { setting("ENNEAD_SEEDS").unwrap_or(count) };
    first..first + count
}

fn value(text: &str) -> Value {
    Value::from(text.as_bytes())
}

fn put(key: Key, text: &str) -> Request {
    Request::of(Action::Put(key, value(text)))
}

fn get(key: Key) -> Request {
    Request::of(Action::Get(key))
}

fn swap(key: Key, from: &str, to: &str) -> Request {
    let compare = Compare { key: key.clone(), relation: Relation::Equal, target: Target::Value(value(from)) };
    Request { compares: vec![compare], ..put(key, to) }
}

fn operation(client: usize, request: Request, answer: Option<Answer>, called: u64, returned: u64) -> Operation {
    Operation { client, request, answer, called, returned }
}

/// What a store answers that has done these before.
fn after(before: &[Request], request: &Request) -> Option<Answer> {
    let mut state = State::empty();
    for request in before {
        state.apply(request, &mut Vec::new());
    }
    Some(state.apply(request, &mut Vec::new()))
}

/// The definition: some order of all answered operations and of some others, by brute force.
fn explained_by_some_order(history: &[Operation], placed: &mut Vec<usize>, state: &State) -> bool {
    let open = |at: &usize| !placed.contains(at);
    let rest: Vec<usize> = (0..history.len()).filter(open).collect();
    if rest.iter().all(|at| history[*at].answer.is_none()) {
        return true;
    }
    rest.iter().any(|at| {
        let early = rest.iter().all(|other| history[*other].returned >= history[*at].called);
        let mut next = state.clone();
        let answer = next.apply(&history[*at].request, &mut Vec::new());
        if !early || history[*at].answer.as_ref().is_some_and(|known| *known != answer) {
            return false;
        }
        placed.push(*at);
        let explained = explained_by_some_order(history, placed, &next);
        placed.pop();
        explained
    })
}

#[test]
fn agrees_with_trying_all_orders() {
    let (mut right, mut wrong) = (0, 0);
    for seed in seeds(3_000) {
        let mut random = Random::new(seed);
        let bug = if random.one_in(2) { Some(*random.pick(&BUGS)) } else { None };
        let mut history = simulate(&mut random, SMALL, bug).history;
        if random.one_in(3) {
            falsify(&mut random, &mut history);
        }
        let truth = explained_by_some_order(&history, &mut Vec::new(), &State::empty());
        let verdict = check_store(&history, None, STEPS);
        assert_eq!(
            matches!(verdict, Verdict::Linearizable(_)),
            truth,
            "ENNEAD_HISTORY_SEED={seed} {verdict:?}\n{history:#?}"
        );
        if truth { right += 1 } else { wrong += 1 }
    }
    assert!(setting("ENNEAD_HISTORY_SEED").is_some() || right > 500 && wrong > 500, "{right} right, {wrong} wrong");
}

#[test]
fn accepts_what_a_right_server_answers() {
    let mut undecided = 0;
    for seed in seeds(60) {
        let simulated = simulate(&mut Random::new(seed), LARGE, None);
        for log in [None, Some(&simulated.log)] {
            let verdict = check_store(&simulated.history, log, STEPS);
            match verdict {
                Verdict::Linearizable(order) => check_order(&simulated.history, &order),
                // One history in three thousand has too many orders to try them all.
                Verdict::Undecided if log.is_none() => undecided += 1,
                verdict => panic!("ENNEAD_HISTORY_SEED={seed}: {verdict:?}"),
            }
        }
        let verdict = check_registers(&blindable(&simulated.history), STEPS);
        assert!(matches!(verdict, Some(Verdict::Linearizable(_))), "ENNEAD_HISTORY_SEED={seed}: {verdict:?}");
    }
    assert!(undecided <= 1 + seeds(60).count() / 1000, "{undecided} histories were not decided");
}

/// Without requests that compare revisions. What they wrote is missing then, so what depends on it goes as well: all.
fn blindable(history: &[Operation]) -> Vec<Operation> {
    if history.iter().all(|operation| Registers::knows(&operation.request)) { history.to_vec() } else { Vec::new() }
}

/// The order that was found is one: answers, real time, each at most once.
fn check_order(history: &[Operation], order: &[usize]) {
    let mut state = State::empty();
    let mut returned = vec![NEVER; order.len() + 1];
    for (place, at) in order.iter().enumerate().rev() {
        returned[place] = returned[place + 1].min(history[*at].returned);
    }
    for (place, at) in order.iter().enumerate() {
        let answer = state.apply(&history[*at].request, &mut Vec::new());
        assert!(history[*at].answer.as_ref().is_none_or(|known| *known == answer));
        assert!(history[*at].called <= returned[place + 1], "an operation was put after one that was called later");
        assert!(!order[..place].contains(at));
    }
    assert!((0..history.len()).all(|at| history[at].answer.is_none() || order.contains(&at)));
}

#[test]
fn finds_every_bug_of_a_server() {
    for bug in BUGS {
        let mut found = 0;
        for seed in 0..20 {
            let simulated = simulate(&mut Random::new(seed), LARGE, Some(bug));
            if check_store(&simulated.history, None, STEPS).is_violation() {
                found += 1;
            }
        }
        assert!(found >= 18, "{bug:?} was found in {found} of 20 histories");
    }
}

#[test]
fn finds_every_false_answer() {
    let mut missed = 0;
    for seed in seeds(100) {
        let mut random = Random::new(seed);
        let mut history = simulate(&mut random, LARGE, None).history;
        if falsify(&mut random, &mut history) && !check_store(&history, None, STEPS).is_violation() {
            missed += 1;
        }
    }
    // A read beside writes may be a revision older or newer, so some happen to be true.
    assert!(missed < 20 || setting("ENNEAD_SEEDS").is_some(), "{missed} of 100 false answers were believed");
}

#[test]
fn a_write_of_unknown_outcome_may_happen_late_or_never() {
    let (a, write) = (key(0), put(key(0), "x"));
    let lost = operation(0, write.clone(), None, 1, NEVER);
    let empty = operation(1, get(a.clone()), after(&[], &get(a.clone())), 2, 3);
    let there = operation(1, get(a.clone()), after(&[write], &get(a.clone())), 4, 5);
    let gone = operation(1, get(a.clone()), after(&[], &get(a)), 6, 7);
    let judge = |history: &[Operation]| check_store(history, None, STEPS);
    assert_eq!(judge(&[lost.clone(), empty.clone()]), Verdict::Linearizable(vec![1]));
    assert_eq!(judge(&[lost.clone(), empty.clone(), there.clone()]), Verdict::Linearizable(vec![1, 0, 2]));
    let verdict = judge(&[lost, empty, there, gone]);
    assert_eq!(verdict, Verdict::Violation { explained: vec![1, 0, 2], stuck: vec![3] });
}

#[test]
fn a_lock_has_one_owner() {
    let (a, first, second) = (key(0), swap(key(0), "free", "one"), swap(key(0), "free", "two"));
    let free = put(a, "free");
    let begin = operation(0, free.clone(), after(&[], &free), 1, 2);
    let won = |client, request: &Request| {
        operation(client, request.clone(), after(std::slice::from_ref(&free), request), 3, 9)
    };
    assert!(check_store(&[begin.clone(), won(1, &first), won(2, &second)], None, STEPS).is_violation());
    let registers = check_registers(&[begin.clone(), won(1, &first), won(2, &second)], STEPS);
    assert!(registers.is_some_and(|verdict| verdict.is_violation()));
    let lost = operation(2, second.clone(), after(&[free.clone(), first.clone()], &second), 3, 9);
    assert_eq!(check_store(&[begin, won(1, &first), lost], None, STEPS), Verdict::Linearizable(vec![0, 1, 2]));
}

#[test]
fn parts_share_no_key() {
    let touch = |keys: &[usize]| {
        let success = keys.iter().map(|number| Action::Get(key(*number))).collect();
        operation(0, Request { success, ..Request::default() }, None, 1, NEVER)
    };
    let history = [touch(&[0, 1]), touch(&[2]), touch(&[3, 4]), touch(&[1, 3]), touch(&[5]), touch(&[2])];
    let mut sizes: Vec<usize> = parts(&history).iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 2, 3]);
    let list = operation(0, Request::of(Action::List), None, 1, NEVER);
    assert_eq!(parts(&[touch(&[0]), touch(&[1]), list]).len(), 1);
}

#[test]
fn registers_agree_with_judging_all_keys_together() {
    let mut wrong = 0;
    for seed in seeds(300) {
        let mut random = Random::new(seed);
        let bug = if random.one_in(2) { Some(*random.pick(&BUGS)) } else { None };
        let history = simulate(&mut random, Size { clients: 3, operations: 12, keys: 3, lost: 12 }, bug).history;
        let history: Vec<Operation> = history
            .into_iter()
            .filter(|operation| operation.request.keys().is_some_and(|keys| keys.len() < 3))
            .collect();
        let Some(verdict) = check_registers(&history, STEPS) else { continue };
        let whole: Vec<Operation> = history
            .iter()
            .map(|operation| Operation { answer: operation.answer.clone().map(Registers::blind), ..operation.clone() })
            .collect();
        let together = super::checker::check(&Registers, &whole, STEPS);
        assert_eq!(verdict.is_violation(), together.is_violation(), "ENNEAD_HISTORY_SEED={seed}\n{history:#?}");
        wrong += usize::from(verdict.is_violation());
    }
    assert!(wrong > 10 || setting("ENNEAD_HISTORY_SEED").is_some());
}

#[test]
fn gives_up_within_its_steps() {
    let history = simulate(&mut Random::new(7), LARGE, None).history;
    assert_eq!(check_store(&history, None, 50), Verdict::Undecided);
}

#[test]
fn the_log_of_watchers_must_fit() {
    for seed in seeds(40) {
        let simulated = simulate(&mut Random::new(seed), LARGE, None);
        let mut events: Vec<_> = simulated.log.iter().cloned().collect();
        let at = Random::new(seed).below(events.len());
        let Some(entry) = events[at].entry.as_mut() else { continue };
        entry.value = value("never written");
        let log = Log::new(events, 0);
        assert!(check_store(&simulated.history, Some(&log), STEPS).is_violation(), "ENNEAD_HISTORY_SEED={seed}");
    }
}

#[test]
fn compares_treat_a_missing_key_as_etcd_does() {
    let compare = |relation, target| Compare { key: key(0), relation, target };
    let none = State::empty();
    assert!(compare(Relation::Equal, Target::Version(0)).holds(&none.keys));
    assert!(compare(Relation::Less, Target::Modified(1)).holds(&none.keys));
    assert!(!compare(Relation::Greater, Target::Created(0)).holds(&none.keys));
    assert!(!compare(Relation::Equal, Target::Value(value(""))).holds(&none.keys));
    assert!(!compare(Relation::NotEqual, Target::Value(value("x"))).holds(&none.keys));
}

/// A watch of everything, told as a right server tells it.
fn watch_of(log: &Log) -> Watch {
    let mut messages: Vec<Message> = Vec::new();
    for event in log.iter() {
        match messages.last_mut() {
            Some(Message::Events { events, .. }) if events[0].revision == event.revision => events.push(event.clone()),
            _ => messages.push(Message::Events { events: vec![event.clone()], fragment: false }),
        }
    }
    let (from, to) = (Key::from([]), Key::from([255]));
    Watch { from, to, start: 0, puts: true, deletes: true, before: true, messages }
}

fn long_log(seed: u64) -> Log {
    simulate(&mut Random::new(seed), Size { keys: 3, ..LARGE }, None).log
}

#[test]
fn a_right_watch_has_no_faults() {
    for seed in seeds(30) {
        let log = long_log(seed);
        let mut watch = watch_of(&log);
        let end = log.iter().last().map_or(0, |event| event.revision);
        watch.messages.push(Message::Progress(end));
        assert!(faults(&watch, &log, end).is_empty());
        // Narrower watches of the same.
        let mut narrow = Watch { from: key(1), to: key(2), start: 5, deletes: false, ..watch.clone() };
        for message in &mut narrow.messages {
            if let Message::Events { events, .. } = message {
                events.retain(|event| event.key == key(1) && event.revision >= 5 && event.entry.is_some());
            }
        }
        assert!(faults(&narrow, &log, end).is_empty());
        // In fragments, and cut off and taken up again.
        let mut parts = Vec::new();
        let mut rest = watch.clone();
        let after = rest.messages.split_off(rest.messages.len() / 2);
        let start = rest.resume_at();
        parts.push(rest);
        parts.push(Watch { start, messages: after, ..watch.clone() });
        assert!(faults(&joined(&parts), &log, end).is_empty());
    }
}

#[test]
fn every_fault_of_a_watch_is_found() {
    let log = long_log(3);
    let right = watch_of(&log);
    let revision_of = |message: &Message| match message {
        Message::Events { events, .. } => events[0].revision,
        Message::Progress(revision) => *revision,
    };
    let wide =
        right.messages.iter().position(|message| matches!(message, Message::Events { events, .. } if events.len() > 1));
    let wide = wide.expect("a transaction of two writes");
    let (fifth, sixth) = (revision_of(&right.messages[5]), revision_of(&right.messages[6]));
    let broken = |change: &dyn Fn(&mut Vec<Message>)| {
        let mut watch = right.clone();
        change(&mut watch.messages);
        faults(&watch, &log, 0)
    };
    let has = |faults: std::collections::BTreeSet<Fault>, fault: Fault| {
        assert!(faults.contains(&fault), "{fault:?} is not among {faults:?}");
    };
    has(broken(&|messages| messages.swap(5, 6)), Fault::Disordered { revision: fifth, after: sixth });
    has(broken(&|messages| messages.insert(6, messages[5].clone())), Fault::Repeated { revision: fifth });
    has(broken(&|messages| drop(messages.remove(5))), Fault::Missing { revision: fifth });
    has(
        broken(&|messages| messages.insert(5, Message::Progress(sixth))),
        Fault::BehindProgress { revision: fifth, promised: sixth },
    );
    has(
        broken(&|messages| messages.insert(6, Message::Progress(fifth - 1))),
        Fault::BehindProgress { revision: fifth - 1, promised: fifth },
    );
    let torn = broken(&|messages| {
        let Message::Events { events, .. } = &mut messages[wide] else { return };
        let rest = events.split_off(1);
        messages.insert(wide + 1, Message::Events { events: rest, fragment: false });
    });
    has(torn, Fault::Torn { revision: revision_of(&right.messages[wide]) });
    let invented = broken(&|messages| {
        let Message::Events { events, .. } = &mut messages[5] else { return };
        events[0].entry = Some(Entry { value: value("never"), created: 1, modified: fifth, version: 9 });
    });
    has(invented, Fault::Invented { revision: fifth });
    let without_puts = faults(&Watch { puts: false, ..right.clone() }, &log, 0);
    assert!(without_puts.iter().any(|fault| matches!(fault, Fault::Unwanted { .. })));
    let early = faults(&Watch { messages: Vec::new(), ..right.clone() }, &log, fifth);
    has(early, Fault::Missing { revision: fifth });
}

#[test]
fn a_fragment_is_not_torn_and_is_told_again_after_a_break() {
    let log = long_log(3);
    let right = watch_of(&log);
    let is_wide = |message: &Message| matches!(message, Message::Events { events, .. } if events.len() > 1);
    let wide = right.messages.iter().position(is_wide).expect("a transaction of two writes");
    let mut whole = right.clone();
    let Message::Events { events, fragment } = &mut whole.messages[wide] else { panic!("not events") };
    let rest = events.split_off(1);
    *fragment = true;
    let revision = rest[0].revision;
    let mut broken = whole.clone();
    broken.messages.truncate(wide + 1);
    whole.messages.insert(wide + 1, Message::Events { events: rest, fragment: false });
    assert!(faults(&whole, &log, 0).is_empty());
    assert_eq!(broken.resume_at(), revision);
    let resumed = Watch { start: revision, messages: right.messages[wide..].to_vec(), ..right };
    assert!(faults(&joined(&[broken, resumed]), &log, 0).is_empty());
}

#[test]
fn outcomes_are_those_of_etcd() {
    let (a, write) = (key(0), put(key(0), "x"));
    let entry = Entry { value: value("x"), created: 2, modified: 2, version: 1 };
    let written = after(&[], &write).expect("an answer");
    assert_eq!(written, Answer { revision: 2, succeeded: true, outcomes: vec![Outcome::Written(None)] });
    let again = after(&[write.clone(), write.clone()], &get(a.clone())).expect("an answer");
    let twice = Entry { created: 2, modified: 3, version: 2, ..entry };
    assert_eq!(again.outcomes, [Outcome::Read(vec![(a.clone(), twice)])]);
    let nothing = after(&[], &Request::of(Action::Delete(a))).expect("an answer");
    assert_eq!((nothing.revision, nothing.outcomes), (1, vec![Outcome::Deleted(Vec::new())]));
}
