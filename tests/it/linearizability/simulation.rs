//! Makes histories of concurrent clients without a server: right ones, and wrong ones of a kind that real servers make.

use super::history::{NEVER, Operation};
use super::model::{Action, Answer, Compare, Key, Outcome, Relation, Request, State, Target, Value};
use super::watch::{Event, Log};
use crate::random::Random;

/// How a server errs, at times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A read from a copy that is behind.
    StaleRead,
    /// An acknowledged write that is gone after a crash.
    LostWrite,
    /// A transaction that does its writes whatever it was to compare.
    BlindSwap,
    /// A transaction whose second action is done later than its first.
    TornTransaction,
    /// Two writes under one revision.
    SharedRevision,
    /// A write that is seen, reported as of unknown outcome, and then gone.
    DirtyRead,
    /// A request that was sent twice and done twice.
    DoneTwice,
}

pub(crate) const BUGS: [Bug; 7] = [
    Bug::StaleRead,
    Bug::LostWrite,
    Bug::BlindSwap,
    Bug::TornTransaction,
    Bug::SharedRevision,
    Bug::DirtyRead,
    Bug::DoneTwice,
];

/// How large a simulated history is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) clients: usize,
    pub(crate) operations: usize,
    pub(crate) keys: usize,
    /// An answer is lost about once in so many operations.
    pub(crate) lost: usize,
}

/// A history and what really happened.
pub(crate) struct Simulated {
    pub(crate) history: Vec<Operation>,
    pub(crate) log: Log,
}

struct Pending {
    at: usize,
    answer: Option<Answer>,
}

struct Simulation<'a> {
    random: &'a mut Random,
    bug: Option<Bug>,
    size: Size,
    state: State,
    /// What the state was, for those who read it late or go back to it.
    past: Vec<State>,
    events: Vec<Event>,
    history: Vec<Operation>,
    values: u32,
}

pub(crate) fn simulate(random: &mut Random, size: Size, bug: Option<Bug>) -> Simulated {
    let state = State::empty();
    let mut simulation = Simulation {
        random,
        bug,
        size,
        past: vec![state.clone()],
        state,
        events: Vec::new(),
        history: Vec::new(),
        values: 0,
    };
    simulation.run();
    let end = simulation.state.revision;
    Simulated { history: simulation.history, log: Log::new(simulation.events, end) }
}

pub(crate) fn key(number: usize) -> Key {
    Key::from([b'a' + number as u8])
}

