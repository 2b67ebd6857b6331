//! The request side of the codec: an incremental parser over the connection's read buffer.
//!
//! It is a pure function over bytes. Words are spans of the buffer and are never copied, except those of an inline
//! request with quotes, which differ from what was sent. A request may be split at any byte: the parser remembers how
//! far it came and looks at no byte twice. Nothing is allocated for what a header only announces.

#[doc(hidden)]
pub mod fuzzing;
mod inline;
#[cfg(test)]
mod tests;

use std::ops::Range;

use ennead_engine::Args;

/// Longest line of an inline request or header, bytes.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Most words and longest word of a request before the client has authenticated.
const UNAUTHENTICATED_WORDS_MAX: i64 = 10;
const UNAUTHENTICATED_WORD_BYTES_MAX: i64 = 16 * 1024;
/// Room for spans that is made on a header's word alone.
const SPANS_ANNOUNCED_MAX: usize = 64;
/// Spans kept between requests.
const SPANS_IDLE_MAX: usize = 1024;

/// A violation of the protocol, in the words that Redis's clients know. The connection closes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    #[error("Protocol error: too big inline request")]
    InlineTooBig,
    #[error("Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    #[error("Protocol error: too big mbulk count string")]
    CountLineTooBig,
    #[error("Protocol error: too big bulk count string")]
    BulkLineTooBig,
    #[error("Protocol error: invalid multibulk length")]
    InvalidCount,
    #[error("Protocol error: unauthenticated multibulk length")]
    UnauthenticatedCount,
    #[error("Protocol error: expected '$', got '{}'", char::from(*.0))]
    ExpectedBulk(u8),
    #[error("Protocol error: invalid bulk length")]
    InvalidBulk,
    #[error("Protocol error: unauthenticated bulk length")]
    UnauthenticatedBulk,
}

/// What the connection allows right now.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// `proto-max-bulk-len`, bytes.
    pub bulk_bytes_max: usize,
    /// Without it the tighter limits for strangers hold.
    pub authenticated: bool,
}

enum Line {
    Incomplete,
    Number(i64, usize),
    Malformed,
}

/// Where the parser stands in the request that begins at the start of its input.
#[derive(Debug, Default)]
pub struct Parser {
    /// Relative to the start of the request.
    spans: Vec<Range<usize>>,
    /// Words of a quoted inline request; then `spans` point in here.
    unquoted: Vec<u8>,
    /// The next byte to look at.
    position: usize,
    /// Bytes of an unfinished line already searched for its end.
    searched: usize,
    /// Words still to come; `None` before the first header.
    remaining: Option<i64>,
    /// Length of the word whose header was read.
    bulk: Option<usize>,
}

impl Parser {
    pub fn new() -> Self {
        Self::default()
    }

    /// Continues with the request at the start of `input`, which holds at least what it held in the last call. Gives the
    /// number of bytes that the whole request takes, or `None` when more are needed. The words are then in
    /// [`Parser::args`], maybe none (an empty line). Call [`Parser::reset`] before the next request.
    ///
    /// # Errors
    /// A violation of the protocol, after which the input makes no sense any more.
    #[inline]
    pub fn parse(&mut self, input: &[u8], limits: Limits) -> Result<Option<usize>, ProtocolError> {
        if self.remaining.is_none() {
            match input.first() {
                None => return Ok(None),
                Some(b'*') => {}
                Some(_) => return self.parse_inline(input),
            }
            if !self.parse_count(input, limits)? {
                return Ok(None);
            }
        }
        self.parse_words(input, limits)
    }

    /// The words of the request that [`Parser::parse`] completed, from the same input.
    #[inline]
    pub fn args<'a>(&'a self, input: &'a [u8]) -> Args<'a> {
        let buffer = if self.unquoted.is_empty() { input } else { &self.unquoted };
        Args::new(buffer, &self.spans)
    }

    /// Makes ready for the next request.
    #[inline]
    pub fn reset(&mut self) {
        self.trim();
        self.spans.clear();
        self.unquoted.clear();
        self.position = 0;
        self.searched = 0;
        self.remaining = None;
        self.bulk = None;
    }

    /// Gives memory back after a request of unusually many words, whose arguments are void then.
    #[inline]
    pub(crate) fn trim(&mut self) {
        if self.spans.capacity() > SPANS_IDLE_MAX {
            self.spans = Vec::new();
        }
    }

    /// Bytes of input that the request needs at least, as far as its headers were read: what a reader may make room for
    /// in steps, as bytes come.
    pub fn wanted(&self) -> usize {
        self.bulk.map_or(0, |len| self.position + len + 2)
    }

