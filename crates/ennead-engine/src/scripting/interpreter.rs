//! A Lua interpreter with what scripts may use, and the scripts it has compiled. Each thread that runs scripts has one.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use mlua::{Function, HookTriggers, Lua, LuaOptions, LuaString, MultiValue, StdLib, Table, Value, VmState};

use super::convert::{from_lua, to_lua, word};
use super::item::Item;
use super::random::Generator;
use super::running::Running;
use super::{Invocation, Script, libraries};

const ENVIRONMENT: &str = include_str!("environment.lua");
/// The name of the host's own text.
const OWN: &str = "@environment";
/// The name of a script's text in error messages.
const CHUNK: &str = "@user_script";
/// Compiled scripts that are kept.
const COMPILED_MAX: usize = 4096;
/// Instructions between two looks at whether the script is to end.
const HOOK_INSTRUCTIONS: u32 = 10_000;
/// Stack frames looked at for the place of an error.
const FRAMES_MAX: usize = 64;
const KILLED: &str = "Script killed by user with SCRIPT KILL.";

/// What runs a script's commands.
pub(super) trait Caller {
    /// The reply, or an error in it, to a command called in the protocol.
    fn call(&mut self, words: &[Vec<u8>], protocol: u8) -> Item;
    /// Whether the user may run the command.
    fn may_call(&mut self, words: &[Vec<u8>]) -> Result<bool, String>;
}

pub(super) struct Interpreter {
    lua: Lua,
    /// What scripts know by this name.
    redis: Table,
    environment: Table,
    run: Function,
    set_arguments: Function,
    compiled: HashMap<String, Function>,
    state: Rc<State>,
}

#[derive(Default)]
struct State {
    protocol: Cell<u8>,
    random: Generator,
    running: RefCell<Option<Arc<Running>>>,
    started: Cell<Option<Instant>>,
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
    fn new() -> mlua::Result<Interpreter> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let state = Rc::new(State::default());
        let host = lua.create_table()?;
        let redis = lua.create_table()?;
        constants(&redis)?;
        functions(&lua, &redis, &state)?;
        support(&lua, &host, &state)?;
        host.raw_set("redis", &redis)?;
        host.raw_set("libraries", libraries::all(&lua)?)?;
        let chunk = lua.load(ENVIRONMENT).set_name(OWN);
        let (environment, run, set_arguments) = chunk.call(&host)?;
        let interpreter = Interpreter { lua, redis, environment, run, set_arguments, compiled: HashMap::new(), state };
        interpreter.watch(HookTriggers::new().every_nth_instruction(HOOK_INSTRUCTIONS))?;
        Ok(interpreter)
    }

    /// Looks from time to time whether the script is to end; from then on at every line, so that it cannot go on by
    /// catching the error.
    fn watch(&self, triggers: HookTriggers) -> mlua::Result<()> {
        let state = Rc::clone(&self.state);
        self.lua.set_global_hook(triggers, move |_, _| match &*state.running.borrow() {
            Some(running) if running.is_killed() => Err(mlua::Error::RuntimeError(KILLED.to_owned())),
            _ => Ok(VmState::Continue),
        })
    }

    /// # Errors
    /// The text for the client.
    pub(super) fn compile(&mut self, script: &Script) -> Result<Function, String> {
        if let Some(compiled) = self.compiled.get(&script.sha) {
            return Ok(compiled.clone());
        }
        // A first line like that of a program is not Lua; what follows keeps its line numbers.
        let text = match script.text.strip_prefix(b"#!") {
            Some(rest) => &rest[rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())..],
            None => &script.text,
        };
        let chunk = self.lua.load(text).set_name(CHUNK).set_mode(mlua::chunk::ChunkMode::Text);
        let compiled = chunk.into_function().map_err(|problem| {
            let message = match problem {
                mlua::Error::SyntaxError { message, .. } => message,
                other => other.to_string(),
            };
            format!("ERR Error compiling script (new function): {}", message.replace('\n', " "))
        })?;
        compiled.set_environment(self.environment.clone()).map_err(|problem| format!("ERR {problem}"))?;
        if self.compiled.len() >= COMPILED_MAX {
            self.compiled.clear();
        }
        self.compiled.insert(script.sha.clone(), compiled.clone());
        Ok(compiled)
    }

    /// Runs a script to its end.
    pub(super) fn run(&mut self, invocation: &Invocation, running: Arc<Running>, caller: &mut dyn Caller) -> Item {
        let script = match self.compile(&invocation.script) {
            Ok(script) => script,
            Err(text) => return Item::Error(text),
        };
        self.state.protocol.set(2);
        self.state.random.seed(0);
        self.state.started.set(Some(Instant::now()));
        *self.state.running.borrow_mut() = Some(running);
        let outcome = self.call(&script, invocation, caller);
        *self.state.running.borrow_mut() = None;
        match outcome {
            Ok((true, value)) => from_lua(&value, self.state.protocol.get()),
            Ok((false, problem)) => Item::Error(failure(&problem, &invocation.script.sha)),
            Err(problem) => Item::Error(format!("ERR {}", problem.to_string().replace(['\r', '\n'], " "))),
        }
    }

    fn call(&self, script: &Function, invocation: &Invocation, caller: &mut dyn Caller) -> mlua::Result<(bool, Value)> {
        let strings = |words: &[Vec<u8>]| {
            let words: mlua::Result<Vec<LuaString>> = words.iter().map(|word| self.lua.create_string(word)).collect();
            self.lua.create_sequence_from(words?)
        };
        self.set_arguments.call::<()>((strings(&invocation.keys)?, strings(&invocation.arguments)?))?;
        let state = &self.state;
        let caller = RefCell::new(caller);
        let item = |values: MultiValue| match words(&values, "redis lib call") {
            Ok(words) => caller.borrow_mut().call(&words, state.protocol.get()),
            Err(text) => Item::Error(text),
        };
        self.lua.scope(|scope| {
            let call = scope.create_function(|lua, values: MultiValue| match item(values) {
                Item::Error(text) => Err(raised(text)),
                item => to_lua(lua, &item, state.protocol.get()),
            })?;
            let pcall =
                scope.create_function(|lua, values: MultiValue| to_lua(lua, &item(values), state.protocol.get()))?;
            let may_call = scope.create_function(|_, values: MultiValue| {
                let words = words(&values, "redis.acl_check_cmd() call");
                words.and_then(|words| caller.borrow_mut().may_call(&words)).map_err(raised)
            })?;
            self.redis.raw_set("call", call)?;
            self.redis.raw_set("pcall", pcall)?;
            self.redis.raw_set("acl_check_cmd", may_call)?;
            self.run.call(script)
        })
    }
}

