//! Lua's values as JSON. Tables in tables are walked with a stack of their own, so their depth is limited by the settings
//! and by what the original's stack holds, never by that of the thread.

use mlua::{Function, LuaString, Table, Value};

use super::Call;
use super::settings::{Invalid, Settings};
use crate::scripting::libraries::call::{STACK_SLOTS_MAX, TEXT_BYTES_MAX, type_name};
use crate::scripting::libraries::number;

/// Free places of the stack that the original asks for before it goes into a table.
const SLOTS_NEEDED: usize = 3;

pub(super) fn encode(call: &Call<'_>, settings: Settings) -> mlua::Result<LuaString> {
    let Some(value) = call.get(1).filter(|_| call.len() == 1) else {
        return Err(call.argument_error(1, "expected 1 argument"));
    };
    let mut encoder = Encoder {
        call,
        settings,
        next: call.lua.globals().raw_get("next")?,
        text: Vec::new(),
        open: Vec::new(),
        slots: 1,
    };
    encoder.value(value)?;
    while let Some(table) = encoder.open.last_mut() {
        if encoder.text.len() > TEXT_BYTES_MAX {
            return Err(mlua::Error::RuntimeError("not enough memory".to_owned()));
        }
        match table.step(&encoder.next)? {
            Step::Item(separate, value) => {
                if separate {
                    encoder.text.push(b',');
                }
                encoder.value(&value)?;
            }
            Step::Member(separate, key, value) => {
                if separate {
                    encoder.text.push(b',');
                }
                encoder.key(&key)?;
                encoder.value(&value)?;
            }
            Step::End(closing) => {
                encoder.text.push(closing);
                encoder.open.pop();
                encoder.slots -= encoder.open.last().map_or(0, Open::slots);
            }
        }
    }
    call.lua.create_string(&encoder.text)
}

struct Encoder<'c, 'l> {
    call: &'c Call<'l>,
    settings: Settings,
    /// Lua's own.
    next: Function,
    text: Vec<u8>,
    open: Vec<Open>,
    /// Places of the stack that the original would use.
    slots: usize,
}

/// A table of which a part is written.
enum Open {
    Array { table: Table, written: usize, len: usize },
    Object { table: Table, last: Value },
}

enum Step {
    /// Whether one came before, and the item.
    Item(bool, Value),
    Member(bool, Value, Value),
    End(u8),
}

impl Open {
    fn slots(&self) -> usize {
        match self {
            Open::Array { .. } => 1,
            Open::Object { .. } => 2,
        }
    }

    fn step(&mut self, next: &Function) -> mlua::Result<Step> {
        match self {
            Open::Array { written, len, .. } if written == len => Ok(Step::End(b']')),
            Open::Array { table, written, .. } => {
                *written += 1;
                Ok(Step::Item(*written > 1, table.raw_get(*written)?))
            }
            Open::Object { table, last } => {
                let separate = !last.is_nil();
                let (key, value): (Value, Value) = next.call((&*table, &*last))?;
                if key.is_nil() {
                    return Ok(Step::End(b'}'));
                }
                *last = key.clone();
                Ok(Step::Member(separate, key, value))
            }
        }
    }
}

/// How a table is written.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    Array(usize),
    Object,
}

impl Encoder<'_, '_> {
    fn value(&mut self, value: &Value) -> mlua::Result<()> {
        match value {
            Value::String(string) => self.string(&string.as_bytes()),
            Value::Integer(number) => self.number(*number as f64)?,
            Value::Number(number) => self.number(*number)?,
            Value::Boolean(true) => self.text.extend_from_slice(b"true"),
            Value::Boolean(false) => self.text.extend_from_slice(b"false"),
            Value::Nil => self.text.extend_from_slice(b"null"),
            Value::LightUserData(data) if data.0.is_null() => self.text.extend_from_slice(b"null"),
            Value::Table(table) => self.open(table)?,
            other => return Err(self.refuse(type_name(other), "type not supported")),
        }
        Ok(())
    }

    fn refuse(&self, what: &str, reason: &str) -> mlua::Error {
        self.call.error(&format!("Cannot serialise {what}: {reason}"))
    }

