//! Requests and replies of Redis's protocol, as a client sees them.

use std::io::{self, BufRead, ErrorKind, Read};

/// What of a reply is kept.
const TEXT_BYTES_MAX: u64 = 256 << 10;
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Appends a request.
pub(crate) fn request(words: &[&[u8]], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
}

/// What matters of a reply.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Of simple and bulk strings and numbers, also in arrays, one after the other.
    pub(crate) text: Vec<u8>,
    /// The errors, also in arrays, in their order.
    pub(crate) errors: Vec<String>,
}

/// Reads a whole reply.
pub(crate) fn reply(input: &mut impl BufRead) -> io::Result<Reply> {
    let mut reply = Reply::default();
    let mut left: u64 = 1;
    while left > 0 {
        left -= 1;
        let line = line(input)?;
        let (&kind, text) = line.split_first().ok_or(ErrorKind::InvalidData)?;
        let number = || -> io::Result<Option<u64>> {
            let text = std::str::from_utf8(text).map_err(|_| ErrorKind::InvalidData)?;
            let number: i64 = text.parse().map_err(|_| ErrorKind::InvalidData)?;
            Ok(u64::try_from(number).ok())
        };
        match kind {
            b'+' | b':' => reply.text.extend_from_slice(text),
            b'-' => reply.errors.push(String::from_utf8_lossy(text).into_owned()),
            b'*' => left += number()?.unwrap_or(0),
            b'$' => {
                if let Some(len) = number()? {
                    let mut bulk = (&mut *input).take(len + 2);
                    let kept = len.min(TEXT_BYTES_MAX.saturating_sub(reply.text.len() as u64));
                    (&mut bulk).take(kept).read_to_end(&mut reply.text)?;
                    io::copy(&mut bulk, &mut io::sink())?;
                    if bulk.limit() > 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
            }
            _ => return Err(ErrorKind::InvalidData.into()),
        }
    }
    Ok(reply)
}

fn line(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(line.to_vec()),
        None if line.ends_with(b"\n") || line.len() as u64 == LINE_BYTES_MAX => Err(ErrorKind::InvalidData.into()),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// The first request of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// Its length, and where its first words are.
    Whole(usize, Vec<std::ops::Range<usize>>),
    /// It can be whole once the buffer has so many bytes.
    Needs(usize),
    Broken,
}

/// Words that anybody looks at.
const WORDS_MAX: usize = 8;

/// Takes the first request of a buffer apart, which a server sent: an array of bulk strings, or an empty line.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let number = |at: usize, kind: u8| -> Result<(usize, usize), Parsed> {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(end) = rest.iter().take(32).position(|byte| *byte == b'\n') else {
            return Err(if rest.len() < 32 { Parsed::Needs(bytes.len() + 1) } else { Parsed::Broken });
        };
        let text = rest[..end].strip_prefix(&[kind]).and_then(|text| text.strip_suffix(b"\r"));
        let number = text.and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
        number.map(|number| (number, at + end + 1)).ok_or(Parsed::Broken)
    };
    if bytes.first() == Some(&b'\n') {
        return Parsed::Whole(1, Vec::new());
    }
    let (count, mut at) = match number(0, b'*') {
        Ok(found) => found,
        Err(parsed) => return parsed,
    };
    let mut words = Vec::new();
    for _ in 0..count {
        let (len, start) = match number(at, b'$') {
            Ok(found) => found,
            Err(parsed) => return parsed,
        };
        let Some(end) = start.checked_add(len).and_then(|end| end.checked_add(2)) else { return Parsed::Broken };
        if end > bytes.len() {
            return Parsed::Needs(end);
        }
        if words.len() < WORDS_MAX {
            words.push(start..start + len);
        }
        at = end;
    }
    Parsed::Whole(at, words)
}

#[cfg(test)]
mod tests;
