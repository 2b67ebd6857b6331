//! Where a command writes its answer: the connection's buffer, in the protocol's own words. No reply tree is built.

mod recorded;

pub use recorded::Recorded;

/// A protocol-neutral sink of one reply. Aggregates are announced with their length, then their elements follow.
///
/// A RESP2 connection writes a map as a flat array of twice the length, a set or push as an array, a double as a bulk
/// string, a boolean as an integer, a null as `$-1` or `*-1`.
pub trait Reply {
    /// 2 or 3.
    fn protocol(&self) -> u8;
    /// A status such as `OK`.
    fn simple(&mut self, text: &str);
    /// The whole text with its prefix, such as `ERR syntax error`; line ends become blanks.
    fn error(&mut self, text: &str);
    fn integer(&mut self, value: i64);
    fn bulk(&mut self, bytes: &[u8]);
    /// A missing bulk string (RESP2 `$-1`).
    fn null(&mut self);
    /// A missing array (RESP2 `*-1`).
    fn null_array(&mut self);
    fn array(&mut self, len: usize);
    /// `pairs` keys, each followed by its value.
    fn map(&mut self, pairs: usize);
    fn set(&mut self, len: usize);
    fn push(&mut self, len: usize);
    /// `pairs` keys and values that tell more about the reply that follows; only where the protocol is 3.
    fn attribute(&mut self, pairs: usize);
    /// RESP3 double; in RESP2 a bulk string; with the fewest digits that read back as the same number.
    fn double(&mut self, value: f64);
    /// A double that has a text of its own.
    fn double_text(&mut self, text: &str) {
        self.double(text.parse().unwrap_or_default());
    }
    fn boolean(&mut self, value: bool);
    fn big_number(&mut self, digits: &str);
    /// `format` is three letters, `txt` or `mkd`; a bulk string in RESP2.
    fn verbatim(&mut self, format: &str, text: &[u8]);

    fn ok(&mut self) {
        self.simple("OK");
    }
}
