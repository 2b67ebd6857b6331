//! Errors of commands, with the text that a client of Redis knows.

use std::borrow::Cow;

use ennead_store::ErrorCode;

#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
    WrongType,
    #[error("ERR syntax error")]
    Syntax,
    #[error("ERR value is not an integer or out of range")]
    NotInteger,
    #[error("ERR value is not a valid float")]
    NotFloat,
    #[error("ERR no such key")]
    NoSuchKey,
    #[error("OOM command not allowed when used memory > 'maxmemory'.")]
    OutOfMemory,
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(String),
    /// A transaction has had the keyspace to itself for a while: nothing was done, try again.
    #[error("ERR a transaction or script holds the keyspace, try again")]
    Held,
    /// Any other text, prefix included.
    #[error("{0}")]
    Text(Cow<'static, str>),
    /// The store refused the write; nothing of the command was applied.
    #[error("MISCONF {0}")]
    Store(#[from] ennead_store::Error),
}

pub type Result<T = (), E = Error> = std::result::Result<T, E>;

impl Error {
    /// A text known at compile time, prefix included.
    pub const fn text(text: &'static str) -> Error {
        Error::Text(Cow::Borrowed(text))
    }

    pub fn code(&self) -> ErrorCode {
        match self {
            Error::WrongType => ErrorCode::WrongType,
            Error::Syntax | Error::NotInteger | Error::NotFloat | Error::Arity(_) | Error::Text(_) => {
                ErrorCode::InvalidArgument
            }
            Error::NoSuchKey => ErrorCode::NotFound,
            Error::OutOfMemory | Error::Held => ErrorCode::Unavailable,
            Error::Store(error) => error.code(),
        }
    }
}
