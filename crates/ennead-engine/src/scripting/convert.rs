//! Between replies and Lua's values, by Redis's rules.

use mlua::{Either, IntoLua, Lua, LuaString, Table, Value};

use super::item::Item;

/// The field of an error that was counted when it came up, as scripts of Redis see it.
const COUNTED: &str = "ignore_error_stats_update";
/// Tables in tables, at most.
const DEPTH_MAX: usize = 128;

/// A string for Lua that is not UTF-8.
pub(super) struct Bytes<'b>(&'b [u8]);

impl IntoLua for Bytes<'_> {
    fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        Ok(Value::String(lua.create_string(self.0)?))
    }
}

/// A string for Lua. Text gets there without a handle to it, which costs more than the string.
pub(super) fn string(bytes: &[u8]) -> Either<&str, Bytes<'_>> {
    std::str::from_utf8(bytes).map_or(Either::Right(Bytes(bytes)), Either::Left)
}

/// A reply to a call: a number, a truth value or text, which get to Lua without a handle, or anything else.
pub(super) type Reply = Either<Either<f64, bool>, Either<String, Value>>;

/// [`to_lua`] of a reply as a whole.
pub(super) fn to_reply(lua: &Lua, item: Item, protocol: u8) -> mlua::Result<Reply> {
    Ok(match item {
        Item::Null | Item::NullArray if protocol < 3 => Either::Left(Either::Right(false)),
        Item::Boolean(value) => Either::Left(Either::Right(value)),
        Item::Integer(value) => Either::Left(Either::Left(value as f64)),
        Item::Bulk(bytes) => Either::Right(match String::from_utf8(bytes) {
            Ok(text) => Either::Left(text),
            Err(other) => Either::Right(Value::String(lua.create_string(other.as_bytes())?)),
        }),
        item => Either::Right(Either::Right(to_lua(lua, &item, protocol)?)),
    })
}

/// What a call gives a script. `protocol` is the one the script has chosen.
pub(super) fn to_lua(lua: &Lua, item: &Item, protocol: u8) -> mlua::Result<Value> {
    let list = |items: &[Item]| -> mlua::Result<Value> {
        let table = lua.create_table_with_capacity(items.len(), 0)?;
        for (index, item) in items.iter().enumerate() {
            table.raw_set(index + 1, to_lua(lua, item, protocol)?)?;
        }
        Ok(Value::Table(table))
    };
    Ok(match item {
        Item::Null | Item::NullArray if protocol >= 3 => Value::Nil,
        Item::Null | Item::NullArray => Value::Boolean(false),
        Item::Boolean(value) => Value::Boolean(*value),
        Item::Integer(value) => Value::Number(*value as f64),
        Item::Bulk(bytes) => Value::String(lua.create_string(bytes)?),
        Item::Array(items) => list(items)?,
        Item::Simple(text) => Value::Table(lua.create_table_from([("ok", text.as_str())])?),
        Item::Error(text) => Value::Table(error(lua, text, false)?),
        Item::CountedError(text) => Value::Table(error(lua, text, true)?),
        Item::Double(value) if protocol >= 3 => single(lua, "double", Value::Number(*value))?,
        Item::Double(value) => Value::String(lua.create_string(number_text(*value))?),
        Item::BigNumber(digits) => single(lua, "big_number", Value::String(lua.create_string(digits)?))?,
        Item::Verbatim(format, text) => {
            let table = lua.create_table()?;
            table.raw_set("format", format.as_str())?;
            table.raw_set("string", lua.create_string(text)?)?;
            single(lua, "verbatim_string", Value::Table(table))?
        }
        Item::Map(items) => {
            let map = lua.create_table()?;
            for pair in items.chunks_exact(2) {
                map.raw_set(to_lua(lua, &pair[0], protocol)?, to_lua(lua, &pair[1], protocol)?)?;
            }
            single(lua, "map", Value::Table(map))?
        }
        Item::Set(items) => {
            let set = lua.create_table()?;
            for item in items {
                set.raw_set(to_lua(lua, item, protocol)?, true)?;
            }
            single(lua, "set", Value::Table(set))?
        }
    })
}

fn single(lua: &Lua, field: &str, value: Value) -> mlua::Result<Value> {
    let table = lua.create_table()?;
    table.raw_set(field, value)?;
    Ok(Value::Table(table))
}