/// An error that a script can catch.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

fn raised(text: String) -> mlua::Error {
    mlua::Error::external(Raised(text))
}

/// The words of a call.
fn words(values: &MultiValue, what: &str) -> Result<Vec<Vec<u8>>, String> {
    if values.is_empty() {
        return Err(format!("ERR Please specify at least one argument for this {what}"));
    }
    let words: Option<Vec<Vec<u8>>> = values.iter().map(word).collect();
    words.ok_or("ERR Lua redis lib command arguments must be strings or integers".to_owned())
}

/// The text of an error that ended a script, which is a table with the place where it was raised.
fn failure(problem: &Value, sha: &str) -> String {
    let Value::Table(table) = problem else { return format!("ERR Error running script {sha}") };
    let text = match from_lua(problem, 2) {
        Item::Error(text) => text,
        _ => "ERR unknown error".to_owned(),
    };
    match (table.raw_get::<String>("source"), table.raw_get::<i64>("line")) {
        (Ok(source), Ok(line)) => format!("{text} script: {sha}, on {source}:{line}."),
        _ => text,
    }
}

fn constants(redis: &Table) -> mlua::Result<()> {
    for (name, value) in [
        ("LOG_DEBUG", 0),
        ("LOG_VERBOSE", 1),
        ("LOG_NOTICE", 2),
        ("LOG_WARNING", 3),
        ("REPL_NONE", 0),
        ("REPL_AOF", 1),
        ("REPL_SLAVE", 2),
        ("REPL_REPLICA", 2),
        ("REPL_ALL", 3),
    ] {
        redis.raw_set(name, value)?;
    }
    let version = crate::version::REDIS_VERSION;
    let parts = version.split('.').filter_map(|part| part.parse::<i64>().ok());
    redis.raw_set("REDIS_VERSION", version)?;
    redis.raw_set("REDIS_VERSION_NUM", parts.fold(0, |number, part| number << 8 | part))
}

/// The functions of `redis` that need nothing of the script at hand.
fn functions(lua: &Lua, redis: &Table, state: &Rc<State>) -> mlua::Result<()> {
    let fail = |text: &str| raised(text.to_owned());
    let shared = Rc::clone(state);
    let setresp = move |_: &Lua, values: MultiValue| match values.iter().collect::<Vec<_>>().as_slice() {
        [Value::Integer(version @ 2..=3)] => {
            shared.protocol.set(*version as u8);
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
    redis.raw_set("log", lua.create_function(|_, values| log(&values))?)?;
    let sha1hex = move |_: &Lua, values: MultiValue| match values.iter().collect::<Vec<_>>().as_slice() {
        [value] => Ok(super::scripts::sha1_hex(&word(value).unwrap_or_default())),
        _ => Err(fail("ERR wrong number of arguments")),
    };
    redis.raw_set("sha1hex", lua.create_function(sha1hex)?)
}

/// What the environment is made with beside `redis`.
fn support(lua: &Lua, host: &Table, state: &Rc<State>) -> mlua::Result<()> {
    host.raw_set("trace", lua.create_function(trace)?)?;
    host.raw_set("error_table", lua.create_function(error_table)?)?;
    let shared = Rc::clone(state);
    let seconds = move || shared.started.get().map_or(0.0, |started| started.elapsed().as_secs_f64());
    host.raw_set("clock", lua.create_function(move |_, ()| Ok(seconds()))?)?;
    let shared = Rc::clone(state);
    let seed = move |_: &Lua, seed: f64| {
        shared.random.seed(seed as i64 as i32);
        Ok(())
    };
    host.raw_set("seed", lua.create_function(seed)?)?;
    let shared = Rc::clone(state);
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

/// An error of any kind as a table with its text.
fn error_table(lua: &Lua, problem: Value) -> mlua::Result<Table> {
    let text = match &problem {
        Value::Table(table) => return Ok(table.clone()),
        Value::Error(problem) => match problem.downcast_ref::<Raised>() {
            Some(Raised(text)) => text.clone(),
            None => format!("ERR {}", cause(problem)),
        },
        other => format!("ERR {}", other.to_string()?),
    };
    let table = lua.create_table()?;
    table.raw_set("err", lua.create_string(text)?)?;
    Ok(table)
}

fn cause(problem: &mlua::Error) -> String {
    match problem {
        mlua::Error::CallbackError { cause: inner, .. } => cause(inner),
        mlua::Error::RuntimeError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Makes a table of an error, with the place in the script.
fn trace(lua: &Lua, problem: Value) -> mlua::Result<Value> {
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
