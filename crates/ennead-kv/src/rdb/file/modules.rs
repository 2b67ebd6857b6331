//! What modules of Redis wrote: stepped over, by the marks that they must put before everything.

use std::io::Read;

use super::Error;
use super::source::Source;
use crate::rdb::shape;

const END: u64 = 0;
const SIGNED: u64 = 1;
const UNSIGNED: u64 = 2;
const FLOAT: u64 = 3;
const DOUBLE: u64 = 4;
const STRING: u64 = 5;

/// The characters of a module's name, six bits each.
const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LEN: u32 = 9;
/// Of the version below the name.
const VERSION_BITS: u32 = 10;

/// Steps over a value; gives the name of its type.
pub(super) fn value<R: Read>(source: &mut Source<R>, kind: u8, key: &[u8]) -> Result<String, Error> {
    let name = name(source.number(&mut Vec::new())?);
    if kind == shape::MODULE_OLD {
        let key = key.escape_ascii();
        return Err(source.damaged(format!(
            "for us: key {key} is of module type {name} in the form of Redis before 4.0, whose end only the module knows"
        )));
    }
    skip(source)?;
    Ok(format!("module type {name}"))
}

/// Steps over what a module keeps beside the keys; says what it was.
pub(super) fn beside<R: Read>(source: &mut Source<R>) -> Result<String, Error> {
    let name = name(source.number(&mut Vec::new())?);
    // When it is to be read: a mark and a number.
    source.number(&mut Vec::new())?;
    source.number(&mut Vec::new())?;
    skip(source)?;
    Ok(format!("data of the module of type {name}"))
}

fn skip<R: Read>(source: &mut Source<R>) -> Result<(), Error> {
    let mut raw = Vec::new();
    loop {
        raw.clear();
        match source.number(&mut raw)? {
            END => return Ok(()),
            SIGNED | UNSIGNED => drop(source.number(&mut raw)?),
            FLOAT => source.bytes(4, &mut raw)?,
            DOUBLE => source.bytes(8, &mut raw)?,
            STRING => source.string(&mut raw)?,
            _ => return Err(source.damaged("in the value of a module")),
        }
    }
}

fn name(number: u64) -> String {
    (0..NAME_LEN)
        .map(|at| char::from(CHARACTERS[(number >> (VERSION_BITS + 6 * (NAME_LEN - 1 - at)) & 0x3f) as usize]))
        .collect()
}
