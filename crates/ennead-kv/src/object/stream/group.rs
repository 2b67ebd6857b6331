//! A group of consumers that reads a stream together: how far it has read, and which entries were given to whom and are not
//! acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{self, RowSink};
use super::{Id, Stream, TREE_SHARE};
use crate::entry::allocation_size;

/// Of a count of entries that cannot be told, and of a time that never was.
pub(crate) const UNKNOWN: i64 = -1;

/// An entry that was given to a consumer: in the group's tree and the consumer's.
const PENDING_SIZE: usize = size_of::<(Id, Pending)>() + size_of::<Id>() + 2 * TREE_SHARE;
const CONSUMER_SIZE: usize = size_of::<(Box<[u8]>, u32)>() + size_of::<(u32, Consumer)>() + 2 * TREE_SHARE;
const GROUP_SIZE: usize = size_of::<(Box<[u8]>, Group)>() + TREE_SHARE;

#[derive(Debug, Default)]
pub(crate) struct Group {
    /// By which its rows are known.
    pub(super) number: u32,
    pub(crate) last: Id,
    /// How many of the entries ever added lie up to `last`, or [`UNKNOWN`].
    pub(crate) read: i64,
    names: BTreeMap<Box<[u8]>, u32>,
    consumers: BTreeMap<u32, Consumer>,
    pending: BTreeMap<Id, Pending>,
}

#[derive(Debug)]
pub(crate) struct Consumer {
    pub(crate) name: Box<[u8]>,
    /// When it last asked for anything, Unix ms.
    pub(crate) seen_ms: i64,
    /// When it last got something, Unix ms, or [`UNKNOWN`].
    pub(crate) active_ms: i64,
    pub(crate) pending: BTreeSet<Id>,
}

/// An entry that was given to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    /// Its number.
    pub(crate) consumer: u32,
    /// Unix ms.
    pub(crate) delivered_ms: i64,
    pub(crate) deliveries: u64,
}

impl Group {
    pub(super) fn new(number: u32, last: Id, read: i64) -> Group {
        Group { number, last, read, ..Group::default() }
    }

    /// The consumers, by name.
    pub(crate) fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        // Every number of a name is that of a consumer.
        self.names.values().map(|number| &self.consumers[number])
    }

    /// The number of a consumer.
    pub(crate) fn consumer_number(&self, name: &[u8]) -> Option<u32> {
        self.names.get(name).copied()
    }

    pub(crate) fn consumer(&self, number: u32) -> Option<&Consumer> {
        self.consumers.get(&number)
    }

    pub(crate) fn pending(&self) -> &BTreeMap<Id, Pending> {
        &self.pending
    }

    pub(super) fn numbered_consumers(&self) -> impl Iterator<Item = (u32, &Consumer)> {
        self.consumers.iter().map(|(number, consumer)| (*number, consumer))
    }

    /// What it takes in memory with everything in it.
    fn size(&self, name: &[u8]) -> usize {
        let consumers: usize = self.consumers.values().map(|consumer| consumer_size(&consumer.name)).sum();
        group_size(name) + consumers + self.pending.len() * PENDING_SIZE
    }

    pub(super) fn admit_consumer(&mut self, number: u32, consumer: Consumer) -> usize {
        let size = consumer_size(&consumer.name);
        self.names.insert(consumer.name.clone(), number);
        self.consumers.insert(number, consumer);
        size
    }

    /// Whether the consumer is there.
    pub(super) fn admit_pending(&mut self, id: Id, pending: Pending) -> Option<usize> {
        self.consumers.get_mut(&pending.consumer)?.pending.insert(id);
        self.pending.insert(id, pending).is_none().then_some(PENDING_SIZE)
    }
}

fn group_size(name: &[u8]) -> usize {
    GROUP_SIZE + allocation_size(name.len())
}

fn consumer_size(name: &[u8]) -> usize {
    CONSUMER_SIZE + 2 * allocation_size(name.len())
}

