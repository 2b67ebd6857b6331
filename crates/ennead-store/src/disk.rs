//! The one door to the file system: every byte that the log and the B-tree read or write goes through [`Disk`].
//!
//! So a test can put a disk here that loses what was not synced. Nothing else of this crate opens a file.

mod backend;
pub(crate) mod copy;
mod real;
#[doc(hidden)]
pub mod simulated;

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub(crate) use backend::TreeFile;
pub use real::RealDisk;

/// A file system, as far as a store needs one.
pub trait Disk: Debug + Send + Sync + 'static {
    /// Creates a directory and its parents. Durable after [`Disk::sync_directory`] of its parent.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Creates a file, or empties an existing one. Its name is durable after [`Disk::sync_directory`].
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// The names of the files in a directory.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Renames a file over whatever has the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// A second name for a file's bytes. `Unsupported` where there are no hard links: copy then.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Makes created, renamed and removed names of a directory durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// Bytes that may still be written on the file system of a directory; `None` when that is not known.
    fn free_bytes(&self, directory: &Path) -> io::Result<Option<u64>> {
        let _ = directory;
        Ok(None)
    }

    /// Takes the file as a lock for this process and writes `holder` into it. The answer is the holder's text when
    /// somebody else has it. The lock ends when the returned value is dropped or the process dies.
    fn lock(&self, path: &Path, holder: &str) -> io::Result<Result<Box<dyn DiskLock>, String>>;
}

/// An open file. All methods may be called from several threads at once.
pub trait DiskFile: Debug + Send + Sync + 'static {
    /// Fills the buffer from `offset`, or fails with `UnexpectedEof`.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()>;

    /// Writes all bytes at `offset`; the file grows when needed.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file, or grows it with zeros.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    fn len(&self) -> io::Result<u64>;

    /// Bytes that the file takes on the disk, without the holes in it.
    fn allocated_bytes(&self) -> io::Result<u64> {
        self.len()
    }

    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|bytes| bytes == 0)
    }

    /// Makes everything written so far durable, with the length that is needed to read it.
    fn sync_data(&self) -> io::Result<()>;
}

/// A held lock.
pub trait DiskLock: Debug + Send + Sync {}
