//! Snapshot files of Redis (dump.rdb), and the same bytes as they come over a replication link: read one key after the
//! other, written by [`Writer`].
//!
//! | bytes | what |
//! |---|---|
//! | 9 | `REDIS` and the version, four digits |
//! | | operations: a byte and what belongs to it, see `file/operation.rs`; or a key: type, name, value |
//! | 1 | 255 |
//! | 8 | CRC64 of everything before, u64 LE, 0 for none; since version 5 |
//!
//! Memory holds one value, and of a large collection or a large string one piece at a time.

mod error;
mod export;
mod modules;
mod operation;
mod source;
mod streams;
#[cfg(test)]
mod tests;
mod value;
mod writer;

use std::io::Read;

pub use super::Collection;
pub use error::Error;
pub use export::{Contents, Exported, export};
use source::Source;
use value::Rest;
pub use writer::Writer;

/// The newest version read, that of Redis 7.4.
pub const VERSION_READ: u16 = 12;
/// The first with a checksum at the end.
const VERSION_CHECKSUM: u16 = 5;

/// What a file says, in its order.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A fact about the file or the server that wrote it.
    Note {
        /// Such as `redis-ver`.
        name: Vec<u8>,
        /// Any text.
        value: Vec<u8>,
    },
    /// How many keys will follow in a database.
    Size {
        /// Keys with and without a deadline.
        keys: u64,
    },
    /// The source of a library of functions.
    Library(Vec<u8>),
    /// Something that only Redis or its modules can use; what it is.
    Foreign(String),
    /// A key.
    Key(Key),
    /// More of the last key, whose value is [`Value::Pieces`].
    Piece(Piece),
    /// The last key has no more pieces.
    PiecesEnd,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Its database.
    pub db: u64,
    /// Its name.
    pub name: Vec<u8>,
    /// Unix ms.
    pub deadline: Option<u64>,
    /// Seconds since it was used.
    pub idle_seconds: Option<u64>,
    /// How often it is used, on Redis's logarithmic scale.
    pub frequency: Option<u8>,
    /// What TYPE answers.
    pub kind: &'static str,
    /// Its value.
    pub value: Value,
}

/// The value of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A payload for RESTORE. It is not looked into here.
    Payload(Vec<u8>),
    /// Follows as [`Part::Piece`]s.
    Pieces,
    /// A collection without members. No key may have one; Redis leaves the key out.
    Empty,
    /// Something that only a module can use; which one.
    Foreign(String),
}

/// A field, its value, and its deadline in Unix ms, 0 for none.
pub type DatedField = (Vec<u8>, Vec<u8>, u64);

/// A part of a large value.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// The next bytes of a string.
    Bytes(Vec<u8>),
    /// Members.
    Members(Collection),
    /// Fields of a hash of which some may have deadlines.
    Deadlines(Vec<DatedField>),
}

/// Sizes that decide whether a value comes whole or in pieces.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A plain string or a collection that takes more comes in pieces.
    pub whole_bytes_max: usize,
    /// Of a piece, and one member.
    pub piece_bytes: usize,
}

/// Reads a snapshot file, as a stream, to its end and no byte further.
#[derive(Debug)]
pub struct Reader<R> {
    source: Source<R>,
    limits: Limits,
    version: u16,
    db: u64,
    rest: Option<Rest>,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the beginning.
    ///
    /// # Errors
    /// Not a snapshot file, or of a version that is not known.
    pub fn new(input: R, limits: Limits) -> Result<Self, Error> {
        let mut source = Source::new(input);
        let head: [u8; 9] = match source.array() {
            Err(Error::Short) => return Err(Error::Foreign),
            head => head?,
        };
        let digits = head.strip_prefix(b"REDIS").and_then(|digits| std::str::from_utf8(digits).ok());
        let version = digits.and_then(|digits| digits.parse().ok()).ok_or(Error::Foreign)?;
        if !(1..=VERSION_READ).contains(&version) {
            return Err(Error::Version(version));
        }
        Ok(Reader { source, limits, version, db: 0, rest: None, ended: false })
    }

    /// The version of the file.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// Bytes read.
    pub fn bytes(&self) -> u64 {
        self.source.read
    }

    /// The next part; none at the end.
    ///
    /// # Errors
    /// The input ends too early or cannot be read, or what it says cannot be understood. Nothing can be read after it.
    #[expect(clippy::should_implement_trait, reason = "an iterator would go on after an error")]
    pub fn next(&mut self) -> Result<Option<Part>, Error> {
        if let Some(rest) = &mut self.rest {
            let piece = rest.next(&mut self.source, self.limits.piece_bytes)?;
            if piece.is_none() {
                self.rest = None;
            }
            return Ok(Some(piece.map_or(Part::PiecesEnd, Part::Piece)));
        }
        if self.ended {
            return Ok(None);
        }
        let part = operation::next(self)?;
        self.ended = part.is_none();
        Ok(part)
    }

    /// Compares the checksum at the end.
    fn check(&mut self) -> Result<(), Error> {
        if self.version < VERSION_CHECKSUM {
            return Ok(());
        }
        let computed = self.source.checksum;
        let told = u64::from_le_bytes(self.source.array()?);
        if told == 0 || told == computed { Ok(()) } else { Err(Error::Checksum) }
    }
}
