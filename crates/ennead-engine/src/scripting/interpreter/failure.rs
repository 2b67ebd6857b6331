//! Errors of scripts: those of the host that they can catch, and what becomes of one that ended a script.

use mlua::{Lua, Table, Value};

use super::OWN;
use crate::scripting::convert::{self, from_lua};
use crate::scripting::item::Item;

/// Stack frames looked at for the place of an error.
const FRAMES_MAX: usize = 64;

/// An error that a script can catch.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String, bool);

pub(super) fn raised(text: String) -> mlua::Error {
    mlua::Error::external(Raised(text, false))
}

/// One that was counted when it came up.
pub(super) fn raised_counted(text: String) -> mlua::Error {
    mlua::Error::external(Raised(text, true))
}

/// The error that ended a script, which is a table with the place where it was raised.
pub(super) fn failure(problem: &Value, name: &str) -> Item {
    let Value::Table(table) = problem else { return Item::Error(format!("ERR Error running script {name}")) };
    let placed = |text: String| match (table.raw_get::<String>("source"), table.raw_get::<i64>("line")) {
        (Ok(source), Ok(line)) => format!("{text} script: {name}, on {source}:{line}."),
        _ => text,
    };
    match from_lua(problem, 2) {
        Item::Error(text) => Item::Error(placed(text)),
        Item::CountedError(text) => Item::CountedError(placed(text)),
        _ => Item::Error(placed("ERR unknown error".to_owned())),
    }
}

/// An error of the host as scripts catch it: a table for what a call of theirs led to, else a text.
pub(super) fn error_value(lua: &Lua, problem: Value) -> mlua::Result<Value> {
    let Value::Error(problem) = &problem else { return Ok(problem) };
    match problem.downcast_ref::<Raised>() {
        Some(Raised(text, counted)) => Ok(Value::Table(convert::error(lua, text, *counted)?)),
        None => Ok(Value::String(lua.create_string(cause(problem))?)),
    }
}

/// An error of any kind as a table with its text.
fn error_table(lua: &Lua, problem: Value) -> mlua::Result<Table> {
    let text = match error_value(lua, problem)? {
        Value::Table(table) => return Ok(table),
        Value::String(text) => [&b"ERR "[..], &text.as_bytes()].concat(),
        other => format!("ERR {}", other.to_string()?).into_bytes(),
    };
    let table = lua.create_table()?;
    table.raw_set("err", lua.create_string(text)?)?;
    Ok(table)
}

/// An error of the interpreter in its own words.
fn cause(problem: &mlua::Error) -> String {
    match problem {
        mlua::Error::CallbackError { cause: inner, .. } => cause(inner),
        mlua::Error::RuntimeError(text) | mlua::Error::MemoryError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The message of a text that is no Lua.
pub(super) fn message(problem: mlua::Error) -> String {
    let message = match problem {
        mlua::Error::SyntaxError { message, .. } => message,
        other => other.to_string(),
    };
    message.replace(['\r', '\n'], " ")
}

/// Makes a table of an error, with the place in the script.
pub(super) fn trace(lua: &Lua, problem: Value) -> mlua::Result<Value> {
    let table = error_table(lua, problem)?;
    for level in 1..FRAMES_MAX {
        let frame = lua.inspect_stack(level, |frame| {
            let source = frame.source().source.map(|source| source.into_owned());
            // Not the host's own, nor what stands for a frame that a tail call took.
            source.filter(|source| !source.starts_with('=') && source != OWN).zip(frame.current_line())
        });
        match frame {
            None => break,
            Some(None) => {}
            Some(Some((source, line))) => {
                table.raw_set("source", source)?;
                table.raw_set("line", line)?;
                break;
            }
        }
    }
    Ok(Value::Table(table))
}
