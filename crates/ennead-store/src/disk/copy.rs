//! Reading and copying whole files, a block at a time.

use std::io;
use std::path::Path;

use super::{Disk, DiskFile};

const BLOCK_BYTES: u64 = 1 << 20;

/// Shows the first `bytes` bytes of a file, in order.
pub(crate) fn read_blocks(
    file: &dyn DiskFile,
    bytes: u64,
    mut show: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut block = vec![0; BLOCK_BYTES.min(bytes) as usize];
    let mut at = 0;
    while at < bytes {
        let length = (bytes - at).min(BLOCK_BYTES);
        let block = &mut block[..length as usize];
        file.read_at(at, block)?;
        show(at, block)?;
        at += length;
    }
    Ok(())
}

/// Copies the first `bytes` bytes of a file into a new one, and shows them.
///
/// # Durability
/// The bytes are on disk when it returns, the name after [`Disk::sync_directory`].
pub(crate) fn copy_start(
    disk: &dyn Disk,
    from: &Path,
    to: &Path,
    bytes: u64,
    mut show: impl FnMut(&[u8]),
) -> io::Result<()> {
    let (source, target) = (disk.open(from)?, disk.create(to)?);
    read_blocks(&*source, bytes, |at, block| {
        show(block);
        target.write_at(at, block)
    })?;
    target.sync_data()
}
