//! Glob patterns of KEYS, SCAN and CONFIG GET: `*`, `?`, `[a-z]`, `[^a]` and `\` before a character to be taken as it is.

#[cfg(test)]
mod tests;

/// Whether the whole text matches the pattern.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern_at, mut text_at) = (0, 0);
    // The last star, and the text that it has not swallowed yet.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if text_at == text.len() {
            return pattern[pattern_at..].iter().all(|&byte| byte == b'*');
        }
        if pattern.get(pattern_at) == Some(&b'*') {
            star = Some((pattern_at + 1, text_at));
            pattern_at += 1;
            continue;
        }
        if let Some(next) = one(pattern, pattern_at, text[text_at]) {
            (pattern_at, text_at) = (next, text_at + 1);
            continue;
        }
        match &mut star {
            Some((after, swallowed)) => {
                *swallowed += 1;
                (pattern_at, text_at) = (*after, *swallowed);
            }
            None => return false,
        }
    }
}

/// Where the pattern goes on after one byte that it matches.
fn one(pattern: &[u8], at: usize, byte: u8) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => Some(at + 1),
        b'[' => class(pattern, at + 1, byte),
        b'\\' if at + 1 < pattern.len() => (pattern[at + 1] == byte).then_some(at + 2),
        literal => (literal == byte).then_some(at + 1),
    }
}

/// As [`one`], from the first byte of a class on. An open class ends with the pattern.
fn class(pattern: &[u8], mut at: usize, byte: u8) -> Option<usize> {
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let mut found = false;
    let end = loop {
        match pattern[at..] {
            [] => break at,
            [b']', ..] => break at + 1,
            [b'\\', escaped, ..] => {
                found |= escaped == byte;
                at += 2;
            }
            [first, b'-', last, ..] => {
                found |= (first.min(last)..=first.max(last)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                found |= literal == byte;
                at += 1;
            }
        }
    };
    (found != negated).then_some(end)
}
