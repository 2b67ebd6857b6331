//! The generator behind `math.random`: that of drand48, as in Redis, so that a script draws the same numbers there.

use std::sync::atomic::{AtomicU64, Ordering};

const MULTIPLIER: u64 = 0x5_deec_e66d;
const INCREMENT: u64 = 0xb;
const MASK: u64 = (1 << 48) - 1;
/// The largest number drawn.
const MAX: f64 = i32::MAX as f64;

#[derive(Debug)]
pub(super) struct Generator(AtomicU64);

impl Default for Generator {
    fn default() -> Self {
        let generator = Generator(AtomicU64::new(0));
        generator.seed(0);
        generator
    }
}

impl Generator {
    pub(super) fn seed(&self, seed: i32) {
        self.0.store((u64::from(seed.cast_unsigned()) << 16 | 0x330e) & MASK, Ordering::Relaxed);
    }

    /// From 0 to below 1.
    pub(super) fn next(&self) -> f64 {
        let state = (self.0.load(Ordering::Relaxed).wrapping_mul(MULTIPLIER) + INCREMENT) & MASK;
        self.0.store(state, Ordering::Relaxed);
        let number = (state >> 17) as f64;
        (number % MAX) / MAX
    }
}
