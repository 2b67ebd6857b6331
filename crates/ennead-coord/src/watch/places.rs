//! Who watches a key: found by the key, without a look at those who watch others.
//!
//! Watches of one key are kept by that key. Ranges are kept in a search tree by their start, in which each node knows the
//! farthest end below it, so that those that hold a key are found in O(log n) and one step for each. Watches of the same range
//! share a node.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use smallvec::SmallVec;

use crate::span::Span;

/// No node.
const NIL: u32 = u32::MAX;

/// The end of a range; none for one without.
type End = Option<Bytes>;

#[derive(Debug)]
pub(crate) struct Places<T> {
    keys: HashMap<Bytes, SmallVec<[T; 1]>>,
    nodes: Vec<Node<T>>,
    free: Vec<u32>,
    root: u32,
    /// Gives nodes their priorities.
    random: RandomState,
    count: usize,
    /// Nodes that visits came by.
    #[cfg(test)]
    looked_at: std::cell::Cell<usize>,
}

#[derive(Debug)]
struct Node<T> {
    start: Bytes,
    end: End,
    /// The farthest end of this node and those below it.
    farthest: End,
    priority: u64,
    left: u32,
    right: u32,
    watches: Vec<T>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Places {
            keys: HashMap::new(),
            nodes: Vec::new(),
            free: Vec::new(),
            root: NIL,
            random: RandomState::new(),
            count: 0,
            #[cfg(test)]
            looked_at: std::cell::Cell::default(),
        }
    }
}

/// An end that is there comes before one that is not.
fn compare_ends(left: &End, right: &End) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn is_before_end(key: &[u8], end: &End) -> bool {
    end.as_ref().is_none_or(|end| key < &end[..])
}

impl<T> Places<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Calls `visit` with every watch that holds the key.
    pub(crate) fn visit(&self, key: &[u8], mut visit: impl FnMut(&T)) {
        if let Some(watches) = self.keys.get(key) {
            watches.iter().for_each(&mut visit);
        }
        self.visit_below(self.root, key, &mut visit);
    }

    fn visit_below(&self, at: u32, key: &[u8], visit: &mut impl FnMut(&T)) {
        let mut at = at;
        while let Some(node) = self.nodes.get(at as usize) {
            #[cfg(test)]
            self.looked_at.update(|before| before + 1);
            if !is_before_end(key, &node.farthest) {
                return;
            }
            self.visit_below(node.left, key, visit);
            if node.start > key {
                return;
            }
            if is_before_end(key, &node.end) {
                node.watches.iter().for_each(&mut *visit);
            }
            at = node.right;
        }
    }

    pub(crate) fn add(&mut self, span: &Span<Bytes>, watch: T) {
        self.count += 1;
        let (start, end) = match span {
            Span::One(key) => return self.keys.entry(key.clone()).or_default().push(watch),
            Span::Between(start, end) => (start.clone(), Some(end.clone())),
            Span::From(start) => (start.clone(), None),
        };
        if let Some(at) = self.find(&start, &end) {
            return self.nodes[at as usize].watches.push(watch);
        }
        let priority = self.random.hash_one((&start, &end));
        let farthest = end.clone();
        let node = Node { start, end, farthest, priority, left: NIL, right: NIL, watches: vec![watch] };
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        };
        let (left, right) = self.split(self.root, at);
        let left = self.join(left, at);
        self.root = self.join(left, right);
    }

    /// Removes the first watch of the span that `is_it` picks.
    pub(crate) fn remove(&mut self, span: &Span<Bytes>, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let (start, end) = match span {
            Span::One(key) => {
                let watches = self.keys.get_mut(key)?;
                let at = watches.iter().position(is_it)?;
                let removed = watches.swap_remove(at);
                if watches.is_empty() {
                    self.keys.remove(key);
                }
                self.count -= 1;
                return Some(removed);
            }
            Span::Between(start, end) => (start.clone(), Some(end.clone())),
            Span::From(start) => (start.clone(), None),
        };
        let at = self.find(&start, &end)?;
        let watches = &mut self.nodes[at as usize].watches;
        let removed = watches.swap_remove(watches.iter().position(is_it)?);
        self.count -= 1;
        if watches.is_empty() {
            self.root = self.without(self.root, at);
            let node = &mut self.nodes[at as usize];
            (node.start, node.end, node.farthest) = (Bytes::new(), None, None);
            self.free.push(at);
        }
        Some(removed)
    }

    fn compare(&self, at: u32, start: &Bytes, end: &End) -> Ordering {
        let node = &self.nodes[at as usize];
        start.cmp(&node.start).then_with(|| compare_ends(end, &node.end))
    }

    fn find(&self, start: &Bytes, end: &End) -> Option<u32> {
        let mut at = self.root;
        while at != NIL {
            match self.compare(at, start, end) {
                Ordering::Equal => return Some(at),
                Ordering::Less => at = self.nodes[at as usize].left,
                Ordering::Greater => at = self.nodes[at as usize].right,
            }
        }
        None
    }

    /// Sets what a node knows of those below it.
    fn refresh(&mut self, at: u32) {
        let node = &self.nodes[at as usize];
        let below = [node.left, node.right].into_iter().filter_map(|at| self.nodes.get(at as usize));
        let ends = below.map(|node| &node.farthest).chain([&node.end]);
        let farthest = ends.max_by(|left, right| compare_ends(left, right)).cloned().flatten();
        self.nodes[at as usize].farthest = farthest;
    }

    /// The nodes below `at` that come before the node `by`, and those that come after it.
    fn split(&mut self, at: u32, by: u32) -> (u32, u32) {
        if at == NIL {
            return (NIL, NIL);
        }
        let (start, end) = (self.nodes[by as usize].start.clone(), self.nodes[by as usize].end.clone());
        if self.compare(at, &start, &end).is_lt() {
            let (before, after) = self.split(self.nodes[at as usize].left, by);
            self.nodes[at as usize].left = after;
            self.refresh(at);
            (before, at)
        } else {
            let (before, after) = self.split(self.nodes[at as usize].right, by);
            self.nodes[at as usize].right = before;
            self.refresh(at);
            (at, after)
        }
    }

    /// One tree of two, of which all of the left come before all of the right.
    fn join(&mut self, left: u32, right: u32) -> u32 {
        if left == NIL || right == NIL {
            return if left == NIL { right } else { left };
        }
        if self.nodes[left as usize].priority >= self.nodes[right as usize].priority {
            let below = self.join(self.nodes[left as usize].right, right);
            self.nodes[left as usize].right = below;
            self.refresh(left);
            left
        } else {
            let below = self.join(left, self.nodes[right as usize].left);
            self.nodes[right as usize].left = below;
            self.refresh(right);
            right
        }
    }

    /// The tree at `at` without the node `gone`, which is in it.
    fn without(&mut self, at: u32, gone: u32) -> u32 {
        if at == gone {
            let node = &self.nodes[at as usize];
            return self.join(node.left, node.right);
        }
        let (start, end) = (self.nodes[gone as usize].start.clone(), self.nodes[gone as usize].end.clone());
        if self.compare(at, &start, &end).is_lt() {
            let below = self.without(self.nodes[at as usize].left, gone);
            self.nodes[at as usize].left = below;
        } else {
            let below = self.without(self.nodes[at as usize].right, gone);
            self.nodes[at as usize].right = below;
        }
        self.refresh(at);
        at
    }
}
