//! A stream: entries in the order of their ids, and the groups that read it.
//!
//! Entries stand in chunks as Redis has them (`chunk.rs`), so that approximate trimming goes by whole chunks there as here.
//! Every change gives the rows that it makes, to be staged; what they look like: `rows.rs`.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

mod chunk;
mod group;
pub(crate) mod id;
mod rows;
#[cfg(test)]
mod tests;
mod trim;

use chunk::Chunk;
pub(crate) use chunk::{Entry, Room, parse_listpack};
pub(crate) use group::{Group, Pending, UNKNOWN};
pub(crate) use id::Id;
pub(crate) use rows::RowSink;
pub(crate) use trim::{Limit, Trim};

/// What a tree spends on an element besides it.
const TREE_SHARE: usize = 16;
/// A chunk in its tree.
const CHUNK_SIZE: usize = size_of::<(Id, Chunk)>() + TREE_SHARE;

/// Where a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Meta {
    /// The highest id that was ever given.
    pub(crate) last: Id,
    /// The highest id of an entry that XDEL took away; [`Id::MIN`] for none.
    pub(crate) deleted: Id,
    /// How many entries were ever added.
    pub(crate) added: u64,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: u64,
    pub(crate) meta: Meta,
    /// By the id that their entries' are told from.
    chunks: BTreeMap<Id, Chunk>,
    /// How many there ever were.
    chunks_made: u64,
    len: usize,
    /// What the chunks take.
    bytes: usize,
    groups: BTreeMap<Box<[u8]>, Group>,
    /// What the groups take.
    group_bytes: usize,
}

impl Stream {
    pub(crate) fn new(id: u64) -> Stream {
        Stream {
            id,
            meta: Meta::default(),
            chunks: BTreeMap::new(),
            chunks_made: 0,
            len: 0,
            bytes: 0,
            groups: BTreeMap::new(),
            group_bytes: 0,
        }
    }

    /// Entries.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes + self.group_bytes
    }

    /// Frees a part of the entries; whether there is more. It is of no other use after that.
    pub(crate) fn dissolve(&mut self, chunks: usize) -> bool {
        for _ in 0..chunks {
            self.chunks.pop_first();
        }
        !self.chunks.is_empty()
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// The chunks as Redis's files have them: the id that their entries' are told from, and a listpack.
    pub(crate) fn listpacks(&self) -> impl Iterator<Item = (Id, Vec<u8>)> {
        self.chunks.iter().map(|(master, chunk)| (*master, chunk.listpack()))
    }

    /// Adds an entry with the fields and values, in turn. Its id is higher than all before. `room` is that of the last chunk.
    pub(crate) fn append<'f>(
        &mut self,
        id: Id,
        fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone,
        room: Room,
        rows: RowSink<'_>,
    ) {
        rows::put_entry(id, fields.clone(), rows);
        self.admit_entry(id, fields, room);
        self.meta.last = id;
        self.meta.added += 1;
        self.put_meta(rows);
    }

    /// Adds an entry behind all others.
    fn admit_entry<'f>(&mut self, id: Id, fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone, room: Room) {
        let bytes = fields.clone().map(<[u8]>::len).sum();
        let (master, chunk) = match self.chunks.last_entry().filter(|last| last.get().has_room(bytes, room)) {
            Some(last) => (*last.key(), last.into_mut()),
            None => {
                self.chunks_made += 1;
                let chunk = Chunk::new(self.chunks_made, fields.clone().step_by(2));
                self.bytes += CHUNK_SIZE + chunk.size();
                (id, self.chunks.entry(id).or_insert(chunk))
            }
        };
        let before = chunk.size();
        chunk.push(master, id, fields);
        self.bytes = self.bytes + chunk.size() - before;
        self.len += 1;
    }

    /// The entries with ids in a range, in order.
    pub(crate) fn range(&self, ids: RangeInclusive<Id>) -> impl Iterator<Item = Entry<'_>> {
        let (first, last) = ids.into_inner();
        // The chunk with the first may begin before it.
        let before = self.chunks.range(..=first).next_back().filter(|(_, chunk)| chunk.last >= first);
        let from = before.map_or(first, |(master, _)| *master);
        self.chunks
            .range(from..=last.max(from))
            .flat_map(|(master, chunk)| chunk.entries(*master))
            .skip_while(move |entry| entry.id < first)
            .take_while(move |entry| entry.id <= last)
    }

    /// The entries with ids in a range, the last one first.
    pub(crate) fn range_back(&self, ids: RangeInclusive<Id>) -> impl Iterator<Item = Entry<'_>> {
        let (first, last) = ids.into_inner();
        self.chunks
            .range(..=last)
            .rev()
            .flat_map(|(master, chunk)| chunk.entries(*master).collect::<Vec<_>>().into_iter().rev())
            .skip_while(move |entry| entry.id > last)
            .take_while(move |entry| entry.id >= first)
    }

    pub(crate) fn entry(&self, id: Id) -> Option<Entry<'_>> {
        self.range(id..=id).next()
    }

    /// The id of the first entry; [`Id::MIN`] where there is none.
    pub(crate) fn first(&self) -> Id {
        let mut entries = self.chunks.iter().flat_map(|(master, chunk)| chunk.entries(*master));
        entries.next().map_or(Id::MIN, |entry| entry.id)
    }

    /// The id of the last entry; [`Id::MIN`] where there is none.
    pub(crate) fn top(&self) -> Id {
        self.chunks.last_key_value().map_or(Id::MIN, |(_, chunk)| chunk.last)
    }

    /// Takes an entry away; whether it was there.
    pub(crate) fn delete(&mut self, id: Id, rows: RowSink<'_>) -> bool {
        let Some((&master, chunk)) = self.chunks.range_mut(..=id).next_back() else { return false };
        let before = chunk.size();
        if !chunk.remove(master, id) {
            return false;
        }
        self.bytes = self.bytes + chunk.size() - before;
        self.len -= 1;
        if chunk.is_empty() {
            self.drop_chunk(master);
        }
        rows(&rows::entry_key(id), None);
        self.meta.deleted = self.meta.deleted.max(id);
        self.put_meta(rows);
        true
    }

    fn drop_chunk(&mut self, master: Id) {
        if let Some(chunk) = self.chunks.remove(&master) {
            self.bytes -= CHUNK_SIZE + chunk.size();
        }
    }

    /// Sets where the stream stands.
    pub(crate) fn set_meta(&mut self, meta: Meta, rows: RowSink<'_>) {
        self.meta = meta;
        self.put_meta(rows);
    }

    /// Whether an entry from an id on may be missing because XDEL took it away.
    fn has_gap_from(&self, id: Id) -> bool {
        let deleted = self.meta.deleted;
        self.len > 0 && deleted != Id::MIN && self.first() <= deleted && id <= deleted
    }

    /// How many entries were ever added up to an id, if that can be told.
    pub(crate) fn added_until(&self, id: Id) -> Option<u64> {
        let Meta { last, deleted, added } = self.meta;
        if added == 0 || id == last || self.len == 0 && id < last {
            return Some(added);
        }
        let first = self.first();
        if id > last || deleted != Id::MIN && deleted >= first {
            return None;
        }
        let before = added.saturating_sub(self.len as u64);
        match id.cmp(&first) {
            std::cmp::Ordering::Less => Some(before),
            std::cmp::Ordering::Equal => Some(before + 1),
            std::cmp::Ordering::Greater => None,
        }
    }
}
