//! Loading a library: its text runs once, with nothing but what registers functions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::{Lua, MultiValue, Table, Value};

use super::failure::{message, raised};
use super::registration::Registration;
use super::state::{Limit, State, release};
use super::{Interpreter, api};
use crate::scripting::convert::from_lua;
use crate::scripting::item::Item;

/// The name of a library's text in error messages.
const CHUNK: &str = "@user_function";

impl Interpreter {
    /// The functions of a library. They stay here, by number, until [`Interpreter::forget`].
    ///
    /// # Errors
    /// The text for the client.
    pub(in crate::scripting) fn load(
        &mut self,
        code: &[u8],
        limit: Option<Duration>,
    ) -> Result<Vec<(u64, Registration)>, String> {
        let chunk = self.lua.load(code).set_name(CHUNK).set_mode(ChunkMode::Text).into_function();
        let chunk = chunk.map_err(|problem| format!("ERR Error compiling function: {}", message(problem)))?;
        let internal = |problem: mlua::Error| format!("ERR {problem}");
        chunk.set_environment(self.environment.clone()).map_err(internal)?;
        self.set_loading.call::<()>(true).map_err(internal)?;
        *self.state.loading.lock() = Some(Vec::new());
        *self.state.limit.lock() = limit.map_or(Limit::None, |limit| Limit::Deadline(Instant::now() + limit));
        let outcome = self.protect.call::<(bool, Value)>(chunk);
        let ended = release(&self.lua, &self.state).map_err(internal)?;
        let registered = self.state.loading.lock().take().unwrap_or_default();
        self.set_loading.call::<()>(false).map_err(internal)?;
        let problem = match (ended, outcome) {
            (Some(text), _) => Some(text.to_owned()),
            (None, Ok((true, _))) => None,
            (None, Ok((false, problem))) => Some(explain(&problem)),
            (None, Err(problem)) => Some(format!("ERR {problem}")),
        };
        if let Some(text) = problem {
            return Err(format!("ERR Error registering functions: {text}"));
        }
        let mut functions = Vec::with_capacity(registered.len());
        for registration in registered {
            self.last_function += 1;
            self.functions.raw_set(self.last_function, &registration.callback).map_err(internal)?;
            functions.push((self.last_function, registration));
        }
        Ok(functions)
    }

    pub(in crate::scripting) fn forget(&mut self, function: u64) {
        // Setting nil allocates nothing, so it cannot fail.
        drop(self.functions.raw_set(function, Value::Nil));
    }
}

/// The text of an error that ended the loading of a library.
fn explain(problem: &Value) -> String {
    match (problem, from_lua(problem, 2)) {
        (Value::Table(_), Item::Error(text) | Item::CountedError(text)) => text,
        (Value::String(text), _) => format!("ERR {}", text.to_string_lossy().replace(['\r', '\n'], " ")),
        _ => "ERR unknown error".to_owned(),
    }
}

/// What libraries know as `redis` while they are loaded.
pub(super) fn table(lua: &Lua, state: &Arc<State>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    api::log_functions(lua, &table)?;
    api::version(&table)?;
    let state = Arc::clone(state);
    let register = move |lua: &Lua, arguments: MultiValue| {
        let mut loading = state.loading.lock();
        let Some(registered) = &mut *loading else {
            return Err(raised("ERR redis.register_function can only be called on FUNCTION LOAD command".to_owned()));
        };
        let registration = Registration::parse(lua, &arguments).map_err(raised)?;
        if registered.iter().any(|other| other.name == registration.name) {
            return Err(raised("ERR Function already exists in the library".to_owned()));
        }
        registered.push(registration);
        Ok(())
    };
    table.raw_set("register_function", lua.create_function(register)?)?;
    Ok(table)
}