    fn parse_count(&mut self, input: &[u8], limits: Limits) -> Result<bool, ProtocolError> {
        let (count, next) = match self.line(input, 1) {
            Line::Number(count, next) => (count, next),
            Line::Incomplete if input.len() > LINE_BYTES_MAX => return Err(ProtocolError::CountLineTooBig),
            Line::Incomplete => return Ok(false),
            Line::Malformed => return Err(ProtocolError::InvalidCount),
        };
        if count > i64::from(i32::MAX) {
            return Err(ProtocolError::InvalidCount);
        }
        if count > UNAUTHENTICATED_WORDS_MAX && !limits.authenticated {
            return Err(ProtocolError::UnauthenticatedCount);
        }
        let count = count.max(0);
        self.spans.reserve((count as usize).min(SPANS_ANNOUNCED_MAX));
        self.position = next;
        self.remaining = Some(count);
        Ok(true)
    }

    fn parse_words(&mut self, input: &[u8], limits: Limits) -> Result<Option<usize>, ProtocolError> {
        let mut remaining = self.remaining.unwrap_or(0);
        while remaining > 0 {
            let len = match self.bulk {
                Some(len) => len,
                None => match self.parse_bulk_header(input, limits)? {
                    Some(len) => len,
                    None => break,
                },
            };
            let end = self.position + len;
            if input.len() < end + 2 {
                self.bulk = Some(len);
                break;
            }
            self.spans.push(self.position..end);
            self.position = end + 2;
            self.bulk = None;
            remaining -= 1;
        }
        self.remaining = Some(remaining);
        Ok((remaining == 0).then_some(self.position))
    }

    #[inline]
    fn parse_bulk_header(&mut self, input: &[u8], limits: Limits) -> Result<Option<usize>, ProtocolError> {
        let at = self.position;
        // Redis looks for the line's end first and only then at its first byte.
        let line = self.line(input, at + 1);
        let (len, next) = match line {
            Line::Incomplete if input.len().saturating_sub(at) > LINE_BYTES_MAX => {
                return Err(ProtocolError::BulkLineTooBig);
            }
            Line::Incomplete => return Ok(None),
            _ if input[at] != b'$' => return Err(ProtocolError::ExpectedBulk(input[at])),
            Line::Malformed => return Err(ProtocolError::InvalidBulk),
            Line::Number(len, next) => (len, next),
        };
        if len < 0 || len as u64 > limits.bulk_bytes_max as u64 {
            return Err(ProtocolError::InvalidBulk);
        }
        if len > UNAUTHENTICATED_WORD_BYTES_MAX && !limits.authenticated {
            return Err(ProtocolError::UnauthenticatedBulk);
        }
        self.position = next;
        Ok(Some(len as usize))
    }

    /// Reads the number from `from` to the line's end.
    #[inline]
    fn line(&mut self, input: &[u8], from: usize) -> Line {
        // Nearly all headers are few digits and a line end.
        let mut value = 0i64;
        let mut at = from;
        while let Some(digit) = input.get(at).map(|byte| byte.wrapping_sub(b'0'))
            && digit < 10
            && at - from < 10
        {
            value = value * 10 + i64::from(digit);
            at += 1;
        }
        let canonical = at > from && (input[from] != b'0' || at == from + 1);
        if canonical && input.get(at) == Some(&b'\r') && at + 1 < input.len() {
            self.searched = 0;
            return Line::Number(value, at + 2);
        }
        self.line_slow(input, from)
    }

    #[cold]
    fn line_slow(&mut self, input: &[u8], from: usize) -> Line {
        let start = from.max(self.searched).min(input.len());
        let Some(offset) = memchr::memchr(b'\r', &input[start..]) else {
            self.searched = input.len();
            return Line::Incomplete;
        };
        let end = start + offset;
        if end + 1 >= input.len() {
            self.searched = end;
            return Line::Incomplete;
        }
        self.searched = 0;
        match std::str::from_utf8(&input[from.min(end)..end]).ok().and_then(strict_integer) {
            Some(value) => Line::Number(value, end + 2),
            None => Line::Malformed,
        }
    }

    fn parse_inline(&mut self, input: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let Some(offset) = memchr::memchr(b'\n', &input[self.searched.min(input.len())..]) else {
            self.searched = input.len();
            if input.len() > LINE_BYTES_MAX {
                return Err(ProtocolError::InlineTooBig);
            }
            return Ok(None);
        };
        let newline = self.searched + offset;
        let line = &input[..newline];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !inline::split(line, &mut self.spans, &mut self.unquoted) {
            return Err(ProtocolError::UnbalancedQuotes);
        }
        self.position = newline + 1;
        self.remaining = Some(0);
        Ok(Some(newline + 1))
    }
}

/// An integer in its one canonical form: no plus sign, no leading zeros, no blanks.
fn strict_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => text == "0",
        [first, ..] => (b'1'..=b'9').contains(first),
        [] => false,
    };
    canonical.then(|| text.parse().ok()).flatten()
}
