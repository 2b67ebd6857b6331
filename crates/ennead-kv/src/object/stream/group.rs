//! A group of consumers that reads a stream together: how far it has read, and which entries were given to whom and are not
//! acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::chunk::Mark;
use super::rows::{self, RowSink};
use super::{Entry, Id, Stream, TREE_SHARE};
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
    /// Where in the entries `last` was when it was read.
    mark: Option<(Id, Mark)>,
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

    fn touch(&mut self, consumer: u32, now_ms: i64, active: bool, rows: RowSink<'_>) {
        let Some(found) = self.consumers.get_mut(&consumer) else { return };
        let before = (found.seen_ms, found.active_ms);
        found.seen_ms = now_ms;
        if active {
            found.active_ms = now_ms;
        }
        if before != (found.seen_ms, found.active_ms) {
            rows::put_consumer(self.number, consumer, found, rows);
        }
    }

    /// Gives an entry to a consumer, who may be another than before; how many bytes that takes.
    fn give(&mut self, id: Id, pending: Pending) -> usize {
        let former = self.pending.insert(id, pending);
        if let Some(former) = former
            && former.consumer != pending.consumer
            && let Some(consumer) = self.consumers.get_mut(&former.consumer)
        {
            consumer.pending.remove(&id);
        }
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.insert(id);
        }
        if former.is_none() { PENDING_SIZE } else { 0 }
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

    /// The entries that no member of a group has got, in order.
    pub(crate) fn unread(&self, group: &Group) -> impl Iterator<Item = Entry<'_>> {
        let first = group.last.next().unwrap_or(Id::MAX);
        let marked = group.mark.filter(|(id, _)| *id == group.last).and_then(|(_, mark)| {
            let (master, chunk) = self.chunks.range(..=group.last).next_back()?;
            let rest = self.chunks.range((Bound::Excluded(master), Bound::Unbounded));
            let rest = rest.flat_map(|(master, chunk)| chunk.entries(*master));
            chunk.entries_behind(*master, mark).map(|here| here.chain(rest))
        });
        let searched = marked.is_none().then(|| self.range(first..=Id::MAX));
        marked.into_iter().flatten().chain(searched.into_iter().flatten())
    }

    /// Gives a member of a group entries that were unread, to be acknowledged unless `no_ack`.
    pub(crate) fn deliver(
        &mut self,
        name: &[u8],
        consumer: u32,
        entries: &[(Id, Mark)],
        now_ms: i64,
        no_ack: bool,
        rows: RowSink<'_>,
    ) {
        let Some(group) = self.groups.get(name) else { return };
        let (mut last, mut read, mut mark) = (group.last, group.read, group.mark);
        for (id, behind) in entries {
            if *id > last {
                read = self.read_after(read, *id);
                (last, mark) = (*id, Some((*id, *behind)));
            }
        }
        let Some(group) = self.groups.get_mut(name) else { return };
        (group.last, group.read, group.mark) = (last, read, mark);
        if !no_ack {
            let pending = Pending { consumer, delivered_ms: now_ms, deliveries: 1 };
            for (id, _) in entries {
                self.group_bytes += group.give(*id, pending);
                rows::put_pending(group.number, *id, pending, rows);
            }
        }
        group.touch(consumer, now_ms, !no_ack, rows);
        rows::put_group(name, group, rows);
    }

    /// How many entries a group has read when it was given one behind the last; `read` before.
    fn read_after(&self, read: i64, id: Id) -> i64 {
        if read != UNKNOWN && !self.has_gap_from(id) {
            read + 1
        } else if self.meta.added != 0 {
            self.added_until(id).map_or(UNKNOWN, |read| read as i64)
        } else {
            read
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
        if let Some(group) = self.groups.get_mut(group) {
            group.touch(consumer, now_ms, active, rows);
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
        self.group_bytes += group.give(id, pending);
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
