//! `redis.register_function`: what a library says about one of its functions.

use mlua::{Function, Lua, MultiValue, Table, Value};

use crate::scripting::flags::ScriptFlags;
use crate::scripting::shebang;

/// A function of a library that is being loaded.
pub(in crate::scripting) struct Registration {
    pub(in crate::scripting) name: String,
    pub(in crate::scripting) description: Option<Vec<u8>>,
    pub(in crate::scripting) flags: ScriptFlags,
    pub(super) callback: Function,
}

impl Registration {
    /// # Errors
    /// The text for the library, prefix included.
    pub(super) fn parse(lua: &Lua, arguments: &MultiValue) -> Result<Registration, String> {
        let parsed = match arguments.iter().collect::<Vec<_>>().as_slice() {
            [Value::Table(named)] => Self::named(lua, named),
            [_] => Err("calling redis.register_function with a single argument is only applicable to Lua table \
                        (representing named arguments)."),
            [name, callback] => Self::positional(lua, name, callback),
            _ => Err("wrong number of arguments to redis.register_function"),
        };
        let (name, registration) = parsed.map_err(|text| format!("ERR {text}"))?;
        Ok(Registration { name: shebang::checked_name(&name)?, ..registration })
    }

    fn positional(lua: &Lua, name: &Value, callback: &Value) -> Result<(Vec<u8>, Registration), &'static str> {
        let name = text(lua, name).ok_or("first argument to redis.register_function must be a string")?;
        let Value::Function(callback) = callback else {
            return Err("second argument to redis.register_function must be a function");
        };
        Ok((name, Self::new(callback)))
    }

    fn new(callback: &Function) -> Registration {
        Registration {
            name: String::new(),
            description: None,
            flags: ScriptFlags::declared(),
            callback: callback.clone(),
        }
    }

    fn named(lua: &Lua, named: &Table) -> Result<(Vec<u8>, Registration), &'static str> {
        let (mut name, mut description, mut flags, mut callback) = (None, None, ScriptFlags::declared(), None);
        for (key, value) in named.pairs::<Value, Value>().filter_map(Result::ok) {
            let Some(key) = text(lua, &key) else {
                return Err("named argument key given to redis.register_function is not a string");
            };
            match key.to_ascii_lowercase().as_slice() {
                b"function_name" => {
                    const WRONG: &str = "function_name argument given to redis.register_function must be a string";
                    name = Some(text(lua, &value).ok_or(WRONG)?);
                }
                b"description" => {
                    const WRONG: &str = "description argument given to redis.register_function must be a string";
                    description = Some(text(lua, &value).ok_or(WRONG)?);
                }
                b"callback" => match value {
                    Value::Function(function) => callback = Some(function),
                    _ => return Err("callback argument given to redis.register_function must be a function"),
                },
                b"flags" => match value {
                    Value::Table(list) => flags = read_flags(&list)?,
                    _ => {
                        return Err("flags argument to redis.register_function must be a table representing function \
                                    flags");
                    }
                },
                _ => return Err("unknown argument given to redis.register_function"),
            }
        }
        let name = name.ok_or("redis.register_function must get a function name argument")?;
        let callback = callback.ok_or("redis.register_function must get a callback argument")?;
        Ok((name, Registration { description, flags, ..Self::new(&callback) }))
    }
}

fn text(lua: &Lua, value: &Value) -> Option<Vec<u8>> {
    let text = lua.coerce_string(value.clone()).ok()??;
    Some(text.as_bytes().to_vec())
}

fn read_flags(list: &Table) -> Result<ScriptFlags, &'static str> {
    let mut flags = ScriptFlags::declared();
    for index in 1.. {
        match list.raw_get::<Value>(index) {
            Ok(Value::Nil) => break,
            Ok(Value::String(name)) if flags.add(&name.to_string_lossy().to_ascii_lowercase()) => {}
            _ => return Err("unknown flag given"),
        }
    }
    Ok(flags)
}