    fn open(&mut self, table: &Table) -> mlua::Result<()> {
        let depth = self.open.len() + 1;
        let slots = self.slots + self.open.last().map_or(0, Open::slots);
        if depth > self.settings.encode_depth_max as usize || slots + SLOTS_NEEDED > STACK_SLOTS_MAX {
            return Err(self.call.error(&format!("Cannot serialise, excessive nesting ({depth})")));
        }
        self.slots = slots;
        let table = table.clone();
        self.open.push(match self.shape(&table)? {
            Shape::Array(len) => {
                self.text.push(b'[');
                Open::Array { table, written: 0, len }
            }
            Shape::Object => {
                self.text.push(b'{');
                Open::Object { table, last: Value::Nil }
            }
        });
        Ok(())
    }

    /// Tables of whole numbers from 1 on are arrays, unless they are empty or full of holes.
    fn shape(&self, table: &Table) -> mlua::Result<Shape> {
        // Numbers of 32 bits, with what becomes of larger ones: that decides, as in the original.
        let (mut max, mut items) = (0i32, 0i32);
        let mut is_array = true;
        let walked = table.for_each(|key: Value, _: Ignored| {
            let key = match key {
                Value::Integer(key) => key as f64,
                Value::Number(key) => key,
                _ => 0.0,
            };
            if key.floor() != key || key < 1.0 {
                is_array = false;
                return Err(mlua::Error::StackError);
            }
            if key > f64::from(max) {
                max = if key <= f64::from(i32::MAX) { key as i32 } else { i32::MIN };
            }
            items = items.wrapping_add(1);
            Ok(())
        });
        if !is_array {
            return Ok(Shape::Object);
        }
        walked?;
        let Settings { sparse_ratio: ratio, sparse_safe: safe, .. } = self.settings;
        if ratio > 0 && max > items.wrapping_mul(ratio) && max > safe {
            if !self.settings.sparse_convert {
                return Err(self.refuse("table", "excessively sparse array"));
            }
            return Ok(Shape::Object);
        }
        Ok(if max > 0 { Shape::Array(max as usize) } else { Shape::Object })
    }

    fn key(&mut self, key: &Value) -> mlua::Result<()> {
        match key {
            Value::String(string) => {
                self.string(&string.as_bytes());
                self.text.push(b':');
            }
            Value::Integer(_) | Value::Number(_) => {
                self.text.push(b'"');
                self.value(key)?;
                self.text.extend_from_slice(b"\":");
            }
            other => return Err(self.refuse(type_name(other), "table key must be a number or string")),
        }
        Ok(())
    }

    fn number(&mut self, number: f64) -> mlua::Result<()> {
        match self.settings.encode_invalid {
            _ if number.is_finite() => {}
            Invalid::Refused => return Err(self.refuse("number", "must not be NaN or Inf")),
            Invalid::Kept if number.is_nan() => {
                self.text.extend_from_slice(b"nan");
                return Ok(());
            }
            Invalid::Kept => {}
            Invalid::Null => {
                self.text.extend_from_slice(b"null");
                return Ok(());
            }
        }
        self.text.extend_from_slice(number::format(number, self.settings.precision as usize).as_bytes());
        Ok(())
    }

    fn string(&mut self, bytes: &[u8]) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        self.text.reserve(bytes.len() + 2);
        self.text.push(b'"');
        for &byte in bytes {
            let letter = match byte {
                b'"' | b'\\' | b'/' => byte,
                8 => b'b',
                9 => b't',
                10 => b'n',
                12 => b'f',
                13 => b'r',
                0..32 | 127 => {
                    self.text.extend_from_slice(b"\\u00");
                    self.text.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                    continue;
                }
                _ => {
                    self.text.push(byte);
                    continue;
                }
            };
            self.text.extend_from_slice(&[b'\\', letter]);
        }
        self.text.push(b'"');
    }
}

/// A value that is not looked at.
struct Ignored;

impl mlua::FromLua for Ignored {
    fn from_lua(_: Value, _: &mlua::Lua) -> mlua::Result<Ignored> {
        Ok(Ignored)
    }
}
