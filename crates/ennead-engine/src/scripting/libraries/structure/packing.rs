//! Values to bytes.

use mlua::LuaString;

use super::Call;
use super::format::{Format, Item};

pub(super) fn pack(call: &Call<'_>) -> mlua::Result<LuaString> {
    let text = call.string(1)?;
    let text = text.as_bytes();
    let mut format = Format::new(call, &text);
    let mut packed = Vec::new();
    let mut argument = 1;
    while let Some(item) = format.next()? {
        let padding = format.padding(packed.len(), item);
        packed.resize(packed.len() + padding, 0);
        match item.letter {
            _ if item.is_integer() => {
                argument += 1;
                let value = bits(number(call, argument)?);
                integer(&mut packed, value, item.size, format.big_endian);
            }
            b'x' => packed.push(0),
            b'f' => {
                argument += 1;
                let value = number(call, argument)? as f32;
                packed.extend_from_slice(&if format.big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
            }
            b'd' => {
                argument += 1;
                let value = number(call, argument)?;
                packed.extend_from_slice(&if format.big_endian { value.to_be_bytes() } else { value.to_le_bytes() });
            }
            b'c' | b's' => {
                argument += 1;
                string(call, argument, item, &mut packed)?;
            }
            control => format.control(control)?,
        }
    }
    call.lua.create_string(&packed)
}

/// The original has a nil behind the arguments.
fn missing(call: &Call<'_>, argument: usize, expected: &str) -> Option<mlua::Error> {
    let is_missing = call.get(argument).is_none();
    is_missing.then(|| call.argument_error(argument, &format!("{expected} expected, got nil")))
}

fn number(call: &Call<'_>, argument: usize) -> mlua::Result<f64> {
    match missing(call, argument, "number") {
        Some(error) => Err(error),
        None => call.number(argument),
    }
}

fn string(call: &Call<'_>, argument: usize, item: Item, packed: &mut Vec<u8>) -> mlua::Result<()> {
    if let Some(error) = missing(call, argument, "string") {
        return Err(error);
    }
    let value = call.string(argument)?;
    let value = value.as_bytes();
    let size = if item.size == 0 { value.len() } else { item.size };
    let Some(value) = value.get(..size) else {
        return Err(call.argument_error(argument + 1, "string too short"));
    };
    packed.extend_from_slice(value);
    if item.letter == b's' {
        packed.push(0);
    }
    Ok(())
}

/// A number as a whole one of 64 bits, as x86 converts those that do not fit.
fn bits(number: f64) -> u64 {
    const HALF: f64 = 9_223_372_036_854_775_808.0;
    if number < HALF || number.is_nan() {
        return super::super::call::whole(number) as u64;
    }
    (super::super::call::whole(number - HALF) as u64) ^ (1 << 63)
}

fn integer(packed: &mut Vec<u8>, value: u64, size: usize, big_endian: bool) {
    let byte = |place: usize| if place < 8 { (value >> (8 * place)) as u8 } else { 0 };
    if big_endian {
        packed.extend((0..size).rev().map(byte));
    } else {
        packed.extend((0..size).map(byte));
    }
}
