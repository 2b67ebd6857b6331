//! The functions of `redis` that run commands. They are made once for an interpreter, and find whoever runs the commands of
//! the script at hand where its thread has left it for as long as the script runs.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use ennead_kv::Args;
use mlua::{Lua, MultiValue, Table};
use scoped_tls_hkt::{ReborrowMut, scoped_thread_local};

use super::failure::{raised, raised_counted};
use super::state::State;
use crate::scripting::convert::{push_word, to_reply};
use crate::scripting::item::Item;

/// What runs a script's commands.
pub(in crate::scripting) trait Caller {
    /// The reply, or an error in it, to a command called in the protocol.
    fn call(&mut self, args: Args<'_>, protocol: u8) -> Item;
    /// Whether the user may run the command.
    fn may_call(&mut self, args: Args<'_>) -> Result<bool, String>;
}

/// Whoever runs the commands of the script at hand.
struct Current<'a>(&'a mut (dyn Caller + 'a));

impl<'a> ReborrowMut<'a> for Current<'_> {
    type Result = Current<'a>;
    fn reborrow_mut(&'a mut self) -> Current<'a> {
        Current(&mut *self.0)
    }
}

scoped_thread_local!(static mut CURRENT: for<'a> Current<'a>);

/// The words of a call, one behind the other, and where each is.
#[derive(Default)]
struct Words {
    buffer: Vec<u8>,
    spans: Vec<Range<usize>>,
}

/// Longer words are given back to the allocator.
const KEPT_BYTES: usize = 64 << 10;

thread_local! {
    /// For the next call, so that it allocates nothing.
    static WORDS: Cell<Words> = Cell::default();
}

/// Runs something that calls the functions of [`functions`], for this caller.
pub(super) fn with<T>(caller: &mut dyn Caller, run: impl FnOnce() -> T) -> T {
    CURRENT.set(Current(caller), run)
}

pub(super) fn functions(lua: &Lua, redis: &Table, state: &Arc<State>) -> mlua::Result<()> {
    let shared = Arc::clone(state);
    let call = move |lua: &Lua, values: MultiValue| match item(&values, &shared) {
        Item::Error(text) => Err(raised(text)),
        Item::CountedError(text) => Err(raised_counted(text)),
        item => to_reply(lua, item, shared.protocol()),
    };
    redis.raw_set("call", lua.create_function(call)?)?;
    let shared = Arc::clone(state);
    let pcall = move |lua: &Lua, values: MultiValue| to_reply(lua, item(&values, &shared), shared.protocol());
    redis.raw_set("pcall", lua.create_function(pcall)?)?;
    let may_call = |_: &Lua, values: MultiValue| {
        let answer = ask(&values, "redis.acl_check_cmd() call", |caller, args| caller.may_call(args));
        answer.and_then(|may| may).map_err(raised)
    };
    redis.raw_set("acl_check_cmd", lua.create_function(may_call)?)
}

/// The reply to a command.
fn item(values: &MultiValue, state: &State) -> Item {
    ask(values, "redis lib call", |caller, args| caller.call(args, state.protocol())).unwrap_or_else(Item::Error)
}

/// Asks whoever runs the script's commands.
fn ask<T>(values: &MultiValue, what: &str, ask: impl FnOnce(&mut dyn Caller, Args<'_>) -> T) -> Result<T, String> {
    if values.is_empty() {
        return Err(format!("ERR Please specify at least one argument for this {what}"));
    }
    if !CURRENT.is_set() {
        return Err("ERR commands can only be called while a script or a function runs".to_owned());
    }
    let Words { mut buffer, mut spans } = WORDS.take();
    (buffer.clear(), spans.clear());
    let complete = values.iter().all(|value| {
        let start = buffer.len();
        let is_word = push_word(&mut buffer, value);
        spans.push(start..buffer.len());
        is_word
    });
    let answer = if complete {
        Ok(CURRENT.with(|Current(caller)| ask(caller, Args::new(&buffer, &spans))))
    } else {
        Err("ERR Lua redis lib command arguments must be strings or integers".to_owned())
    };
    if buffer.capacity() <= KEPT_BYTES {
        WORDS.set(Words { buffer, spans });
    }
    answer
}
