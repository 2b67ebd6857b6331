//! What stands between the keys of a snapshot file.
//!
//! | byte | what belongs to it |
//! |---|---|
//! | 245 | a library of functions: its source |
//! | 246 | the same, of a Redis before 7.0 was released: name, engine, whether it is described, description, source |
//! | 247 | what a module keeps beside the keys |
//! | 248, 249 | of the next key: seconds since its last use (a length); how often it is used (a byte) |
//! | 250 | a name and a text about the file |
//! | 251 | keys of the database, and those with a deadline |
//! | 252, 253 | of the next key: its deadline in Unix ms (u64 LE); in seconds (u32 LE) |
//! | 254 | the number of the database that follows |
//! | 255 | the end |

use std::io::Read;

use super::value::{self, Read as ReadValue};
use super::{Error, Key, Part, Reader, modules};

pub(super) const LIBRARY: u8 = 245;
const LIBRARY_OLD: u8 = 246;
const MODULE: u8 = 247;
const IDLE: u8 = 248;
const FREQUENCY: u8 = 249;
pub(super) const NOTE: u8 = 250;
pub(super) const SIZE: u8 = 251;
pub(super) const DEADLINE_MS: u8 = 252;
const DEADLINE_SECONDS: u8 = 253;
pub(super) const DATABASE: u8 = 254;
pub(super) const END: u8 = 255;

/// The next part that somebody must hear of; none at the end.
pub(super) fn next<R: Read>(reader: &mut Reader<R>) -> Result<Option<Part>, Error> {
    let (mut deadline, mut idle_seconds, mut frequency) = (None, None, None);
    loop {
        let source = &mut reader.source;
        let kind = match source.byte()? {
            END => return reader.check().map(|()| None),
            DATABASE => {
                reader.db = source.number(&mut Vec::new())?;
                continue;
            }
            SIZE => {
                let keys = source.number(&mut Vec::new())?;
                source.number(&mut Vec::new())?;
                return Ok(Some(Part::Size { keys }));
            }
            NOTE => return Ok(Some(Part::Note { name: source.text()?, value: source.text()? })),
            LIBRARY => return source.text().map(|code| Some(Part::Library(code))),
            LIBRARY_OLD => {
                let name = source.text()?;
                source.text()?;
                if source.number(&mut Vec::new())? != 0 {
                    source.text()?;
                }
                source.text()?;
                let name = name.escape_ascii();
                return Ok(Some(Part::Foreign(format!(
                    "the function library {name} of a release candidate of Redis 7.0"
                ))));
            }
            MODULE => return modules::beside(source).map(|name| Some(Part::Foreign(name))),
            IDLE => {
                idle_seconds = Some(source.number(&mut Vec::new())?);
                continue;
            }
            FREQUENCY => {
                frequency = Some(source.byte()?);
                continue;
            }
            DEADLINE_MS => {
                deadline = Some(source.array()?);
                continue;
            }
            DEADLINE_SECONDS => {
                let seconds = u32::from_le_bytes(source.array()?);
                deadline = Some((u64::from(seconds) * 1000).to_le_bytes());
                continue;
            }
            kind => kind,
        };
        let name = source.text()?;
        let ReadValue { kind, value, rest } = value::read(source, kind, &name, reader.limits)?;
        reader.rest = rest;
        // A deadline before 1970 is one that is over.
        let deadline = deadline.map(|bytes| i64::from_le_bytes(bytes).max(1) as u64);
        return Ok(Some(Part::Key(Key { db: reader.db, name, deadline, idle_seconds, frequency, kind, value })));
    }
}
