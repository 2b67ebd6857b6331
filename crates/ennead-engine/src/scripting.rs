//! Scripts in Lua: EVAL and its like; and libraries of functions: FUNCTION, FCALL.
//!
//! A script runs in a thread of its own, as one transaction of the keyspace, while its client waits and the workers go on;
//! one that has been over at once several times in a row, and one inside EXEC, runs where its client is served. What it wrote
//! is one record of the log. Who comes while a script runs waits for it, or is told that the server is busy once it has
//! run for `busy-reply-threshold`.

mod arguments;
mod convert;
mod flags;
mod functions;
mod interpreter;
mod item;
pub(crate) mod libraries;
mod program;
mod random;
mod run;
mod running;
mod scripts;
mod shebang;
mod thread;

pub(crate) use arguments::{Invocation, check_keys};
pub(crate) use flags::ScriptFlags;
pub(crate) use functions::{Editor, Functions, Restoring, stored_libraries};
pub(crate) use item::Item;
pub(crate) use program::Program;
pub(crate) use run::{check, run, run_inside};
pub(crate) use running::Kill;
pub(crate) use scripts::{Script, Scripts};
pub(crate) use shebang::flags;
pub(crate) use thread::{Answer, Job};
