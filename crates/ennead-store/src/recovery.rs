//! Finds where the log ends after whatever happened, and shows its records to the store.
//!
//! Records are taken in order without a gap. Where they end, everything behind is judged: if anything that was written
//! later says that the missing record had been durable, it was lost or damaged afterwards and the start is refused; if
//! not, it is the torn end of a power cut, of which nothing was ever acknowledged as durable, and it is cut off.

use std::path::{Path, PathBuf};

use crate::disk::Disk;
use crate::log::reader::{End, SegmentReader};
use crate::log::record::{Fault, Record};
use crate::log::segment::{self, HEADER_BYTES, Segment};
use crate::log::tail::Tail;
use crate::store::Sequence;
use crate::{Error, Result};

/// What a start found in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecoveryReport {
    /// Records that were not in the B-tree yet.
    pub records_replayed: u64,
    /// Bytes of them.
    pub bytes_replayed: u64,
    /// Bytes of incomplete records at the end of the log that were cut off.
    pub bytes_cut: u64,
    /// The file and offset where the log was cut, if it was.
    pub cut_at: Option<(PathBuf, u64)>,
}

/// The log as a start found it.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) segments: Vec<Segment>,
    pub(crate) spares: Vec<PathBuf>,
    pub(crate) last: Sequence,
    pub(crate) report: RecoveryReport,
}

/// Where the usable log ends.
#[derive(Debug)]
struct Stop {
    /// Index of the segment.
    segment: usize,
    offset: u64,
    /// The record that should be there.
    missing: Sequence,
    /// Bytes of it are there.
    begun: bool,
    fault: Option<Fault>,
}

