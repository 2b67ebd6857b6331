//! Replies that wait for the log, by the place in the output where each group ends.

use std::collections::VecDeque;

use ennead_engine::Sequence;

/// How far the log has come, or has to come; 0 where it does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reached {
    pub(crate) written: Sequence,
    pub(crate) durable: Sequence,
}

impl Reached {
    pub(crate) fn covers(self, needed: Reached) -> bool {
        self.written >= needed.written && self.durable >= needed.durable
    }

    pub(crate) fn max(self, other: Reached) -> Reached {
        Reached { written: self.written.max(other.written), durable: self.durable.max(other.durable) }
    }
}

#[derive(Debug)]
struct Group {
    end: usize,
    needed: Reached,
}

/// Groups of replies in order; each turn that wrote or saw something not yet durable adds one.
#[derive(Debug, Default)]
pub(crate) struct HeldReplies {
    groups: VecDeque<Group>,
    /// What the turn at hand needs so far.
    turn: Reached,
}

impl HeldReplies {
    #[inline]
    pub(crate) fn add(&mut self, needed: Reached) {
        self.turn = self.turn.max(needed);
    }

    /// Ends a turn whose replies end at `end`. Gives what the log has to reach for them, if anything.
    pub(crate) fn close_turn(&mut self, end: usize) -> Option<Reached> {
        let needed = std::mem::take(&mut self.turn);
        if needed != Reached::default() {
            self.groups.push_back(Group { end, needed });
            return Some(needed);
        }
        // Replies that need nothing go with those before them.
        if let Some(last) = self.groups.back_mut() {
            last.end = end;
        }
        None
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Drops the groups that the log has covered. Gives the end of the last of them.
    pub(crate) fn release(&mut self, reached: Reached) -> Option<usize> {
        let mut end = None;
        while let Some(group) = self.groups.front()
            && reached.covers(group.needed)
        {
            end = Some(group.end);
            self.groups.pop_front();
        }
        end
    }

    pub(crate) fn clear(&mut self) {
        self.groups.clear();
    }
}
