//! Finding keys, and of large collections as much as a command needs of them.
//!
//! A large collection that is not in memory comes there as an **outline**, which knows how many members the store has
//! and gets those that commands name, one row each. A command that needs more than that makes it whole. So a field of a
//! hash of millions is read without them, and members that nobody asks for take no memory.

use std::sync::atomic::Ordering::Relaxed;

use super::{Context, Spot};
use crate::error::Result;
use crate::notice::EventClass;
use crate::object::Object;
use crate::place::{Place, next_random};
use crate::row;

/// How a key is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// For its value: counts as hit or miss and as an access.
    Read,
    /// Counts as hit or miss only.
    Peek,
    /// The same, and nobody is told of a miss.
    Inspect,
    /// To be changed: counts as an access only.
    Write,
}

impl Context<'_> {
    /// Finds a key of the selected database, with all that it has. A key that is due is deleted, and absent.
    #[inline]
    pub(crate) fn find(&mut self, key: &[u8], lookup: Lookup) -> Result<Spot> {
        self.find_at(self.call.db, self.place_of(key), key, lookup, true)
    }

    /// Finds a key for its own sake: what it has may be an outline.
    #[inline]
    pub(crate) fn find_key(&mut self, key: &[u8], lookup: Lookup) -> Result<Spot> {
        self.find_at(self.call.db, self.place_of(key), key, lookup, false)
    }

    /// Finds a key of which only these members are looked at or changed, and how many there are: what it has may be an
    /// outline, with them in it.
    pub(crate) fn find_members<'m>(
        &mut self,
        key: &[u8],
        lookup: Lookup,
        members: impl IntoIterator<Item = &'m [u8]>,
    ) -> Result<Spot> {
        let spot = self.find_key(key, lookup)?;
        if self.outline(spot).is_some() {
            for member in members {
                self.fetch(spot, member)?;
            }
        }
        Ok(spot)
    }

    /// Finds a key of any database; for commands that have the keyspace to themselves.
    pub(crate) fn find_in(&mut self, db: usize, key: &[u8], lookup: Lookup) -> Result<Spot> {
        let place = self.shared().placer.place(key);
        self.find_at(db, place, key, lookup, true)
    }

    /// With one locked slot there is one key, and its place is known from locking.
    #[inline]
    fn place_of(&self, key: &[u8]) -> Place {
        match self.place {
            Some(place) => place,
            None => self.shared().placer.place(key),
        }
    }

    #[inline]
    fn find_at(&mut self, db: usize, place: Place, key: &[u8], lookup: Lookup, whole: bool) -> Result<Spot> {
        let locked = self.locked(db, place.slot)?;
        let slot = &self.locked[locked].slot;
        let mut spot = Spot { locked, at: slot.table.find(place.fragment, key), place };
        if spot.at.is_none() && !slot.complete {
            spot.at = self.load(spot, key, whole)?;
        }
        if let Some(at) = spot.at
            && let Some(entry) = self.locked[locked].slot.table.get(at)
        {
            let has_object = entry.has_object();
            if self.is_over(entry.expiry()) {
                // What only reads need not delete it. A command that writes would set a key that is there twice.
                if self.writes || !self.shared().settings.keeps_keys(self.call.now_ms) {
                    self.expire(spot, key);
                    self.shared().counters.expired.fetch_add(1, Relaxed);
                }
                spot.at = None;
            } else if !matches!(lookup, Lookup::Peek | Lookup::Inspect) && !self.call.no_touch {
                let access = entry.access();
                let touched = self.clock.touched(access, next_random(&mut self.random));
                if touched != access {
                    entry.set_access(touched);
                }
            }
            if whole && has_object && self.outline(spot).is_some() {
                self.complete_object(spot)?;
            }
            if has_object && spot.exists() {
                spot = self.without_due_fields(spot, key)?;
            }
        }
        match (lookup, spot.at) {
            (Lookup::Write, _) => {}
            (_, Some(_)) => self.shared().counters.hit(place.slot),
            (_, None) => {
                self.shared().counters.miss(place.slot);
                if lookup != Lookup::Inspect {
                    self.notify_in(db, EventClass::Miss, "keymiss", key);
                }
            }
        }
        Ok(spot)
    }

    /// Where a key is that was looked up before another key of its slot.
    pub(crate) fn again(&self, spot: Spot, key: &[u8]) -> Spot {
        let table = &self.locked[spot.locked].slot.table;
        Spot { at: table.find(spot.place.fragment, key), ..spot }
    }

    /// The object of a key, if the store has members of it that memory does not have.
    pub(super) fn outline(&self, spot: Spot) -> Option<&Object> {
        let object = self.locked[spot.locked].slot.object(self.entry(spot)?)?;
        (object.elsewhere() > 0).then_some(object)
    }

    /// Takes a member into the outline of a key, if the store has it.
    fn fetch(&mut self, spot: Spot, member: &[u8]) -> Result {
        let shared = self.shared();
        let (Some(at), Some(object)) = (spot.at, self.outline(spot)) else { return Ok(()) };
        let id = object.id();
        if object.has(&shared.placer, member) || self.is_removed(id, member) {
            return Ok(());
        }
        let locked = &mut self.locked[spot.locked];
        let key = &mut self.work.member_key;
        key.clear();
        key.extend_from_slice(&row::object_prefix(locked.number, id));
        key.extend_from_slice(member);
        let Some(value) = shared.store.get(locked.database.chunks, key)? else { return Ok(()) };
        shared.counters.fetched.fetch_add(1, Relaxed);
        if let Some(object) = locked.slot.object_mut(at) {
            let before = object.size();
            let sound = object.take_in(member, &value, &shared.placer);
            locked.slot.recount_object(at, before);
            if !sound {
                return Err(corrupted(id, locked.number));
            }
        }
        Ok(())
    }

    /// Takes all members into memory that are not there yet.
    #[cold]
    pub(super) fn complete_object(&mut self, spot: Spot) -> Result {
        let (Some(at), Some(object)) = (spot.at, self.outline(spot)) else { return Ok(()) };
        let id = object.id();
        let shared = self.shared();
        let snapshot = shared.store.snapshot();
        let locked = &mut self.locked[spot.locked];
        let number = locked.number;
        let (start, end) = (row::object_prefix(number, id), row::object_prefix(number, id + 1));
        let mut rows = snapshot.iter(locked.database.chunks, &start, Some(&end));
        rows.seek_to_first();
        let Some(object) = locked.slot.object_mut(at) else { return Ok(()) };
        let before = object.size();
        let mut sound = true;
        while rows.valid() {
            let suffix = rows.key().get(row::OBJECT_PREFIX..).unwrap_or_default();
            let removed = || !self.removed.is_empty() && self.removed.contains(&(id, suffix.into()));
            if !object.has(&shared.placer, suffix) && !removed() {
                sound &= object.take_in(suffix, rows.value(), &shared.placer);
            }
            rows.next();
        }
        sound &= object.elsewhere() == 0;
        locked.slot.recount_object(at, before);
        rows.status()?;
        if sound { Ok(()) } else { Err(corrupted(id, number)) }
    }

    fn is_removed(&self, id: u64, member: &[u8]) -> bool {
        !self.removed.is_empty() && self.removed.contains(&(id, member.into()))
    }

    /// Notes that a member was removed from a collection, which the store learns at the end of the command.
    pub(super) fn note_removed(&mut self, spot: Spot, member: &[u8]) {
        if let Some(id) = self.outline(spot).map(Object::id) {
            self.removed.insert((id, member.into()));
        }
    }
}

pub(super) fn corrupted(id: u64, slot: u16) -> crate::Error {
    ennead_store::Error::Corrupted(format!("the rows of object {id} in slot {slot} are not those of its members"))
        .into()
}
