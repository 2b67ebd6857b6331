//! The changes of one key.

use crate::revision::Revision;

/// Since when, and how often, a key that is there has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation {
    /// Main revision of the write that brought it.
    pub(crate) created: i64,
    /// Writes since then, that one among them.
    pub(crate) version: i64,
}

/// One change. Packed, since there is one for each revision that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed(4))]
struct Change {
    main: i64,
    sub: u32,
}

/// Set in `sub` of a change that deleted the key.
const TOMBSTONE: u32 = 1 << 31;

impl Change {
    fn put(revision: Revision) -> Change {
        Change { main: revision.main, sub: revision.sub }
    }

    fn tombstone(revision: Revision) -> Change {
        Change { main: revision.main, sub: revision.sub | TOMBSTONE }
    }

    fn is_tombstone(self) -> bool {
        self.sub & TOMBSTONE != 0
    }

    fn revision(self) -> Revision {
        Revision::new(self.main, self.sub & !TOMBSTONE)
    }
}

/// Most keys have one change, and no allocation for it.
#[derive(Debug)]
enum Changes {
    One(Change),
    #[expect(clippy::box_collection, reason = "a pointer fits where one change does, a vector does not")]
    Many(Box<Vec<Change>>),
}

impl Changes {
    fn as_slice(&self) -> &[Change] {
        match self {
            Changes::One(change) => std::slice::from_ref(change),
            Changes::Many(changes) => changes,
        }
    }

    fn push(&mut self, change: Change) {
        match self {
            Changes::One(first) => *self = Changes::Many(Box::new(vec![*first, change])),
            Changes::Many(changes) => changes.push(change),
        }
    }
}

/// The changes of one key, oldest first; never empty.
#[derive(Debug)]
pub(crate) struct History {
    /// Of the newest generation; 0 while the key is not there.
    created: i64,
    version: i64,
    changes: Changes,
}

impl History {
    pub(super) fn new(revision: Revision) -> History {
        History { created: revision.main, version: 1, changes: Changes::One(Change::put(revision)) }
    }

    /// One whose beginning was compacted away: a tombstone is all that is left of it so far.
    pub(super) fn deleted(revision: Revision) -> History {
        History { created: 0, version: 0, changes: Changes::One(Change::tombstone(revision)) }
    }

    pub(super) fn generation(&self) -> Option<Generation> {
        (self.version > 0).then_some(Generation { created: self.created, version: self.version })
    }

    /// The generation is as the row says, whose older changes may be compacted away.
    pub(super) fn set_generation(&mut self, generation: Generation) {
        self.created = generation.created;
        self.version = generation.version;
    }

    pub(super) fn put(&mut self, revision: Revision) {
        if self.version == 0 {
            self.created = revision.main;
        }
        self.version += 1;
        self.changes.push(Change::put(revision));
    }

    pub(super) fn delete(&mut self, revision: Revision) {
        (self.created, self.version) = (0, 0);
        self.changes.push(Change::tombstone(revision));
    }

    /// Takes the newest change back, to the generation before it. Answers whether there was no other.
    pub(super) fn pop(&mut self, before: Option<Generation>) -> bool {
        (self.created, self.version) = before.map_or((0, 0), |before| (before.created, before.version));
        match &mut self.changes {
            Changes::One(_) => true,
            Changes::Many(changes) => {
                changes.pop();
                changes.is_empty()
            }
        }
    }

    pub(super) fn at(&self, revision: i64) -> Option<Revision> {
        let changes = self.changes.as_slice();
        // Readers of the newest are the many.
        let newest = changes.last().filter(|change| change.main <= revision);
        let found = match newest {
            Some(newest) => newest,
            None => changes[..changes.partition_point(|change| change.main <= revision)].last()?,
        };
        (!found.is_tombstone()).then(|| found.revision())
    }

    /// Forgets what no reader at `revision` or later finds, and answers whether nothing is left. A tombstone of just that
    /// revision stays, for watches that begin with it.
    pub(super) fn compact(&mut self, revision: i64, mut forgotten: impl FnMut(Revision)) -> bool {
        let changes = self.changes.as_slice();
        let past = changes.partition_point(|change| change.main <= revision);
        let Some(current) = past.checked_sub(1).map(|at| changes[at]) else { return false };
        let goes_too = current.is_tombstone() && current.main < revision;
        let first_kept = past - usize::from(!goes_too);
        if first_kept == 0 {
            return false;
        }
        for change in &changes[..first_kept] {
            forgotten(change.revision());
        }
        match &mut self.changes {
            Changes::One(_) => true,
            Changes::Many(changes) => {
                changes.drain(..first_kept);
                match changes.as_slice() {
                    [] => return true,
                    [one] => self.changes = Changes::One(*one),
                    _ => changes.shrink_to_fit(),
                }
                false
            }
        }
    }
}
