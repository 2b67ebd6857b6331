//! What a store of keys with revisions answers, one request after the other: etcd's meaning of get, put, delete and
//! transaction, and the same without revisions for stores that have none.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use super::watch::{Event, Log};

pub(crate) type Key = Arc<[u8]>;
pub(crate) type Value = Arc<[u8]>;

/// Something that answers requests and remembers; the same request in the same state has one answer.
pub(crate) trait Model {
    type State: Clone + Eq + Hash + Debug;
    type Request: Clone + Debug;
    type Answer: Clone + PartialEq + Debug;

    fn initial(&self) -> Self::State;

    /// The next state and the answer; None when this cannot have happened here.
    fn step(&self, state: &Self::State, request: &Self::Request) -> Option<(Self::State, Self::Answer)>;

    /// False when an operation that was not answered cannot have led to this state: another one says that it did.
    fn is_free(&self, _state: &Self::State) -> bool {
        true
    }

    /// False when something must have come after.
    fn is_complete(&self, _state: &Self::State) -> bool {
        true
    }
}

/// A key's value with where it stands in the history of its store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) value: Value,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Get(Key),
    /// All keys.
    List,
    Put(Key, Value),
    Delete(Key),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Value(Value),
    Version(i64),
    Created(i64),
    Modified(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Relation {
    Equal,
    NotEqual,
    Less,
    Greater,
}

/// What must hold of a key for a transaction's first branch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Compare {
    pub(crate) key: Key,
    pub(crate) relation: Relation,
    pub(crate) target: Target,
}

/// Every request is a transaction; most compare nothing and do one thing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Request {
    pub(crate) compares: Vec<Compare>,
    pub(crate) success: Vec<Action>,
    pub(crate) failure: Vec<Action>,
}

/// What one action gave: the keys read, what was there before a put, or what a delete removed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Read(Vec<(Key, Entry)>),
    Written(Option<Entry>),
    Deleted(Vec<(Key, Entry)>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Answer {
    /// Of the store, after the request.
    pub(crate) revision: i64,
    pub(crate) succeeded: bool,
    pub(crate) outcomes: Vec<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) revision: i64,
    pub(crate) keys: BTreeMap<Key, Entry>,
}

impl Request {
    pub(crate) fn of(action: Action) -> Request {
        Request { success: vec![action], ..Request::default() }
    }

    fn actions(&self) -> impl Iterator<Item = &Action> {
        self.success.iter().chain(&self.failure)
    }

    pub(crate) fn reads_only(&self) -> bool {
        self.actions().all(|action| matches!(action, Action::Get(_) | Action::List))
    }

    /// The keys that it may touch; None for all.
    pub(crate) fn keys(&self) -> Option<Vec<&Key>> {
        let mut keys: Vec<&Key> = self.compares.iter().map(|compare| &compare.key).collect();
        for action in self.actions() {
            match action {
                Action::Get(key) | Action::Put(key, _) | Action::Delete(key) => keys.push(key),
                Action::List => return None,
            }
        }
        Some(keys)
    }
}

impl Compare {
    /// A key that is not there has revisions and version 0, and no value to compare.
    pub(crate) fn holds(&self, keys: &BTreeMap<Key, Entry>) -> bool {
        let entry = keys.get(&self.key);
        let number = |of: fn(&Entry) -> i64| entry.map_or(0, of);
        let order = match &self.target {
            Target::Value(value) => match entry {
                Some(entry) => entry.value.cmp(value),
                None => return false,
            },
            Target::Version(version) => number(|entry| entry.version).cmp(version),
            Target::Created(revision) => number(|entry| entry.created).cmp(revision),
            Target::Modified(revision) => number(|entry| entry.modified).cmp(revision),
        };
        match self.relation {
            Relation::Equal => order.is_eq(),
            Relation::NotEqual => order.is_ne(),
            Relation::Less => order.is_lt(),
            Relation::Greater => order.is_gt(),
        }
    }
}

/// The whole store, with its revisions. With a log of what watchers were told, only what the log has can happen.
#[derive(Debug, Default)]
pub(crate) struct Store<'a> {
    pub(crate) log: Option<&'a Log>,
    /// Revisions that answered writes were given: no other write has them.
    pub(crate) taken: HashSet<i64>,
}