impl Stream {
    /// Names and groups, by name.
    pub(crate) fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, group))
    }

    pub(crate) fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    pub(super) fn admit_group(&mut self, name: &[u8], group: Group) {
        self.group_bytes += group_size(name);
        self.groups.insert(name.into(), group);
    }

    pub(super) fn group_by_number(&mut self, number: u32) -> Option<&mut Group> {
        self.groups.values_mut().find(|group| group.number == number)
    }

    pub(super) fn count_group_bytes(&mut self, bytes: usize) {
        self.group_bytes += bytes;
    }

    /// How far a group is behind; none if that cannot be told.
    pub(crate) fn lag(&self, group: &Group) -> Option<i64> {
        let added = self.meta.added as i64;
        if added == 0 {
            return Some(0);
        }
        if group.read != UNKNOWN && !self.has_gap_from(group.last) {
            return Some(added.wrapping_sub(group.read));
        }
        self.added_until(group.last).map(|read| added.wrapping_sub(read as i64))
    }

    /// Makes a group that is not there yet, or sets how far one has read.
    pub(crate) fn set_group(&mut self, name: &[u8], last: Id, read: i64, rows: RowSink<'_>) {
        if !self.groups.contains_key(name) {
            let number = self.groups.values().map(|group| group.number + 1).max().unwrap_or(0);
            self.admit_group(name, Group::new(number, last, read));
        }
        if let Some(group) = self.groups.get_mut(name) {
            (group.last, group.read) = (last, read);
            rows::put_group(name, group, rows);
        }
    }

    /// Notes that a group was given an entry behind the last it had read.
    pub(crate) fn note_read(&mut self, name: &[u8], id: Id) {
        let Some(group) = self.groups.get(name).filter(|group| id > group.last) else { return };
        let read = if group.read != UNKNOWN && !self.has_gap_from(id) {
            group.read + 1
        } else if self.meta.added != 0 {
            self.added_until(id).map_or(UNKNOWN, |read| read as i64)
        } else {
            group.read
        };
        if let Some(group) = self.groups.get_mut(name) {
            (group.last, group.read) = (id, read);
        }
    }

    /// Gives a group's row as it is.
    pub(crate) fn put_group(&self, name: &[u8], rows: RowSink<'_>) {
        if let Some(group) = self.groups.get(name) {
            rows::put_group(name, group, rows);
        }
    }

    /// Takes a group away with its consumers; whether it was there.
    pub(crate) fn destroy_group(&mut self, name: &[u8], rows: RowSink<'_>) -> bool {
        let Some(group) = self.groups.remove(name) else { return false };
        self.group_bytes -= group.size(name);
        rows::group_rows(name, &group, &mut |key, _| rows(key, None));
        true
    }

    /// The number of a consumer of a group that is there, made where there is none, and whether it was.
    pub(crate) fn make_consumer(&mut self, group: &[u8], name: &[u8], now_ms: i64, rows: RowSink<'_>) -> (u32, bool) {
        let Some(group) = self.groups.get_mut(group) else { return (0, false) };
        if let Some(number) = group.consumer_number(name) {
            return (number, false);
        }
        let number = group.consumers.last_key_value().map_or(0, |(number, _)| number + 1);
        let consumer = Consumer { name: name.into(), seen_ms: now_ms, active_ms: UNKNOWN, pending: BTreeSet::new() };
        rows::put_consumer(group.number, number, &consumer, rows);
        self.group_bytes += group.admit_consumer(number, consumer);
        (number, true)
    }

    /// Notes that a consumer asked for something, or got something.
    pub(crate) fn touch(&mut self, group: &[u8], consumer: u32, now_ms: i64, active: bool, rows: RowSink<'_>) {
        let Some(group) = self.groups.get_mut(group) else { return };
        let Some(found) = group.consumers.get_mut(&consumer) else { return };
        let before = (found.seen_ms, found.active_ms);
        found.seen_ms = now_ms;
        if active {
            found.active_ms = now_ms;
        }
        if before != (found.seen_ms, found.active_ms) {
            rows::put_consumer(group.number, consumer, found, rows);
        }
    }

    /// Sets when a consumer asked for something and got something.
    pub(crate) fn set_times(&mut self, group: &[u8], consumer: u32, seen_ms: i64, active_ms: i64, rows: RowSink<'_>) {
        let Some(group) = self.groups.get_mut(group) else { return };
        let Some(found) = group.consumers.get_mut(&consumer) else { return };
        (found.seen_ms, found.active_ms) = (seen_ms, active_ms);
        rows::put_consumer(group.number, consumer, found, rows);
    }

    /// Takes a consumer away with what is pending for it; how much that was.
    pub(crate) fn delete_consumer(&mut self, group: &[u8], name: &[u8], rows: RowSink<'_>) -> Option<usize> {
        let group = self.groups.get_mut(group)?;
        let number = group.names.remove(name)?;
        let consumer = group.consumers.remove(&number)?;
        for id in &consumer.pending {
            group.pending.remove(id);
            rows(&rows::pending_key(group.number, *id), None);
        }
        rows(&rows::consumer_key(group.number, number), None);
        self.group_bytes -= consumer_size(name) + consumer.pending.len() * PENDING_SIZE;
        Some(consumer.pending.len())
    }

    /// Gives an entry to a consumer, who may be another than before.
    pub(crate) fn give(&mut self, group: &[u8], id: Id, pending: Pending, rows: RowSink<'_>) {
        let Some(group) = self.groups.get_mut(group) else { return };
        let former = group.pending.insert(id, pending);
        match former {
            Some(former) if former.consumer != pending.consumer => {
                if let Some(consumer) = group.consumers.get_mut(&former.consumer) {
                    consumer.pending.remove(&id);
                }
            }
            Some(_) => {}
            None => self.group_bytes += PENDING_SIZE,
        }
        if let Some(consumer) = group.consumers.get_mut(&pending.consumer) {
            consumer.pending.insert(id);
        }
        rows::put_pending(group.number, id, pending, rows);
    }

    /// Ends that an entry is pending; whether it was.
    pub(crate) fn acknowledge(&mut self, group: &[u8], id: Id, rows: RowSink<'_>) -> bool {
        let Some(group) = self.groups.get_mut(group) else { return false };
        let Some(pending) = group.pending.remove(&id) else { return false };
        if let Some(consumer) = group.consumers.get_mut(&pending.consumer) {
            consumer.pending.remove(&id);
        }
        self.group_bytes -= PENDING_SIZE;
        rows(&rows::pending_key(group.number, id), None);
        true
    }
}
