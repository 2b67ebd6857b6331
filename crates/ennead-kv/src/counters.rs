//! Figures that every command may change, striped so that threads do not fight over one cache line.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

const STRIPES: usize = 16;

#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe {
    hits: AtomicU64,
    misses: AtomicU64,
    bytes: AtomicI64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    stripes: [Stripe; STRIPES],
    pub(crate) expired: AtomicU64,
    pub(crate) evicted: AtomicU64,
    pub(crate) tiered: AtomicU64,
    pub(crate) loaded: AtomicU64,
    pub(crate) fetched: AtomicU64,
}

impl Counters {
    #[inline]
    pub(crate) fn hit(&self, slot: u16) {
        self.stripes[usize::from(slot) % STRIPES].hits.fetch_add(1, Relaxed);
    }
    #[inline]
    pub(crate) fn miss(&self, slot: u16) {
        self.stripes[usize::from(slot) % STRIPES].misses.fetch_add(1, Relaxed);
    }
    #[inline]
    pub(crate) fn add_bytes(&self, slot: u16, delta: i64) {
        if delta != 0 {
            self.stripes[usize::from(slot) % STRIPES].bytes.fetch_add(delta, Relaxed);
        }
    }
    pub(crate) fn hits(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.hits.load(Relaxed)).sum()
    }
    pub(crate) fn misses(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.misses.load(Relaxed)).sum()
    }
    /// Bytes of all entries, objects and slot tables.
    pub(crate) fn bytes(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.bytes.load(Relaxed)).sum::<i64>().max(0) as u64
    }
    pub(crate) fn reset(&self) {
        for stripe in &self.stripes {
            stripe.hits.store(0, Relaxed);
            stripe.misses.store(0, Relaxed);
        }
        for counter in [&self.expired, &self.evicted, &self.tiered, &self.loaded, &self.fetched] {
            counter.store(0, Relaxed);
        }
    }
}
