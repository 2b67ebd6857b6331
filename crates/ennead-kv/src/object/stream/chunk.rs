//! Some entries of a stream, in the form in which Redis keeps them: elements of a listpack. Ids are told as differences from
//! the chunk's own, and names of fields are left out where they are those of its first entry. An entry is flags, two
//! differences, its fields, and how many elements that was.
//!
//! Entries that were taken away are gone here, while Redis marks them; how much they would take is kept, because a chunk is
//! full by that.

use std::borrow::Cow;

use super::Id;
use crate::entry::allocation_size;
use crate::listpack::{self, Element};
use crate::reply::Reply;

/// How much goes into a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    /// Entries, taken ones included.
    pub(crate) entries: usize,
    /// Bytes of the listpack.
    pub(crate) bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Room { entries: 100, bytes: 4096 }
    }
}

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

#[derive(Debug)]
pub(super) struct Chunk {
    /// No other chunk that the stream had or has is of this number.
    number: u64,
    /// The id of its last entry.
    pub(super) last: Id,
    /// The names of its first entry's fields, as elements.
    names: Box<[u8]>,
    name_count: u32,
    pub(super) live: u32,
    gone: u32,
    gone_bytes: u32,
    body: Vec<u8>,
}

/// A place in a chunk between two entries. It is void when entries before it were taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    chunk: u64,
    /// How many entries were taken away before.
    gone: u32,
    at: usize,
}

/// An entry of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) id: Id,
    chunk: &'a Chunk,
    same: bool,
    pub(crate) field_count: usize,
    start: usize,
    /// Where its fields begin.
    fields: usize,
    end: usize,
}

impl Chunk {
    pub(super) fn new<'f>(number: u64, names: impl Iterator<Item = &'f [u8]>) -> Chunk {
        let (mut elements, mut name_count) = (Vec::new(), 0);
        for name in names {
            listpack::push(&mut elements, name);
            name_count += 1;
        }
        Chunk {
            number,
            last: Id::MIN,
            names: elements.into(),
            name_count,
            live: 0,
            gone: 0,
            gone_bytes: 0,
            body: Vec::new(),
        }
    }

    /// Bytes of its own allocations.
    pub(super) fn size(&self) -> usize {
        allocation_size(self.names.len()) + allocation_size(self.body.capacity())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Whether an entry with so many bytes of fields and values still goes in.
    pub(super) fn has_room(&self, bytes: usize, room: Room) -> bool {
        let taken = listpack::FRAME + self.head_bytes() + self.names.len() + self.body.len() + self.gone_bytes as usize;
        taken + bytes < room.bytes && ((self.live + self.gone) as usize) < room.entries
    }

    /// Bytes of what stands around the names: numbers of entries that are there and that are gone, and of names, and a zero.
    fn head_bytes(&self) -> usize {
        let bytes = |count: u32| if count < 128 { 2 } else { 3 };
        bytes(self.live) + bytes(self.gone) + bytes(self.name_count) + 2
    }

    pub(super) fn push<'f>(&mut self, master: Id, id: Id, fields: impl ExactSizeIterator<Item = &'f [u8]> + Clone) {
        let count = fields.len() / 2;
        let names = listpack::elements_from(&self.names, 0).map(Element::text);
        let same = count == self.name_count as usize && names.eq(fields.clone().step_by(2));
        let body = &mut self.body;
        listpack::push_integer(body, if same { SAME_FIELDS } else { 0 });
        listpack::push_integer(body, id.ms.wrapping_sub(master.ms) as i64);
        listpack::push_integer(body, id.sequence.wrapping_sub(master.sequence) as i64);
        if same {
            fields.skip(1).step_by(2).for_each(|value| listpack::push(body, value));
            listpack::push_integer(body, count as i64 + 3);
        } else {
            listpack::push_integer(body, count as i64);
            fields.for_each(|word| listpack::push(body, word));
            listpack::push_integer(body, count as i64 * 2 + 4);
        }
        self.live += 1;
        self.last = id;
    }

    /// Takes an entry away; whether it was there.
    pub(super) fn remove(&mut self, master: Id, id: Id) -> bool {
        let Some((start, end)) = self.entries(master).find(|entry| entry.id == id).map(|e| (e.start, e.end)) else {
            return false;
        };
        self.cut(start, end, 1);
        if id == self.last {
            self.last = self.entries(master).last().map_or(Id::MIN, |entry| entry.id);
        }
        true
    }

    /// Takes the first entries away that are `gone`; their ids.
    pub(super) fn remove_first(&mut self, master: Id, mut gone: impl FnMut(Id) -> bool) -> Vec<Id> {
        let mut end = 0;
        let mut ids = Vec::new();
        for entry in self.entries(master) {
            if !gone(entry.id) {
                break;
            }
            ids.push(entry.id);
            end = entry.end;
        }
        self.cut(0, end, ids.len() as u32);
        ids
    }

    fn cut(&mut self, start: usize, end: usize, entries: u32) {
        self.body.drain(start..end);
        self.live -= entries;
        self.gone += entries;
        self.gone_bytes += (end - start) as u32;
    }

    pub(super) fn entries(&self, master: Id) -> impl Iterator<Item = Entry<'_>> {
        self.entries_at(master, 0)
    }

    /// The entries behind a mark; none if it is void.
    pub(super) fn entries_behind(&self, master: Id, mark: Mark) -> Option<impl Iterator<Item = Entry<'_>>> {
        ((mark.chunk, mark.gone) == (self.number, self.gone)).then(|| self.entries_at(master, mark.at))
    }

    /// `at` is where an entry begins.
    fn entries_at(&self, master: Id, at: usize) -> impl Iterator<Item = Entry<'_>> {
        let mut at = at;
        std::iter::from_fn(move || {
            let entry = read(self, &self.body, master, at)?.0;
            at = entry.end;
            Some(entry)
        })
    }

    /// As Redis has it.
    pub(super) fn listpack(&self) -> Vec<u8> {
        let mut elements = Vec::with_capacity(self.body.len() + self.names.len() + 16);
        for count in [self.live, 0, self.name_count] {
            listpack::push_integer(&mut elements, count.into());
        }
        elements.extend_from_slice(&self.names);
        listpack::push_integer(&mut elements, 0);
        elements.extend_from_slice(&self.body);
        listpack::seal(&elements)
    }
}

