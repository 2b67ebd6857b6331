//! What a command works with: the locked slots of its keys, and the batch of rows that its changes become.
//!
//! Every change is made twice, in memory and as a staged row, by the methods here and nowhere else. When the command
//! ends the batch is committed under the locks; if that fails, the changed slots are forgotten and read again from the
//! store, so memory never shows what the store refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use ennead_store::Sequence;
use parking_lot::MutexGuard;
use smallvec::SmallVec;

use crate::access::Clock;
use crate::args::Args;
use crate::command::{Command, Spec};
use crate::database::Database;
use crate::encoding::{collection_encoding, string_encoding};
use crate::entry::{Entry, Kind};
use crate::error::{Error, Result};
use crate::fence::Fence;
use crate::keyspace::{Call, Effect, Gate, Keyspace, Shared};
use crate::notice::Notices;
use crate::place::{Place, next_random};
use crate::reply::Reply;
use crate::slot::Slot;

mod ahead;
pub(crate) mod collections;
mod commit;
mod databases;
mod ends;
mod evict;
mod expire;
mod fading;
mod hints;
mod lists;
pub(crate) mod load;
mod lookup;
mod notices;
mod removal;
mod run;
mod streams;
mod strings;
mod transfer;
mod view;
pub(crate) mod waiting;
mod work;

use databases::Parked;
pub(crate) use lookup::Lookup;
use run::Staging;
pub(crate) use strings::SHORT_MAX;
use waiting::Waits;
use work::Work;

/// What an entry takes in its slot's table, bytes: pointer, fragment, and a sixth of free positions.
const TABLE_SHARE: usize = 14;

/// What a command runs in.
pub struct Context<'a> {
    keyspace: &'a Keyspace,
    /// None for commands that work on whole databases, outside of transactions.
    gate: Option<&'a Gate>,
    call: Call,
    clock: Clock,
    /// Whether a batch that fails to commit fails the command: reads may only have found something expired.
    writes: bool,
    /// By database and slot.
    locked: SmallVec<[Locked<'a>; 1]>,
    work: Work,
    /// Keys that this command has deleted from slots that are not in memory: the store still has them.
    gone: BTreeMap<(usize, Place), Vec<Vec<u8>>>,
    /// Members that this command has removed from collections that are not whole in memory, by the object's number: the
    /// store still has them.
    removed: BTreeSet<(u64, Box<[u8]>)>,
    /// The place of the only key of a command with one key.
    place: Option<Place>,
    staging: Staging,
    /// Objects that have rows in the batch: a range delete does not reach rows of its own batch.
    chunked: Vec<u64>,
    /// Slots that a transaction has let go of for a walk over a database.
    parked: Vec<Parked<'a>>,
    /// Whether whole databases were emptied.
    emptied: bool,
    /// By the number that clients select: the number outside of the transaction. None until SWAPDB changes it.
    order: Option<Box<[usize]>>,
    waits: Waits,
    /// What happened to keys since the last batch, if somebody wants to know.
    notices: Option<Box<Notices>>,
    /// A key was deleted to be set again: that makes no new key.
    replacing: bool,
    random: u64,
    saw: Sequence,
    wrote: Option<Sequence>,
    finished: bool,
}

/// A locked slot.
struct Locked<'a> {
    db: usize,
    number: u16,
    database: &'a Database,
    slot: MutexGuard<'a, Slot>,
    bytes_before: usize,
    keys: i64,
    volatile: i64,
    dirty: bool,
}

/// Where a key is or would be. Void after another key of the same slot was looked up, added or deleted: see
/// [`Context::again`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    locked: usize,
    at: Option<usize>,
    place: Place,
}

impl Spot {
    pub(crate) fn exists(&self) -> bool {
        self.at.is_some()
    }
}

