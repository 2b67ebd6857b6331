//! The functions of `redis` that run commands. They are made once for an interpreter, and find whoever runs the commands of
//! the script at hand where its thread has left it for as long as the script runs.

use std::sync::Arc;

use ennead_kv::Args;
use mlua::{Lua, Table};
use scoped_tls_hkt::{ReborrowMut, scoped_thread_local};

use super::failure::{raised, raised_counted};
use super::state::State;
use super::words::Words;
use crate::scripting::convert::to_reply;
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

/// Runs something that calls the functions of [`functions`], for this caller.
pub(super) fn with<T>(caller: &mut dyn Caller, run: impl FnOnce() -> T) -> T {
    CURRENT.set(Current(caller), run)
}

pub(super) fn functions(lua: &Lua, redis: &Table, state: &Arc<State>) -> mlua::Result<()> {
    let shared = Arc::clone(state);
    let call = move |lua: &Lua, words: Words| match item(&words, &shared) {
        Item::Error(text) => Err(raised(text)),
        Item::CountedError(text) => Err(raised_counted(text)),
        item => to_reply(lua, item, shared.protocol()),
    };
    redis.raw_set("call", lua.create_function(call)?)?;
    let shared = Arc::clone(state);
    let pcall = move |lua: &Lua, words: Words| to_reply(lua, item(&words, &shared), shared.protocol());
    redis.raw_set("pcall", lua.create_function(pcall)?)?;
    let may_call = |_: &Lua, words: Words| {
        let may = words.args("redis.acl_check_cmd() call").and_then(|args| ask(|caller| caller.may_call(args))?);
        may.map_err(raised)
    };
    redis.raw_set("acl_check_cmd", lua.create_function(may_call)?)
}

/// The reply to a command.
fn item(words: &Words, state: &State) -> Item {
    let item = words.args("redis lib call").and_then(|args| ask(|caller| caller.call(args, state.protocol())));
    item.unwrap_or_else(Item::Error)
}

/// Asks whoever runs the script's commands.
fn ask<T>(ask: impl FnOnce(&mut dyn Caller) -> T) -> Result<T, String> {
    if !CURRENT.is_set() {
        return Err("ERR commands can only be called while a script or a function runs".to_owned());
    }
    Ok(CURRENT.with(|Current(caller)| ask(caller)))
}
