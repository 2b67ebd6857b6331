//! What a backup says of itself: its sequence, and each file with length and checksum, as text.
//!
//! ```text
//! ennead-backup 1
//! sequence 42
//! time_ms 1790000000000
//! file data.redb 1048576 89abcdef
//! end 0a1b2c3d
//! ```
//! The last line holds the CRC32C of everything before it, so a manifest is whole or none. It is written last.

use std::fmt::Write;
use std::path::Path;

use crate::disk::Disk;
use crate::{Error, Result, Sequence};

pub(super) const MANIFEST_NAME: &str = "BACKUP";
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BackupFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) crc32c: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) sequence: Sequence,
    pub(super) time_ms: u64,
    pub(super) files: Vec<BackupFile>,
}

impl Manifest {
    fn encode(&self) -> String {
        let mut text = format!("ennead-backup 1\nsequence {}\ntime_ms {}\n", self.sequence, self.time_ms);
        for file in &self.files {
            // Writing into a String cannot fail.
            let _ = writeln!(text, "file {} {} {:08x}", file.name, file.bytes, file.crc32c);
        }
        let checksum = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "end {checksum:08x}");
        text
    }

    fn decode(text: &str) -> Option<Manifest> {
        let at = text.rfind("end ")?;
        let checksum = u32::from_str_radix(text[at + 4..].trim_end(), 16).ok()?;
        if crc32c::crc32c(&text.as_bytes()[..at]) != checksum {
            return None;
        }
        let mut lines = text[..at].lines();
        if lines.next() != Some("ennead-backup 1") {
            return None;
        }
        let mut manifest = Manifest::default();
        for line in lines {
            let mut words = line.split(' ');
            match (words.next()?, words.next()?) {
                ("sequence", number) => manifest.sequence = number.parse().ok()?,
                ("time_ms", number) => manifest.time_ms = number.parse().ok()?,
                ("file", name) if !name.contains('/') => manifest.files.push(BackupFile {
                    name: name.to_owned(),
                    bytes: words.next()?.parse().ok()?,
                    crc32c: u32::from_str_radix(words.next()?, 16).ok()?,
                }),
                _ => return None,
            }
        }
        Some(manifest)
    }

    /// # Durability
    /// On disk when it returns, with the names of the directory.
    pub(super) fn write(&self, disk: &dyn Disk, directory: &Path) -> Result<()> {
        let path = directory.join(MANIFEST_NAME);
        let io = || -> std::io::Result<()> {
            let file = disk.create(&path)?;
            file.write_at(0, self.encode().as_bytes())?;
            file.sync_data()?;
            disk.sync_directory(directory)
        };
        io().map_err(|error| Error::Io(format!("cannot write {}: {error}", path.display())))
    }

    /// # Errors
    /// `Invalid` when there is no backup, or one that was not finished.
    pub(super) fn read(disk: &dyn Disk, directory: &Path) -> Result<Manifest> {
        let path = directory.join(MANIFEST_NAME);
        let context = |error| Error::Io(format!("cannot read {}: {error}", path.display()));
        if !disk.exists(&path).map_err(context)? {
            return Err(Error::Invalid(format!(
                "{} holds no finished backup: no file {MANIFEST_NAME}",
                directory.display()
            )));
        }
        let file = disk.open(&path).map_err(context)?;
        let bytes = file.len().map_err(context)?;
        let mut text = vec![0; bytes.min(MANIFEST_BYTES_MAX) as usize];
        file.read_at(0, &mut text).map_err(context)?;
        String::from_utf8(text)
            .ok()
            .and_then(|text| Manifest::decode(&text))
            .ok_or_else(|| Error::Corrupted(format!("{} is damaged or of a newer version", path.display())))
    }
}
