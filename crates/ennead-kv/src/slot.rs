//! One slot of a database: its keys in memory, the order in which they expire, and what is known about the rest on disk.
//!
//! A slot only changes memory; the rows are staged by the one who holds its lock. Invariants: `bytes` is what its entries,
//! objects and tables take; every entry with an expiry stands in `volatile`, and every hash of which fields go in `fading`; when it is `complete` a key that is not in
//! the table does not exist.

use std::collections::BTreeSet;

use slab::Slab;

use crate::disposal;
use crate::entry::{Entry, Hint};
use crate::object::Object;

pub(crate) mod table;
#[cfg(test)]
mod tests;

use table::Table;

/// Never armed: no expiry of the slot stands in its database's order of due slots.
pub(crate) const UNARMED: u64 = u64::MAX;
/// Bytes an element of the expiry order takes, nodes included.
const VOLATILE_SIZE: usize = 24;

/// What every command reads stands first, beside the lock: a slot is rarely in a cache, and this is one line of it or two.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Slot {
    pub(crate) table: Table,
    /// Whether all its keys are in memory.
    pub(crate) complete: bool,
    bytes: usize,
    /// The last batch that changed a key of the slot since the start.
    pub(crate) last_write: u64,
    /// The time at which the slot stands in its database's order of due slots, or [`UNARMED`].
    pub(crate) armed: u64,
    /// Most slots have none, and there are 16,384 of them.
    orders: Option<Box<Orders>>,
    objects: Option<Box<Slab<Object>>>,
}

/// When something of a slot goes by itself; also of the keys that tiering has put out of memory.
#[derive(Debug, Default)]
struct Orders {
    /// Expiry and fragment of the volatile keys.
    volatile: BTreeSet<(u64, u32)>,
    /// The first deadline of the fields of a hash, and its fragment.
    fading: BTreeSet<(u64, u32)>,
}

impl Orders {
    fn size(&self) -> usize {
        (self.volatile.len() + self.fading.len()) * VOLATILE_SIZE
    }
}

/// What an entry holds besides its bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    pub(crate) bits: u8,
    /// Unix ms, 0 for none.
    pub(crate) expiry: u64,
    pub(crate) access: u32,
}

impl Slot {
    pub(crate) fn new(complete: bool) -> Slot {
        Slot { table: Table::default(), objects: None, orders: None, last_write: 0, armed: UNARMED, bytes: 0, complete }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn object(&self, entry: &Entry) -> Option<&Object> {
        self.objects.as_ref().filter(|_| entry.has_object())?.get(entry.object())
    }

    /// The object of the entry at a position, to change it; its size is counted anew by [`Slot::recount_object`].
    pub(crate) fn object_mut(&mut self, at: usize) -> Option<&mut Object> {
        let object = self.table.get(at).filter(|entry| entry.has_object())?.object();
        self.objects.as_mut()?.get_mut(object)
    }

    /// To be called after an object changed its size from `before`.
    pub(crate) fn recount_object(&mut self, at: usize, before: usize) {
        let after = self.object_mut(at).map_or(0, |object| object.size());
        self.bytes = self.bytes + after - before;
        self.note_fading(at);
    }

    /// Brings the order of fading hashes up to date with the one of an entry.
    fn note_fading(&mut self, at: usize) {
        let Some(Object::Hash(hash)) = self.object_mut(at) else { return };
        let is = hash.first_deadline();
        let was = std::mem::replace(&mut hash.noted, is);
        self.fade(self.table.fragment(at), was, is);
    }

    fn fade(&mut self, fragment: u32, was: u64, is: u64) {
        if was == is {
            return;
        }
        let shared = || {
            let entries = self.table.iter_from(fragment).take_while(|(_, other, _)| *other == fragment);
            entries.filter_map(|(_, _, entry)| self.object(entry)).any(|object| object.noted_deadline() == was)
        };
        let gone = was != 0 && !shared();
        self.change_orders(|orders| replace(&mut orders.fading, fragment, if gone { was } else { 0 }, is));
    }

    fn change_orders(&mut self, change: impl FnOnce(&mut Orders)) {
        let orders = self.orders.get_or_insert_default();
        let before = orders.size();
        change(orders);
        self.bytes = self.bytes + orders.size() - before;
        if orders.size() == 0 {
            self.orders = None;
        }
    }

    /// Takes an object in; the index goes into its entry's value.
    pub(crate) fn add_object(&mut self, object: Object) -> u32 {
        self.bytes += object.size();
        self.objects.get_or_insert_default().insert(object) as u32
    }

    /// Sets the entry of a key: the one at `at`, or a new one. `bytes` are key and value.
    pub(crate) fn put(
        &mut self,
        fragment: u32,
        at: Option<usize>,
        key_len: usize,
        bytes: &[u8],
        facts: Facts,
    ) -> usize {
        let Some(at) = at else {
            let entry = Entry::new(key_len, bytes, facts.bits, facts.expiry, facts.access);
            self.bytes += entry.size();
            let before = self.table.size();
            let at = self.table.insert(fragment, entry);
            self.bytes = self.bytes + self.table.size() - before;
            self.order(fragment, 0, facts.expiry);
            self.note_fading(at);
            return at;
        };
        let Some(entry) = self.table.get_mut(at) else { return at };
        let (was, long) = (entry.expiry(), entry.has_object());
        let former = entry.object();
        let faded = if long { self.objects.as_ref().and_then(|objects| objects.get(former)) } else { None };
        let faded = faded.map_or(0, Object::noted_deadline);
        if long || !entry.overwrite(&bytes[key_len..], facts.bits, facts.expiry, facts.access) {
            let before = entry.size();
            let entry = Entry::new(key_len, bytes, facts.bits, facts.expiry, facts.access);
            self.bytes = self.bytes + entry.size() - before;
            self.table.replace(at, entry);
        }
        if long {
            self.drop_object(former);
        }
        self.order(fragment, was, facts.expiry);
        self.fade(fragment, faded, 0);
        self.note_fading(at);
        at
    }

    pub(crate) fn set_hint(&mut self, at: usize, hint: Hint) {
        if let Some(entry) = self.table.get(at) {
            entry.set_hint(hint);
        }
    }

    pub(crate) fn set_expiry(&mut self, at: usize, expiry: u64) {
        if let Some(entry) = self.table.get(at) {
            let was = entry.expiry();
            entry.set_expiry(expiry);
            self.order(self.table.fragment(at), was, expiry);
        }
    }

    /// When its volatile keys expire, Unix ms, the first one first.
    pub(crate) fn deadlines(&self) -> impl Iterator<Item = u64> + '_ {
        self.orders.iter().flat_map(|orders| orders.volatile.iter().map(|(deadline, _)| *deadline))
    }

