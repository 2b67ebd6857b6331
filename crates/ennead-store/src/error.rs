//! What can go wrong in the store, named by what the caller should do next.

/// The one vocabulary of failures that all crates share; each listener maps it once to its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    InvalidArgument,
    WrongType,
    NotFound,
    AlreadyExists,
    Conflict,
    NotLeader,
    Unavailable,
    Timeout,
    TooLarge,
    Unauthenticated,
    PermissionDenied,
    Unsupported,
    Corrupted,
    Internal,
}

/// An error of the store.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A failed write or fsync: the store refuses writes until it is opened again. Reads go on.
    #[error("the store refuses writes after a failed write to disk: {0}")]
    Poisoned(String),
    /// Writers outran the flusher for longer than `stall_timeout`.
    #[error("writes are stalled: {0}")]
    Stalled(String),
    /// The data directory cannot be used as it is; the message says what to do.
    #[error("{0}")]
    Open(String),
    /// Stored bytes that do not check out, with their place.
    #[error("corrupted: {0}")]
    Corrupted(String),
    #[error("unknown table {0}")]
    UnknownTable(String),
    /// A batch makes a table whose name is taken. Use that one, or drop it first.
    #[error("table {0} is there already")]
    TableExists(String),
    /// The batch was taken back before it was safe: a leader lost its office. It may be written again, to the new one.
    #[error("rolled back: {0}")]
    RolledBack(String),
    /// Another writer changed a key that this transaction read for update or wrote. Run the transaction again.
    #[error("conflict: {0}")]
    Conflict(String),
    /// A lock was not free within its timeout. Run the transaction again, or wait longer.
    #[error("timeout: {0}")]
    Timeout(String),
    /// Waiting for this lock would never end, since its holder waits for this transaction. Roll back and run again.
    #[error("deadlock: {0}")]
    Deadlock(String),
    /// Retention has removed what the reader of the change feed wants next. Start again from a snapshot.
    #[error("the change feed wants batch {wanted}, but the log begins with batch {oldest}")]
    FeedLost { wanted: crate::Sequence, oldest: crate::Sequence },
    #[error("{0}")]
    Io(String),
    #[error("{0}")]
    Invalid(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn code(&self) -> ErrorCode {
        match self {
            Error::Poisoned(_) | Error::Stalled(_) => ErrorCode::Unavailable,
            Error::Open(_) | Error::Invalid(_) => ErrorCode::InvalidArgument,
            Error::Corrupted(_) => ErrorCode::Corrupted,
            Error::UnknownTable(_) | Error::FeedLost { .. } => ErrorCode::NotFound,
            Error::Conflict(_) | Error::Deadlock(_) => ErrorCode::Conflict,
            Error::TableExists(_) => ErrorCode::AlreadyExists,
            Error::RolledBack(_) => ErrorCode::NotLeader,
            Error::Timeout(_) => ErrorCode::Timeout,
            Error::Io(_) => ErrorCode::Internal,
        }
    }
}
