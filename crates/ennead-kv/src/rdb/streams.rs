//! Streams as payloads: chunks as listpacks, then where the stream stands, its groups, and what they have pending.
//!
//! Written in the form that Redis 7.0 brought, which 7.2 reads as well; it has no time of a consumer's last delivery.

#[cfg(test)]
mod tests;

use super::{Reader, frame, write_bytes, write_length};
use crate::object::stream::{Id, Meta, Pending, Room, RowSink, Stream, UNKNOWN, parse_listpack};

/// That of Redis 5; of 7.0, with entries ever added and deleted; of 7.2, with when consumers were active.
pub(super) const TYPE_FIRST: u8 = 15;
pub(super) const TYPE_SECOND: u8 = 19;
pub(super) const TYPE_THIRD: u8 = 21;

/// A stream as it comes from a payload.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct RestoredStream {
    /// Ids, and fields and values in turn.
    entries: Vec<(Id, Vec<Vec<u8>>)>,
    meta: Meta,
    groups: Vec<RestoredGroup>,
}

#[derive(Debug, Clone, PartialEq)]
struct RestoredGroup {
    name: Vec<u8>,
    last: Id,
    /// None where the form does not tell.
    read: Option<i64>,
    consumers: Vec<RestoredConsumer>,
}

#[derive(Debug, Clone, PartialEq)]
struct RestoredConsumer {
    name: Vec<u8>,
    seen_ms: i64,
    active_ms: i64,
    /// Ids, times and numbers of deliveries.
    pending: Vec<(Id, i64, u64)>,
}

/// A stream as payload.
pub(crate) fn dump(stream: &Stream) -> Vec<u8> {
    frame(value(stream))
}

/// The type and the value of a stream.
pub(super) fn value(stream: &Stream) -> Vec<u8> {
    let mut payload = vec![TYPE_SECOND];
    let write_id = |payload: &mut Vec<u8>, id: Id| {
        write_length(payload, id.ms);
        write_length(payload, id.sequence);
    };
    write_length(&mut payload, stream.chunk_count() as u64);
    for (master, listpack) in stream.listpacks() {
        write_bytes(&mut payload, &master.to_bytes());
        write_bytes(&mut payload, &listpack);
    }
    write_length(&mut payload, stream.len() as u64);
    for id in [stream.meta.last, stream.first(), stream.meta.deleted] {
        write_id(&mut payload, id);
    }
    write_length(&mut payload, stream.meta.added);
    write_length(&mut payload, stream.groups().len() as u64);
    for (name, group) in stream.groups() {
        write_bytes(&mut payload, name);
        write_id(&mut payload, group.last);
        write_length(&mut payload, group.read as u64);
        write_length(&mut payload, group.pending().len() as u64);
        for (id, pending) in group.pending() {
            payload.extend_from_slice(&id.to_bytes());
            payload.extend_from_slice(&pending.delivered_ms.to_le_bytes());
            write_length(&mut payload, pending.deliveries);
        }
        write_length(&mut payload, group.consumers().len() as u64);
        for consumer in group.consumers() {
            write_bytes(&mut payload, &consumer.name);
            payload.extend_from_slice(&consumer.seen_ms.to_le_bytes());
            write_length(&mut payload, consumer.pending.len() as u64);
            consumer.pending.iter().for_each(|id| payload.extend_from_slice(&id.to_bytes()));
        }
    }
    payload
}

/// A stream of one of the types above; none for a payload that is not sound.
pub(super) fn read(kind: u8, reader: &mut Reader<'_>, longest: u64) -> Option<RestoredStream> {
    let mut stream = RestoredStream::default();
    for _ in 0..reader.plain_length()? {
        let master = read_raw_id(&reader.string(longest)?)?;
        let entries = parse_listpack(master, &reader.string(longest)?)?;
        stream.entries.extend(entries);
    }
    let len = reader.plain_length()?;
    stream.meta.last = read_id(reader)?;
    if kind == TYPE_FIRST {
        stream.meta.added = len;
    } else {
        read_id(reader)?;
        stream.meta.deleted = read_id(reader)?;
        stream.meta.added = reader.plain_length()?;
    }
    let rising = stream.entries.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let top = stream.entries.last().map_or(Id::MIN, |(id, _)| *id);
    if len != stream.entries.len() as u64 || !rising || top > stream.meta.last {
        return None;
    }
    for _ in 0..reader.plain_length()? {
        let group = read_group(kind, reader, longest)?;
        if stream.groups.iter().any(|other| other.name == group.name) {
            return None;
        }
        stream.groups.push(group);
    }
    Some(stream)
}

fn read_id(reader: &mut Reader<'_>) -> Option<Id> {
    Some(Id { ms: reader.plain_length()?, sequence: reader.plain_length()? })
}

fn read_raw_id(bytes: &[u8]) -> Option<Id> {
    bytes.try_into().ok().map(Id::from_bytes)
}

fn read_time(reader: &mut Reader<'_>) -> Option<i64> {
    reader.array().map(i64::from_le_bytes)
}

fn read_group(kind: u8, reader: &mut Reader<'_>, longest: u64) -> Option<RestoredGroup> {
    let name = reader.string(longest)?;
    let last = read_id(reader)?;
    let read = if kind == TYPE_FIRST { None } else { Some(reader.plain_length()? as i64) };
    let mut deliveries = std::collections::HashMap::new();
    for _ in 0..reader.plain_length()? {
        let id = Id::from_bytes(reader.array()?);
        let delivery = (read_time(reader)?, reader.plain_length()?);
        if deliveries.insert(id, delivery).is_some() {
            return None;
        }
    }
    let mut consumers: Vec<RestoredConsumer> = Vec::new();
    for _ in 0..reader.plain_length()? {
        let name = reader.string(longest)?;
        let seen_ms = read_time(reader)?;
        let active_ms = if kind == TYPE_THIRD { read_time(reader)? } else { seen_ms };
        let mut pending = Vec::new();
        for _ in 0..reader.plain_length()? {
            let id = Id::from_bytes(reader.array()?);
            // What is pending for a consumer is so for the group, and for nobody else.
            let (time, count) = deliveries.remove(&id)?;
            pending.push((id, time, count));
        }
        if consumers.iter().any(|other| other.name == name) {
            return None;
        }
        consumers.push(RestoredConsumer { name, seen_ms, active_ms, pending });
    }
    deliveries.is_empty().then_some(RestoredGroup { name, last, read, consumers })
}

impl RestoredStream {
    /// Fills a stream that is empty.
    pub(crate) fn fill(&self, stream: &mut Stream, rows: RowSink<'_>) {
        for (id, words) in &self.entries {
            let words: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
            stream.append(*id, words.iter().copied(), Room::default(), rows);
        }
        stream.set_meta(self.meta, rows);
        for group in &self.groups {
            let told = || stream.added_until(group.last).map_or(UNKNOWN, |read| read as i64);
            let read = group.read.unwrap_or_else(told);
            stream.set_group(&group.name, group.last, read, rows);
            for consumer in &group.consumers {
                let (number, _) = stream.make_consumer(&group.name, &consumer.name, consumer.seen_ms, rows);
                stream.set_times(&group.name, number, consumer.seen_ms, consumer.active_ms, rows);
                for (id, delivered_ms, deliveries) in &consumer.pending {
                    let pending = Pending { consumer: number, delivered_ms: *delivered_ms, deliveries: *deliveries };
                    stream.give(&group.name, *id, pending, rows);
                }
            }
        }
    }
}
