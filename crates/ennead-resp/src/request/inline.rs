//! Words of an inline request: blanks part them, double quotes take escapes (`\n \r \t \b \a \xHH`), single quotes
//! only `\'`.

use std::ops::Range;

/// Splits a line into words. `spans` point into `line` when no word is quoted, otherwise into `unquoted`, which is then
/// not empty. False when quotes are not balanced or a closing quote is not followed by a blank.
pub(super) fn split(line: &[u8], spans: &mut Vec<Range<usize>>, unquoted: &mut Vec<u8>) -> bool {
    // A NUL ends the line, as it does for Redis.
    let line = memchr::memchr(0, line).map_or(line, |nul| &line[..nul]);
    if memchr::memchr2(b'"', b'\'', line).is_none() {
        let mut at = 0;
        loop {
            at += line[at..].iter().take_while(|byte| is_blank(**byte)).count();
            let end = at + line[at..].iter().take_while(|byte| !is_blank(**byte)).count();
            if at == end {
                return true;
            }
            spans.push(at..end);
            at = end;
        }
    }
    split_quoted(line, spans, unquoted)
}

fn split_quoted(line: &[u8], spans: &mut Vec<Range<usize>>, unquoted: &mut Vec<u8>) -> bool {
    // A first byte that belongs to no word keeps `unquoted` from being empty when all words are.
    unquoted.push(b' ');
    let mut at = 0;
    loop {
        at += line[at..].iter().take_while(|byte| is_blank(**byte)).count();
        if at == line.len() {
            return true;
        }
        let start = unquoted.len();
        while at < line.len() && !is_blank(line[at]) {
            let next = match line[at] {
                b'"' => double_quoted(line, at + 1, unquoted),
                b'\'' => single_quoted(line, at + 1, unquoted),
                byte => {
                    unquoted.push(byte);
                    at += 1;
                    continue;
                }
            };
            match next {
                Some(next) if next == line.len() || is_blank(line[next]) => at = next,
                _ => return false,
            }
        }
        spans.push(start..unquoted.len());
    }
}

/// Gives the place after the closing quote.
fn double_quoted(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    loop {
        match line[at..] {
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(high) << 4 | hex(low));
                at += 4;
            }
            [b'\\', escaped, ..] => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => other,
                });
                at += 2;
            }
            [b'"', ..] => return Some(at + 1),
            [byte, ..] => {
                out.push(byte);
                at += 1;
            }
            [] => return None,
        }
    }
}

fn single_quoted(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    loop {
        match line[at..] {
            [b'\\', b'\'', ..] => {
                out.push(b'\'');
                at += 2;
            }
            [b'\'', ..] => return Some(at + 1),
            [byte, ..] => {
                out.push(byte);
                at += 1;
            }
            [] => return None,
        }
    }
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).map_or(0, |value| value as u8)
}

/// C's `isspace`.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}
