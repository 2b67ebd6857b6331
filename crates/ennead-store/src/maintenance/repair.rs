//! What a damaged log would cost, and cutting it there once somebody has agreed to the price.
//!
//! A store whose log misses a record that had been durable refuses to start, because going on would silently lose what
//! was acknowledged. [`diagnose`] only reads. [`repair`] keeps everything before the damage, and moves what it cuts into a
//! directory of its own instead of deleting it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Progress, copy};
use crate::base::Base;
use crate::directory::Directory;
use crate::disk::{Disk, RealDisk};
use crate::log::reader::SegmentReader;
use crate::log::record::Fault;
use crate::log::segment::{self, HEADER_BYTES, Segment};
use crate::{Error, Options, Result, Sequence};

/// A place where the log cannot be read although something was written behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub file: PathBuf,
    /// Byte at which the unreadable record begins.
    pub offset: u64,
    /// The record that should be there.
    pub sequence: Sequence,
    pub reason: String,
    /// Readable batches behind it, which a repair would give up as well.
    pub batches_behind: u64,
    /// The last of them, or the damaged one.
    pub last_behind: Sequence,
    /// Later records say that the damaged one had been on disk: it was acknowledged. If not, it is the torn end of a power
    /// cut, which a start cuts off by itself.
    pub acknowledged: bool,
}

/// What [`diagnose`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// Everything up to here is in the B-tree.
    pub flushed: Sequence,
    /// The last batch that a repaired store would have.
    pub last_readable: Sequence,
    pub damage: Option<Damage>,
}

/// What [`repair`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The last batch that the store has now.
    pub last: Sequence,
    /// Where the cut files are, if anything was cut.
    pub kept_aside: Option<PathBuf>,
}

impl std::fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.damage {
            None => write!(f, "sound: the store ends at batch {}", self.last_readable),
            Some(damage) => write!(
                f,
                "batch {} at byte {} of {} is not readable: {}. {} {} readable batches behind it (up to {}) would be lost; \
                 the store would end at batch {}",
                damage.sequence,
                damage.offset,
                damage.file.display(),
                damage.reason,
                if damage.acknowledged { "It and" } else { "It was never acknowledged as durable. It and" },
                damage.batches_behind,
                damage.last_behind,
                self.last_readable,
            ),
        }
    }
}

/// Reads the B-tree's state and the whole log of a closed store, and says whether and what a repair would cost. Changes
/// nothing. `progress` is told bytes of log read and in all.
///
/// # Errors
/// `Open` when another process has the directory; `Corrupted` when the B-tree itself cannot be read: restore a backup.
pub fn diagnose(options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Result<Diagnosis> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let directory = Directory::open(&disk, &options.path)?;
    diagnose_open(&disk, &directory, options, progress)
}

/// Cuts the log at the damage that `agreed` tells of. Everything before stays; the cut files go into a new directory
/// beside the log. Does nothing when `agreed` has no damage.
///
/// # Errors
/// `Conflict` when the log is not as diagnosed any more; the rest as for [`diagnose`].
///
/// # Durability
/// All on disk when it returns.
pub fn repair(options: &Options, agreed: &Diagnosis, progress: &mut dyn FnMut(u64, u64)) -> Result<Repair> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let directory = Directory::open(&disk, &options.path)?;
    let found = diagnose_open(&disk, &directory, options, progress)?;
    if found != *agreed {
        return Err(Error::Conflict(format!("the log has changed since it was diagnosed. Now: {found}")));
    }
    let Some(damage) = &found.damage else { return Ok(Repair { last: found.last_readable, kept_aside: None }) };
    let aside = options.path.join(format!("cut-at-{}", damage.sequence));
    cut(&*disk, &options.path, &directory.log(), damage, &aside)?;
    Ok(Repair { last: found.last_readable, kept_aside: Some(aside) })
}