impl Answer {
    /// The revision of its write; None when it wrote nothing.
    pub(crate) fn written(&self) -> Option<i64> {
        let wrote = self.outcomes.iter().any(|outcome| match outcome {
            Outcome::Written(_) => true,
            Outcome::Deleted(removed) => !removed.is_empty(),
            Outcome::Read(_) => false,
        });
        wrote.then_some(self.revision)
    }
}

impl State {
    pub(crate) fn empty() -> State {
        State { revision: 1, keys: BTreeMap::new() }
    }

    /// Does the request; what changed goes to `events`.
    pub(crate) fn apply(&mut self, request: &Request, events: &mut Vec<Event>) -> Answer {
        let succeeded = request.compares.iter().all(|compare| compare.holds(&self.keys));
        let actions = if succeeded { &request.success } else { &request.failure };
        let next = self.revision + 1;
        let mut outcomes = Vec::with_capacity(actions.len());
        for action in actions {
            outcomes.push(match action {
                Action::Get(key) => Outcome::Read(self.keys.get_key_value(key).map(owned).into_iter().collect()),
                Action::List => Outcome::Read(self.keys.iter().map(owned).collect()),
                Action::Put(key, value) => Outcome::Written(self.put(key, value, next, events)),
                Action::Delete(key) => {
                    let removed = self.keys.remove_entry(key);
                    events.extend(removed.iter().map(|(key, entry)| Event::deleted(key.clone(), next, entry.clone())));
                    Outcome::Deleted(removed.into_iter().collect())
                }
            });
        }
        if !events.is_empty() {
            self.revision = next;
        }
        Answer { revision: self.revision, succeeded, outcomes }
    }

    fn put(&mut self, key: &Key, value: &Value, revision: i64, events: &mut Vec<Event>) -> Option<Entry> {
        let before = self.keys.get(key).cloned();
        let entry = Entry {
            value: value.clone(),
            created: before.as_ref().map_or(revision, |entry| entry.created),
            modified: revision,
            version: before.as_ref().map_or(1, |entry| entry.version + 1),
        };
        events.push(Event::put(key.clone(), entry.clone(), before.clone()));
        self.keys.insert(key.clone(), entry);
        before
    }
}

impl Model for Store<'_> {
    type State = State;
    type Request = Request;
    type Answer = Answer;

    fn initial(&self) -> State {
        State::empty()
    }

    fn step(&self, state: &State, request: &Request) -> Option<(State, Answer)> {
        let mut events = Vec::new();
        let mut next = state.clone();
        let answer = next.apply(request, &mut events);
        if let Some(log) = self.log
            && !events.is_empty()
            && !log.allows(next.revision, &events)
        {
            return None;
        }
        Some((next, answer))
    }

    fn is_free(&self, state: &State) -> bool {
        !self.taken.contains(&state.revision)
    }

    fn is_complete(&self, state: &State) -> bool {
        self.log.is_none_or(|log| state.revision >= log.end())
    }
}

/// The store without its revisions. Then keys are independent of each other, and a history is judged key by key.
#[derive(Debug, Default)]
pub(crate) struct Registers;

impl Registers {
    /// The answer as this model gives it.
    pub(crate) fn blind(mut answer: Answer) -> Answer {
        answer.revision = 0;
        for outcome in &mut answer.outcomes {
            match outcome {
                Outcome::Read(entries) | Outcome::Deleted(entries) => {
                    entries.iter_mut().for_each(|(_, entry)| without_revisions(entry));
                }
                Outcome::Written(before) => before.iter_mut().for_each(without_revisions),
            }
        }
        answer
    }

    /// False when the request asks for what this model does not know.
    pub(crate) fn knows(request: &Request) -> bool {
        !request.compares.iter().any(|compare| matches!(compare.target, Target::Created(_) | Target::Modified(_)))
    }
}

impl Model for Registers {
    type State = State;
    type Request = Request;
    type Answer = Answer;

    fn initial(&self) -> State {
        State { revision: 0, ..State::empty() }
    }

    fn step(&self, state: &State, request: &Request) -> Option<(State, Answer)> {
        let mut next = state.clone();
        let answer = next.apply(request, &mut Vec::new());
        next.revision = 0;
        next.keys.values_mut().for_each(without_revisions);
        Some((next, Registers::blind(answer)))
    }
}

fn owned((key, entry): (&Key, &Entry)) -> (Key, Entry) {
    (key.clone(), entry.clone())
}

fn without_revisions(entry: &mut Entry) {
    entry.created = 0;
    entry.modified = 0;
}