/// The entry at a place of a body, and whether it is marked as deleted.
fn read<'a>(chunk: &'a Chunk, body: &[u8], master: Id, start: usize) -> Option<(Entry<'a>, bool)> {
    let mut at = start;
    let mut integer = || {
        let (element, next) = listpack::element(body, at)?;
        at = next;
        element.integer()
    };
    let flags = integer()?;
    let (ms, sequence) = (integer()?, integer()?);
    let same = flags & SAME_FIELDS != 0;
    let field_count = if same { chunk.name_count as usize } else { usize::try_from(integer()?).ok()? };
    let fields = at;
    let words = if same { field_count } else { field_count.checked_mul(2)? };
    // And the count of elements.
    for _ in 0..=words {
        (_, at) = listpack::element(body, at)?;
    }
    let id = Id { ms: master.ms.wrapping_add(ms as u64), sequence: master.sequence.wrapping_add(sequence as u64) };
    Some((Entry { id, chunk, same, field_count, start, fields, end: at }, flags & DELETED != 0))
}

/// The entries of a listpack of Redis that are not marked as deleted, with fields and values in turn; none if it is not
/// sound.
pub(crate) fn parse_listpack(master: Id, listpack: &[u8]) -> Option<Vec<(Id, Vec<Vec<u8>>)>> {
    let elements = listpack::unseal(listpack)?;
    let (_, at) = listpack::element(elements, 0)?;
    let (_, at) = listpack::element(elements, at)?;
    let (count, mut at) = listpack::element(elements, at)?;
    let name_count = u32::try_from(count.integer()?).ok()?;
    let names = at;
    for _ in 0..name_count {
        (_, at) = listpack::element(elements, at)?;
    }
    let names = elements.get(names..at)?.into();
    let (zero, at) = listpack::element(elements, at)?;
    zero.integer().filter(|zero| *zero == 0)?;
    let chunk = Chunk { names, name_count, body: elements[at..].to_vec(), ..Chunk::new(0, std::iter::empty()) };
    let (mut entries, mut at) = (Vec::new(), 0);
    while at < chunk.body.len() {
        let (entry, deleted) = read(&chunk, &chunk.body, master, at)?;
        at = entry.end;
        if !deleted {
            entries.push((entry.id, entry.words().map(Cow::into_owned).collect()));
        }
    }
    Some(entries)
}

impl<'a> Entry<'a> {
    /// The place behind it.
    pub(crate) fn mark(&self) -> Mark {
        Mark { chunk: self.chunk.number, gone: self.chunk.gone, at: self.end }
    }

    /// Fields and values in turn.
    pub(crate) fn words(self) -> impl Iterator<Item = Cow<'a, [u8]>> {
        let Entry { chunk, same, field_count, fields, .. } = self;
        let mut names = listpack::elements_from(&chunk.names, 0);
        let mut body = listpack::elements_from(&chunk.body, fields);
        (0..field_count * 2).map_while(move |index| {
            let element = if same && index % 2 == 0 { names.next() } else { body.next() };
            element.map(Element::text)
        })
    }

    /// Id and fields.
    pub(crate) fn write(self, reply: &mut dyn Reply) {
        reply.array(2);
        reply.bulk(&self.id.text());
        reply.array(self.field_count * 2);
        self.words().for_each(|word| reply.bulk(&word));
    }
}
