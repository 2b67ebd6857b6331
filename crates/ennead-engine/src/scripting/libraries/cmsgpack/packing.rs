//! Values to MessagePack, in the shortest form of each.

use mlua::{LuaString, Table, Value};

use super::Call;
use crate::scripting::libraries::call::{TEXT_BYTES_MAX, whole};

/// Tables in tables; one that is deeper is written as nil.
const DEPTH_MAX: usize = 16;

pub(super) fn pack(call: &Call<'_>) -> mlua::Result<LuaString> {
    if call.len() == 0 {
        return Err(call.argument_error(0, "MessagePack pack needs input."));
    }
    let mut packed = Vec::new();
    for number in 1..=call.len() {
        if let Some(argument) = call.get(number) {
            value(argument, 0, &mut packed)?;
        }
    }
    call.lua.create_string(&packed)
}

fn value(value: &Value, depth: usize, packed: &mut Vec<u8>) -> mlua::Result<()> {
    match value {
        Value::String(text) => {
            let text = text.as_bytes();
            head(packed, text.len(), Head { fixed: 0xa0, fixed_max: 31, short: Some(0xd9), middle: 0xda, long: 0xdb });
            packed.extend_from_slice(&text);
        }
        Value::Boolean(value) => packed.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(value) => integer(*value, packed),
        Value::Number(value) => number(*value, packed),
        Value::Table(value) if depth < DEPTH_MAX => table(value, depth, packed)?,
        _ => packed.push(0xc0),
    }
    if packed.len() > TEXT_BYTES_MAX {
        return Err(mlua::Error::RuntimeError("not enough memory".to_owned()));
    }
    Ok(())
}

/// How the forms of a thing with a length begin.
struct Head {
    fixed: u8,
    fixed_max: usize,
    short: Option<u8>,
    middle: u8,
    long: u8,
}

fn head(packed: &mut Vec<u8>, len: usize, head: Head) {
    match (len, head.short) {
        _ if len <= head.fixed_max => packed.push(head.fixed | len as u8),
        (0..=0xff, Some(short)) => packed.extend_from_slice(&[short, len as u8]),
        (0..=0xffff, _) => {
            packed.push(head.middle);
            packed.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            packed.push(head.long);
            packed.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
}

fn number(value: f64, packed: &mut Vec<u8>) {
    if value.is_finite() && whole(value) as f64 == value {
        return integer(whole(value), packed);
    }
    let short = value as f32;
    if f64::from(short) == value {
        packed.push(0xca);
        packed.extend_from_slice(&short.to_be_bytes());
    } else {
        packed.push(0xcb);
        packed.extend_from_slice(&value.to_be_bytes());
    }
}

fn integer(value: i64, packed: &mut Vec<u8>) {
    let bytes = value.to_be_bytes();
    let (kind, len) = match value {
        -32..=0x7f => return packed.push(value as u8),
        0x80..=0xff => (0xcc, 1),
        0x100..=0xffff => (0xcd, 2),
        0x1_0000..=0xffff_ffff => (0xce, 4),
        0x1_0000_0000.. => (0xcf, 8),
        -0x80..=-33 => (0xd0, 1),
        -0x8000..=-0x81 => (0xd1, 2),
        -0x8000_0000..=-0x8001 => (0xd2, 4),
        _ => (0xd3, 8),
    };
    packed.push(kind);
    packed.extend_from_slice(&bytes[8 - len..]);
}

fn table(table: &Table, depth: usize, packed: &mut Vec<u8>) -> mlua::Result<()> {
    let (mut count, mut is_array, mut max) = (0usize, true, 0.0);
    for pair in table.pairs::<Value, Value>() {
        let key = match pair?.0 {
            Value::Integer(key) => key as f64,
            Value::Number(key) => key,
            _ => 0.0,
        };
        is_array &= key > 0.0 && f64::from(key as i32) == key;
        max = key.max(max);
        count += 1;
    }
    if is_array && max == count as f64 {
        let len = table.raw_len();
        head(packed, len, Head { fixed: 0x90, fixed_max: 15, short: None, middle: 0xdc, long: 0xdd });
        for index in 1..=len {
            value(&table.raw_get(index)?, depth + 1, packed)?;
        }
        return Ok(());
    }
    head(packed, count, Head { fixed: 0x80, fixed_max: 15, short: None, middle: 0xde, long: 0xdf });
    for pair in table.pairs::<Value, Value>() {
        let (key, member) = pair?;
        value(&key, depth + 1, packed)?;
        value(&member, depth + 1, packed)?;
    }
    Ok(())
}
