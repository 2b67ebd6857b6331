//! Copying a value from key to key.

use super::{Context, Spot};
use crate::entry::{Entry, Hint, Kind};
use crate::error::{Error, Result};
use crate::object::Object;
use crate::rdb::file::DatedField;
use crate::rdb::{self, Collection, Restored};

/// A value outside of any slot, with what goes with it.
#[derive(Debug)]
pub(crate) struct Taken {
    value: Value,
    kind: Kind,
    hint: Hint,
    /// Unix ms, 0 for none.
    expiry: u64,
    access: u32,
}

/// Suffix and value.
type MemberRow = (Box<[u8]>, Box<[u8]>);

#[derive(Debug)]
enum Value {
    /// A string of any length, or a packed collection.
    Bytes(Vec<u8>),
    /// Suffixes and values of the rows of a large collection.
    Rows(Vec<MemberRow>),
}

impl Context<'_> {
    /// A copy of the value of a key that exists.
    pub(crate) fn take_copy(&self, spot: Spot) -> Result<Taken> {
        let entry = self.entry(spot).ok_or(Error::NoSuchKey)?;
        let kind = entry.kind().ok_or(Error::WrongType)?;
        let value = match self.locked[spot.locked].slot.object(entry) {
            Some(Object::LongString(string)) => Value::Bytes(string.bytes.clone()),
            Some(object) => {
                let mut rows = Vec::with_capacity(object.len());
                object.rows(&mut |suffix, value| rows.push((suffix.into(), value.into())));
                Value::Rows(rows)
            }
            None => Value::Bytes(entry.value().to_vec()),
        };
        Ok(Taken { value, kind, hint: entry.hint(), expiry: entry.expiry(), access: entry.access() })
    }

    /// [`Context::put_copy`] to a key that is deleted first if it is there: so it is a new one.
    pub(crate) fn put_copy_anew(&mut self, spot: Spot, key: &[u8], taken: &Taken) -> Result {
        let spot = if self.delete(spot, key) { self.again(spot, key) } else { spot };
        self.put_copy(spot, key, taken)
    }

    /// Sets a key to a copied value, expiry included.
    pub(crate) fn put_copy(&mut self, spot: Spot, key: &[u8], taken: &Taken) -> Result {
        let Taken { value, kind, hint, expiry, access } = taken;
        let spot = match value {
            Value::Bytes(bytes) if kind.short() == Kind::String => self.set_string(spot, key, bytes, *expiry, *hint)?,
            Value::Bytes(bytes) => self.put_value(spot, key, bytes, *expiry, *kind, *hint),
            Value::Rows(rows) => {
                let shared = self.shared();
                let id = shared.meta.new_object(&shared.store)?;
                let mut object = Object::empty(*kind, id).ok_or(Error::WrongType)?;
                for (suffix, value) in rows {
                    object.admit(suffix, value, &shared.placer);
                }
                self.put_new_object(spot, key, object, *expiry, *kind, *hint)
            }
        };
        self.set_access(spot, *access);
        Ok(())
    }

    /// The value of a key as DUMP gives it, if there is one.
    pub(crate) fn dump(&self, spot: Spot) -> Result<Option<Vec<u8>>> {
        let Some(kind) = self.kind(spot) else { return Ok(None) };
        match kind.short() {
            Kind::String => Ok(self.string(spot)?.map(rdb::dump_string)),
            Kind::Stream => Ok(self.stream(spot)?.map(rdb::dump_stream)),
            kind => Ok(Some(rdb::dump_collection(kind, self.view(spot, kind)?))),
        }
    }

    /// Sets a key to the value of a payload. `expiry` in Unix ms, 0 for none.
    pub(crate) fn put_restored(&mut self, spot: Spot, key: &[u8], value: Restored, expiry: u64) -> Result<Spot> {
        let collection = match value {
            Restored::String(bytes) => return self.set_string(spot, key, &bytes, expiry, Hint::Auto),
            Restored::Collection(collection) => collection,
            Restored::Dated(fields) => return self.put_dated(spot, key, &fields, expiry),
            Restored::Stream(stream) => {
                self.delete(spot, key);
                let spot = self.again(spot, key);
                let spot = self.make_stream(spot, key)?;
                self.change_stream(spot, key, |empty, rows| stream.fill(empty, rows))?;
                self.set_expiry(spot, key, expiry);
                return Ok(spot);
            }
        };
        let spot = match collection {
            Collection::Hash(fields) => {
                let mut edit = self.open_new(spot, key, Kind::Hash);
                for (field, value) in &fields {
                    self.hash_set(&mut edit, key, field, value)?;
                    self.note_field(&mut edit, field, value);
                }
                self.note_fields(&mut edit);
                self.close(edit, key)?
            }
            Collection::List(elements) => {
                let mut edit = self.open_new(spot, key, Kind::List);
                for element in &elements {
                    self.list_push(&mut edit, key, element)?;
                }
                self.note_elements(&mut edit, std::iter::empty());
                self.close(edit, key)?
            }
            Collection::Set(members) => {
                let mut edit = self.open_new(spot, key, Kind::Set);
                for member in &members {
                    self.set_add(&mut edit, key, member)?;
                    self.note_member(&mut edit, member);
                }
                self.close(edit, key)?
            }
            Collection::Zset(members) => {
                let mut edit = self.open_new(spot, key, Kind::Zset);
                for (member, score) in &members {
                    self.zset_set(&mut edit, key, member, *score)?;
                    self.note_ranked(&mut edit, member);
                }
                self.close(edit, key)?
            }
        };
        self.set_expiry(spot, key, expiry);
        Ok(spot)
    }

    /// Sets a key to a hash of which fields have deadlines; those that are over are left out.
    fn put_dated(&mut self, spot: Spot, key: &[u8], fields: &[DatedField], expiry: u64) -> Result<Spot> {
        let mut edit = self.open_new(spot, key, Kind::Hash);
        for (field, value, deadline) in fields {
            if self.is_over(*deadline) {
                continue;
            }
            self.hash_set(&mut edit, key, field, value)?;
            if *deadline != 0 {
                self.hash_set_deadline(&mut edit, key, field, *deadline)?;
            }
            self.note_field(&mut edit, field, value);
        }
        self.note_fields(&mut edit);
        let spot = self.close(edit, key)?;
        self.set_expiry(spot, key, expiry);
        Ok(spot)
    }

    /// Sets the access clock of a key.
    pub(crate) fn set_access(&mut self, spot: Spot, access: u32) {
        if let Some(entry) = self.entry(spot) {
            Entry::set_access(entry, access);
        }
    }
}
