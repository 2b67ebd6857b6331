//! An online, consistent copy of a running store.

use std::path::Path;

use super::manifest::{BackupFile, Manifest};
use super::{Progress, copy};
use crate::base::{Base, BaseState, View};
use crate::directory::TREE_NAME;
use crate::disk::Disk;
use crate::{Error, Result, Sequence, Store};

pub(super) const FORMAT_NAME: &str = "FORMAT";
/// Page cache for writing the copy; it is written once, in order.
const COPY_CACHE_BYTES: usize = 16 << 20;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// The last batch in it.
    pub sequence: Sequence,
    /// Bytes of its files.
    pub bytes: u64,
}

impl Store {
    /// Writes a consistent copy of the store into a new directory while writers go on: everything committed before the
    /// call, and nothing half. [`crate::maintenance::restore`] makes a store of it; [`Store::open`] on the directory
    /// itself works too, but changes the backup. Blocks the thread; readers and writers do not wait for it.
    ///
    /// # Errors
    /// `Invalid` when the directory is not empty; `Io` when its disk is full. What is there then is no backup.
    ///
    /// # Durability
    /// The copy was read back and is on disk when this returns.
    ///
    /// ```
    /// use ennead_store::maintenance::{RestoreOptions, RestorePoint, restore};
    /// use ennead_store::{Durability, Options, Store, TableKind, WriteBatch};
    /// # let directory = tempfile::tempdir()?;
    /// # let at = |name: &str| directory.path().join(name);
    /// let store = Store::open(Options::new(at("data")))?;
    /// let table = store.create_table("t", TableKind::Ordered)?;
    /// let mut batch = WriteBatch::new();
    /// batch.put(table, b"k", b"v");
    /// store.write(&batch, Durability::Always)?;
    /// let backup = store.backup(&at("backup"))?;
    ///
    /// let from = RestoreOptions {
    ///     backup: at("backup"),
    ///     target: at("restored"),
    ///     archives: vec![],
    ///     until: RestorePoint::Latest,
    /// };
    /// let restored = restore(&from, &mut |_done, _total| {})?;
    /// assert_eq!(restored.sequence, backup.sequence);
    /// let store = Store::open(Options::new(at("restored")))?;
    /// let table = store.table("t").expect("it was backed up");
    /// assert_eq!(store.get(table, b"k")?.as_deref(), Some(&b"v"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backup(&self, directory: &Path) -> Result<Backup> {
        self.backup_with(directory, &mut |_, _| {})
    }

    /// [`Store::backup`], telling `progress` the bytes done (and 0 for the unknown total).
    pub fn backup_with(&self, directory: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Backup> {
        let shared = self.shared();
        let time_ms = shared.clock.now_ms();
        self.flush()?;
        let view = shared.layers.load().base.clone();
        write(&*shared.disk, &view, &shared.options.path, directory, time_ms, progress)
    }

    /// Writes a copy of the store into a new directory that [`Store::open`] opens at once: as [`Store::backup`], without
    /// checksums. The tree is one file that changes in place, so it is copied, densely; nothing of it can be a hard link.
    pub fn checkpoint(&self, directory: &Path) -> Result<Sequence> {
        let shared = self.shared();
        self.flush()?;
        let view = shared.layers.load().base.clone();
        copy_store(&*shared.disk, &view, &shared.options.path, directory, &mut Progress::new(0, &mut |_, _| {}))
            .map(|state| state.flushed)
    }
}

/// Copies the rows of `view` and the format file into a new directory, durably.
fn copy_store(
    disk: &dyn Disk,
    view: &View,
    source: &Path,
    target: &Path,
    progress: &mut Progress<'_>,
) -> Result<BaseState> {
    let io = |error| Error::Io(format!("cannot write the copy {}: {error}", target.display()));
    if disk.exists(target).map_err(io)? && !disk.list(target).map_err(io)?.is_empty() {
        return Err(Error::Invalid(format!("{} is not empty: a copy needs a new directory", target.display())));
    }
    disk.create_directory(target).map_err(io)?;
    let tree = target.join(TREE_NAME);
    let state = view.copy_to(disk, &tree, COPY_CACHE_BYTES, &mut |bytes| progress.advance(bytes))?;
    let format = source.join(FORMAT_NAME);
    let format_bytes = disk.open(&format).and_then(|file| file.len()).map_err(io)?;
    copy::copy(disk, &format, &target.join(FORMAT_NAME), format_bytes, progress)?;
    disk.sync_directory(target).map_err(io)?;
    Ok(state)
}

/// Copies the store, reads the copy back, and writes the manifest last: a directory without one is no backup.
fn write(
    disk: &dyn Disk,
    view: &View,
    source: &Path,
    target: &Path,
    time_ms: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Backup> {
    let mut progress = Progress::new(0, progress);
    let state = copy_store(disk, view, source, target, &mut progress)?;
    let tree = target.join(TREE_NAME);
    let copied = Base::open(disk, &tree, COPY_CACHE_BYTES)?;
    if copied.state()? != state {
        return Err(Error::Corrupted(format!("{} does not read back as it was written", tree.display())));
    }
    copied.close()?;
    let mut manifest = Manifest { sequence: state.flushed, time_ms, files: Vec::new() };
    for name in [TREE_NAME, FORMAT_NAME] {
        let (bytes, crc32c) = copy::checksum(disk, &target.join(name), &mut progress)?;
        manifest.files.push(BackupFile { name: name.to_owned(), bytes, crc32c });
    }
    manifest.write(disk, target)?;
    Ok(Backup { sequence: manifest.sequence, bytes: manifest.files.iter().map(|file| file.bytes).sum() })
}
