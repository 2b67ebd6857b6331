//! The generator behind `math.random`: that of drand48, as in Redis, so that a script draws the same numbers there.

use std::cell::Cell;

const MULTIPLIER: u64 = 0x5_deec_e66d;
const INCREMENT: u64 = 0xb;
const MASK: u64 = (1 << 48) - 1;
/// The largest number drawn.
const MAX: f64 = i32::MAX as f64;

#[derive(Debug)]
pub(super) struct Generator(Cell<u64>);

impl Default for Generator {
    fn default() -> Self {
        let generator = Generator(Cell::new(0));
        generator.seed(0);
        generator
    }
}

impl Generator {
    pub(super) fn seed(&self, seed: i32) {
        self.0.set((u64::from(seed.cast_unsigned()) << 16 | 0x330e) & MASK);
    }

    /// From 0 to below 1.
    pub(super) fn next(&self) -> f64 {
        let state = (self.0.get().wrapping_mul(MULTIPLIER) + INCREMENT) & MASK;
        self.0.set(state);
        let number = (state >> 17) as f64;
        (number % MAX) / MAX
    }
}
