//! A Lua interpreter with what scripts may use, and the scripts it has compiled. Each thread that runs scripts has one.

mod api;
mod calls;
mod failure;
mod loading;
mod registration;
mod state;
mod words;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value};

pub(super) use self::calls::Caller;
use self::failure::{failure, message};
pub(super) use self::registration::Registration;
use self::state::{Limit, State, release, watch};
use super::convert::{from_lua, string};
use super::item::Item;
use super::libraries::cjson::SharedSettings;
use super::program::Program;
use super::running::Running;
use super::scripts::Script;
use super::{Invocation, libraries};

const ENVIRONMENT: &str = include_str!("environment.lua");
/// The name of the host's own text.
const OWN: &str = "@environment";
/// The name of a script's text in error messages.
const CHUNK: &str = "@user_script";
/// Compiled scripts that are kept.
const COMPILED_MAX: usize = 4096;

pub(super) struct Interpreter {
    lua: Lua,
    environment: Table,
    run_script: Function,
    run_function: Function,
    set_loading: Function,
    /// Calls a function that may fail.
    protect: Function,
    /// By the script's number.
    compiled: HashMap<u64, Function>,
    /// The functions of libraries by number.
    functions: Table,
    last_function: u64,
    state: Arc<State>,
    /// Those of the script that runs.
    json: SharedSettings,
}

thread_local! {
    static INTERPRETER: RefCell<Option<Interpreter>> = const { RefCell::new(None) };
}

/// Uses this thread's interpreter, made on first use.
///
/// # Errors
/// No interpreter could be made, or a script calls for another one.
pub(super) fn with<T>(use_it: impl FnOnce(&mut Interpreter) -> T) -> Result<T, String> {
    INTERPRETER.with(|slot| {
        let mut slot = slot.try_borrow_mut().map_err(|_| "ERR a script runs already".to_owned())?;
        if slot.is_none() {
            *slot = Some(Interpreter::new().map_err(|problem| format!("ERR no interpreter: {problem}"))?);
        }
        match &mut *slot {
            Some(interpreter) => Ok(use_it(interpreter)),
            None => Err("ERR no interpreter".to_owned()),
        }
    })
}

impl Interpreter {
    pub(super) fn new() -> mlua::Result<Interpreter> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let state = Arc::new(State::default());
        let host = lua.create_table()?;
        let redis = lua.create_table()?;
        api::constants(&redis)?;
        api::functions(&lua, &redis, &state)?;
        calls::functions(&lua, &redis, &state)?;
        api::support(&lua, &host, &state)?;
        host.raw_set("redis", &redis)?;
        host.raw_set("loading", loading::table(&lua, &state)?)?;
        let json = SharedSettings::default();
        host.raw_set("libraries", libraries::all(&lua, &json)?)?;
        let chunk = lua.load(ENVIRONMENT).set_name(OWN);
        let (environment, run_script, run_function, set_loading, protect) = chunk.call(&host)?;
        watch(&lua, &state)?;
        Ok(Interpreter {
            functions: lua.create_table()?,
            last_function: 0,
            compiled: HashMap::new(),
            lua,
            environment,
            run_script,
            run_function,
            set_loading,
            protect,
            state,
            json,
        })
    }

    /// Bytes that Lua has allocated.
    pub(super) fn used_memory(&self) -> usize {
        self.lua.used_memory()
    }

    /// # Errors
    /// The text for the client.
    pub(super) fn compile(&mut self, script: &Script) -> Result<Function, String> {
        if let Some(compiled) = self.compiled.get(&script.number) {
            return Ok(compiled.clone());
        }
        let chunk = self.lua.load(script.code()).set_name(CHUNK).set_mode(ChunkMode::Text);
        let compiled = chunk
            .into_function()
            .map_err(|problem| format!("ERR Error compiling script (new function): {}", message(problem)))?;
        compiled.set_environment(self.environment.clone()).map_err(|problem| format!("ERR {problem}"))?;
        if self.compiled.len() >= COMPILED_MAX {
            self.compiled.clear();
        }
        self.compiled.insert(script.number, compiled.clone());
        Ok(compiled)
    }

    /// Runs a script with the settings of all scripts, whichever thread ran the one before.
    pub(super) fn run_with(
        &mut self,
        json: &SharedSettings,
        invocation: &Invocation,
        running: Arc<Running>,
        caller: &mut dyn Caller,
    ) -> Item {
        copy(json, &self.json);
        let item = self.run(invocation, running, caller);
        copy(&self.json, json);
        item
    }

    /// Runs a script or a function to its end.
    pub(super) fn run(&mut self, invocation: &Invocation, running: Arc<Running>, caller: &mut dyn Caller) -> Item {
        let entry = match &invocation.program {
            Program::Script(script) => self.compile(script),
            Program::Function(function) => {
                self.functions.raw_get(function.number).map_err(|_| "ERR Function not found".to_owned())
            }
        };
        let entry = match entry {
            Ok(entry) => entry,
            Err(text) => return Item::Error(text),
        };
        self.state.set_protocol(2);
        *self.state.started.lock() = Some(running.since());
        *self.state.limit.lock() = Limit::Kill(running);
        let outcome = calls::with(caller, || self.call(&entry, invocation));
        let released = release(&self.lua, &self.state);
        match released.and(outcome) {
            Ok((true, value)) => from_lua(&value, self.state.protocol()),
            Ok((false, problem)) => failure(&problem, invocation.program.name()),
            Err(problem) => Item::Error(format!("ERR {}", problem.to_string().replace(['\r', '\n'], " "))),
        }
    }

    fn call(&self, entry: &Function, invocation: &Invocation) -> mlua::Result<(bool, Value)> {
        let keys = self.lua.create_sequence_from(invocation.keys().map(string))?;
        let arguments = self.lua.create_sequence_from(invocation.arguments().map(string))?;
        let run = match invocation.program {
            Program::Script(_) => &self.run_script,
            Program::Function(_) => &self.run_function,
        };
        run.call((entry, keys, arguments))
    }
}

fn copy(from: &SharedSettings, to: &SharedSettings) {
    let settings = *from.lock();
    *to.lock() = settings;
}
