//! The sparse form: runs of equal registers, for sketches that have seen little.
//!
//! | bytes | run |
//! |---|---|
//! | `00nnnnnn` | ZERO: n+1 registers of 0 |
//! | `01nnnnnn nnnnnnnn` | XZERO: n+1 registers of 0, high bits first |
//! | `1vvvvvnn` | VAL: n+1 registers of v+1 |
//!
//! A change splits one run and then joins neighbours where Redis does, no more: the bytes have to be the same.

use super::estimate::Histogram;
use super::{Corrupted, REGISTERS};

/// The longest run in one byte of zeros.
const ZERO_MAX: usize = 64;
/// The longest run of a value.
const VALUE_LEN_MAX: usize = 4;
/// The highest value.
const VALUE_MAX: u8 = 32;
/// How many runs are looked at to join some after a change.
const JOIN_SCAN: usize = 5;

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Unchanged,
    Changed,
    /// Nothing was changed: the result would have no sparse form, or a longer one than is allowed.
    TooLarge,
}

/// Registers of one value.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// 0 to 32
    value: u8,
    len: usize,
    /// Its bytes, 1 or 2.
    size: usize,
}

impl Run {
    /// The run that begins at a place within the bytes. What is missing at the end is a zero byte.
    fn at(bytes: &[u8], at: usize) -> Run {
        let byte = bytes[at];
        match byte >> 6 {
            0 => Run { value: 0, len: usize::from(byte) + 1, size: 1 },
            1 => {
                let low = bytes.get(at + 1).map_or(0, |byte| usize::from(*byte));
                Run { value: 0, len: (usize::from(byte & 0x3f) << 8 | low) + 1, size: 2 }
            }
            _ => Run { value: (byte >> 2 & 0x1f) + 1, len: usize::from(byte & 3) + 1, size: 1 },
        }
    }

    fn is_value(&self) -> bool {
        self.value != 0
    }
}

fn runs(bytes: &[u8]) -> impl Iterator<Item = Run> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let run = (at < bytes.len()).then(|| Run::at(bytes, at))?;
        at += run.size;
        Some(run)
    })
}

/// Appends zeros; none for a run of none.
pub(super) fn push_zeros(bytes: &mut Vec<u8>, len: usize) {
    match len {
        0 => {}
        1..=ZERO_MAX => bytes.push(len as u8 - 1),
        _ => bytes.extend_from_slice(&(0x4000 | (len as u16 - 1)).to_be_bytes()),
    }
}

fn value_byte(value: u8, len: usize) -> u8 {
    0x80 | (value - 1) << 2 | (len as u8 - 1)
}

fn push_values(bytes: &mut Vec<u8>, value: u8, len: usize) {
    if value == 0 {
        push_zeros(bytes, len);
    } else if len > 0 {
        bytes.push(value_byte(value, len));
    }
}

/// Calls back for each register that is not 0, in order.
pub(super) fn each_value(bytes: &[u8], mut each: impl FnMut(usize, u8)) -> Result<(), Corrupted> {
    let mut index = 0;
    for run in runs(bytes) {
        let end = index + run.len;
        if run.is_value() {
            if end > REGISTERS {
                return Err(Corrupted);
            }
            (index..end).for_each(|index| each(index, run.value));
        }
        index = end;
    }
    if index == REGISTERS { Ok(()) } else { Err(Corrupted) }
}

pub(super) fn histogram(bytes: &[u8], histogram: &mut Histogram) -> Result<(), Corrupted> {
    let mut registers = 0;
    for run in runs(bytes) {
        registers += run.len;
        histogram[usize::from(run.value)] += run.len as u32;
    }
    if registers == REGISTERS { Ok(()) } else { Err(Corrupted) }
}

/// The runs in Redis's words: `z:n` and `Z:n` for zeros, `v:value,n`.
pub(super) fn text(bytes: &[u8]) -> String {
    let words = runs(bytes).map(|run| match (run.value, run.size) {
        (0, 1) => format!("z:{}", run.len),
        (0, _) => format!("Z:{}", run.len),
        (value, _) => format!("v:{value},{}", run.len),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Raises a register of the sketch whose runs stand from `start` on, and which is to be no longer than `most` bytes.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    start: usize,
    index: usize,
    count: u8,
    most: usize,
) -> Result<Outcome, Corrupted> {
    if count > VALUE_MAX {
        return Ok(Outcome::TooLarge);
    }
    let (mut at, mut first, mut before) = (start, 0, start);
    let run = loop {
        if at >= bytes.len() {
            return Err(Corrupted);
        }
        let run = Run::at(bytes, at);
        if index < first + run.len {
            break run;
        }
        before = at;
        at += run.size;
        first += run.len;
    };
    if run.value >= count {
        return Ok(Outcome::Unchanged);
    }
    if run.len == 1 && run.size == 1 {
        bytes[at] = value_byte(count, 1);
    } else {
        let mut split = Vec::with_capacity(5);
        push_values(&mut split, run.value, index - first);
        split.push(value_byte(count, 1));
        push_values(&mut split, run.value, first + run.len - 1 - index);
        if split.len() > run.size && bytes.len() + split.len() - run.size > most {
            return Ok(Outcome::TooLarge);
        }
        bytes.splice(at..bytes.len().min(at + run.size), split);
    }
    join(bytes, before);
    Ok(Outcome::Changed)
}

/// Joins neighbouring runs of one value from the run at `at` on.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_SCAN {
        if at >= bytes.len() {
            return;
        }
        let run = Run::at(bytes, at);
        if run.is_value() && at + 1 < bytes.len() {
            let next = Run::at(bytes, at + 1);
            if next.value == run.value && run.len + next.len <= VALUE_LEN_MAX {
                bytes[at + 1] = value_byte(run.value, run.len + next.len);
                bytes.remove(at);
                // The joined run may join the next one.
                continue;
            }
        }
        at += run.size;
    }
}
