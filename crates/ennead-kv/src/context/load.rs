//! Reading keys back from the store into memory.

use std::sync::atomic::Ordering::Relaxed;

use ennead_store::Snapshot;

use super::{Context, Spot};
use crate::database::Database;
use crate::error::Result;
use crate::object::{LongString, Object};
use crate::place::{Place, Placer};
use crate::row::{self, RowValue};
use crate::slot::{Facts, Slot};

impl Context<'_> {
    /// Looks for a key of an incomplete slot in the store and takes it into memory; of a large collection, unless it is to
    /// be whole, the outline.
    #[cold]
    pub(super) fn load(&mut self, spot: Spot, key: &[u8], whole: bool) -> Result<Option<usize>> {
        let shared = self.shared();
        let access = self.clock.fresh();
        let locked = &mut self.locked[spot.locked];
        let gone = self.gone.get(&(locked.db, spot.place));
        if gone.is_some_and(|keys| keys.iter().any(|gone| gone == key)) {
            return Ok(None);
        }
        self.work.row.set_key(spot.place, key);
        let Some(value) = shared.store.get(locked.database.rows, self.work.row.row_key())? else { return Ok(None) };
        let value = parse(&value, key)?;
        if !whole && let Some(outline) = outline(value) {
            let at = admit_outline(&mut locked.slot, spot.place, key, value, outline, access);
            shared.counters.loaded.fetch_add(1, Relaxed);
            return Ok(Some(at));
        }
        let snapshot = value.kind.has_object().then(|| shared.store.snapshot());
        let source = Source { database: locked.database, placer: &shared.placer, snapshot: snapshot.as_ref() };
        let at = admit(&mut locked.slot, source, spot.place, key, value, access)?;
        shared.counters.loaded.fetch_add(1, Relaxed);
        Ok(Some(at))
    }
}

/// A collection of fewer members comes into memory as a whole.
const OUTLINED_MIN: u64 = 512;

/// Where the rows of a key come from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) database: &'a Database,
    pub(crate) placer: &'a Placer,
    /// Needed for kinds that have more than one row.
    pub(crate) snapshot: Option<&'a Snapshot>,
}

/// Takes a row into memory.
pub(crate) fn admit(
    slot: &mut Slot,
    source: Source<'_>,
    place: Place,
    key: &[u8],
    value: RowValue<'_>,
    access: u32,
) -> Result<usize> {
    let mut bytes = Vec::with_capacity(key.len() + value.payload.len());
    bytes.extend_from_slice(key);
    if value.kind.has_object() {
        let (id, len) = value.object().ok_or_else(|| corrupted(key))?;
        let snapshot = source.snapshot.ok_or_else(|| corrupted(key))?;
        let object = match Object::empty(value.kind, id) {
            Some(object) => read_members(object, snapshot, source, place.slot, len)?,
            None => {
                let bytes = read_chunks(snapshot, source.database, place.slot, id, len)?;
                Object::LongString(LongString { id, bytes })
            }
        };
        let index = slot.add_object(object);
        bytes.extend_from_slice(&index.to_le_bytes());
    } else {
        bytes.extend_from_slice(value.payload);
    }
    let facts = Facts { bits: value.bits(), expiry: value.expiry, access };
    Ok(slot.put(place.fragment, None, key.len(), &bytes, facts))
}

/// What is taken into memory of a large collection when its members are not needed.
pub(crate) fn outline(value: RowValue<'_>) -> Option<Object> {
    // Fields that go are found among all.
    let is_outlined = |len| value.kind.has_object() && len >= OUTLINED_MIN && value.first_deadline() == 0;
    let (id, len) = value.object().filter(|(_, len)| is_outlined(*len))?;
    Object::outline(value.kind, id, usize::try_from(len).ok()?)
}

/// Takes a row into memory without the members that it has.
pub(crate) fn admit_outline(
    slot: &mut Slot,
    place: Place,
    key: &[u8],
    value: RowValue<'_>,
    outline: Object,
    access: u32,
) -> usize {
    let mut bytes = key.to_vec();
    bytes.extend_from_slice(&slot.add_object(outline).to_le_bytes());
    let facts = Facts { bits: value.bits(), expiry: value.expiry, access };
    slot.put(place.fragment, None, key.len(), &bytes, facts)
}

/// A collection from its rows.
fn read_members(mut object: Object, snapshot: &Snapshot, source: Source<'_>, slot: u16, len: u64) -> Result<Object> {
    let id = object.id();
    let (start, end) = (row::object_prefix(slot, id), row::object_prefix(slot, id + 1));
    let mut rows = snapshot.iter(source.database.chunks, &start, Some(&end));
    rows.seek_to_first();
    let mut sound = true;
    while rows.valid() {
        sound &= object.admit(rows.key().get(row::OBJECT_PREFIX..).unwrap_or_default(), rows.value(), source.placer);
        rows.next();
    }
    rows.status()?;
    if !sound || object.len() as u64 != len {
        let members = object.len();
        return Err(ennead_store::Error::Corrupted(format!(
            "object {id} in slot {slot} has rows of {members} members and says that it has {len}"
        ))
        .into());
    }
    Ok(object)
}

/// A long string from its chunks.
pub(crate) fn read_chunks(snapshot: &Snapshot, database: &Database, slot: u16, id: u64, len: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; len as usize];
    // The next object may have shorter suffixes than those of chunks.
    let (start, end) = (row::object_prefix(slot, id), row::object_prefix(slot, id + 1));
    let mut chunks = snapshot.iter(database.chunks, &start, Some(&end));
    chunks.seek_to_first();
    while chunks.valid() {
        let number = chunks.key().last_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes)) as usize;
        let chunk = chunks.value();
        let at = number * row::CHUNK;
        match bytes.get_mut(at..at + chunk.len()) {
            Some(place) => place.copy_from_slice(chunk),
            None => {
                return Err(ennead_store::Error::Corrupted(format!(
                    "chunk {number} of object {id} in slot {slot} lies beyond its length {len}"
                ))
                .into());
            }
        }
        chunks.next();
    }
    chunks.status()?;
    Ok(bytes)
}

pub(crate) fn parse<'v>(value: &'v [u8], key: &[u8]) -> Result<RowValue<'v>> {
    RowValue::parse(value).ok_or_else(|| corrupted(key))
}

pub(crate) fn corrupted(key: &[u8]) -> crate::Error {
    ennead_store::Error::Corrupted(format!("the row of key {} is of no known form", key.escape_ascii())).into()
}
