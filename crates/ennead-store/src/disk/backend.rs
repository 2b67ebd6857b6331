//! The B-tree's storage on a [`DiskFile`].

use std::io;
use std::sync::Arc;

use super::DiskFile;
use crate::pace;

/// A file of the disk as redb wants it.
#[derive(Debug)]
pub(crate) struct TreeFile(pub(crate) Arc<dyn DiskFile>);

impl redb::StorageBackend for TreeFile {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)?;
        pace::breathe(0);
        Ok(())
    }
}
