//! The first line of a script or a library: an engine and options.

#[cfg(test)]
mod tests;

use super::flags::ScriptFlags;

const MARK: &[u8] = b"#!";

/// The first line's words, its mark included, and what is behind the line, from its end on.
struct Shebang<'t> {
    /// None if quotes are wrong.
    words: Option<Vec<Vec<u8>>>,
    rest: &'t [u8],
}

impl<'t> Shebang<'t> {
    /// None if the line does not end; it must begin with the mark.
    fn of(text: &'t [u8]) -> Option<Shebang<'t>> {
        let end = text.iter().position(|byte| matches!(byte, b'\n' | 0)).filter(|end| text[*end] == b'\n')?;
        Some(Shebang { words: split(&text[..end]), rest: &text[end..] })
    }
}

/// The flags of a script, and its text without the first line, if that is not Lua. Line numbers stay.
///
/// # Errors
/// The first line names an engine or flags that there are not; the text for the client.
pub(super) fn script(text: &[u8]) -> Result<(ScriptFlags, &[u8]), String> {
    if !text.starts_with(MARK) {
        return Ok((ScriptFlags::default(), text));
    }
    let shebang = Shebang::of(text).ok_or("ERR Invalid script shebang")?;
    let words = shebang.words.ok_or("ERR Invalid engine in script shebang")?;
    let mut words = words.iter().map(|word| String::from_utf8_lossy(word));
    let engine = words.next().unwrap_or_default();
    if engine != "#!lua" {
        return Err(format!("ERR Unexpected engine in script shebang: {engine}"));
    }
    let mut flags = ScriptFlags::declared();
    for word in words {
        let Some(list) = word.strip_prefix("flags=") else {
            return Err(format!("ERR Unknown lua shebang option: {word}"));
        };
        if list.is_empty() {
            continue;
        }
        if let Some(unknown) = list.split(',').find(|flag| !flags.add(flag)) {
            return Err(format!("ERR Unexpected flag in script shebang: {unknown}"));
        }
    }
    Ok((flags, shebang.rest))
}

/// The flags of a script; none if its first line is wrong.
pub(crate) fn flags(text: &[u8]) -> Option<ScriptFlags> {
    script(text).ok().map(|(flags, _)| flags)
}

/// The name of a library, and its text without the first line. Line numbers stay.
///
/// # Errors
/// The text for the client.
pub(super) fn library(text: &[u8]) -> Result<(String, &[u8]), String> {
    if !text.starts_with(MARK) {
        return Err("ERR Missing library metadata".to_owned());
    }
    const INVALID: &str = "ERR Invalid library metadata";
    let shebang = Shebang::of(text).ok_or(INVALID)?;
    let words = shebang.words.ok_or(INVALID)?;
    let (engine, options) = words.split_first().ok_or(INVALID)?;
    let mut name = None;
    for option in options {
        match option.split_at_checked(5) {
            Some((key, _)) if key.eq_ignore_ascii_case(b"name=") && name.is_some() => {
                return Err("ERR Invalid metadata value, name argument was given multiple times".to_owned());
            }
            Some((key, value)) if key.eq_ignore_ascii_case(b"name=") => name = Some(value),
            _ => return Err(format!("ERR Invalid metadata value given: {}", String::from_utf8_lossy(option))),
        }
    }
    let name = name.ok_or("ERR Library name was not given")?;
    let name = checked_name(name)?;
    let engine = engine.get(MARK.len()..).unwrap_or_default();
    if !engine.eq_ignore_ascii_case(b"lua") {
        return Err(format!("ERR Engine '{}' not found", String::from_utf8_lossy(engine)));
    }
    Ok((name, shebang.rest))
}

/// The name of a library or of a function.
///
/// # Errors
/// It has none of the letters that these may have, or others; the text for the client.
pub(super) fn checked_name(name: &[u8]) -> Result<String, String> {
    let fits = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    match std::str::from_utf8(name) {
        Ok(name) if fits => Ok(name.to_owned()),
        _ => Err("ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one \
                  character long"
            .to_owned()),
    }
}

/// The words of a line, of which some may be in quotes. None for quotes that do not end, or not with their word.
fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 11;
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = &rest[rest.iter().take_while(|byte| is_blank(byte)).count()..];
        if rest.is_empty() {
            return Some(words);
        }
        let mut word = Vec::new();
        while let Some((&byte, behind)) = rest.split_first() {
            if is_blank(&byte) {
                break;
            }
            rest = behind;
            match byte {
                b'"' | b'\'' => {
                    rest = quoted(byte, rest, &mut word)?;
                    if rest.first().is_some_and(|byte| !is_blank(byte)) {
                        return None;
                    }
                }
                _ => word.push(byte),
            }
        }
        words.push(word);
    }
}

/// Takes what is in quotes of this kind; what is behind it.
fn quoted<'t>(quote: u8, mut rest: &'t [u8], word: &mut Vec<u8>) -> Option<&'t [u8]> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    loop {
        let (byte, used) = match *rest {
            [] => return None,
            [b'\\', b'x', high, low, ..] if quote == b'"' && digit(high).is_some() && digit(low).is_some() => {
                (digit(high)? << 4 | digit(low)?, 4)
            }
            [b'\\', escaped, ..] if quote == b'"' => {
                let byte = match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => other,
                };
                (byte, 2)
            }
            [b'\\', b'\'', ..] if quote == b'\'' => (b'\'', 2),
            [byte, ..] if byte == quote => return Some(&rest[1..]),
            [byte, ..] => (byte, 1),
        };
        word.push(byte);
        rest = &rest[used..];
    }
}