/// Reads the log from behind `flushed`, shows the records to `apply`, and cuts a torn end.
pub(crate) fn recover(
    disk: &dyn Disk,
    directory: &Path,
    flushed: Sequence,
    apply: &mut dyn FnMut(&Record<'_>) -> Result<()>,
) -> Result<Recovered> {
    let segment::Listing { mut segments, spares } = segment::list(disk, directory)?;
    let mut report = RecoveryReport::default();
    let start = segments.partition_point(|segment| segment.first <= flushed + 1).saturating_sub(1);
    let mut tail = Tail::behind(flushed);
    let (last, stop) = replay(disk, &segments, start, &mut tail, &mut report, apply)?;
    if let Some(stop) = stop {
        judge(disk, &segments, &stop, flushed, &mut report)?;
        cut(disk, directory, &mut segments, &stop)?;
    }
    tail.settle(disk, &segments)?;
    Ok(Recovered { segments, spares, last: last.max(flushed), report })
}

fn replay(
    disk: &dyn Disk,
    segments: &[Segment],
    start: usize,
    tail: &mut Tail,
    report: &mut RecoveryReport,
    apply: &mut dyn FnMut(&Record<'_>) -> Result<()>,
) -> Result<(Sequence, Option<Stop>)> {
    let flushed = tail.durable;
    let mut last = match segments.get(start) {
        Some(segment) if segment.first <= flushed + 1 => segment.first.saturating_sub(1),
        _ => flushed,
    };
    for (index, segment) in segments.iter().enumerate().skip(start) {
        let missing = last + 1;
        let stop = |offset, begun, fault| Some(Stop { segment: index, offset, missing, begun, fault });
        let reader = SegmentReader::open(disk, &segment.path)?;
        let Some(mut reader) = reader.filter(|reader| reader.header().first == segment.first) else {
            return Ok((last, stop(0, false, None)));
        };
        if segment.first != missing {
            return Ok((last, stop(0, false, None)));
        }
        tail.know(reader.header().durable);
        let end = loop {
            let offset = reader.offset();
            match reader.next()? {
                Ok(record) => {
                    last = record.sequence;
                    tail.meet(last, index, offset);
                    tail.know(record.header.durable.unwrap_or(0));
                    if last > flushed {
                        report.records_replayed += 1;
                        report.bytes_replayed += record.bytes as u64;
                        apply(&record)?;
                    }
                }
                Err(end) => break end,
            }
        };
        let continued = segments.get(index + 1).is_some_and(|next| next.first == last + 1);
        let clean = end.fault == Fault::Nothing || reader.offset() == segment.bytes;
        if !continued {
            let End { offset, fault, begun } = end;
            let fault = (!clean).then_some(fault);
            return Ok((last, Some(Stop { segment: index, offset, missing: last + 1, begun, fault })));
        }
    }
    Ok((last, None))
}

/// Refuses when the missing record is known to have been durable; otherwise tells what is cut.
fn judge(
    disk: &dyn Disk,
    segments: &[Segment],
    stop: &Stop,
    flushed: Sequence,
    report: &mut RecoveryReport,
) -> Result<()> {
    let path = &segments[stop.segment].path;
    let mut behind = 0;
    for (index, segment) in segments.iter().enumerate().skip(stop.segment) {
        let Some(mut reader) = SegmentReader::open(disk, &segment.path)? else { continue };
        let own = index == stop.segment;
        if !own && reader.header().first >= stop.missing && reader.header().durable >= stop.missing {
            return Err(refusal(path, stop, &segment.path));
        }
        let mut from = if own { stop.offset.max(HEADER_BYTES as u64) } else { HEADER_BYTES as u64 };
        while let Some(found) = reader.next_valid_after(from, stop.missing)? {
            // What is in the B-tree was durable in the log before.
            if stop.missing <= flushed || found.durable.is_some_and(|durable| durable >= stop.missing) {
                return Err(refusal(path, stop, &segment.path));
            }
            behind += found.bytes as u64;
            from = found.offset + found.bytes as u64;
        }
    }
    if behind > 0 || (stop.begun && stop.fault.is_some()) {
        report.bytes_cut = behind.max(1);
        if let Some(Fault::Short(_) | Fault::Checksum) = stop.fault
            && behind == 0
        {
            report.bytes_cut = segments[stop.segment].bytes.saturating_sub(stop.offset);
        }
        report.cut_at = Some((path.clone(), stop.offset));
        tracing::warn!(
            file = %path.display(),
            offset = stop.offset,
            sequence = stop.missing,
            bytes = report.bytes_cut,
            "the end of the log is torn, as after a power cut; it was never acknowledged as durable and is cut off"
        );
    }
    Ok(())
}

fn refusal(path: &Path, stop: &Stop, later: &Path) -> Error {
    let fault = stop.fault.map_or_else(|| "it is missing".to_owned(), |fault| fault.to_string());
    Error::Corrupted(format!(
        "record {} at byte {} of {} is not readable: {fault}; it was durable before later ones in {} were written. \
         `ennead repair` shows what would be lost without it",
        stop.missing,
        stop.offset,
        path.display(),
        later.display()
    ))
}

/// Removes everything from the stop on.
fn cut(disk: &dyn Disk, directory: &Path, segments: &mut Vec<Segment>, stop: &Stop) -> Result<()> {
    let io = |segments: &mut Vec<Segment>| -> std::io::Result<()> {
        let keeps = stop.offset > HEADER_BYTES as u64;
        let first_removed = if keeps { stop.segment + 1 } else { stop.segment };
        // The last first, so that a crash in between leaves no later one behind a gap.
        for segment in segments.drain(first_removed..).rev() {
            disk.remove(&segment.path)?;
        }
        if keeps && let Some(last) = segments.last_mut() {
            let file = disk.open(&last.path)?;
            if file.len()? != stop.offset {
                file.set_len(stop.offset)?;
                file.sync_data()?;
            }
            last.bytes = stop.offset;
        }
        disk.sync_directory(directory)
    };
    io(segments).map_err(|error| Error::Io(format!("cannot cut the log in {}: {error}", directory.display())))
}
