//! Looks for an order of a history's operations in which a model gives the answers that were recorded, and in which no
//! operation comes before one that had returned when it was called: the search of Wing and Gong with the memory of Lowe.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use super::history::{NEVER, Operation};
use super::model::Model;

/// What a history is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Explained by this order; operations of unknown outcome that are not in it need not have happened.
    Linearizable(Vec<usize>),
    /// No order explains it. The longest beginning that could be explained, and the operations that could have come next.
    Violation { explained: Vec<usize>, stuck: Vec<usize> },
    /// Not found out within the steps that were allowed.
    Undecided,
}

impl Verdict {
    pub(crate) fn is_violation(&self) -> bool {
        matches!(self, Verdict::Violation { .. })
    }
}

/// Judges the history within `steps_max` steps of the model.
pub(crate) fn check<M: Model>(model: &M, history: &[Operation<M::Request, M::Answer>], steps_max: usize) -> Verdict {
    Search::new(model, history, steps_max).run()
}

/// Which operations have their place already, a bit each.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Placed(Box<[u64]>);

impl Placed {
    fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    fn flip(&mut self, at: usize) {
        self.0[at / 64] ^= 1 << (at % 64);
    }
}

/// A place in the order: what may come here, how much of that was tried, and the state before it.
struct Place<S> {
    candidates: Vec<(usize, S)>,
    tried: usize,
    /// The order may end here, when all that was answered has its place.
    complete: bool,
}

struct Search<'a, M: Model> {
    model: &'a M,
    history: &'a [Operation<M::Request, M::Answer>],
    /// Operations with an answer, in the order of their calls, then a list through those without a place.
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Operations of unknown outcome, in the order of their calls.
    unknown: Vec<usize>,
    placed: Placed,
    order: Vec<usize>,
    seen: HashMap<Placed, HashSet<M::State>>,
    missing: usize,
    steps_left: usize,
    longest: Vec<usize>,
    stuck: Vec<usize>,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: &'a M, history: &'a [Operation<M::Request, M::Answer>], steps_max: usize) -> Self {
        let mut sorted: Vec<usize> = (0..history.len()).collect();
        sorted.sort_by_key(|at| history[*at].called);
        let (known, unknown): (Vec<usize>, Vec<usize>) =
            sorted.into_iter().partition(|at| history[*at].answer.is_some());
        // The end of the list, and its beginning, is one more than the last operation.
        let head = history.len();
        let (mut next, mut previous) = (vec![head; head + 1], vec![head; head + 1]);
        let mut last = head;
        for at in &known {
            (next[last], previous[*at]) = (*at, last);
            last = *at;
        }
        (next[last], previous[head]) = (head, last);
        Search {
            model,
            history,
            next,
            previous,
            unknown,
            placed: Placed(vec![0; history.len() / 64 + 1].into()),
            order: Vec::new(),
            seen: HashMap::new(),
            missing: known.len(),
            steps_left: steps_max,
            longest: Vec::new(),
            stuck: known.first().copied().into_iter().collect(),
        }
    }

    fn run(mut self) -> Verdict {
        let mut places = vec![self.place(&self.model.initial())];
        while let Some(place) = places.last_mut() {
            if self.missing == 0 && place.complete {
                return Verdict::Linearizable(self.order);
            }
            if self.steps_left == 0 {
                return Verdict::Undecided;
            }
            let Some((at, state)) = place.candidates.get(place.tried).cloned() else {
                places.pop();
                if let Some(at) = self.order.pop() {
                    self.take_back(at);
                }
                continue;
            };
            place.tried += 1;
            self.put(at);
            if !self.seen.entry(self.placed.clone()).or_default().insert(state.clone()) {
                self.take_back(at);
                continue;
            }
            self.order.push(at);
            if self.order.len() > self.longest.len() {
                self.longest.clone_from(&self.order);
                self.stuck = self.open();
            }
            places.push(self.place(&state));
        }
        Verdict::Violation { explained: self.longest, stuck: self.stuck }
    }

    fn place(&mut self, state: &M::State) -> Place<M::State> {
        Place { candidates: self.candidates(state), tried: 0, complete: self.model.is_complete(state) }
    }

    /// The operations without a place that were called before any of them returned, those with an answer first.
    fn open(&self) -> Vec<usize> {
        let head = self.history.len();
        let mut open = Vec::new();
        let mut bound = NEVER;
        let mut at = self.next[head];
        while at != head && self.history[at].called <= bound {
            open.push(at);
            bound = bound.min(self.history[at].returned);
            at = self.next[at];
        }
        let possible = |at: &usize| self.history[*at].called <= bound && !self.placed.has(*at);
        open.extend(self.unknown.iter().copied().filter(possible));
        open
    }

    /// What may come next, with the state after it. An answered operation that fits and changes nothing can be taken at
    /// once: whatever order there is, it could be moved here.
    fn candidates(&mut self, state: &M::State) -> Vec<(usize, M::State)> {
        let mut candidates = Vec::new();
        for at in self.open() {
            self.steps_left = self.steps_left.saturating_sub(1);
            let operation = &self.history[at];
            let Some((next, answer)) = self.model.step(state, &operation.request) else { continue };
            let known = operation.answer.as_ref();
            if known.is_some_and(|known| *known != answer) {
                continue;
            }
            match (next == *state, known) {
                (true, Some(_)) => return vec![(at, next)],
                // Changes nothing and nobody was told: as if it had not happened.
                (true, None) => {}
                (false, None) if !self.model.is_free(&next) => {}
                (false, _) => candidates.push((at, next)),
            }
        }
        candidates
    }

    fn put(&mut self, at: usize) {
        self.placed.flip(at);
        if self.history[at].answer.is_some() {
            let (before, after) = (self.previous[at], self.next[at]);
            (self.next[before], self.previous[after]) = (after, before);
            self.missing -= 1;
        }
    }

    /// Undoes [`Self::put`]; the last one put must be the first taken back.
    fn take_back(&mut self, at: usize) {
        self.placed.flip(at);
        if self.history[at].answer.is_some() {
            let (before, after) = (self.previous[at], self.next[at]);
            (self.next[before], self.previous[after]) = (at, at);
            self.missing += 1;
        }
    }
}
