//! The reply side of the codec: [`ennead_engine::Reply`] for RESP2 and RESP3, straight into the output buffer.

#[cfg(test)]
mod tests;

use ennead_engine::{Output, Reply, with_double_text};

/// Replies not written yet, in the words of the connection's protocol version.
#[derive(Debug)]
pub struct Encoder {
    buffer: Vec<u8>,
    protocol: u8,
}

impl Default for Encoder {
    fn default() -> Self {
        Encoder { buffer: Vec::new(), protocol: 2 }
    }
}

impl Encoder {
    pub fn new(protocol: u8) -> Self {
        Encoder { buffer: Vec::new(), protocol }
    }

    /// What was written so far and not taken yet.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    #[inline]
    fn header(&mut self, kind: u8, number: i64) {
        if (0..10).contains(&number) {
            self.buffer.extend_from_slice(&[kind, b'0' + number as u8, b'\r', b'\n']);
            return;
        }
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number).as_bytes();
        self.buffer.reserve(digits.len() + 3);
        self.buffer.push(kind);
        self.buffer.extend_from_slice(digits);
        self.buffer.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, kind: u8, text: &str) {
        self.buffer.reserve(text.len() + 3);
        self.buffer.push(kind);
        let start = self.buffer.len();
        self.buffer.extend_from_slice(text.as_bytes());
        for byte in &mut self.buffer[start..] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.buffer.extend_from_slice(b"\r\n");
    }

    fn is_resp3(&self) -> bool {
        self.protocol >= 3
    }
}

impl Reply for Encoder {
    fn protocol(&self) -> u8 {
        self.protocol
    }
    fn simple(&mut self, text: &str) {
        self.line(b'+', text);
    }
    fn error(&mut self, text: &str) {
        self.line(b'-', text);
    }
    fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }
    fn bulk(&mut self, bytes: &[u8]) {
        self.buffer.reserve(bytes.len() + 16);
        self.header(b'$', bytes.len() as i64);
        self.buffer.extend_from_slice(bytes);
        self.buffer.extend_from_slice(b"\r\n");
    }
    fn null(&mut self) {
        self.buffer.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }
    fn null_array(&mut self) {
        self.buffer.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }
    fn array(&mut self, len: usize) {
        self.header(b'*', len as i64);
    }
    fn map(&mut self, pairs: usize) {
        if self.is_resp3() { self.header(b'%', pairs as i64) } else { self.header(b'*', pairs as i64 * 2) }
    }
    fn set(&mut self, len: usize) {
        self.header(if self.is_resp3() { b'~' } else { b'*' }, len as i64);
    }
    fn push(&mut self, len: usize) {
        self.header(if self.is_resp3() { b'>' } else { b'*' }, len as i64);
    }
    fn attribute(&mut self, pairs: usize) {
        debug_assert!(self.is_resp3(), "RESP2 has no attributes");
        self.header(b'|', pairs as i64);
    }
    fn double(&mut self, value: f64) {
        with_double_text(
            value,
            |text| {
                if self.is_resp3() { self.line(b',', text) } else { self.bulk(text.as_bytes()) }
            },
        );
    }
    fn boolean(&mut self, value: bool) {
        if self.is_resp3() {
            self.buffer.extend_from_slice(if value { b"#t\r\n" } else { b"#f\r\n" });
        } else {
            self.integer(i64::from(value));
        }
    }
    fn big_number(&mut self, digits: &str) {
        if self.is_resp3() { self.line(b'(', digits) } else { self.bulk(digits.as_bytes()) }
    }
    fn verbatim(&mut self, format: &str, text: &[u8]) {
        if !self.is_resp3() {
            return self.bulk(text);
        }
        self.header(b'=', text.len() as i64 + 4);
        let format = format.as_bytes();
        for index in 0..3 {
            self.buffer.push(format.get(index).copied().unwrap_or(b' '));
        }
        self.buffer.push(b':');
        self.buffer.extend_from_slice(text);
        self.buffer.extend_from_slice(b"\r\n");
    }
    fn ok(&mut self) {
        self.buffer.extend_from_slice(b"+OK\r\n");
    }
}

impl Output for Encoder {
    fn mark(&self) -> usize {
        self.buffer.len()
    }
    fn rewind(&mut self, mark: usize) {
        self.buffer.truncate(mark);
    }
    fn set_protocol(&mut self, version: u8) {
        self.protocol = version;
    }
}
