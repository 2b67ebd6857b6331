//! The rows of a stream. They outlive the process: change them only with a format version.
//!
//! | suffix of the key | value |
//! |---|---|
//! | 0 | last id and highest deleted id (each 16 bytes, BE), entries ever added (u64 LE) |
//! | 1, id (16 bytes BE) | fields and values in turn, as [`crate::packed`] has items |
//! | 2, group (u32 BE) | last id (16 bytes BE), entries read (i64 LE), name |
//! | 3, group, consumer (u32 BE) | seen and active time (i64 LE each), name |
//! | 4, group, id | consumer (u32 LE), time of delivery (i64 LE), deliveries (u64 LE) |

use super::group::Consumer;
use super::{Group, Id, Meta, Pending, Room, Stream};
use crate::object::RowVisitor;
use crate::packed;

/// Takes the suffix of a row, and its value or that it is gone.
pub(crate) type RowSink<'s> = &'s mut dyn FnMut(&[u8], Option<&[u8]>);

const META: u8 = 0;
const ENTRY: u8 = 1;
const GROUP: u8 = 2;
const CONSUMER: u8 = 3;
const PENDING: u8 = 4;

pub(super) fn entry_key(id: Id) -> [u8; 17] {
    let mut key = [ENTRY; 17];
    key[1..].copy_from_slice(&id.to_bytes());
    key
}

fn group_key(group: u32) -> [u8; 5] {
    let mut key = [GROUP; 5];
    key[1..].copy_from_slice(&group.to_be_bytes());
    key
}

pub(super) fn consumer_key(group: u32, consumer: u32) -> [u8; 9] {
    let mut key = [CONSUMER; 9];
    key[1..5].copy_from_slice(&group.to_be_bytes());
    key[5..].copy_from_slice(&consumer.to_be_bytes());
    key
}

pub(super) fn pending_key(group: u32, id: Id) -> [u8; 21] {
    let mut key = [PENDING; 21];
    key[1..5].copy_from_slice(&group.to_be_bytes());
    key[5..].copy_from_slice(&id.to_bytes());
    key
}

pub(super) fn put_entry<'f>(id: Id, fields: impl Iterator<Item = &'f [u8]>, rows: RowSink<'_>) {
    let mut value = Vec::new();
    fields.for_each(|word| packed::push(&mut value, word));
    rows(&entry_key(id), Some(&value));
}

pub(super) fn put_group(name: &[u8], group: &Group, rows: RowSink<'_>) {
    let mut value = Vec::with_capacity(24 + name.len());
    value.extend_from_slice(&group.last.to_bytes());
    value.extend_from_slice(&group.read.to_le_bytes());
    value.extend_from_slice(name);
    rows(&group_key(group.number), Some(&value));
}

pub(super) fn put_consumer(group: u32, number: u32, consumer: &Consumer, rows: RowSink<'_>) {
    let mut value = Vec::with_capacity(16 + consumer.name.len());
    value.extend_from_slice(&consumer.seen_ms.to_le_bytes());
    value.extend_from_slice(&consumer.active_ms.to_le_bytes());
    value.extend_from_slice(&consumer.name);
    rows(&consumer_key(group, number), Some(&value));
}

pub(super) fn put_pending(group: u32, id: Id, pending: Pending, rows: RowSink<'_>) {
    let mut value = [0; 20];
    value[..4].copy_from_slice(&pending.consumer.to_le_bytes());
    value[4..12].copy_from_slice(&pending.delivered_ms.to_le_bytes());
    value[12..].copy_from_slice(&pending.deliveries.to_le_bytes());
    rows(&pending_key(group, id), Some(&value));
}

/// All rows of a group.
pub(super) fn group_rows(name: &[u8], group: &Group, rows: RowSink<'_>) {
    put_group(name, group, rows);
    group.numbered_consumers().for_each(|(number, consumer)| put_consumer(group.number, number, consumer, rows));
    group.pending().iter().for_each(|(id, pending)| put_pending(group.number, *id, *pending, rows));
}

impl Stream {
    pub(super) fn put_meta(&self, rows: RowSink<'_>) {
        let Meta { last, deleted, added } = self.meta;
        let mut value = [0; 40];
        value[..16].copy_from_slice(&last.to_bytes());
        value[16..32].copy_from_slice(&deleted.to_bytes());
        value[32..].copy_from_slice(&added.to_le_bytes());
        rows(&[META], Some(&value));
    }

    /// All rows.
    pub(crate) fn rows(&self, visit: RowVisitor<'_>) {
        let rows: RowSink<'_> = &mut |key, value| visit(key, value.unwrap_or_default());
        self.put_meta(rows);
        let mut value = Vec::new();
        for entry in self.range(Id::MIN..=Id::MAX) {
            value.clear();
            entry.words().for_each(|word| packed::push(&mut value, &word));
            rows(&entry_key(entry.id), Some(&value));
        }
        self.groups().for_each(|(name, group)| group_rows(name, group, rows));
    }

    /// Takes in a row, which come in the order of their suffixes; whether it is one.
    pub(crate) fn admit(&mut self, suffix: &[u8], value: &[u8]) -> bool {
        self.try_admit(suffix, value).is_some()
    }

    fn try_admit(&mut self, suffix: &[u8], value: &[u8]) -> Option<()> {
        let (&tag, key) = suffix.split_first()?;
        match tag {
            META => {
                let (last, rest) = value.split_first_chunk()?;
                let (deleted, added) = rest.split_first_chunk()?;
                let added = u64::from_le_bytes(added.try_into().ok()?);
                self.meta = Meta { last: Id::from_bytes(*last), deleted: Id::from_bytes(*deleted), added };
            }
            ENTRY => {
                let words: Vec<&[u8]> = packed::items(value).map(|item| item.bytes).collect();
                self.admit_entry(Id::from_bytes(key.try_into().ok()?), words.iter().copied(), Room::default());
            }
            GROUP => {
                let (last, rest) = value.split_first_chunk()?;
                let (read, name) = rest.split_first_chunk()?;
                let number = u32::from_be_bytes(key.try_into().ok()?);
                self.admit_group(name, Group::new(number, Id::from_bytes(*last), i64::from_le_bytes(*read)));
            }
            CONSUMER => {
                let (group, number) = key.split_first_chunk()?;
                let (seen, rest) = value.split_first_chunk()?;
                let (active, name) = rest.split_first_chunk()?;
                let consumer = Consumer {
                    name: name.into(),
                    seen_ms: i64::from_le_bytes(*seen),
                    active_ms: i64::from_le_bytes(*active),
                    pending: Default::default(),
                };
                let number = u32::from_be_bytes(number.try_into().ok()?);
                let bytes = self.group_by_number(u32::from_be_bytes(*group))?.admit_consumer(number, consumer);
                self.count_group_bytes(bytes);
            }
            PENDING => {
                let (group, id) = key.split_first_chunk()?;
                let (consumer, rest) = value.split_first_chunk()?;
                let (delivered, deliveries) = rest.split_first_chunk()?;
                let pending = Pending {
                    consumer: u32::from_le_bytes(*consumer),
                    delivered_ms: i64::from_le_bytes(*delivered),
                    deliveries: u64::from_le_bytes(deliveries.try_into().ok()?),
                };
                let group = self.group_by_number(u32::from_be_bytes(*group))?;
                let bytes = group.admit_pending(Id::from_bytes(id.try_into().ok()?), pending)?;
                self.count_group_bytes(bytes);
            }
            _ => return None,
        }
        Some(())
    }
}
