//! A store's directory: who owns it, and of which format it is.
//!
//! Layout: `LOCK` (names the process), `FORMAT` (one line), `data.redb` (the B-tree), `log/` (segments); or, when the log is
//! somewhere else, `LOG` (one line, its name) instead of segments.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskLock};
use crate::log::segment;
use crate::{Error, Result};

/// The version of the format on disk as a whole; see docs/file-format.md.
pub(crate) const FORMAT: u32 = 1;
/// The B-tree's file.
pub(crate) const TREE_NAME: &str = "data.redb";
const FORMAT_WORD: &str = "ennead-store";

const LOG_NAME_BYTES_MAX: usize = 64;

/// An opened and locked directory.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    lock: Box<dyn DiskLock>,
}

impl Directory {
    /// Creates the directory when it is missing, takes its lock and checks its format.
    pub(crate) fn open(disk: &Arc<dyn Disk>, path: &Path) -> Result<Directory> {
        let shown = path.display();
        let unusable = |error: std::io::Error| {
            Error::Open(format!(
                "cannot use the data directory {shown}: {error}; choose another or give this user the right to write it"
            ))
        };
        disk.create_directory(path).map_err(unusable)?;
        let holder = format!("pid {}\n", std::process::id());
        let lock = disk.lock(&path.join("LOCK"), &holder).map_err(unusable)?.map_err(|holder| {
            let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
            Error::Open(format!(
                "the data directory {shown} is in use by {holder}: stop it first, or choose another directory"
            ))
        })?;
        let directory = Directory { path: path.to_owned(), lock };
        directory.check_format(disk).map_err(|error| match error {
            Failure::Io(error) => unusable(error),
            Failure::Refused(error) => error,
        })?;
        disk.create_directory(&directory.log()).map_err(unusable)?;
        disk.sync_directory(path).map_err(unusable)?;
        Ok(directory)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.path.join(TREE_NAME)
    }

    /// Refuses another log than the one that the directory was used with; `None` is the one in it.
    pub(crate) fn check_log(&self, disk: &Arc<dyn Disk>, name: Option<&str>) -> Result<()> {
        let path = self.path.join("LOG");
        let io = |error| Error::Io(format!("cannot use {}: {error}", path.display()));
        let known = if disk.exists(&path).map_err(io)? {
            let file = disk.open(&path).map_err(io)?;
            let mut bytes = vec![0; file.len().map_err(io)?.min(LOG_NAME_BYTES_MAX as u64) as usize];
            file.read_at(0, &mut bytes).map_err(io)?;
            Some(String::from_utf8_lossy(&bytes).trim().to_owned())
        } else {
            None
        };
        if known.as_deref() == name {
            return Ok(());
        }
        let own_log = !segment::list(&**disk, &self.log())?.segments.is_empty();
        let Some(name) = name.filter(|_| known.is_none() && !own_log) else {
            let log = known.map_or("of its own".to_owned(), |known| known);
            return Err(Error::Open(format!(
                "the data directory {} was used with the log {log}: open it with that, or choose another directory",
                self.path.display()
            )));
        };
        if name.is_empty() || name.len() > LOG_NAME_BYTES_MAX || name.trim() != name {
            return Err(Error::Invalid(format!("a log's name has 1 to {LOG_NAME_BYTES_MAX} bytes, no space around")));
        }
        let draft = self.path.join("LOG.new");
        let write = || -> std::io::Result<()> {
            let file = disk.create(&draft)?;
            file.write_at(0, name.as_bytes())?;
            file.sync_data()?;
            disk.rename(&draft, &path)?;
            disk.sync_directory(&self.path)
        };
        write().map_err(io)
    }

    pub(crate) fn into_lock(self) -> Box<dyn DiskLock> {
        self.lock
    }

    fn check_format(&self, disk: &Arc<dyn Disk>) -> Result<(), Failure> {
        let path = self.path.join("FORMAT");
        if !disk.exists(&path)? {
            return self.write_format(disk, &path);
        }
        let file = disk.open(&path)?;
        let mut bytes = vec![0; file.len()?.min(256) as usize];
        file.read_at(0, &mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let version = text.trim().strip_prefix(FORMAT_WORD).and_then(|version| version.trim().parse::<u32>().ok());
        match version {
            Some(FORMAT) => Ok(()),
            Some(newer) if newer > FORMAT => Err(Failure::Refused(Error::Open(format!(
                "the data directory {} is of format {newer}, this program knows {FORMAT}: use the version that wrote it",
                self.path.display()
            )))),
            _ => Err(Failure::Refused(Error::Open(format!(
                "{} does not name a format: is {} an Ennead data directory?",
                path.display(),
                self.path.display()
            )))),
        }
    }

    /// By way of another name, so that a crash leaves no half file.
    fn write_format(&self, disk: &Arc<dyn Disk>, path: &Path) -> Result<(), Failure> {
        if disk.exists(&self.tree())? {
            return Err(Failure::Refused(Error::Open(format!(
                "{} has data but no FORMAT file: restore the file or choose another directory",
                self.path.display()
            ))));
        }
        let draft = self.path.join("FORMAT.new");
        let file = disk.create(&draft)?;
        file.write_at(0, format!("{FORMAT_WORD} {FORMAT}\n").as_bytes())?;
        file.sync_data()?;
        disk.rename(&draft, path)?;
        disk.sync_directory(&self.path)?;
        Ok(())
    }
}

enum Failure {
    Io(std::io::Error),
    Refused(Error),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::Io(error)
    }
}
