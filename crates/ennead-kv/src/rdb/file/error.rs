//! Why a snapshot file cannot be read.

use std::io;

/// One line each: what is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input cannot be read, or the output not be written.
    #[error("{0}")]
    Io(io::Error),
    /// The input ends too early.
    #[error("the snapshot ends too early: it is not whole")]
    Short,
    /// The store that is written out cannot be read.
    #[error(transparent)]
    Store(#[from] ennead_store::Error),
    /// It begins with something else.
    #[error("this is no snapshot file of Redis: it does not begin with REDIS and a version")]
    Foreign,
    /// Written by a newer Redis, or another server.
    #[error("the snapshot has version {0}; 1 to {max}, that of Redis 7.4, are read", max = super::VERSION_READ)]
    Version(u16),
    /// What it says makes no sense.
    #[error("the snapshot is damaged {what}, at byte {at}")]
    Damaged {
        /// Where and how.
        what: String,
        /// Bytes before it, about.
        at: u64,
    },
    /// Everything could be read, but something was changed.
    #[error("the snapshot is damaged: its checksum is another")]
    Checksum,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::UnexpectedEof { Error::Short } else { Error::Io(error) }
    }
}
