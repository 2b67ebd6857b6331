//! The call of a library's function: its arguments, checked as Lua's own libraries check theirs, and its errors, in their
//! words and with the place in the script.

use mlua::{Lua, LuaString, MultiValue, Value};

/// What a C function's part of Lua's stack holds at most; the originals of these libraries keep what they work on there.
pub(super) const STACK_SLOTS_MAX: usize = 8000;

/// What a library makes of a script's values is not longer: tables that hold each other several times would fill memory.
pub(super) const TEXT_BYTES_MAX: usize = 512 << 20;

pub(super) struct Call<'l> {
    pub(super) lua: &'l Lua,
    values: Vec<Value>,
}

impl<'l> Call<'l> {
    pub(super) fn new(lua: &'l Lua, values: MultiValue) -> Call<'l> {
        Call { lua, values: values.into_iter().collect() }
    }

    /// Arguments given.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// The argument of this number, counted from 1.
    pub(super) fn get(&self, number: usize) -> Option<&Value> {
        self.values.get(number - 1)
    }

    pub(super) fn is_absent(&self, number: usize) -> bool {
        matches!(self.get(number), None | Some(Value::Nil))
    }

    /// # Errors
    /// It is neither a number nor the text of one.
    pub(super) fn number(&self, number: usize) -> mlua::Result<f64> {
        let value = self.get(number).cloned().unwrap_or(Value::Nil);
        self.lua.coerce_number(value)?.ok_or_else(|| self.type_error(number, "number"))
    }

    /// Cut off, and as x86 has it where it does not fit.
    ///
    /// # Errors
    /// Those of [`Call::number`].
    pub(super) fn integer(&self, number: usize) -> mlua::Result<i64> {
        Ok(whole(self.number(number)?))
    }

    /// The bytes of a string, or a number's text.
    ///
    /// # Errors
    /// It is neither.
    pub(super) fn string(&self, number: usize) -> mlua::Result<LuaString> {
        let value = self.get(number).cloned().unwrap_or(Value::Nil);
        self.lua.coerce_string(value)?.ok_or_else(|| self.type_error(number, "string"))
    }

    fn type_error(&self, number: usize, expected: &str) -> mlua::Error {
        let found = self.get(number).map_or("no value", type_name);
        self.argument_error(number, &format!("{expected} expected, got {found}"))
    }

    /// An argument that will not do.
    pub(super) fn argument_error(&self, number: usize, text: &str) -> mlua::Error {
        let named = |names: mlua::debug::DebugNames<'_>| {
            let name = names.name.map_or_else(|| "?".to_owned(), |name| name.into_owned());
            (name, names.name_what == Some("method"))
        };
        let (name, is_method) =
            self.lua.inspect_stack(0, |frame| named(frame.names())).unwrap_or_else(|| ("?".to_owned(), false));
        self.error(&match (is_method, number) {
            // The object before the colon is not counted.
            (true, 1) => format!("calling '{name}' on bad self ({text})"),
            (true, _) => format!("bad argument #{} to '{name}' ({text})", number - 1),
            (false, _) => format!("bad argument #{number} to '{name}' ({text})"),
        })
    }

    /// An error at the place of the script that called.
    pub(super) fn error(&self, text: &str) -> mlua::Error {
        let place = self.lua.inspect_stack(1, |frame| {
            let source = frame.source().short_src.map(|source| source.into_owned());
            source.zip(frame.current_line())
        });
        mlua::Error::RuntimeError(match place.flatten() {
            Some((source, line)) => format!("{source}:{line}: {text}"),
            None => text.to_owned(),
        })
    }
}

/// The name of a value's type in Lua.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Table(_) => "table",
        Value::Function(_) => "function",
        Value::Thread(_) => "thread",
        _ => "userdata",
    }
}

/// A number's whole part as x86 converts it.
pub(super) fn whole(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}
