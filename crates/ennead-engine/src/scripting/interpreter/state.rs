//! What the host's functions in an interpreter share, and the look from time to time whether a script is to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use mlua::{HookTriggers, Lua, VmState};
use parking_lot::Mutex;

use super::failure::raised;
use super::registration::Registration;
use crate::scripting::random::Generator;
use crate::scripting::running::Running;

/// Instructions between two looks.
const HOOK_INSTRUCTIONS: u32 = 10_000;

#[derive(Default)]
pub(super) struct State {
    protocol: AtomicU8,
    pub(super) random: Generator,
    pub(super) limit: Mutex<Limit>,
    pub(super) started: Mutex<Option<Instant>>,
    /// The functions that the library has registered that is being loaded.
    pub(super) loading: Mutex<Option<Vec<Registration>>>,
}

/// What ends a script before its own end.
#[derive(Default)]
pub(super) enum Limit {
    #[default]
    None,
    Kill(Arc<Running>),
    /// Of FUNCTION LOAD.
    Deadline(Instant),
}

impl State {
    /// The one the script has chosen.
    pub(super) fn protocol(&self) -> u8 {
        self.protocol.load(Ordering::Relaxed)
    }

    pub(super) fn set_protocol(&self, version: u8) {
        self.protocol.store(version, Ordering::Relaxed);
    }
}

impl Limit {
    fn reached(&self) -> Option<&'static str> {
        match self {
            Limit::Kill(running) if running.is_killed() => Some("ERR Script killed by user with SCRIPT KILL..."),
            Limit::Deadline(end) if Instant::now() > *end => Some("ERR FUNCTION LOAD timeout"),
            _ => None,
        }
    }
}

/// Begins to look from time to time.
pub(super) fn watch(lua: &Lua, state: &Arc<State>) -> mlua::Result<()> {
    hook(lua, state, HookTriggers::new().every_nth_instruction(HOOK_INSTRUCTIONS))
}

fn hook(lua: &Lua, state: &Arc<State>, triggers: HookTriggers) -> mlua::Result<()> {
    let state = Arc::clone(state);
    lua.set_global_hook(triggers, move |lua, _| match state.limit.lock().reached() {
        Some(text) => {
            // At every line from now on, so that the script cannot go on by catching the error.
            hook(lua, &state, HookTriggers::EVERY_LINE)?;
            Err(raised(text.to_owned()))
        }
        None => Ok(VmState::Continue),
    })
}

/// Ends what was set for one run. The text of what ended that, if something did.
pub(super) fn release(lua: &Lua, state: &Arc<State>) -> mlua::Result<Option<&'static str>> {
    let reached = std::mem::take(&mut *state.limit.lock()).reached();
    if reached.is_some() {
        watch(lua, state)?;
    }
    Ok(reached)
}
