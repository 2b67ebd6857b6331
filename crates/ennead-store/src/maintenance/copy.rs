//! Copies of files through the [`Disk`], with a checksum on the way.

use std::path::Path;

use super::Progress;
use crate::disk::Disk;
use crate::disk::copy::{copy_start, read_blocks};
use crate::{Error, Result};

/// The length of a file and the CRC32C of its bytes.
pub(super) fn checksum(disk: &dyn Disk, path: &Path, progress: &mut Progress<'_>) -> Result<(u64, u32)> {
    let context = |error| Error::Io(format!("cannot read {}: {error}", path.display()));
    let file = disk.open(path).map_err(context)?;
    let bytes = file.len().map_err(context)?;
    let mut crc = 0;
    let read = read_blocks(&*file, bytes, |_, block| {
        crc = crc32c::crc32c_append(crc, block);
        progress.advance(block.len() as u64);
        Ok(())
    });
    read.map(|()| (bytes, crc)).map_err(context)
}

/// Copies the first `bytes` bytes of a file and answers their CRC32C.
///
/// # Durability
/// The bytes are on disk when it returns, the name after [`Disk::sync_directory`].
pub(super) fn copy(disk: &dyn Disk, from: &Path, to: &Path, bytes: u64, progress: &mut Progress<'_>) -> Result<u32> {
    let mut crc = 0;
    let copied = copy_start(disk, from, to, bytes, |block| {
        crc = crc32c::crc32c_append(crc, block);
        progress.advance(block.len() as u64);
    });
    copied
        .map(|()| crc)
        .map_err(|error| Error::Io(format!("cannot copy {} to {}: {error}", from.display(), to.display())))
}