impl Simulation<'_> {
    fn run(&mut self) {
        let mut pending: Vec<Option<Pending>> = (0..self.size.clients).map(|_| None).collect();
        let mut time = 0;
        while self.history.len() < self.size.operations || pending.iter().any(Option::is_some) {
            time += 1;
            let client = self.random.below(self.size.clients);
            let Some(waiting) = pending[client].take() else {
                if self.history.len() < self.size.operations {
                    let request = self.request();
                    pending[client] = Some(Pending { at: self.history.len(), answer: None });
                    self.history.push(Operation { client, request, answer: None, called: time, returned: NEVER });
                }
                continue;
            };
            let operation = &self.history[waiting.at];
            match waiting.answer {
                // The connection breaks: it was done, or not, or is done later, and nobody is told.
                _ if self.random.one_in(self.size.lost) => {}
                None => {
                    let request = operation.request.clone();
                    let answer = Some(self.answer(&request));
                    pending[client] = Some(Pending { at: waiting.at, answer });
                }
                answer => {
                    let operation = &mut self.history[waiting.at];
                    (operation.answer, operation.returned) = (answer, time);
                    if self.bug == Some(Bug::LostWrite) && self.random.one_in(6) {
                        self.go_back();
                    }
                }
            }
        }
    }

    fn request(&mut self) -> Request {
        let (one, other) = (self.random.below(self.size.keys), self.random.below(self.size.keys));
        let (one, other) = (key(one), key(other));
        self.values += 1;
        let value = Value::from(self.values.to_be_bytes());
        match self.random.below(10) {
            0..3 => Request::of(Action::Get(one)),
            3..5 => Request::of(Action::Put(one, value)),
            5 => Request::of(Action::Delete(one)),
            6 => Request::of(Action::List),
            7 if one != other => Request {
                success: vec![Action::Put(one.clone(), value.clone()), Action::Put(other, value), Action::Get(one)],
                ..Request::default()
            },
            _ => Request {
                compares: vec![self.compare(one.clone())],
                success: vec![Action::Put(one.clone(), value)],
                failure: vec![Action::Get(one)],
            },
        }
    }

    fn compare(&mut self, key: Key) -> Compare {
        let entry = self.state.keys.get(&key);
        let target = match self.random.below(4) {
            0 => Target::Version(entry.map_or(0, |entry| entry.version)),
            1 => Target::Created(entry.map_or(0, |entry| entry.created)),
            2 => Target::Modified(entry.map_or(0, |entry| entry.modified)),
            _ => Target::Value(entry.map_or(Value::from([]), |entry| entry.value.clone())),
        };
        let relations = [Relation::Equal, Relation::Equal, Relation::NotEqual, Relation::Less, Relation::Greater];
        Compare { key, relation: *self.random.pick(&relations), target }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        let errs = self.bug.is_some() && self.random.one_in(5);
        match self.bug.filter(|_| errs) {
            Some(Bug::StaleRead) if request.reads_only() => {
                let behind = self.past.len().saturating_sub(1 + self.random.below(6));
                self.past[behind].clone().apply(request, &mut Vec::new())
            }
            Some(Bug::BlindSwap) => self.apply(&Request { compares: Vec::new(), ..request.clone() }),
            Some(Bug::TornTransaction) if request.success.len() > 1 => {
                let first = self.apply(&Request { success: request.success[..1].to_vec(), ..Request::default() });
                let between = self.request();
                // Another client's write in between, which nobody recorded.
                self.apply(&between);
                let rest = self.apply(&Request { success: request.success[1..].to_vec(), ..Request::default() });
                Answer { outcomes: first.outcomes.into_iter().chain(rest.outcomes).collect(), ..rest }
            }
            Some(Bug::SharedRevision) => {
                let answer = self.apply(request);
                self.state.revision = self.state.revision.saturating_sub(1).max(1);
                answer
            }
            Some(Bug::DirtyRead) => {
                let answer = self.apply(request);
                self.go_back();
                answer
            }
            Some(Bug::DoneTwice) => {
                self.apply(request);
                self.apply(request)
            }
            _ => self.apply(request),
        }
    }

    fn apply(&mut self, request: &Request) -> Answer {
        let mut events = Vec::new();
        let answer = self.state.apply(request, &mut events);
        if !events.is_empty() {
            self.past.push(self.state.clone());
        }
        self.events.extend(events);
        answer
    }

    /// The newest write is forgotten.
    fn go_back(&mut self) {
        if self.past.len() > 1 {
            self.past.pop();
            self.state = self.past[self.past.len() - 1].clone();
            let revision = self.state.revision;
            self.events.retain(|event| event.revision <= revision);
        }
    }
}

/// Changes something small that an answer says; false when there was nothing to change.
pub(crate) fn falsify(random: &mut Random, history: &mut [Operation]) -> bool {
    let answered: Vec<usize> = (0..history.len()).filter(|at| history[*at].answer.is_some()).collect();
    if answered.is_empty() {
        return false;
    }
    let at = *random.pick(&answered);
    let other = history[*random.pick(&answered)].answer.clone();
    let Some(answer) = history[at].answer.as_mut() else { return false };
    match random.below(4) {
        0 => answer.revision += if random.one_in(2) { 1 } else { -1 },
        1 => answer.succeeded = !answer.succeeded,
        2 => {
            let Some(Outcome::Read(entries)) = answer.outcomes.first_mut() else { return false };
            match entries.first_mut() {
                Some((_, entry)) => entry.version += 1,
                None => return false,
            }
        }
        _ => {
            let Some(other) = other.filter(|other| *other != *answer) else { return false };
            *answer = other;
        }
    }
    true
}
