//! MessagePack to values. What is in each other is walked with a stack of its own, limited like the original's.

use mlua::{MultiValue, Table, Value};

use super::Call;
use crate::scripting::libraries::call::STACK_SLOTS_MAX;

/// All that a text holds.
pub(super) fn unpack(call: &Call<'_>) -> mlua::Result<MultiValue> {
    part(call, 0, 0)
}

/// One value from an offset on, and the offset behind it.
pub(super) fn one(call: &Call<'_>) -> mlua::Result<MultiValue> {
    let offset = if call.is_absent(2) { 0 } else { call.integer(2)? };
    part(call, 1, offset)
}

/// At most so many values from an offset on, and the offset behind them.
pub(super) fn limited(call: &Call<'_>) -> mlua::Result<MultiValue> {
    let limit = call.integer(2)?;
    let offset = if call.is_absent(3) { 0 } else { call.integer(3)? };
    part(call, limit, offset)
}

fn part(call: &Call<'_>, limit: i64, offset: i64) -> mlua::Result<MultiValue> {
    let text = call.string(1)?;
    let text = text.as_bytes();
    let (shown, len) = (offset as i32, text.len() as i32);
    if offset < 0 || limit < 0 {
        // The length in the place of the limit is the original's.
        let text = format!("Invalid request to unpack with offset of {shown} and limit of {len}.");
        return Err(call.error(&text));
    }
    let Some(rest) = usize::try_from(offset).ok().and_then(|offset| text.get(offset..)) else {
        return Err(call.error(&format!("Start offset {shown} greater than input length {len}.")));
    };
    let is_all = limit == 0 && offset == 0;
    let limit = if is_all { i64::from(i32::MAX) } else { limit };
    let mut reader = Reader { call, left: rest, slots: 1, open: Vec::new() };
    let mut values = Vec::new();
    while !reader.left.is_empty() && (values.len() as i64) < limit {
        values.push(reader.value()?);
        reader.slots += 1;
    }
    if !is_all {
        let end = if reader.left.is_empty() { -1 } else { (text.len() - reader.left.len()) as i64 };
        values.insert(0, Value::Integer(end));
    }
    Ok(values.into_iter().collect())
}

struct Reader<'c, 'l> {
    call: &'c Call<'l>,
    left: &'c [u8],
    /// Places of the stack that the original would use.
    slots: usize,
    open: Vec<Open>,
}

/// An array or a map that is not complete.
enum Open {
    Array { table: Table, next: i64, left: u32 },
    Map { table: Table, key: Option<Value>, left: u32 },
}

enum Piece {
    Value(Value),
    Array(u32),
    Map(u32),
}

impl<'c> Reader<'c, '_> {
    fn value(&mut self) -> mlua::Result<Value> {
        loop {
            let mut value = match self.piece()? {
                Piece::Value(value) => value,
                Piece::Array(left) => {
                    let table = self.call.lua.create_table()?;
                    self.need_slots(2, "in function mp_decode_to_lua_array")?;
                    if left > 0 {
                        self.slots += 2;
                        self.open.push(Open::Array { table, next: 1, left });
                        continue;
                    }
                    Value::Table(table)
                }
                Piece::Map(left) => {
                    let table = self.call.lua.create_table()?;
                    if left > 0 {
                        self.slots += 1;
                        self.open.push(Open::Map { table, key: None, left });
                        continue;
                    }
                    Value::Table(table)
                }
            };
            // Whatever ends with this value ends, too.
            loop {
                let Some(open) = self.open.last_mut() else { return Ok(value) };
                match open.put(value)? {
                    Put::Key => self.slots += 1,
                    Put::Member => self.slots -= 1,
                    Put::Item => {}
                    Put::Complete(table, slots) => {
                        self.slots -= slots;
                        self.open.pop();
                        value = Value::Table(table);
                        continue;
                    }
                }
                break;
            }
        }
    }

    fn need_slots(&self, count: usize, text: &str) -> mlua::Result<()> {
        if self.slots + count > STACK_SLOTS_MAX {
            return Err(self.call.error(&format!("stack overflow ({text})")));
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> mlua::Result<&'c [u8]> {
        let Some((bytes, rest)) = self.left.split_at_checked(count) else {
            return Err(self.call.error("Missing bytes in input."));
        };
        self.left = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> mlua::Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn piece(&mut self) -> mlua::Result<Piece> {
        let [kind] = self.array()?;
        self.need_slots(1, "too many return values at once; use unpack_one or unpack_limit instead.")?;
        let len = match kind {
            0xd9 => u32::from(u8::from_be_bytes(self.array()?)),
            0xda | 0xdc | 0xde => u32::from(u16::from_be_bytes(self.array()?)),
            0xdb | 0xdd | 0xdf => u32::from_be_bytes(self.array()?),
            0xa0..0xc0 => u32::from(kind & 0x1f),
            _ => u32::from(kind & 0x0f),
        };
        let number = match kind {
            0x00..0x80 => f64::from(kind),
            0xe0.. => f64::from(kind as i8),
            0xcc => f64::from(u8::from_be_bytes(self.array()?)),
            0xcd => f64::from(u16::from_be_bytes(self.array()?)),
            0xce => f64::from(u32::from_be_bytes(self.array()?)),
            0xd0 => f64::from(i8::from_be_bytes(self.array()?)),
            0xd1 => f64::from(i16::from_be_bytes(self.array()?)),
            0xd2 => f64::from(i32::from_be_bytes(self.array()?)),
            // The original takes those without a sign for such with one.
            0xcf | 0xd3 => i64::from_be_bytes(self.array()?) as f64,
            0xca => f64::from(f32::from_be_bytes(self.array()?)),
            0xcb => f64::from_be_bytes(self.array()?),
            0x90..0xa0 | 0xdc | 0xdd => return Ok(Piece::Array(len)),
            0x80..0x90 | 0xde | 0xdf => return Ok(Piece::Map(len)),
            0xa0..0xc0 | 0xd9..=0xdb => {
                let text = self.take(len as usize)?;
                return Ok(Piece::Value(Value::String(self.call.lua.create_string(text)?)));
            }
            0xc0 => return Ok(Piece::Value(Value::Nil)),
            0xc2 | 0xc3 => return Ok(Piece::Value(Value::Boolean(kind == 0xc3))),
            _ => return Err(self.call.error("Bad data format in input.")),
        };
        Ok(Piece::Value(Value::Number(number)))
    }
}

enum Put {
    Item,
    Key,
    Member,
    /// The table, and the places it took on the stack when its last value was read.
    Complete(Table, usize),
}

impl Open {
    fn put(&mut self, value: Value) -> mlua::Result<Put> {
        match self {
            Open::Array { table, next, left } => {
                table.raw_set(*next, value)?;
                (*next, *left) = (*next + 1, *left - 1);
                Ok(if *left == 0 { Put::Complete(table.clone(), 2) } else { Put::Item })
            }
            Open::Map { table, key, left } => {
                let Some(key) = key.take() else {
                    *key = Some(value);
                    return Ok(Put::Key);
                };
                match key {
                    Value::Nil => return Err(mlua::Error::RuntimeError("table index is nil".to_owned())),
                    Value::Number(key) if key.is_nan() => {
                        return Err(mlua::Error::RuntimeError("table index is NaN".to_owned()));
                    }
                    key => table.raw_set(key, value)?,
                }
                *left -= 1;
                Ok(if *left == 0 { Put::Complete(table.clone(), 2) } else { Put::Member })
            }
        }
    }
}
