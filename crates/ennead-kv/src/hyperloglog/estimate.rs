//! From registers to a number: Otmar Ertl's estimator, "New cardinality estimation algorithms for HyperLogLog sketches"
//! (arXiv:1702.01284, algorithm 6), which needs no correction for few or many elements.

use super::REGISTERS;
use super::hash::COUNT_BITS;

/// How many registers have each value.
pub(super) type Histogram = [u32; 64];

/// 1 / (2 ln 2)
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The order of the operations is Redis's: the last bit of the result depends on it.
pub(super) fn estimate(histogram: &Histogram) -> u64 {
    let most = COUNT_BITS as usize;
    let registers = REGISTERS as f64;
    let full = f64::from(histogram[most + 1]);
    let mut sum = registers * tau((registers - full) / registers);
    for count in histogram[1..=most].iter().rev() {
        sum = (sum + f64::from(*count)) * 0.5;
    }
    sum += registers * sigma(f64::from(histogram[0]) / registers);
    let number = (ALPHA * registers * registers / sum).round();
    // Registers beyond what a hash can give add up to nothing, and the estimate is no number.
    if number < i64::MAX as f64 { number as u64 } else { i64::MIN as u64 }
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
