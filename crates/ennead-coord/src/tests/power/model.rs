//! What a keyspace has to be: written without a look at how the crate does it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use ennead_store::Sequence;
use prost::Message;

use crate::api::mvccpb::KeyValue;
use crate::auth::Auth;
use crate::space::Alarm;

/// A change of one key.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Put {
        key: Bytes,
        value: Bytes,
        lease: i64,
    },
    /// From a key to before another; to no other for that key alone.
    Delete {
        key: Bytes,
        end: Bytes,
    },
}

/// A keyspace with its whole history.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    /// What each revision changed; the first is revision 2. One without a version deleted its key.
    revisions: Vec<Arc<Vec<KeyValue>>>,
    live: BTreeMap<Bytes, KeyValue>,
    /// Revisions below cannot be read; 0 before the first compaction.
    pub(super) compacted: i64,
    /// Seconds granted, and when it is over.
    pub(super) leases: BTreeMap<i64, (i64, u64)>,
    /// When a lease was granted or kept alive last, by the keyspace's time.
    pub(super) time_ms: u64,
    pub(super) auth: Auth,
    pub(super) alarms: BTreeSet<Alarm>,
}

impl Model {
    pub(super) fn revision(&self) -> i64 {
        1 + self.revisions.len() as i64
    }

    /// What a revision from 2 on changed.
    pub(super) fn changes(&self, revision: i64) -> &[KeyValue] {
        &self.revisions[revision as usize - 2]
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&KeyValue> {
        self.live.get(key)
    }

    /// Changes keys, as one revision if there is anything to change.
    pub(super) fn apply(&mut self, changes: &[Change]) {
        let revision = self.revision() + 1;
        let mut made = Vec::new();
        for change in changes {
            match change {
                Change::Put { key, value, lease } => made.push(self.put(revision, key, value, *lease)),
                Change::Delete { key, end } if end.is_empty() => {
                    made.extend(self.live.remove(key).map(|pair| tombstone(revision, pair.key)));
                }
                Change::Delete { key, end } => {
                    let gone: Vec<Bytes> =
                        self.live.keys().filter(|name| *name >= key && *name < end).cloned().collect();
                    for key in gone {
                        self.live.remove(&key);
                        made.push(tombstone(revision, key));
                    }
                }
            }
        }
        if !made.is_empty() {
            self.revisions.push(Arc::new(made));
        }
    }

    fn put(&mut self, revision: i64, key: &Bytes, value: &Bytes, lease: i64) -> KeyValue {
        let before = self.live.get(key);
        let pair = KeyValue {
            key: key.clone(),
            value: value.clone(),
            lease,
            create_revision: before.map_or(revision, |pair| pair.create_revision),
            mod_revision: revision,
            version: before.map_or(1, |pair| pair.version + 1),
        };
        self.live.insert(key.clone(), pair.clone());
        pair
    }

    /// Ends a lease.
    pub(super) fn end_lease(&mut self, id: i64) {
        self.leases.remove(&id);
        let keys = self.keys_on(id);
        let deletes: Vec<Change> = keys.into_iter().map(|key| Change::Delete { key, end: Bytes::new() }).collect();
        self.apply(&deletes);
    }

    pub(super) fn keys_on(&self, lease: i64) -> BTreeSet<Bytes> {
        self.live.values().filter(|pair| pair.lease == lease).map(|pair| pair.key.clone()).collect()
    }

    /// The lease that is over first, of those that are at a time.
    pub(super) fn due(&self, time_ms: u64) -> Option<i64> {
        let due = self.leases.iter().filter(|(_, (_, deadline_ms))| *deadline_ms <= time_ms);
        due.min_by_key(|(_, (_, deadline_ms))| *deadline_ms).map(|(id, _)| *id)
    }

    /// All keys as of a revision.
    pub(super) fn at(&self, revision: i64) -> BTreeMap<Bytes, KeyValue> {
        let mut keys = BTreeMap::new();
        for pair in (2..=revision).flat_map(|revision| self.changes(revision)) {
            if pair.version == 0 {
                keys.remove(&pair.key);
            } else {
                keys.insert(pair.key.clone(), pair.clone());
            }
        }
        keys
    }

    /// The rows of history that are left when the compaction has come to its end: revision, number within it, pair.
    pub(super) fn rows(&self) -> Vec<(i64, usize, &KeyValue)> {
        let kept = self.at(self.compacted.max(1));
        let is_left = |revision: i64, number: usize, pair: &KeyValue| {
            // Of a key that one revision writes twice the later change counts.
            let later = self.changes(revision)[number + 1..].iter().any(|other| other.key == pair.key);
            revision > self.compacted
                || !later && kept.get(&pair.key).is_some_and(|kept| kept.mod_revision == revision)
                || !later && pair.version == 0 && revision == self.compacted
        };
        let all = (2..=self.revision()).flat_map(|revision| {
            self.changes(revision).iter().enumerate().map(move |(number, pair)| (revision, number, pair))
        });
        all.filter(|(revision, number, pair)| is_left(*revision, *number, pair)).collect()
    }

    /// etcd's hash over the history up to a revision.
    pub(super) fn hash(&self, revision: i64) -> u32 {
        let keep = self.at(revision);
        let mut hash = crc32c::crc32c(b"key");
        for (main, number, pair) in self.rows() {
            let gone = pair.version == 0;
            let kept = keep.get(&pair.key).is_some_and(|kept| kept.mod_revision == main);
            let forgotten = main <= self.compacted && !keep.is_empty() && !kept;
            if main > revision || forgotten || gone && main == self.compacted {
                continue;
            }
            let key = [&main.to_be_bytes()[..], b"_", &(number as u64).to_be_bytes(), if gone { b"t" } else { b"" }];
            hash = crc32c::crc32c_append(hash, &key.concat());
            hash = crc32c::crc32c_append(hash, &row(pair));
        }
        hash
    }
}

/// What is stored for a change.
pub(super) fn row(pair: &KeyValue) -> Vec<u8> {
    if pair.version == 0 {
        KeyValue { key: pair.key.clone(), ..KeyValue::default() }.encode_to_vec()
    } else {
        pair.encode_to_vec()
    }
}

fn tombstone(revision: i64, key: Bytes) -> KeyValue {
    KeyValue { key, mod_revision: revision, ..KeyValue::default() }
}

/// What the keyspace was from which commit on.
pub(super) struct History(Vec<(Sequence, Model)>);

impl History {
    pub(super) fn new() -> History {
        History(vec![(0, Model { auth: Auth { revision: 1, ..Auth::default() }, ..Model::default() })])
    }

    pub(super) fn now(&self) -> &Model {
        &self.0[self.0.len() - 1].1
    }

    pub(super) fn push(&mut self, sequence: Sequence, model: Model) {
        self.0.push((sequence, model));
    }

    /// Only commits up to this one are there.
    pub(super) fn truncate(&mut self, sequence: Sequence) {
        self.0.retain(|(of, _)| *of <= sequence);
    }

    /// The commit that brought a revision.
    pub(super) fn sequence_of(&self, revision: i64) -> Sequence {
        let found = self.0.iter().find(|(_, model)| model.revision() >= revision);
        found.unwrap_or_else(|| panic!("revision {revision} was never made")).0
    }
}
