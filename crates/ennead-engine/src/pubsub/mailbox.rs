//! Where messages wait for a client until its worker takes them, and how the worker hears of them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::Message;

/// A worker's list of clients that have mail, and the way to wake it. It is woken once however many they are.
pub struct Doorbell {
    rung: Mutex<Vec<u64>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Doorbell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doorbell").field("rung", &self.rung.lock().len()).finish_non_exhaustive()
    }
}

impl Doorbell {
    /// `wake` must not block. It is called from any thread, and not again until [`Doorbell::answer`] was.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Doorbell {
        Doorbell { rung: Mutex::default(), wake: Box::new(wake) }
    }

    pub(super) fn ring(&self, clients: &[u64]) {
        let mut rung = self.rung.lock();
        let first = rung.is_empty();
        rung.extend_from_slice(clients);
        drop(rung);
        if first {
            (self.wake)();
        }
    }

    /// Takes the ids of the clients that have mail; `into` is empty.
    pub fn answer(&self, into: &mut Vec<u64>) {
        std::mem::swap(&mut *self.rung.lock(), into);
    }
}

#[derive(Debug, Default)]
struct Inside {
    messages: VecDeque<Arc<Message>>,
    doorbell: Option<Arc<Doorbell>>,
    /// Nothing is put in any more.
    closed: bool,
}

/// The messages that a client has not been sent yet, oldest first.
#[derive(Debug, Default)]
pub struct Mailbox {
    inside: Mutex<Inside>,
    /// Bytes that the messages count for.
    bytes: AtomicU64,
    /// Spares the owner the lock while there is nothing.
    waiting: AtomicBool,
    overflown: AtomicBool,
}

impl Mailbox {
    /// Puts a message in, unless more than `limit_bytes` would wait then together with the `unsent_bytes` that were
    /// taken out already: the client is cut off in that case. `ring` is called when its worker has to hear of this.
    pub(super) fn put(
        &self,
        message: &Arc<Message>,
        unsent_bytes: u64,
        limit_bytes: u64,
        ring: impl FnOnce(&Arc<Doorbell>),
    ) {
        let mut inside = self.inside.lock();
        if inside.closed {
            return;
        }
        let idle = inside.messages.is_empty();
        let bytes = self.bytes.load(Ordering::Relaxed) + message.bytes() as u64;
        let overflows = limit_bytes > 0 && bytes + unsent_bytes > limit_bytes;
        if overflows {
            self.close(&mut inside);
            self.overflown.store(true, Ordering::SeqCst);
        } else {
            inside.messages.push_back(Arc::clone(message));
            self.bytes.store(bytes, Ordering::Relaxed);
            self.waiting.store(true, Ordering::SeqCst);
        }
        if (idle || overflows)
            && let Some(doorbell) = &inside.doorbell
        {
            ring(doorbell);
        }
    }

    fn close(&self, inside: &mut Inside) {
        inside.closed = true;
        inside.messages = VecDeque::new();
        self.bytes.store(0, Ordering::Relaxed);
        self.waiting.store(false, Ordering::SeqCst);
    }

    /// The client is gone.
    pub(crate) fn end(&self) {
        self.close(&mut self.inside.lock());
    }

    /// Takes the oldest messages, one at least and no more than `bytes_max` bytes if that can be; whether there were any.
    pub fn take(&self, bytes_max: usize, into: &mut Vec<Arc<Message>>) -> bool {
        let mut inside = self.inside.lock();
        let mut taken = 0;
        while let Some(message) = inside.messages.front() {
            if taken > 0 && taken + message.bytes() > bytes_max {
                break;
            }
            taken += message.bytes();
            into.extend(inside.messages.pop_front());
        }
        self.bytes.fetch_sub(taken as u64, Ordering::Relaxed);
        if inside.messages.is_empty() {
            self.waiting.store(false, Ordering::SeqCst);
        }
        taken > 0
    }

    /// Whether there are messages.
    #[inline]
    pub fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// What the messages count for, bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether the client has not taken its messages for so long that it is to be closed.
    pub fn is_overflown(&self) -> bool {
        self.overflown.load(Ordering::Relaxed)
    }

    /// Has another worker hear of messages from now on, and at once when there are some.
    pub(crate) fn move_to(&self, doorbell: Arc<Doorbell>, client: u64) {
        let mut inside = self.inside.lock();
        inside.doorbell = Some(Arc::clone(&doorbell));
        let rings = !inside.messages.is_empty() || self.is_overflown();
        drop(inside);
        if rings {
            doorbell.ring(&[client]);
        }
    }
}
