//! The end of a log that a start has found: records that nothing says are durable.
//!
//! They can be read, but may be in the kernel's memory only. Syncing their file is not enough: after a sync that failed, the
//! kernel takes what it could not write for written, so that later syncs succeed without it. So a start writes these bytes
//! again, as they are, and then syncs them: from there on they count as durable.

use std::collections::VecDeque;

use super::segment::{HEADER_BYTES, Segment};
use crate::disk::{Disk, DiskFile};
use crate::store::Sequence;
use crate::{Error, Result};

/// Between two places that are remembered, bytes.
const STEP_BYTES: u64 = 64 << 10;
/// Written at once.
const PART_BYTES: usize = 1 << 20;

/// Where the records begin that may not be durable.
#[derive(Debug)]
pub(crate) struct Tail {
    /// Everything up to here is.
    pub(crate) durable: Sequence,
    /// Places in order: a record, the index of its segment, and its offset. The first is before all that may not be.
    places: VecDeque<(Sequence, usize, u64)>,
}

impl Tail {
    pub(crate) fn behind(durable: Sequence) -> Tail {
        Tail { durable, places: VecDeque::new() }
    }

    /// Takes the next record in.
    pub(crate) fn meet(&mut self, sequence: Sequence, segment: usize, offset: u64) {
        let near = |(_, of, at): &(Sequence, usize, u64)| *of == segment && offset - at < STEP_BYTES;
        if !self.places.back().is_some_and(near) {
            self.places.push_back((sequence, segment, offset));
        }
    }

    /// Everything up to a record was durable when something was written.
    pub(crate) fn know(&mut self, durable: Sequence) {
        self.durable = self.durable.max(durable);
        while self.places.get(1).is_some_and(|(sequence, ..)| *sequence <= self.durable + 1) {
            self.places.pop_front();
        }
    }

    /// Makes all records that were met durable.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn settle(self, disk: &dyn Disk, segments: &[Segment]) -> Result<()> {
        let Some((_, first, offset)) = self.places.front() else { return Ok(()) };
        for (index, segment) in segments.iter().enumerate().skip(*first) {
            // A segment's header is as durable as its first record.
            let from = if index == *first && *offset > HEADER_BYTES as u64 { *offset } else { 0 };
            disk.open(&segment.path)
                .and_then(|file| rewrite(&*file, from).and_then(|()| file.sync_data()))
                .map_err(|error| Error::Io(format!("cannot make {} durable: {error}", segment.path.display())))?;
        }
        Ok(())
    }
}

/// Writes what a file has from an offset on, as it is.
fn rewrite(file: &dyn DiskFile, mut from: u64) -> std::io::Result<()> {
    let end = file.len()?;
    let mut part = vec![0; PART_BYTES.min(end.saturating_sub(from) as usize)];
    while from < end {
        let part = &mut part[..PART_BYTES.min((end - from) as usize)];
        file.read_at(from, part)?;
        file.write_at(from, part)?;
        from += part.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