/// An error as scripts see it.
pub(super) fn error(lua: &Lua, text: &str, counted: bool) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("err", lua.create_string(text)?)?;
    if counted {
        table.raw_set(COUNTED, true)?;
    }
    Ok(table)
}

/// What a script gives its client.
pub(super) fn from_lua(value: &Value, protocol: u8) -> Item {
    nested(value, protocol, 0)
}

fn nested(value: &Value, protocol: u8, depth: usize) -> Item {
    if depth > DEPTH_MAX {
        return Item::Error("ERR reached lua stack limit".to_owned());
    }
    match value {
        Value::String(text) => Item::Bulk(text.as_bytes().to_vec()),
        Value::Integer(number) => Item::Integer(*number),
        Value::Number(number) => Item::Integer(integer(*number)),
        Value::Boolean(value) if protocol >= 3 => Item::Boolean(*value),
        Value::Boolean(true) => Item::Integer(1),
        Value::Table(table) => from_table(table, protocol, depth),
        _ => Item::Null,
    }
}

/// Cut off, and as x86 has it where it does not fit.
fn integer(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

fn from_table(table: &Table, protocol: u8, depth: usize) -> Item {
    let field = |name: &str| table.raw_get::<Value>(name).unwrap_or(Value::Nil);
    if let Value::String(text) = field("err") {
        let text = text.to_string_lossy().replace(['\r', '\n'], " ");
        let is_counted = matches!(field(COUNTED), Value::Boolean(true));
        return if is_counted { Item::CountedError(text) } else { Item::Error(text) };
    }
    if let Value::String(text) = field("ok") {
        return Item::Simple(text.to_string_lossy().replace(['\r', '\n'], " "));
    }
    match field("double") {
        Value::Number(number) => return Item::Double(number),
        Value::Integer(number) => return Item::Double(number as f64),
        _ => {}
    }
    if let Value::Table(map) = field("map") {
        let pairs = map.pairs::<Value, Value>().filter_map(Result::ok);
        return Item::Map(
            pairs
                .flat_map(|(key, value)| [nested(&key, protocol, depth + 1), nested(&value, protocol, depth + 1)])
                .collect(),
        );
    }
    if let Value::Table(set) = field("set") {
        let members = set.pairs::<Value, Value>().filter_map(Result::ok);
        return Item::Set(members.map(|(member, _)| nested(&member, protocol, depth + 1)).collect());
    }
    if let Value::String(digits) = field("big_number") {
        return Item::BigNumber(digits.to_string_lossy().replace(['\r', '\n'], " "));
    }
    if let Value::Table(verbatim) = field("verbatim_string")
        && let (Ok(format), Ok(text)) =
            (verbatim.raw_get::<LuaString>("format"), verbatim.raw_get::<LuaString>("string"))
    {
        return Item::Verbatim(format.to_string_lossy(), text.as_bytes().to_vec());
    }
    let mut items = Vec::new();
    for index in 1.. {
        match table.raw_get::<Value>(index) {
            Ok(Value::Nil) | Err(_) => break,
            Ok(value) => items.push(nested(&value, protocol, depth + 1)),
        }
    }
    Item::Array(items)
}

/// A word of a call; none for what is neither a string nor a number.
pub(super) fn word(value: &Value) -> Option<Vec<u8>> {
    let mut word = Vec::new();
    push_word(&mut word, value).then_some(word)
}

/// Appends a word of a call; whether the value is one.
pub(super) fn push_word(words: &mut Vec<u8>, value: &Value) -> bool {
    match value {
        Value::String(text) => words.extend_from_slice(&text.as_bytes()),
        Value::Integer(number) => words.extend_from_slice(itoa::Buffer::new().format(*number).as_bytes()),
        Value::Number(number) => push_number(words, *number),
        _ => return false,
    }
    true
}

/// Appends a number as a word: with all its digits if it is whole.
pub(super) fn push_number(words: &mut Vec<u8>, number: f64) {
    let whole = number as i64;
    // What is too large for one becomes the largest.
    if whole as f64 == number && whole != i64::MAX {
        words.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    } else {
        words.extend_from_slice(number_text(number).as_bytes());
    }
}

/// The shortest text that reads as the same number; whole numbers without a point.
fn number_text(number: f64) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.trunc() == number && number.abs() <= EXACT {
        return (number as i64).to_string();
    }
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}
