//! LZF, the compression of Redis's snapshot files: runs of literals, and references of length and distance into what
//! was there before.
//!
//! | control byte | what follows |
//! |---|---|
//! | 0 to 31 | so many literals and one more |
//! | 32 to 223 | a reference: length - 2 in the upper 3 bits, distance - 1 in the lower 5 and the next byte |
//! | 224 to 255 | the same with length - 9 in the next byte, before the one of the distance |
//!
//! The choices are those of liblzf in its fast mode with 2^16 hash places, as Redis builds it, so payloads are the same
//! byte for byte.

#[cfg(test)]
mod tests;

const HASH_BITS: u32 = 16;
const LITERALS_MAX: usize = 1 << 5;
const DISTANCE_MAX: usize = 1 << 13;
const REFERENCE_MAX: usize = (1 << 8) + (1 << 3);
/// What a compressed string must be shorter by.
const GAIN_MIN: usize = 4;

/// The place of three bytes in the table of what was seen last.
fn place(bytes: &[u8], at: usize) -> usize {
    let word = u32::from(bytes[at]) << 16 | u32::from(bytes[at + 1]) << 8 | u32::from(bytes[at + 2]);
    ((word >> (3 * 8 - HASH_BITS)).wrapping_sub(word.wrapping_mul(5)) & ((1 << HASH_BITS) - 1)) as usize
}

/// The compressed bytes, or none if they would not be at least 4 bytes shorter.
pub(super) fn compress(input: &[u8]) -> Option<Vec<u8>> {
    let room = input.len().checked_sub(GAIN_MIN).filter(|room| *room > 0)?;
    let mut output = Output { bytes: Vec::with_capacity(room), literals: 0 };
    output.begin();
    // 0 for nothing: a reference to the very first byte is never made.
    let mut seen = vec![0u32; 1 << HASH_BITS];
    let mut at = 0;
    while at + 2 < input.len() {
        let former = &mut seen[place(input, at)];
        let start = std::mem::replace(former, at as u32) as usize;
        let close = start > 0 && at - start <= DISTANCE_MAX;
        if !close || input[start..start + 3] != input[at..at + 3] {
            if output.bytes.len() >= room {
                return None;
            }
            output.literal(input[at]);
            at += 1;
            continue;
        }
        if output.bytes.len() - usize::from(output.literals == 0) + 4 >= room {
            return None;
        }
        let length = matching(input, start, at);
        output.reference(at - start, length);
        at += length;
        if at + 2 >= input.len() {
            break;
        }
        for inside in [at - 2, at - 1] {
            seen[place(input, inside)] = inside as u32;
        }
    }
    if output.bytes.len() + 3 > room {
        return None;
    }
    for byte in &input[at..] {
        output.literal(*byte);
    }
    output.end();
    Some(output.bytes)
}

/// How many bytes from `at` on are those from `start` on: 3, which is known, or more. As liblzf it stops two bytes before
/// the end, unless it gets there in the first 16 comparisons, which it does without looking at the end.
fn matching(input: &[u8], start: usize, at: usize) -> usize {
    const UNCHECKED: usize = 16;
    let most = (input.len() - at - 2).min(REFERENCE_MAX);
    let unchecked = if most > UNCHECKED { 3 + UNCHECKED } else { 3 };
    let mut length = 3;
    while length < most.max(unchecked) && input[start + length] == input[at + length] {
        length += 1;
    }
    length
}

/// What was written; its last run of literals is open, with a place for the control byte before it.
struct Output {
    bytes: Vec<u8>,
    literals: usize,
}

impl Output {
    fn begin(&mut self) {
        self.bytes.push(0);
        self.literals = 0;
    }

    fn end(&mut self) {
        let control = self.bytes.len() - self.literals - 1;
        match self.literals {
            0 => self.bytes.truncate(control),
            literals => self.bytes[control] = (literals - 1) as u8,
        }
    }

    fn literal(&mut self, byte: u8) {
        self.bytes.push(byte);
        self.literals += 1;
        if self.literals == LITERALS_MAX {
            self.end();
            self.begin();
        }
    }

    fn reference(&mut self, distance: usize, length: usize) {
        self.end();
        let (far, length) = (distance - 1, length - 2);
        if length < 7 {
            self.bytes.push((far >> 8) as u8 | (length << 5) as u8);
        } else {
            self.bytes.extend_from_slice(&[(far >> 8) as u8 | 7 << 5, (length - 7) as u8]);
        }
        self.bytes.push(far as u8);
        self.begin();
    }
}

/// The bytes that were compressed. The announced length must come out; nothing is allocated for an announcement alone.
pub(super) fn decompress(mut input: &[u8], longest: u64, announced: u64) -> Option<Vec<u8>> {
    if announced > longest {
        return None;
    }
    let mut output = Vec::new();
    while let Some((&control, rest)) = input.split_first() {
        let control = usize::from(control);
        if control < 0x20 {
            let (literals, rest) = rest.split_at_checked(control + 1)?;
            output.extend_from_slice(literals);
            input = rest;
        } else {
            let (extra, rest) = if control >> 5 == 7 {
                let (&extra, rest) = rest.split_first()?;
                (usize::from(extra), rest)
            } else {
                (0, rest)
            };
            let (&low, rest) = rest.split_first()?;
            let start = output.len().checked_sub(((control & 0x1f) << 8 | usize::from(low)) + 1)?;
            for index in start..start + (control >> 5) + extra + 2 {
                output.push(output[index]);
            }
            input = rest;
        }
        if output.len() as u64 > announced {
            return None;
        }
    }
    (output.len() as u64 == announced).then_some(output)
}
