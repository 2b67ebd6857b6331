//! What watchers were told, held against what happened: in order, once, everything, a revision at a time, and never
//! behind a promise of progress.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Entry, Key};

/// A change of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) key: Key,
    /// When it happened.
    pub(crate) revision: i64,
    /// None when the key was deleted.
    pub(crate) entry: Option<Entry>,
    /// What was there before; None as well when the watcher did not ask.
    pub(crate) before: Option<Entry>,
}

impl Event {
    pub(crate) fn put(key: Key, entry: Entry, before: Option<Entry>) -> Event {
        Event { key, revision: entry.modified, entry: Some(entry), before }
    }

    pub(crate) fn deleted(key: Key, revision: i64, before: Entry) -> Event {
        Event { key, revision, entry: None, before: Some(before) }
    }
}

/// Everything that happened in a store, up to a revision.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    events: BTreeMap<i64, Vec<Event>>,
    end: i64,
}

impl Log {
    /// Of events in order, as a watcher of all keys from the first revision got them with what was there before.
    pub(crate) fn new(events: impl IntoIterator<Item = Event>, end: i64) -> Log {
        let mut log = Log { events: BTreeMap::new(), end };
        for event in events {
            log.end = log.end.max(event.revision);
            log.events.entry(event.revision).or_default().push(event);
        }
        log
    }

    /// Whether this is what happened in the revision; what lies after the end of the log is not known.
    pub(crate) fn allows(&self, revision: i64, events: &[Event]) -> bool {
        revision > self.end || self.events.get(&revision).is_some_and(|logged| same(logged, events))
    }

    /// The last revision of which it knows whether something happened.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Event> {
        self.events.values().flatten()
    }
}

/// Within a revision, etcd gives events in the order of the transaction's requests; keys of one are different.
fn same(left: &[Event], right: &[Event]) -> bool {
    left.len() == right.len() && left.iter().all(|event| right.contains(event))
}

/// What came on a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Events {
        events: Vec<Event>,
        /// More of the same revision follow.
        fragment: bool,
    },
    /// Nothing up to this revision is still to come.
    Progress(i64),
}

/// A watch, what it asked for and what it got.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    /// The watched keys, the end not included.
    pub(crate) from: Key,
    pub(crate) to: Key,
    /// The first revision of interest.
    pub(crate) start: i64,
    pub(crate) puts: bool,
    pub(crate) deletes: bool,
    /// Asked for what was there before.
    pub(crate) before: bool,
    pub(crate) messages: Vec<Message>,
}

/// What is wrong with a watch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// An event of a revision after one of a later revision.
    Disordered { revision: i64, after: i64 },
    /// The same key and revision twice.
    Repeated { revision: i64 },
    /// An event that was to come did not, though something later came.
    Missing { revision: i64 },
    /// An event that did not happen, or not so.
    Invented { revision: i64 },
    /// An event of another key, kind or time than was asked for.
    Unwanted { revision: i64 },
    /// The events of a revision came in several messages that did not say so.
    Torn { revision: i64 },
    /// An event, or a promise, of no later revision than was promised to be done.
    BehindProgress { revision: i64, promised: i64 },
}

/// All that is wrong with a watch that the log covers. Up to the last thing it got the watch must be complete, and up to
/// `complete_to` as well: a revision that the watcher waited for.
pub(crate) fn faults(watch: &Watch, log: &Log, complete_to: i64) -> BTreeSet<Fault> {
    let mut faults = order_faults(watch);
    let mut missing: Vec<&Event> = log.iter().filter(|event| watch.wants(event)).collect();
    let mut reached = complete_to;
    for message in &watch.messages {
        match message {
            Message::Progress(revision) => reached = reached.max(*revision),
            Message::Events { events, .. } => {
                for event in events {
                    reached = reached.max(event.revision);
                    if !watch.wants(event) {
                        faults.insert(Fault::Unwanted { revision: event.revision });
                    }
                    let happened = log.iter().any(|logged| watch.shows(logged) == *event);
                    if event.revision <= log.end && !happened {
                        faults.insert(Fault::Invented { revision: event.revision });
                    }
                    missing.retain(|logged| (logged.revision, &logged.key) != (event.revision, &event.key));
                }
            }
        }
    }
    let late = missing.into_iter().filter(|event| event.revision <= reached);
    faults.extend(late.map(|event| Fault::Missing { revision: event.revision }));
    faults
}

/// What is wrong whatever happened.
fn order_faults(watch: &Watch) -> BTreeSet<Fault> {
    let mut faults = BTreeSet::new();
    let mut told = BTreeSet::new();
    let (mut last, mut promised, mut open) = (0, 0, true);
    for message in &watch.messages {
        match message {
            Message::Progress(revision) => {
                if *revision < promised || *revision < last {
                    faults.insert(Fault::BehindProgress { revision: *revision, promised: promised.max(last) });
                }
                promised = promised.max(*revision);
                open = false;
            }
            Message::Events { events, fragment } => {
                if !open && events.first().is_some_and(|event| event.revision == last) {
                    faults.insert(Fault::Torn { revision: last });
                }
                for event in events {
                    let revision = event.revision;
                    if revision < last {
                        faults.insert(Fault::Disordered { revision, after: last });
                    }
                    if revision <= promised {
                        faults.insert(Fault::BehindProgress { revision, promised });
                    }
                    if !told.insert((revision, event.key.clone())) {
                        faults.insert(Fault::Repeated { revision });
                    }
                    last = last.max(revision);
                }
                open = *fragment;
            }
        }
    }
    faults
}

impl Watch {
    fn wants(&self, event: &Event) -> bool {
        let kind = if event.entry.is_some() { self.puts } else { self.deletes };
        kind && event.revision >= self.start && (&self.from..&self.to).contains(&&event.key)
    }

    /// The event as this watcher sees it.
    fn shows(&self, event: &Event) -> Event {
        Event { before: event.before.clone().filter(|_| self.before), ..event.clone() }
    }

    /// Where a watch that goes on from here has to start so that nothing is lost or told twice.
    pub(crate) fn resume_at(&self) -> i64 {
        let seen = self.messages.iter().map(|message| match message {
            Message::Progress(revision) => *revision + 1,
            Message::Events { events, fragment } => {
                let last = events.last().map_or(0, |event| event.revision);
                if *fragment { last } else { last + 1 }
            }
        });
        seen.max().unwrap_or(0).max(self.start)
    }
}

/// Watches of which each goes on where the one before ended, as one. A revision of which only a part had come is told again
/// from its beginning, so that part is dropped.
pub(crate) fn joined(parts: &[Watch]) -> Watch {
    let mut whole = parts[0].clone();
    for part in &parts[1..] {
        for message in &mut whole.messages {
            if let Message::Events { events, .. } = message {
                events.retain(|event| event.revision < part.start);
            }
        }
        whole.messages.extend(part.messages.iter().cloned());
    }
    whole
}
