//! A data directory from a backup, and from archived log segments up to a point in time.

use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use super::{Progress, copy};
use crate::disk::Disk;
use crate::log::reader::SegmentReader;
use crate::log::segment::{self, Segment};
use crate::{Error, Options, Result, Sequence, Store};

/// How far a restore goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestorePoint {
    /// All that the backup and the archives hold.
    #[default]
    Latest,
    /// Up to and with this sequence.
    Sequence(Sequence),
    /// Up to and with the last batch that was written at this wall time, milliseconds since 1970 UTC. Batches that were
    /// handed over to the kernel together carry the time of the first of them.
    TimeMs(u64),
}

/// What to restore, from where, to where.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// A directory that [`Store::backup`] wrote.
    pub backup: PathBuf,
    /// The new data directory; it must be missing or empty.
    pub target: PathBuf,
    /// Directories with log segments to replay over the backup: archives, or the log of the lost store.
    pub archives: Vec<PathBuf>,
    pub until: RestorePoint,
}

/// What a restore brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// The last batch of the restored store.
    pub sequence: Sequence,
    /// How many batches came from archives.
    pub replayed: u64,
}

/// Builds a data directory out of a backup, verifies every file's checksum, adds the batches of the archives up to the
/// point asked for, and opens it once to see that it holds them. On failure the target is left as it is, without a claim.
///
/// # Errors
/// `Invalid` when the target is in use, the point lies before the backup, or batches before the point are missing in
/// the archives; `Corrupted` when a file of the backup does not match its checksum.
///
/// # Durability
/// All on disk when it returns.
pub fn restore(options: &RestoreOptions, progress: &mut dyn FnMut(u64, u64)) -> Result<Restored> {
    let disk = crate::disk::RealDisk;
    let restored = restore_files(&disk, options, progress)?;
    let store = Store::open(Options::new(&options.target))?;
    let sequence = store.committed();
    store.close()?;
    if sequence != restored.sequence {
        return Err(Error::Corrupted(format!(
            "the restored store ends at batch {sequence}, where batch {} was expected",
            restored.sequence
        )));
    }
    Ok(restored)
}

pub(super) fn restore_files(
    disk: &dyn Disk,
    options: &RestoreOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Restored> {
    let manifest = Manifest::read(disk, &options.backup)?;
    let target = &options.target;
    let context = |error| Error::Io(format!("cannot use {}: {error}", target.display()));
    if disk.exists(target).map_err(context)? && !disk.list(target).map_err(context)?.is_empty() {
        return Err(Error::Invalid(format!("{} is not empty: restore into a new directory", target.display())));
    }
    if let RestorePoint::Sequence(wanted) = options.until
        && wanted < manifest.sequence
    {
        return Err(Error::Invalid(format!(
            "the backup holds batch {} already: to go back to {wanted} take an older backup",
            manifest.sequence
        )));
    }
    if let RestorePoint::TimeMs(wanted) = options.until
        && wanted < manifest.time_ms
    {
        return Err(Error::Invalid(format!(
            "the backup is of {} ms, after the {wanted} ms asked for: take an older backup",
            manifest.time_ms
        )));
    }
    disk.create_directory(target).map_err(context)?;
    let mut progress = Progress::new(manifest.files.iter().map(|file| file.bytes).sum(), progress);
    for file in &manifest.files {
        let from = options.backup.join(&file.name);
        let crc = copy::copy(disk, &from, &target.join(&file.name), file.bytes, &mut progress)?;
        if crc != file.crc32c {
            return Err(Error::Corrupted(format!("{} does not match the checksum of its backup", from.display())));
        }
    }
    let sequence = replay(disk, options, manifest.sequence, &mut progress)?;
    disk.sync_directory(target).map_err(context)?;
    Ok(Restored { sequence, replayed: sequence - manifest.sequence })
}

/// Copies the segments that follow the backup, the last one cut at the point; answers the last sequence.
fn replay(
    disk: &dyn Disk,
    options: &RestoreOptions,
    backup: Sequence,
    progress: &mut Progress<'_>,
) -> Result<Sequence> {
    let mut segments: Vec<Segment> = Vec::new();
    for archive in &options.archives {
        segments.extend(segment::list(disk, archive)?.segments);
    }
    segments.sort_by_key(|segment| segment.first);
    let begin = segments.partition_point(|segment| segment.first <= backup + 1).saturating_sub(1);
    let log = options.target.join("log");
    disk.create_directory(&log).map_err(|error| Error::Io(format!("cannot create {}: {error}", log.display())))?;
    let mut last = backup;
    let mut stopped = false;
    for segment in &segments[begin..] {
        if stopped {
            break;
        }
        if segment.first > last + 1 {
            return missing(options.until, last, segment.first);
        }
        let cut = measure(disk, &segment.path, options.until)?;
        stopped = cut.stopped;
        if cut.last > last {
            let to = log.join(segment::segment_name(segment.first));
            copy::copy(disk, &segment.path, &to, cut.bytes, progress)?;
            last = cut.last;
        }
    }
    disk.sync_directory(&log).map_err(|error| Error::Io(format!("cannot sync {}: {error}", log.display())))?;
    match options.until {
        RestorePoint::Sequence(wanted) if last < wanted => {
            Err(Error::Invalid(format!("the archives end at batch {last}, before the {wanted} asked for")))
        }
        _ => Ok(last),
    }
}

fn missing(until: RestorePoint, last: Sequence, next: Sequence) -> Result<Sequence> {
    if until == RestorePoint::Sequence(last) {
        return Ok(last);
    }
    Err(Error::Invalid(format!("the archives lack the batches from {} to {}", last + 1, next - 1)))
}

struct Cut {
    /// Bytes of the segment up to the end of its last wanted record.
    bytes: u64,
    last: Sequence,
    /// A record beyond the point was seen.
    stopped: bool,
}

fn measure(disk: &dyn Disk, path: &Path, until: RestorePoint) -> Result<Cut> {
    let Some(mut reader) = SegmentReader::open(disk, path)? else {
        return Err(Error::Corrupted(format!("{} has no segment header", path.display())));
    };
    let mut cut = Cut { bytes: reader.offset(), last: reader.header().first.saturating_sub(1), stopped: false };
    let mut time_ms = reader.header().time_ms;
    while let Ok(record) = reader.next()? {
        let sequence = record.sequence;
        time_ms = record.header.time_ms.unwrap_or(time_ms);
        cut.stopped = match until {
            RestorePoint::Latest => false,
            RestorePoint::Sequence(wanted) => sequence > wanted,
            RestorePoint::TimeMs(wanted) => time_ms > wanted,
        };
        if cut.stopped {
            return Ok(cut);
        }
        cut.last = sequence;
        cut.bytes = reader.offset();
    }
    Ok(cut)
}