    /// Takes a key out of memory and out of the expiry order: it was deleted.
    pub(crate) fn remove(&mut self, at: usize) {
        let fragment = self.table.fragment(at);
        let faded = self.object_mut(at).map_or(0, |object| object.noted_deadline());
        if let Some(entry) = self.take(at) {
            self.order(fragment, entry.expiry(), 0);
            self.fade(fragment, faded, 0);
        }
    }

    /// Takes a key out of memory only: it stays on disk, and in the expiry order.
    pub(crate) fn forget(&mut self, at: usize) {
        self.complete = false;
        self.take(at);
    }

    /// Takes everything out of memory; all of it can be read again from the store.
    pub(crate) fn forget_all(&mut self) {
        let last_write = self.last_write;
        let armed = self.armed;
        disposal::discard_slot(std::mem::replace(self, Slot { last_write, armed, ..Slot::new(false) }));
    }

    /// Takes the objects away from a slot that nobody uses any more.
    pub(crate) fn take_objects(&mut self) -> impl Iterator<Item = Object> + use<> {
        self.objects.take().into_iter().flat_map(|objects| objects.into_iter().map(|(_, object)| object))
    }

    /// Takes everything out of memory because all of it is deleted.
    pub(crate) fn clear(&mut self) {
        self.forget_all();
        self.complete = true;
    }

    /// The earliest expiry, with its fragment.
    #[inline]
    pub(crate) fn first_due(&self) -> Option<(u64, u32)> {
        self.orders.as_ref()?.volatile.first().copied()
    }

    /// The first hash of which a field goes, with its fragment.
    pub(crate) fn first_fading(&self) -> Option<(u64, u32)> {
        self.orders.as_ref()?.fading.first().copied()
    }

    /// When something of it is to be deleted for the first time, or [`UNARMED`].
    #[inline]
    pub(crate) fn first_deadline(&self) -> u64 {
        let first = |due: Option<(u64, u32)>| due.map_or(UNARMED, |(ms, _)| ms);
        first(self.first_due()).min(first(self.first_fading()))
    }

    /// Adds the first deadline of the fields of a hash that stays on disk.
    pub(crate) fn note_fade(&mut self, fragment: u32, deadline: u64) {
        self.fade(fragment, 0, deadline);
    }

    /// Forgets a fading hash that turned out to be gone, or to have another first deadline.
    pub(crate) fn strike_fading(&mut self, due: (u64, u32)) {
        self.fade(due.1, due.0, 0);
    }

    /// Forgets one element of the expiry order, whose key turned out to be gone.
    pub(crate) fn strike(&mut self, due: (u64, u32)) {
        self.order(due.1, due.0, 0);
    }

    /// Adds the expiry of a key that stays on disk.
    pub(crate) fn note_expiry(&mut self, fragment: u32, expiry: u64) {
        self.order(fragment, 0, expiry);
    }

    fn take(&mut self, at: usize) -> Option<Entry> {
        let before = self.table.size();
        let entry = self.table.remove(at)?;
        self.bytes = self.bytes + self.table.size() - before - entry.size();
        if entry.has_object() {
            self.drop_object(entry.object());
        }
        Some(entry)
    }

    fn drop_object(&mut self, index: usize) {
        let Some(objects) = &mut self.objects else { return };
        if let Some(object) = objects.try_remove(index) {
            self.bytes -= object.size();
            disposal::discard(object);
        }
        if objects.is_empty() {
            self.objects = None;
        }
    }

    #[inline]
    fn order(&mut self, fragment: u32, was: u64, is: u64) {
        if was == is {
            return;
        }
        self.reorder(fragment, was, is);
    }

    fn reorder(&mut self, fragment: u32, was: u64, is: u64) {
        // Two keys may share fragment and expiry; the element then stays for the other one.
        let shared =
            || self.table.iter_from(fragment).take_while(|(_, f, _)| *f == fragment).any(|(_, _, e)| e.expiry() == was);
        let gone = was != 0 && !shared();
        self.change_orders(|orders| replace(&mut orders.volatile, fragment, if gone { was } else { 0 }, is));
    }

    /// Bytes of an empty slot's own struct, for the figures.
    pub(crate) const fn own_size() -> usize {
        size_of::<parking_lot::Mutex<Slot>>()
    }
}

/// Replaces an element of an order by another one; 0 is none.
fn replace(order: &mut BTreeSet<(u64, u32)>, fragment: u32, was: u64, is: u64) {
    if was != 0 {
        order.remove(&(was, fragment));
    }
    if is != 0 {
        order.insert((is, fragment));
    }
}
