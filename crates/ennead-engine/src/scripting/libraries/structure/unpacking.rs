//! Bytes to values.

use mlua::{MultiValue, Value};

use super::Call;
use super::format::{Format, Item};
use crate::scripting::libraries::call::{STACK_SLOTS_MAX, whole};

pub(super) fn unpack(call: &Call<'_>) -> mlua::Result<MultiValue> {
    let (text, data) = (call.string(1)?, call.string(2)?);
    let (text, data) = (text.as_bytes(), data.as_bytes());
    let start = if call.is_absent(3) { 1 } else { call.integer(3)? } as u64 as usize;
    if start == 0 {
        return Err(call.argument_error(3, "offset must be 1 or greater"));
    }
    let mut place = start - 1;
    let mut values: Vec<Value> = Vec::new();
    let mut format = Format::new(call, &text);
    while let Some(item) = format.next()? {
        place = place.wrapping_add(format.padding(place, item));
        let mut size = item.size;
        let mut bytes = part(call, &data, place, size)?;
        if call.len() + values.len() + 2 > STACK_SLOTS_MAX {
            return Err(call.error("stack overflow (too many results)"));
        }
        match item.letter {
            _ if item.is_integer() => {
                let is_signed = item.letter.is_ascii_lowercase();
                values.push(Value::Number(integer(bytes, format.big_endian, is_signed)));
            }
            b'x' => {}
            b'f' | b'd' => values.push(Value::Number(float(item, bytes, format.big_endian))),
            b'c' => {
                if size == 0 {
                    size = previous(call, &mut values)?;
                    bytes = part(call, &data, place, size)?;
                }
                values.push(Value::String(call.lua.create_string(bytes)?));
            }
            b's' => {
                let rest = &data[place..];
                let Some(len) = rest.iter().position(|byte| *byte == 0) else {
                    return Err(call.error("unfinished string in data"));
                };
                values.push(Value::String(call.lua.create_string(&rest[..len])?));
                size = len + 1;
            }
            control => format.control(control)?,
        }
        place += size;
    }
    values.push(Value::Integer(place.wrapping_add(1) as i64));
    Ok(values.into_iter().collect())
}

fn part<'d>(call: &Call<'_>, data: &'d [u8], place: usize, size: usize) -> mlua::Result<&'d [u8]> {
    let rest = data.get(place..).and_then(|rest| rest.get(..size));
    rest.ok_or_else(|| call.argument_error(2, "data string too short"))
}

/// The number read last, as the length of what follows; it is no result any more.
fn previous(call: &Call<'_>, values: &mut Vec<Value>) -> mlua::Result<usize> {
    let size = match values.pop() {
        Some(value) => call.lua.coerce_number(value)?,
        None => None,
    };
    match size {
        Some(size) => Ok(whole(size) as u64 as usize),
        None => Err(call.error("format 'c0' needs a previous size")),
    }
}

fn integer(bytes: &[u8], big_endian: bool, is_signed: bool) -> f64 {
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    let value = if big_endian { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) };
    if !is_signed {
        return value as f64;
    }
    // Beyond 64 bits the place of the sign is that of x86, which takes six bits of the distance.
    let mask = u64::MAX << ((bytes.len() * 8).wrapping_sub(1) & 63);
    (if value & mask == 0 { value } else { value | mask }) as i64 as f64
}

fn float(item: Item, bytes: &[u8], big_endian: bool) -> f64 {
    let mut ordered = [0; 8];
    ordered[..bytes.len()].copy_from_slice(bytes);
    if big_endian {
        ordered[..bytes.len()].reverse();
    }
    match item.letter {
        b'f' => f64::from(f32::from_le_bytes([ordered[0], ordered[1], ordered[2], ordered[3]])),
        _ => f64::from_le_bytes(ordered),
    }
}
