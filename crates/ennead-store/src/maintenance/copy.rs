//! Copies of files through the [`Disk`], with a checksum on the way.

use std::path::Path;

use super::Progress;
use crate::disk::Disk;
use crate::{Error, Result};

const BLOCK_BYTES: u64 = 1 << 20;

/// The length of a file and the CRC32C of its first `bytes` bytes.
pub(super) fn checksum(disk: &dyn Disk, path: &Path, progress: &mut Progress<'_>) -> Result<(u64, u32)> {
    let context = |error| Error::Io(format!("cannot read {}: {error}", path.display()));
    let file = disk.open(path).map_err(context)?;
    let bytes = file.len().map_err(context)?;
    let mut block = vec![0; BLOCK_BYTES.min(bytes) as usize];
    let (mut at, mut crc) = (0, 0);
    while at < bytes {
        let length = (bytes - at).min(BLOCK_BYTES);
        let block = &mut block[..length as usize];
        file.read_at(at, block).map_err(context)?;
        crc = crc32c::crc32c_append(crc, block);
        at += length;
        progress.advance(length);
    }
    Ok((bytes, crc))
}

/// Copies the first `bytes` bytes of a file and answers their CRC32C.
///
/// # Durability
/// The bytes are on disk when it returns, the name after [`Disk::sync_directory`].
pub(super) fn copy(disk: &dyn Disk, from: &Path, to: &Path, bytes: u64, progress: &mut Progress<'_>) -> Result<u32> {
    let context = |error| Error::Io(format!("cannot copy {} to {}: {error}", from.display(), to.display()));
    let source = disk.open(from).map_err(context)?;
    let target = disk.create(to).map_err(context)?;
    let mut block = vec![0; BLOCK_BYTES.min(bytes) as usize];
    let (mut at, mut crc) = (0, 0);
    while at < bytes {
        let length = (bytes - at).min(BLOCK_BYTES);
        let block = &mut block[..length as usize];
        source.read_at(at, block).map_err(context)?;
        target.write_at(at, block).map_err(context)?;
        crc = crc32c::crc32c_append(crc, block);
        at += length;
        progress.advance(length);
    }
    target.sync_data().map_err(context)?;
    Ok(crc)
}
