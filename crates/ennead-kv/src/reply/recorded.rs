//! A reply that is kept until it can be written: its client waits in another thread than the one that runs its command.

use super::Reply;

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Simple(Box<str>),
    Error(Box<str>),
    Integer(i64),
    Bulk(Box<[u8]>),
    Null,
    NullArray,
    Array(usize),
    Map(usize),
    Set(usize),
    Push(usize),
    Attribute(usize),
    Double(f64),
    Boolean(bool),
    BigNumber(Box<str>),
    Verbatim(Box<str>, Box<[u8]>),
}

/// One reply, piece by piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    protocol: u8,
    pieces: Vec<Piece>,
}

impl Recorded {
    /// For a client that speaks this version of the protocol, 2 or 3.
    pub fn new(protocol: u8) -> Recorded {
        Recorded { protocol, pieces: Vec::new() }
    }

    /// Writes it.
    pub fn replay(&self, reply: &mut dyn Reply) {
        for piece in &self.pieces {
            match piece {
                Piece::Simple(text) => reply.simple(text),
                Piece::Error(text) => reply.error(text),
                Piece::Integer(value) => reply.integer(*value),
                Piece::Bulk(bytes) => reply.bulk(bytes),
                Piece::Null => reply.null(),
                Piece::NullArray => reply.null_array(),
                Piece::Array(len) => reply.array(*len),
                Piece::Map(pairs) => reply.map(*pairs),
                Piece::Set(len) => reply.set(*len),
                Piece::Push(len) => reply.push(*len),
                Piece::Attribute(pairs) => reply.attribute(*pairs),
                Piece::Double(value) => reply.double(*value),
                Piece::Boolean(value) => reply.boolean(*value),
                Piece::BigNumber(digits) => reply.big_number(digits),
                Piece::Verbatim(format, text) => reply.verbatim(format, text),
            }
        }
    }
}

impl Reply for Recorded {
    fn protocol(&self) -> u8 {
        self.protocol
    }
    fn simple(&mut self, text: &str) {
        self.pieces.push(Piece::Simple(text.into()));
    }
    fn error(&mut self, text: &str) {
        self.pieces.push(Piece::Error(text.into()));
    }
    fn integer(&mut self, value: i64) {
        self.pieces.push(Piece::Integer(value));
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.pieces.push(Piece::Bulk(bytes.into()));
    }
    fn null(&mut self) {
        self.pieces.push(Piece::Null);
    }
    fn null_array(&mut self) {
        self.pieces.push(Piece::NullArray);
    }
    fn array(&mut self, len: usize) {
        self.pieces.push(Piece::Array(len));
    }
    fn map(&mut self, pairs: usize) {
        self.pieces.push(Piece::Map(pairs));
    }
    fn set(&mut self, len: usize) {
        self.pieces.push(Piece::Set(len));
    }
    fn push(&mut self, len: usize) {
        self.pieces.push(Piece::Push(len));
    }
    fn attribute(&mut self, pairs: usize) {
        self.pieces.push(Piece::Attribute(pairs));
    }
    fn double(&mut self, value: f64) {
        self.pieces.push(Piece::Double(value));
    }
    fn boolean(&mut self, value: bool) {
        self.pieces.push(Piece::Boolean(value));
    }
    fn big_number(&mut self, digits: &str) {
        self.pieces.push(Piece::BigNumber(digits.into()));
    }
    fn verbatim(&mut self, format: &str, text: &[u8]) {
        self.pieces.push(Piece::Verbatim(format.into(), text.into()));
    }
}
