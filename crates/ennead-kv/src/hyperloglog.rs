//! HyperLogLog: how many different elements were seen, within 0.81 %, in 12 KB at most. Bytes, hash and estimate are
//! Redis's, so that a value moves between servers as the string that it is.
//!
//! An element's hash chooses one of 16,384 registers, which keeps the longest run of zeros, plus one, that it has met.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `HYLL` |
//! | 1 | form of the registers: 0 dense, 1 sparse |
//! | 3 | unused |
//! | 8 | the last estimate, little endian; the highest bit is set when the registers have changed since |
//! | then | the registers: dense 12,288 bytes ([`dense`]), sparse as many as it takes ([`sparse`]) |

mod dense;
mod estimate;
mod hash;
mod sparse;
#[cfg(test)]
mod tests;

use estimate::{Histogram, estimate};

/// Registers of every sketch.
pub(crate) const REGISTERS: usize = 1 << hash::INDEX_BITS;
/// Bytes before the registers.
const HEADER: usize = 16;
const DENSE_LEN: usize = HEADER + dense::LEN;
const MAGIC: &[u8; 4] = b"HYLL";
const FORM: usize = 4;
const CACHE: usize = 8;
/// Set in the last byte of the cached estimate when it is out of date.
const STALE: u8 = 0x80;

/// The sparse form of a sketch does not describe each register once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Corrupted;

/// How the registers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Dense,
    Sparse,
}

/// A value of each register, to merge sketches in.
pub(crate) struct Registers(Box<[u8; REGISTERS]>);

impl Registers {
    pub(crate) fn new() -> Registers {
        Registers(Box::new([0; REGISTERS]))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn estimate(&self) -> u64 {
        let mut histogram: Histogram = [0; 64];
        self.iter().for_each(|value| histogram[usize::from(value & dense::MAX)] += 1);
        estimate(&histogram)
    }
}

/// A sketch to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    bytes: &'a [u8],
    form: Form,
}

impl<'a> View<'a> {
    /// None if the bytes are no sketch. Whether a sparse one is whole turns out when it is read.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<View<'a>> {
        if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
            return None;
        }
        let form = match bytes[FORM] {
            0 if bytes.len() == DENSE_LEN => Form::Dense,
            1 => Form::Sparse,
            _ => return None,
        };
        Some(View { bytes, form })
    }

    pub(crate) fn form(&self) -> Form {
        self.form
    }

    fn registers(&self) -> &'a [u8] {
        &self.bytes[HEADER..]
    }

    /// The last estimate, unless the registers have changed since.
    pub(crate) fn cached(&self) -> Option<u64> {
        let cache = self.bytes[..HEADER].last_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes))?;
        Some(cache).filter(|cache| cache >> 56 & u64::from(STALE) == 0)
    }

    pub(crate) fn estimate(&self) -> Result<u64, Corrupted> {
        let mut histogram: Histogram = [0; 64];
        match self.form {
            Form::Dense => dense::values(self.registers()).for_each(|value| histogram[usize::from(value)] += 1),
            Form::Sparse => sparse::histogram(self.registers(), &mut histogram)?,
        }
        Ok(estimate(&histogram))
    }

    /// Raises each register to the one here.
    pub(crate) fn merge_into(&self, registers: &mut Registers) -> Result<(), Corrupted> {
        let all = &mut registers.0;
        match self.form {
            Form::Dense => {
                all.iter_mut().zip(dense::values(self.registers())).for_each(|(all, value)| *all = value.max(*all));
                Ok(())
            }
            Form::Sparse => sparse::each_value(self.registers(), |index, value| all[index] = value.max(all[index])),
        }
    }

    /// Whether adding these elements changes nothing. Sparse sketches are small, and not asked.
    pub(crate) fn has_all<'e>(&self, mut elements: impl Iterator<Item = &'e [u8]>) -> bool {
        self.form == Form::Dense
            && elements.all(|element| {
                let (index, count) = hash::register(element);
                dense::get(self.registers(), index) >= count
            })
    }

    /// The runs of a sparse sketch as PFDEBUG DECODE shows them.
    pub(crate) fn decode(&self) -> String {
        sparse::text(self.registers())
    }
}

/// A sketch to change.
#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    bytes: Vec<u8>,
    form: Form,
}

impl Sketch {
    /// Nothing seen, sparse.
    pub(crate) fn new() -> Sketch {
        let mut bytes = vec![0; HEADER];
        bytes[..FORM].copy_from_slice(MAGIC);
        bytes[FORM] = 1;
        sparse::push_zeros(&mut bytes, REGISTERS);
        Sketch { bytes, form: Form::Sparse }
    }

    pub(crate) fn copy(view: View<'_>) -> Sketch {
        Sketch { bytes: view.bytes.to_vec(), form: view.form }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn view(&self) -> View<'_> {
        View { bytes: &self.bytes, form: self.form }
    }

    /// Adds an element; whether that changed a register. `sparse_max` is the longest sparse form, bytes.
    pub(crate) fn add(&mut self, element: &[u8], sparse_max: usize) -> Result<bool, Corrupted> {
        let (index, count) = hash::register(element);
        self.raise(index, count, sparse_max)
    }

    /// Raises a register to `count`; whether it was lower.
    pub(crate) fn raise(&mut self, index: usize, count: u8, sparse_max: usize) -> Result<bool, Corrupted> {
        if self.form == Form::Sparse {
            match sparse::raise(&mut self.bytes, HEADER, index, count, sparse_max)? {
                sparse::Outcome::Unchanged => return Ok(false),
                sparse::Outcome::Changed => return Ok(true),
                sparse::Outcome::TooLarge => self.make_dense()?,
            }
        }
        let registers = &mut self.bytes[HEADER..];
        let changed = dense::get(registers, index) < count;
        if changed {
            dense::set(registers, index, count);
        }
        Ok(changed)
    }

    /// Writes the registers in the dense form; the cached estimate stays.
    pub(crate) fn make_dense(&mut self) -> Result<(), Corrupted> {
        if self.form == Form::Dense {
            return Ok(());
        }
        let mut bytes = vec![0; DENSE_LEN];
        bytes[..HEADER].copy_from_slice(&self.bytes[..HEADER]);
        bytes[FORM] = 0;
        let registers = &mut bytes[HEADER..];
        sparse::each_value(&self.bytes[HEADER..], |index, value| dense::set(registers, index, value))?;
        (self.bytes, self.form) = (bytes, Form::Dense);
        Ok(())
    }

    /// Marks the cached estimate as out of date.
    pub(crate) fn invalidate(&mut self) {
        self.bytes[HEADER - 1] |= STALE;
    }
}

/// Where an estimate is kept in the bytes of a sketch, and how.
pub(crate) fn cache(estimate: u64) -> (usize, [u8; 8]) {
    (CACHE, estimate.to_le_bytes())
}

/// Whether random values come back from dense registers as they were written, all of them written each time.
pub(crate) fn registers_keep_values(rounds: usize, random: &mut impl FnMut() -> u64) -> bool {
    let mut registers = vec![0; dense::LEN];
    (0..rounds).all(|_| {
        let expected: Vec<u8> = (0..REGISTERS).map(|_| random() as u8 & dense::MAX).collect();
        expected.iter().enumerate().for_each(|(index, value)| dense::set(&mut registers, index, *value));
        expected.iter().enumerate().all(|(index, value)| dense::get(&registers, index) == *value)
    })
}
