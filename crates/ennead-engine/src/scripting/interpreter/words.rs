//! The words of a call, taken from the interpreter's stack as they stand there. A handle to each, as values come otherwise,
//! costs several times the word.

use std::cell::Cell;
use std::ffi::c_int;
use std::ops::Range;

use ennead_kv::Args;
use mlua::state::RawLua;
use mlua::{FromLuaMulti, Lua, MultiValue, ffi};

use crate::scripting::convert::{push_number, push_word};

/// Longer words are given back to the allocator.
const KEPT_BYTES: usize = 64 << 10;

/// The words of a call.
pub(super) struct Words {
    words: Buffers,
    /// A value that is neither a string nor a number was among them.
    incomplete: bool,
}

/// Words one behind the other, and where each is.
#[derive(Default)]
struct Buffers {
    bytes: Vec<u8>,
    spans: Vec<Range<usize>>,
}

thread_local! {
    /// For the next call, so that it allocates nothing.
    static SPARE: Cell<Buffers> = Cell::default();
}

impl Words {
    fn take() -> Words {
        let mut words = SPARE.take();
        words.bytes.clear();
        words.spans.clear();
        Words { words, incomplete: false }
    }

    /// The words as a request; `what` they are of.
    ///
    /// # Errors
    /// There are none, or one of the values is no word; the text for the script.
    pub(super) fn args(&self, what: &str) -> Result<Args<'_>, String> {
        if self.incomplete {
            return Err("ERR Lua redis lib command arguments must be strings or integers".to_owned());
        }
        if self.words.spans.is_empty() {
            return Err(format!("ERR Please specify at least one argument for this {what}"));
        }
        Ok(Args::new(&self.words.bytes, &self.words.spans))
    }

    fn add(&mut self, push: impl FnOnce(&mut Vec<u8>) -> bool) {
        let bytes = &mut self.words.bytes;
        let start = bytes.len();
        self.incomplete |= !push(bytes);
        self.words.spans.push(start..bytes.len());
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        if self.words.bytes.capacity() <= KEPT_BYTES {
            SPARE.set(std::mem::take(&mut self.words));
        }
    }
}

impl FromLuaMulti for Words {
    fn from_lua_multi(values: MultiValue, _: &Lua) -> mlua::Result<Words> {
        let mut words = Words::take();
        values.iter().for_each(|value| words.add(|buffer| push_word(buffer, value)));
        Ok(words)
    }

    #[expect(unsafe_code, reason = "the stack can be read only by its own functions; see below why that is sound")]
    unsafe fn from_stack_multi(count: c_int, lua: &RawLua) -> mlua::Result<Words> {
        let mut words = Words::take();
        let state = lua.state();
        for index in -count..0 {
            words.add(|buffer| {
                // SAFETY: the caller says that the uppermost `count` values of the stack are the arguments, so the index is
                // valid. Neither asking for a type, nor for a number, nor for the bytes of what is a string allocates,
                // raises an error or changes the stack. The bytes live as long as the string, which stays on the stack, and
                // are copied at once.
                unsafe {
                    match ffi::lua_type(state, index) {
                        ffi::LUA_TSTRING => {
                            let mut len = 0;
                            let bytes = ffi::lua_tolstring(state, index, &mut len);
                            buffer.extend_from_slice(std::slice::from_raw_parts(bytes.cast(), len));
                            true
                        }
                        ffi::LUA_TNUMBER => {
                            push_number(buffer, ffi::lua_tonumber(state, index));
                            true
                        }
                        _ => false,
                    }
                }
            });
        }
        Ok(words)
    }
}
