//! What can be set in `cjson`, and the functions that do so and tell.

use mlua::{MultiValue, Value};

use super::Call;

/// What becomes of numbers that JSON has no words for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Invalid {
    Refused,
    Kept,
    Null,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Arrays with too many holes become objects; else they are errors.
    pub(super) sparse_convert: bool,
    /// How many times its items an array may be long; 0 for any number.
    pub(super) sparse_ratio: i32,
    /// Up to this length any number of holes will do.
    pub(super) sparse_safe: i32,
    pub(super) encode_depth_max: i32,
    pub(super) decode_depth_max: i32,
    /// Significant digits of numbers.
    pub(super) precision: i32,
    /// Of the original, where a buffer for texts stays allocated; here it changes nothing.
    keep_buffer: bool,
    pub(super) encode_invalid: Invalid,
    pub(super) decode_invalid: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth_max: 1000,
            decode_depth_max: 1000,
            precision: 14,
            keep_buffer: true,
            encode_invalid: Invalid::Refused,
            decode_invalid: true,
        }
    }
}

type Setter = fn(&Call<'_>, &mut Settings) -> mlua::Result<MultiValue>;

/// By name. What is set comes back, what was before if no argument is given.
pub(super) const SETTERS: &[(&str, Setter)] = &[
    ("encode_sparse_array", |call, settings| {
        at_most(call, 3)?;
        let convert = switch(call, 1, &mut settings.sparse_convert)?;
        let ratio = integer(call, 2, &mut settings.sparse_ratio, 0, i32::MAX)?;
        let safe = integer(call, 3, &mut settings.sparse_safe, 0, i32::MAX)?;
        Ok(MultiValue::from_iter([convert, ratio, safe]))
    }),
    ("encode_max_depth", |call, settings| {
        at_most(call, 1)?;
        single(integer(call, 1, &mut settings.encode_depth_max, 1, i32::MAX))
    }),
    ("decode_max_depth", |call, settings| {
        at_most(call, 1)?;
        single(integer(call, 1, &mut settings.decode_depth_max, 1, i32::MAX))
    }),
    ("encode_number_precision", |call, settings| {
        at_most(call, 1)?;
        single(integer(call, 1, &mut settings.precision, 1, 14))
    }),
    ("encode_keep_buffer", |call, settings| {
        at_most(call, 1)?;
        single(switch(call, 1, &mut settings.keep_buffer))
    }),
    ("encode_invalid_numbers", |call, settings| {
        at_most(call, 1)?;
        single(invalid(call, &mut settings.encode_invalid))
    }),
    ("decode_invalid_numbers", |call, settings| {
        at_most(call, 1)?;
        single(switch(call, 1, &mut settings.decode_invalid))
    }),
];

fn single(value: mlua::Result<Value>) -> mlua::Result<MultiValue> {
    Ok(MultiValue::from_iter([value?]))
}

fn at_most(call: &Call<'_>, count: usize) -> mlua::Result<()> {
    if call.len() > count { Err(call.argument_error(count + 1, "found too many arguments")) } else { Ok(()) }
}

fn integer(call: &Call<'_>, number: usize, setting: &mut i32, min: i32, max: i32) -> mlua::Result<Value> {
    if !call.is_absent(number) {
        let value = call.integer(number)? as i32;
        if value < min || value > max {
            return Err(call.argument_error(1, &format!("expected integer between {min} and {max}")));
        }
        *setting = value;
    }
    Ok(Value::Integer(i64::from(*setting)))
}

fn switch(call: &Call<'_>, number: usize, setting: &mut bool) -> mlua::Result<Value> {
    match call.get(number) {
        None | Some(Value::Nil) => {}
        Some(Value::Boolean(value)) => *setting = *value,
        Some(_) => *setting = option(call, number, &["off", "on"])? == 1,
    }
    Ok(Value::Boolean(*setting))
}

fn invalid(call: &Call<'_>, setting: &mut Invalid) -> mlua::Result<Value> {
    match call.get(1) {
        None | Some(Value::Nil) => {}
        Some(Value::Boolean(value)) => *setting = if *value { Invalid::Kept } else { Invalid::Refused },
        Some(_) => {
            const CHOICES: [Invalid; 3] = [Invalid::Refused, Invalid::Kept, Invalid::Null];
            *setting = CHOICES[option(call, 1, &["off", "on", "null"])?];
        }
    }
    Ok(match setting {
        Invalid::Refused => Value::Boolean(false),
        Invalid::Kept => Value::Boolean(true),
        Invalid::Null => Value::String(call.lua.create_string("null")?),
    })
}

/// Which of these words the argument is.
fn option(call: &Call<'_>, number: usize, words: &[&str]) -> mlua::Result<usize> {
    let word = call.string(number)?;
    let found = words.iter().position(|known| known.as_bytes() == &*word.as_bytes());
    found.ok_or_else(|| call.argument_error(number, &format!("invalid option '{}'", word.to_string_lossy())))
}