impl<'a> Context<'a> {
    pub(crate) fn new(keyspace: &'a Keyspace, gate: Option<&'a Gate>, call: &Call, writes: bool) -> Context<'a> {
        Context {
            keyspace,
            gate,
            call: call.clone(),
            clock: Clock::new(keyspace.settings(), call.now_ms),
            writes,
            locked: SmallVec::new(),
            work: Work::take(),
            gone: BTreeMap::new(),
            removed: BTreeSet::new(),
            place: None,
            staging: Staging::AtOnce,
            chunked: Vec::new(),
            parked: Vec::new(),
            emptied: false,
            order: None,
            waits: Waits::default(),
            notices: None,
            replacing: false,
            random: call.seed,
            saw: 0,
            wrote: None,
            finished: false,
        }
    }

    /// Unix time of the command, ms.
    pub fn now_ms(&self) -> u64 {
        self.call.now_ms
    }

    /// The selected database.
    pub fn db(&self) -> usize {
        self.call.db
    }

    /// What the command's writes are committed behind.
    pub(crate) fn fence(&self) -> Option<&dyn Fence> {
        self.call.fence.as_deref()
    }

    /// Whether keys must not be read that the request does not name.
    pub(crate) fn named_only(&self) -> bool {
        self.call.named_only
    }

    pub fn keyspace(&self) -> &'a Keyspace {
        self.keyspace
    }

    /// The next random number of this command.
    pub fn random(&mut self) -> u64 {
        next_random(&mut self.random)
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    fn shared(&self) -> &'a Shared {
        self.keyspace.shared()
    }

    /// Notes that what the command did or read includes batch `sequence`; for commands on whole databases.
    pub(crate) fn note(&mut self, wrote: Option<Sequence>, saw: Sequence) {
        self.wrote = self.wrote.max(wrote);
        self.saw = self.saw.max(saw).max(wrote.unwrap_or(0));
    }

    /// Locks the slots of the keys that the request names, in order.
    pub(crate) fn lock_keys(&mut self, spec: &Spec, args: Args<'_>) -> Result {
        let mut positions = spec.keys.positions(args);
        let Some(first) = positions.next() else { return Ok(()) };
        let first = self.shared().placer.place(&args[first]);
        let Some(second) = positions.next() else {
            self.place = Some(first);
            return self.locked(self.call.db, first.slot).map(drop);
        };
        if let Some(gate) = self.gate {
            self.keyspace.anticipate_keys(gate, self.call.db, spec.keys(args), self.writes);
        }
        let mut slots: SmallVec<[u16; 32]> = SmallVec::new();
        slots.push(first.slot);
        slots.push(crate::place::key_slot(&args[second]));
        slots.extend(positions.map(|index| crate::place::key_slot(&args[index])));
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            self.locked(self.call.db, slot)?;
        }
        Ok(())
    }

    /// Begins the next command of a transaction; what the commands before it did stays staged.
    pub(crate) fn next_command(&mut self, call: &Call, writes: bool) {
        self.call = Call { db: self.outer(call.db), ..call.clone() };
        self.clock = Clock::new(self.keyspace.settings(), call.now_ms);
        self.random = call.seed;
        self.place = None;
        self.replacing = false;
        self.writes |= writes;
    }

    /// Commits what was staged and lets go of the slots.
    pub(crate) fn finish(mut self) -> Result<Effect> {
        self.commit()?;
        Ok(self.effect())
    }

    fn effect(&self) -> Effect {
        Effect { wrote: self.wrote, saw: self.saw }
    }

    /// Locks a slot that is not locked yet and returns its index. Without the gate to itself a command must come in order.
    fn lock(&mut self, db: usize, number: u16) -> Result<usize> {
        let gate = self.gate.ok_or(Error::text("ERR this command has no keys"))?;
        let database: &'a Arc<Database> = gate.database(&self.shared().store, db)?;
        let slot = database.lock(number);
        let index = match self.locked.last() {
            Some(last) if (last.db, last.number) > (db, number) => {
                self.locked.partition_point(|locked| (locked.db, locked.number) < (db, number))
            }
            _ => self.locked.len(),
        };
        self.saw = self.saw.max(slot.last_write).max(database.born.load(Relaxed));
        let bytes_before = slot.bytes();
        self.locked
            .insert(index, Locked { db, number, database, slot, bytes_before, keys: 0, volatile: 0, dirty: false });
        Ok(index)
    }

    /// The index of a slot among the locked ones.
    #[inline]
    fn locked(&mut self, db: usize, number: u16) -> Result<usize> {
        if let [only] = self.locked.as_slice()
            && (only.db, only.number) == (db, number)
        {
            return Ok(0);
        }
        match self.locked.binary_search_by_key(&(db, number), |locked| (locked.db, locked.number)) {
            Ok(index) => Ok(index),
            Err(_) => self.lock(db, number),
        }
    }

    /// The last batch that changed a key of the slot since the start.
    pub(crate) fn last_write(&mut self, db: usize, number: u16) -> Result<Sequence> {
        let index = self.locked(db, number)?;
        Ok(self.locked[index].slot.last_write)
    }

    /// The entry of a key that was found.
    #[inline]
    pub(crate) fn entry(&self, spot: Spot) -> Option<&Entry> {
        self.locked.get(spot.locked)?.slot.table.get(spot.at?)
    }

    /// The kind of a key that was found.
    pub(crate) fn kind(&self, spot: Spot) -> Option<Kind> {
        Kind::from_bits(self.entry(spot)?.bits())
    }

    /// What OBJECT ENCODING answers for a key that exists.
    pub(crate) fn encoding(&self, spot: Spot) -> Result<&'static str> {
        let entry = self.entry(spot).ok_or(Error::NoSuchKey)?;
        match entry.kind().ok_or(Error::WrongType)? {
            Kind::String | Kind::LongString => {
                Ok(string_encoding(self.string(spot)?.unwrap_or_default(), entry.hint()))
            }
            kind => {
                let object = self.locked[spot.locked].slot.object(entry);
                let fades = object.is_some_and(|object| object.first_deadline() != 0);
                Ok(collection_encoding(kind, entry.hint(), fades))
            }
        }
    }

    /// Bytes of memory that a key takes.
    pub(crate) fn size(&self, spot: Spot) -> usize {
        let Some(entry) = self.entry(spot) else { return 0 };
        let object = self.locked[spot.locked].slot.object(entry);
        entry.size() + TABLE_SHARE + object.map_or(0, |object| object.size())
    }

    /// Whether clients can select this database.
    pub(crate) fn has_database(&self, db: usize) -> bool {
        self.gate.is_some_and(|gate| db < gate.len())
    }

    /// Unix ms; 0 for a key without expiry.
    pub(crate) fn expiry(&self, spot: Spot) -> u64 {
        self.entry(spot).map_or(0, Entry::expiry)
    }

    /// Sets or, with 0, removes the expiry of a key that exists.
    pub(crate) fn set_expiry(&mut self, spot: Spot, key: &[u8], expiry: u64) {
        let (Some(at), Some(was)) = (spot.at, self.entry(spot).map(Entry::expiry)) else { return };
        if was == expiry {
            if was != 0 {
                self.note_changed(key);
            }
            return;
        }
        let locked = &mut self.locked[spot.locked];
        locked.slot.set_expiry(at, expiry);
        locked.volatile += i64::from(expiry != 0) - i64::from(was != 0);
        self.stage_entry(spot, key);
    }

    /// Runs the command, commits what it staged, and lets go of its slots.
    pub(crate) fn run(&mut self, command: &Command, args: Args<'_>, reply: &mut dyn Reply) -> Result<Effect> {
        let ran = (command.run)(self, args, reply);
        self.note_reads(&command.spec, args);
        let committed = self.commit();
        ran?;
        committed?;
        Ok(self.effect())
    }
}

impl Drop for Context<'_> {
    /// A command that panicked has changed memory without a commit: forget that.
    fn drop(&mut self) {
        if !self.finished {
            self.resume();
            self.forget_changes();
            self.work.clear();
            self.settle();
        }
        std::mem::take(&mut self.work).give_back();
    }
}