fn diagnose_open(
    disk: &Arc<dyn Disk>,
    directory: &Directory,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Diagnosis> {
    let flushed = Base::open(&**disk, &directory.tree(), options.cache_bytes)?.state()?.flushed;
    let segments = segment::list(&**disk, &directory.log())?.segments;
    let mut progress = Progress::new(segments.iter().map(|segment| segment.bytes).sum(), progress);
    examine(&**disk, &segments, flushed, &mut progress)
}

fn examine(disk: &dyn Disk, segments: &[Segment], flushed: Sequence, progress: &mut Progress<'_>) -> Result<Diagnosis> {
    let start = segments.partition_point(|segment| segment.first <= flushed + 1).saturating_sub(1);
    let mut last = segments.get(start).map_or(flushed, |segment| segment.first.saturating_sub(1).min(flushed));
    for (index, segment) in segments.iter().enumerate().skip(start) {
        progress.advance(segment.bytes);
        let reader = SegmentReader::open(disk, &segment.path)?;
        let reader = reader.filter(|reader| reader.header().first == segment.first && segment.first == last + 1);
        let (offset, reason) = match reader {
            None if segment.first != last + 1 => (0, format!("the log goes on with batch {}", segment.first)),
            None => (0, "its segment has no valid header".to_owned()),
            Some(mut reader) => {
                let end = loop {
                    match reader.next()? {
                        Ok(record) => last = record.sequence,
                        Err(end) => break end,
                    }
                };
                if segments.get(index + 1).is_some_and(|next| next.first == last + 1) {
                    continue;
                }
                let whole = end.offset == segment.bytes && end.fault != Fault::Checksum;
                let reason = if whole { "the segment ends before it".to_owned() } else { end.fault.to_string() };
                (end.offset, reason)
            }
        };
        let behind = look_behind(disk, &segments[index..], offset, last + 1)?;
        let found = behind.batches > 0 || behind.acknowledged;
        let damage = found.then(|| Damage {
            file: segment.path.clone(),
            offset,
            sequence: last + 1,
            reason,
            batches_behind: behind.batches,
            last_behind: behind.last.max(last + 1),
            acknowledged: behind.acknowledged,
        });
        return Ok(Diagnosis { flushed, last_readable: last.max(flushed), damage });
    }
    Ok(Diagnosis { flushed, last_readable: last.max(flushed), damage: None })
}

#[derive(Default)]
struct Behind {
    batches: u64,
    last: Sequence,
    acknowledged: bool,
}

/// Counts what is readable behind a missing record. `segments` begins with the one it is missing in.
fn look_behind(disk: &dyn Disk, segments: &[Segment], offset: u64, missing: Sequence) -> Result<Behind> {
    let mut behind = Behind::default();
    for (index, segment) in segments.iter().enumerate() {
        let Some(mut reader) = SegmentReader::open(disk, &segment.path)? else { continue };
        let header = reader.header();
        behind.acknowledged |= header.first > missing && header.durable >= missing;
        let mut from = if index == 0 { offset.max(HEADER_BYTES as u64) } else { HEADER_BYTES as u64 };
        while let Some(found) = reader.next_valid_after(from, missing)? {
            behind.batches += 1;
            behind.last = behind.last.max(found.sequence);
            behind.acknowledged |= found.durable.is_some_and(|durable| durable >= missing);
            from = found.offset + found.bytes as u64;
        }
    }
    Ok(behind)
}

/// Moves the segments behind the damage aside, and cuts the damaged one after a whole copy of it is there.
fn cut(disk: &dyn Disk, path: &Path, log: &Path, damage: &Damage, aside: &Path) -> Result<()> {
    let io = |error| Error::Io(format!("cannot cut the log in {}: {error}", log.display()));
    disk.create_directory(aside).map_err(io)?;
    disk.sync_directory(path).map_err(io)?;
    let segments = segment::list(disk, log)?.segments;
    let damaged = segments.iter().position(|segment| segment.path == damage.file);
    let Some(damaged) = damaged else { return Err(Error::Conflict("the damaged file is gone".into())) };
    let aside_of = |path: &Path| aside.join(path.file_name().unwrap_or_default());
    // The last first, so that a crash in between leaves no later one behind a gap.
    for segment in segments[damaged + 1..].iter().rev() {
        disk.rename(&segment.path, &aside_of(&segment.path)).map_err(io)?;
    }
    let file = &segments[damaged];
    if damage.offset > HEADER_BYTES as u64 {
        let mut ignore = |_, _| {};
        let to = aside_of(&file.path);
        copy::copy(disk, &file.path, &to, file.bytes, &mut Progress::new(file.bytes, &mut ignore))?;
        disk.sync_directory(aside).map_err(io)?;
        let open = disk.open(&file.path).map_err(io)?;
        open.set_len(damage.offset).and_then(|()| open.sync_data()).map_err(io)?;
    } else {
        disk.rename(&file.path, &aside_of(&file.path)).map_err(io)?;
    }
    disk.sync_directory(aside).and_then(|()| disk.sync_directory(log)).map_err(io)
}
