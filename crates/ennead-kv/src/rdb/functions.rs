//! The payload of FUNCTION DUMP and FUNCTION RESTORE: the texts of libraries, each behind the mark of its kind.
//!
//! | mark | what follows |
//! |---|---|
//! | 245 | the text as a string, its first line included |
//! | 246 | of preliminary versions of Redis 7.0: name, engine, whether a description follows, that, the text without its first line |

use super::{Reader, frame, unframe, write_string};

const LIBRARY: u8 = 245;
const PRELIMINARY: u8 = 246;
/// Longer texts are not even decompressed.
const TEXT_BYTES_MAX: u64 = 512 << 20;

/// Why a payload of libraries is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionsRefusal {
    VersionOrChecksum,
    /// It holds something else.
    Kind,
    /// A text is cut off.
    Text,
}

/// Texts of libraries as payload.
pub fn dump_functions<'t>(texts: impl Iterator<Item = &'t [u8]>) -> Vec<u8> {
    let mut payload = Vec::new();
    for text in texts {
        payload.push(LIBRARY);
        write_string(&mut payload, text);
    }
    frame(payload)
}

/// The texts of a payload.
///
/// # Errors
/// It is no payload of this kind.
pub fn restore_functions(payload: &[u8]) -> Result<Vec<Vec<u8>>, FunctionsRefusal> {
    let mut reader = Reader(unframe(payload).ok_or(FunctionsRefusal::VersionOrChecksum)?);
    let mut texts = Vec::new();
    while let Some(mark) = reader.byte() {
        let text = match mark {
            LIBRARY => reader.string(TEXT_BYTES_MAX),
            PRELIMINARY => preliminary(&mut reader),
            _ => return Err(FunctionsRefusal::Kind),
        };
        texts.push(text.ok_or(FunctionsRefusal::Text)?);
    }
    Ok(texts)
}

fn preliminary(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    let (name, engine) = (reader.string(TEXT_BYTES_MAX)?, reader.string(TEXT_BYTES_MAX)?);
    if reader.plain_length()? != 0 {
        reader.string(TEXT_BYTES_MAX)?;
    }
    let text = reader.string(TEXT_BYTES_MAX)?;
    Some([b"#!", engine.as_slice(), b" name=", name.as_slice(), b"\n", text.as_slice()].concat())
}
