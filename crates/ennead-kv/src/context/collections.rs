//! Changing collections: a command opens the value of a key, changes members one by one, and closes it. Small ones are
//! changed as one run of bytes and become one row again; a member of a large one becomes a row at once.

use ennead_store::{Table, WriteBatch};

use super::{Context, Spot};
use crate::entry::{Hint, Kind};
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::object::Object;
use crate::object::fields::{Fields, row_value};
use crate::object::zset::Zset;
use crate::packed::{self, PACKED_MAX};
use crate::place::Placer;
use crate::row;

/// A collection that a command is changing. It must be closed.
#[derive(Debug)]
#[must_use]
pub(crate) struct Edit {
    pub(super) spot: Spot,
    /// The type, as the kind in one piece.
    kind: Kind,
    pub(crate) hint: Hint,
    pub(super) form: Form,
    pub(super) changed: bool,
    /// What the object took in memory when that was last counted.
    size: usize,
}

#[derive(Debug)]
pub(super) enum Form {
    Packed(Vec<u8>),
    Long,
}

/// What a collection has, to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'a> {
    Packed(&'a [u8]),
    Long(&'a Object),
}

/// A large collection with what its rows need.
pub(super) struct Long<'a> {
    pub(super) object: &'a mut Object,
    pub(super) placer: &'a Placer,
    pub(super) rows: Rows<'a>,
}

/// Where the rows of one object go.
pub(super) struct Rows<'a> {
    batch: &'a mut WriteBatch,
    table: Table,
    key: &'a mut Vec<u8>,
    /// Bytes of the key before the suffix.
    prefix: usize,
    value: &'a mut Vec<u8>,
}

impl Rows<'_> {
    fn key(&mut self, suffix: &[u8]) -> &[u8] {
        self.key.truncate(self.prefix);
        self.key.extend_from_slice(suffix);
        self.key
    }

    pub(super) fn put(&mut self, suffix: &[u8], value: &[u8]) {
        self.key(suffix);
        self.batch.put(self.table, self.key, value);
    }

    /// `deadline` in Unix ms, 0 for none.
    pub(super) fn put_field(&mut self, field: &[u8], value: &[u8], deadline: u64) {
        self.key(field);
        self.batch.put(self.table, self.key, row_value(self.value, value, deadline));
    }

    pub(super) fn delete(&mut self, suffix: &[u8]) {
        self.key(suffix);
        self.batch.delete(self.table, self.key);
    }
}

pub(super) const GONE: Error = Error::WrongType;

