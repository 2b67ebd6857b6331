//! Freeing what is large where nobody waits for it: on one thread of the process, in slices with rests between them, so that
//! it does not keep a processor from those who answer requests. To the figures it is gone at once.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::database::Database;
use crate::object::Object;
use crate::place::SLOTS;
use crate::slot::Slot;

#[cfg(test)]
mod tests;

/// What takes less is freed where it is, bytes.
pub(crate) const LARGE_BYTES: usize = 128 << 10;
/// Bytes, about, that are freed between two rests.
const SLICE_BYTES: usize = 128 << 10;
/// Chunks of a sequence that are freed between two rests.
const SLICE_CHUNKS: usize = 8;
const REST: Duration = Duration::from_micros(50);

/// What is handed over and not freed yet.
static PENDING: AtomicU64 = AtomicU64::new(0);
static THREAD: OnceLock<Option<Sender<Waste>>> = OnceLock::new();

enum Waste {
    Object(Box<Object>),
    Slot(Box<Slot>),
    Database(Arc<Database>),
}

/// Frees a value that nothing leads to any more.
pub(crate) fn discard(object: Object) {
    if object.size() >= LARGE_BYTES {
        hand_over(Waste::Object(Box::new(object)));
    }
}

/// Frees what a slot had.
pub(crate) fn discard_slot(slot: Slot) {
    if slot.bytes() >= LARGE_BYTES {
        hand_over(Waste::Slot(Box::new(slot)));
    }
}

/// Frees what the slots of a database have, of which `bytes` is the sum. Nobody may use it any more.
pub(crate) fn discard_database(database: Arc<Database>, bytes: usize) {
    if bytes >= LARGE_BYTES {
        hand_over(Waste::Database(database));
    }
}

/// Values, slots and databases that wait to be freed.
pub(crate) fn pending() -> u64 {
    PENDING.load(Relaxed)
}

/// Without a thread it is freed by the caller.
fn hand_over(waste: Waste) {
    let Some(thread) = THREAD.get_or_init(start) else { return };
    PENDING.fetch_add(1, Relaxed);
    if thread.send(waste).is_err() {
        PENDING.fetch_sub(1, Relaxed);
    }
}

fn start() -> Option<Sender<Waste>> {
    let (sender, receiver) = channel();
    match std::thread::Builder::new().name("kv-free".into()).spawn(move || work(&receiver)) {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::debug!(%error, "large values are freed by the threads of their clients");
            None
        }
    }
}

fn work(receiver: &Receiver<Waste>) {
    while let Ok(waste) = receiver.recv() {
        let mut freed = 0;
        match waste {
            Waste::Object(object) => free(*object),
            Waste::Slot(slot) => free_slot(*slot, &mut freed),
            Waste::Database(database) => {
                for number in 0..SLOTS as u16 {
                    let slot = std::mem::replace(&mut *database.lock(number), Slot::new(true));
                    free_slot(slot, &mut freed);
                }
            }
        }
        PENDING.fetch_sub(1, Relaxed);
    }
}

fn free_slot(mut slot: Slot, freed: &mut usize) {
    *freed += slot.bytes();
    for object in slot.take_objects().filter(|object| object.size() >= LARGE_BYTES) {
        free(object);
    }
    drop(slot);
    if *freed >= SLICE_BYTES {
        *freed = 0;
        std::thread::sleep(REST);
    }
}

fn free(mut object: Object) {
    while object.dissolve(SLICE_CHUNKS) {
        std::thread::sleep(REST);
    }
}
