//! What the host puts into an interpreter: the functions of `redis` that need nothing of the script at hand, and what the
//! environment is made with.

use std::sync::Arc;

use mlua::{Lua, MultiValue, Table, Value};

use super::failure::{error_value, raised, trace};
use super::state::State;
use crate::scripting::convert::word;

pub(super) fn constants(redis: &Table) -> mlua::Result<()> {
    for (name, value) in [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", 3)] {
        redis.raw_set(name, value)?;
    }
    version(redis)
}

pub(super) fn version(redis: &Table) -> mlua::Result<()> {
    let version = crate::version::REDIS_VERSION;
    let parts = version.split('.').filter_map(|part| part.parse::<i64>().ok());
    redis.raw_set("REDIS_VERSION", version)?;
    redis.raw_set("REDIS_VERSION_NUM", parts.fold(0, |number, part| number << 8 | part))
}

pub(super) fn log_functions(lua: &Lua, redis: &Table) -> mlua::Result<()> {
    for (name, value) in [("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)] {
        redis.raw_set(name, value)?;
    }
    redis.raw_set("log", lua.create_function(|_, values| log(&values))?)
}

/// The functions of `redis` that need nothing of the script at hand.
pub(super) fn functions(lua: &Lua, redis: &Table, state: &Arc<State>) -> mlua::Result<()> {
    let fail = |text: &str| raised(text.to_owned());
    let shared = Arc::clone(state);
    let setresp = move |_: &Lua, values: MultiValue| match values.iter().collect::<Vec<_>>().as_slice() {
        [Value::Integer(version @ 2..=3)] => {
            shared.set_protocol(*version as u8);
            Ok(())
        }
        [_] => Err(fail("ERR RESP version must be 2 or 3.")),
        _ => Err(fail("ERR redis.setresp() requires one argument.")),
    };
    redis.raw_set("setresp", lua.create_function(setresp)?)?;
    let set_repl = move |_: &Lua, values: MultiValue| match values.iter().collect::<Vec<_>>().as_slice() {
        // Effects go to the one log, whatever a script wishes.
        [Value::Integer(3)] => Ok(()),
        [Value::Integer(0..=2)] => {
            Err(fail("ERR redis.set_repl() supports only redis.REPL_ALL: every write is logged"))
        }
        [_] => Err(fail("ERR Invalid replication flags. Please use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")),
        _ => Err(fail("ERR redis.set_repl() requires one argument.")),
    };
    redis.raw_set("set_repl", lua.create_function(set_repl)?)?;
    log_functions(lua, redis)?;
    let sha1hex = move |_: &Lua, values: MultiValue| match values.iter().collect::<Vec<_>>().as_slice() {
        [value] => Ok(crate::scripting::scripts::sha1_hex(&word(value).unwrap_or_default())),
        _ => Err(fail("ERR wrong number of arguments")),
    };
    redis.raw_set("sha1hex", lua.create_function(sha1hex)?)
}

/// What the environment is made with beside `redis`.
pub(super) fn support(lua: &Lua, host: &Table, state: &Arc<State>) -> mlua::Result<()> {
    host.raw_set("trace", lua.create_function(trace)?)?;
    host.raw_set("error_value", lua.create_function(error_value)?)?;
    let shared = Arc::clone(state);
    let seconds = move || (*shared.started.lock()).map_or(0.0, |started| started.elapsed().as_secs_f64());
    host.raw_set("clock", lua.create_function(move |_, ()| Ok(seconds()))?)?;
    let shared = Arc::clone(state);
    let seed = move |_: &Lua, seed: f64| {
        shared.random.seed(seed as i64 as i32);
        Ok(())
    };
    host.raw_set("seed", lua.create_function(seed)?)?;
    let shared = Arc::clone(state);
    let random = move |_: &Lua, (first, second): (Option<f64>, Option<f64>)| {
        let drawn = shared.random.next();
        let within = |low: f64, high: f64| {
            if low > high {
                return Err(mlua::Error::RuntimeError("bad argument to 'random' (interval is empty)".to_owned()));
            }
            Ok((drawn * (high - low + 1.0)).floor() + low)
        };
        match (first, second) {
            (None, _) => Ok(drawn),
            (Some(high), None) => within(1.0, high.trunc()),
            (Some(low), Some(high)) => within(low.trunc(), high.trunc()),
        }
    };
    host.raw_set("random", lua.create_function(random)?)
}

fn log(values: &MultiValue) -> mlua::Result<()> {
    let fail = |text: &str| Err(raised(text.to_owned()));
    let mut values = values.iter();
    let (Some(level), Some(_)) = (values.next(), values.clone().next()) else {
        return fail("ERR redis.log() requires two arguments or more.");
    };
    let text: Vec<String> = values.filter_map(word).map(|word| String::from_utf8_lossy(&word).into_owned()).collect();
    let text = text.join(" ");
    match level {
        Value::Integer(0) => tracing::debug!(script = text),
        Value::Integer(1 | 2) => tracing::info!(script = text),
        Value::Integer(3) => tracing::warn!(script = text),
        Value::Integer(_) | Value::Number(_) => return fail("ERR Invalid debug level."),
        _ => return fail("ERR First argument must be a number (log level)."),
    }
    Ok(())
}