impl<'a> Context<'a> {
    /// What hashes the members of collections.
    pub(crate) fn placer(&self) -> &'a Placer {
        &self.shared().placer
    }

    /// The collection of a key; an empty one where there is none. `kind` is the type in one piece.
    pub(crate) fn view(&self, spot: Spot, kind: Kind) -> Result<View<'_>> {
        let Some(entry) = self.entry(spot) else { return Ok(View::Packed(&[])) };
        match entry.kind() {
            Some(found) if found == kind => Ok(View::Packed(entry.value())),
            Some(found) if found == kind.long() => {
                self.locked[spot.locked].slot.object(entry).map(View::Long).ok_or(GONE)
            }
            _ => Err(Error::WrongType),
        }
    }

    /// Opens the collection of a key, or one that does not exist yet, to change it. `kind` is the type in one piece.
    pub(crate) fn open(&mut self, spot: Spot, kind: Kind) -> Result<Edit> {
        let (form, size) = match self.view(spot, kind)? {
            View::Packed(bytes) => (Form::Packed(bytes.to_vec()), 0),
            View::Long(object) => (Form::Long, object.size()),
        };
        let hint = self.entry(spot).map_or(Hint::Auto, |entry| entry.hint());
        Ok(Edit { spot, kind, hint, form, changed: false, size })
    }

    /// Opens an empty collection that is to replace what a key has.
    pub(crate) fn open_new(&mut self, spot: Spot, key: &[u8], kind: Kind) -> Edit {
        self.replacing = self.delete(spot, key);
        let spot = self.again(spot, key);
        Edit { spot, kind, hint: Hint::Auto, form: Form::Packed(Vec::new()), changed: true, size: 0 }
    }

    /// The collection as it is now.
    pub(crate) fn edited<'e>(&'e self, edit: &'e Edit) -> View<'e> {
        match &edit.form {
            Form::Packed(bytes) => View::Packed(bytes),
            Form::Long => {
                match self.entry(edit.spot).and_then(|entry| self.locked[edit.spot.locked].slot.object(entry)) {
                    Some(object) => View::Long(object),
                    None => View::Packed(&[]),
                }
            }
        }
    }

    /// [`Context::close`], and an event of what the command did; another one if nothing of the collection is left.
    pub(crate) fn close_told(
        &mut self,
        edit: Edit,
        key: &[u8],
        class: EventClass,
        event: &'static str,
    ) -> Result<Spot> {
        let spot = self.close(edit, key)?;
        self.notify(class, event, key);
        if !spot.exists() {
            self.notify(EventClass::Generic, "del", key);
        }
        Ok(spot)
    }

    /// Ends a change: a key whose collection is empty is deleted, another one gets its row. Where the key is then.
    pub(crate) fn close(&mut self, edit: Edit, key: &[u8]) -> Result<Spot> {
        let Edit { spot, kind, hint, form, changed, size } = edit;
        if !changed {
            return Ok(spot);
        }
        match form {
            Form::Packed(bytes) if bytes.is_empty() => {
                self.replacing = false;
                self.delete(spot, key);
                Ok(Spot { at: None, ..spot })
            }
            Form::Packed(bytes) => {
                let expiry = self.expiry(spot);
                Ok(self.put_value(spot, key, &bytes, expiry, kind, hint))
            }
            Form::Long => {
                let Some(at) = spot.at else { return Ok(spot) };
                let slot = &mut self.locked[spot.locked].slot;
                slot.recount_object(at, size);
                slot.set_hint(at, hint);
                if slot.object_mut(at).is_some_and(|object| object.len() == 0) {
                    self.delete(spot, key);
                    return Ok(Spot { at: None, ..spot });
                }
                self.stage_entry(spot, key);
                self.note_ready(spot.locked, key);
                Ok(spot)
            }
        }
    }

    /// Makes an object of a packed collection that has grown too large; to be called after each addition.
    pub(super) fn grow(&mut self, edit: &mut Edit, key: &[u8]) -> Result {
        edit.changed = true;
        match &edit.form {
            Form::Packed(bytes) if bytes.len() > PACKED_MAX => self.promote(edit, key),
            _ => Ok(()),
        }
    }

    /// Makes an object of a packed collection.
    pub(super) fn promote(&mut self, edit: &mut Edit, key: &[u8]) -> Result {
        let Form::Packed(bytes) = &mut edit.form else { return Ok(()) };
        let bytes = std::mem::take(bytes);
        let shared = self.shared();
        let id = shared.meta.new_object(&shared.store)?;
        let mut object = Object::empty(edit.kind, id).ok_or(GONE)?;
        object.unpack(&bytes, &shared.placer);
        let expiry = self.expiry(edit.spot);
        edit.size = object.size();
        edit.spot = self.put_new_object(edit.spot, key, object, expiry, edit.kind.long(), edit.hint);
        edit.form = Form::Long;
        Ok(())
    }

    /// Sets a key to a collection none of whose rows is staged yet.
    pub(super) fn put_new_object(
        &mut self,
        spot: Spot,
        key: &[u8],
        object: Object,
        expiry: u64,
        kind: Kind,
        hint: Hint,
    ) -> Spot {
        self.stage_rows_gone(spot);
        self.chunked.push(object.id());
        let locked = &self.locked[spot.locked];
        let mut row_key = row::object_prefix(locked.number, object.id()).to_vec();
        object.rows(&mut |suffix, value| {
            row_key.truncate(row::OBJECT_PREFIX);
            row_key.extend_from_slice(suffix);
            self.work.batch.put(locked.database.chunks, &row_key, value);
        });
        self.put_object(spot, key, object, expiry, kind, hint)
    }

    pub(super) fn long(&mut self, edit: &mut Edit) -> Result<Long<'_>> {
        edit.changed = true;
        let placer = &self.keyspace.shared().placer;
        let locked = &mut self.locked[edit.spot.locked];
        // Set before the first row is staged: an error from here on must make the slot be read again.
        locked.dirty = true;
        let (number, table) = (locked.number, locked.database.chunks);
        let object = edit.spot.at.and_then(|at| locked.slot.object_mut(at)).ok_or(GONE)?;
        let id = object.id();
        if self.chunked.last() != Some(&id) {
            self.chunked.push(id);
        }
        let work = &mut self.work;
        work.member_key.clear();
        work.member_key.extend_from_slice(&row::object_prefix(number, id));
        let rows = Rows {
            batch: &mut work.batch,
            table,
            key: &mut work.member_key,
            prefix: row::OBJECT_PREFIX,
            value: &mut work.member_value,
        };
        Ok(Long { object, placer, rows })
    }

    /// Sets a field of a hash, without a deadline; whether it is new.
    pub(crate) fn hash_set(&mut self, edit: &mut Edit, key: &[u8], field: &[u8], value: &[u8]) -> Result<bool> {
        let new = match &mut edit.form {
            Form::Packed(bytes) => packed::hash_set(bytes, field, value),
            Form::Long => {
                let Long { object, placer, mut rows } = self.long(edit)?;
                rows.put_field(field, value, 0);
                fields(object)?.set(placer, field, value)
            }
        };
        self.grow(edit, key)?;
        Ok(new)
    }

    /// Removes a field of a hash; whether it was there.
    pub(crate) fn hash_remove(&mut self, edit: &mut Edit, field: &[u8]) -> Result<bool> {
        let removed = match &mut edit.form {
            Form::Packed(bytes) => packed::pair_remove(bytes, field),
            Form::Long => return self.fields_remove(edit, field),
        };
        edit.changed |= removed;
        Ok(removed)
    }

    /// Adds a member to a set; whether it is new.
    pub(crate) fn set_add(&mut self, edit: &mut Edit, key: &[u8], member: &[u8]) -> Result<bool> {
        let new = match &mut edit.form {
            Form::Packed(bytes) => packed::set_add(bytes, member),
            Form::Long => {
                let was_changed = edit.changed;
                let Long { object, placer, mut rows } = self.long(edit)?;
                let new = fields(object)?.set(placer, member, &[]);
                if new {
                    rows.put(member, &[]);
                }
                edit.changed = was_changed;
                new
            }
        };
        if new {
            self.grow(edit, key)?;
        }
        Ok(new)
    }

    /// Removes a member of a set; whether it was there.
    pub(crate) fn set_remove(&mut self, edit: &mut Edit, member: &[u8]) -> Result<bool> {
        let removed = match &mut edit.form {
            Form::Packed(bytes) => packed::set_remove(bytes, member),
            Form::Long => return self.fields_remove(edit, member),
        };
        edit.changed |= removed;
        Ok(removed)
    }

    fn fields_remove(&mut self, edit: &mut Edit, name: &[u8]) -> Result<bool> {
        let was_changed = edit.changed;
        let Long { object, placer, mut rows } = self.long(edit)?;
        let removed = fields(object)?.remove(placer, name);
        if removed {
            rows.delete(name);
            self.note_removed(edit.spot, name);
        }
        edit.changed = was_changed || removed;
        Ok(removed)
    }

    /// Sets the score of a sorted set's member; whether the member is new.
    pub(crate) fn zset_set(&mut self, edit: &mut Edit, key: &[u8], member: &[u8], score: f64) -> Result<bool> {
        let new = match &mut edit.form {
            Form::Packed(bytes) => packed::zset_add(bytes, member, score),
            Form::Long => {
                let Long { object, placer, mut rows } = self.long(edit)?;
                rows.put(member, &score.to_le_bytes());
                zset(object)?.set(placer, member, score)
            }
        };
        self.grow(edit, key)?;
        Ok(new)
    }

    /// Removes a member of a sorted set; whether it was there.
    pub(crate) fn zset_remove(&mut self, edit: &mut Edit, member: &[u8]) -> Result<bool> {
        let removed = match &mut edit.form {
            Form::Packed(bytes) => packed::pair_remove(bytes, member),
            Form::Long => {
                let was_changed = edit.changed;
                let Long { object, placer, mut rows } = self.long(edit)?;
                let removed = zset(object)?.remove(placer, member);
                if removed {
                    rows.delete(member);
                    self.note_removed(edit.spot, member);
                }
                edit.changed = was_changed;
                removed
            }
        };
        edit.changed |= removed;
        Ok(removed)
    }
}

pub(super) fn fields(object: &mut Object) -> Result<&mut Fields> {
    match object {
        Object::Set(fields) | Object::Hash(fields) => Ok(fields),
        _ => Err(GONE),
    }
}

fn zset(object: &mut Object) -> Result<&mut Zset> {
    match object {
        Object::Zset(zset) => Ok(zset),
        _ => Err(GONE),
    }
}
