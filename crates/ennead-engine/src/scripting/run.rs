//! Running a script as a transaction, and what its calls do.

use std::sync::Arc;

use ennead_kv::{Args, Error, Flag, Result, Transaction};

use super::flags::ScriptFlags;
use super::functions::{Function, Functions};
use super::interpreter::{self, Caller};
use super::item::{Collector, Item};
use super::program::Program;
use super::running::Running;
use super::{Invocation, Script};
use crate::Clock;
use crate::registry::{Command, Handler, Lookup, Registry};
use crate::session::{Hold, Request, Session};

const FULL: &str = "OOM command not allowed when used memory > 'maxmemory'.";

/// Runs a script in a transaction of its own.
pub(crate) fn run(session: &mut Session, invocation: &Invocation, clock: &Clock) -> (Item, Hold) {
    let call = session.call(clock);
    let keyspace = session.engine.keyspace().clone();
    let full = match keyspace.has_room(&call) {
        Ok(room) => !room,
        Err(error) => return (Item::Error(error.to_string()), Hold::None),
    };
    let mut held = Hold::None;
    let ran = keyspace.transaction(&call, false, |transaction| {
        let (item, hold) = run_inside(session, transaction, invocation, full, clock)?;
        held = hold;
        Ok(item)
    });
    match ran {
        Ok((item, effect)) => (item, held.longer(session.hold(effect))),
        Err(error) => (Item::Error(error.to_string()), Hold::None),
    }
}

/// Whether a script compiles.
///
/// # Errors
/// The text for the client.
pub(crate) fn check(script: &Script) -> Result<(), String> {
    interpreter::with(|interpreter| interpreter.compile(script).map(drop))?
}

/// Runs a script as part of a transaction. An error of the script is an item; those of the store end the transaction.
pub(crate) fn run_inside(
    session: &mut Session,
    transaction: &mut Transaction<'_>,
    invocation: &Invocation,
    full: bool,
    clock: &Clock,
) -> Result<(Item, Hold)> {
    let flags = invocation.program.flags();
    if let Some(text) = refusal(flags, invocation.read_only, full) {
        return Ok((Item::Error(text.to_owned()), Hold::None));
    }
    let engine = session.engine.clone();
    let stage = &engine.scripts().stage;
    // It may have waited for its turn.
    let mut clock = clock.clone();
    clock.lap();
    let running = stage.enter(invocation.call.clone(), clock.instant());
    let mut calls = Calls {
        read_only: invocation.read_only || flags.no_writes(),
        running: Arc::clone(&running),
        session,
        transaction,
        full: full && !flags.allows_growth(),
        held: Hold::None,
        failure: None,
        clock,
    };
    let ran = match &invocation.program {
        Program::Script(_) => interpreter::with(|interpreter| {
            interpreter.run_with(&engine.scripts().json, invocation, Arc::clone(&running), &mut calls)
        }),
        Program::Function(function) => call(engine.functions(), function, invocation, &running, &mut calls),
    };
    let Calls { held, failure, .. } = calls;
    stage.leave();
    invocation.program.pace().note_run(running.time());
    match failure {
        Some(error) => Err(error),
        None => Ok((ran.unwrap_or_else(Item::Error), held)),
    }
}

/// Why what it says about itself, or does not, keeps a program from running.
fn refusal(flags: ScriptFlags, read_only: bool, full: bool) -> Option<&'static str> {
    if !flags.is_declared() {
        return None;
    }
    if full && !flags.allows_full() {
        return Some(FULL);
    }
    (read_only && !flags.no_writes()).then_some("ERR Can not execute a script with write flag using *_ro command.")
}

/// Runs a function, or that of the same name which has taken its place since it was called.
fn call(
    functions: &Functions,
    function: &Arc<Function>,
    invocation: &Invocation,
    running: &Arc<Running>,
    calls: &mut Calls<'_, '_>,
) -> Result<Item, String> {
    let mut editor = functions.edit().map_err(|error| error.to_string())?;
    let current = functions.get(function.name.as_bytes()).ok_or("ERR Function not found")?;
    let replaced;
    let invocation = if Arc::ptr_eq(&current, function) {
        invocation
    } else {
        calls.read_only = invocation.read_only || current.flags.no_writes();
        if let Some(text) = refusal(current.flags, invocation.read_only, calls.full) {
            return Ok(Item::Error(text.to_owned()));
        }
        replaced = invocation.of(Program::Function(current));
        &replaced
    };
    Ok(editor.interpreter().run(invocation, Arc::clone(running), calls))
}

/// Runs the commands of one script.
struct Calls<'c, 't> {
    session: &'c mut Session,
    transaction: &'c mut Transaction<'t>,
    running: Arc<Running>,
    read_only: bool,
    full: bool,
    held: Hold,
    /// The store failed: nothing more is run.
    failure: Option<Error>,
    clock: Clock,
}

impl Calls<'_, '_> {
    fn admit(&self, command: &Command, args: Args<'_>) -> Result {
        if !command.spec.accepts(args.len()) || matches!(command.handler, Handler::Container) {
            return Err(Error::text("ERR Wrong number of args calling Redis command from script"));
        }
        if command.has(Flag::NoScript) {
            return Err(Error::text("ERR This Redis command is not allowed from script"));
        }
        self.session.permit_in_script(command, args, &self.clock)?;
        refuse_waiting_reads(command.spec.name, args)?;
        if self.read_only && (command.has(Flag::Write) || command.may_replicate()) {
            return Err(Error::text("ERR Write commands are not allowed from read-only scripts."));
        }
        // Once it has written it is not stopped half way.
        if self.full && !self.running.wrote() && command.has(Flag::DenyOom) {
            return Err(Error::text(FULL));
        }
        Ok(())
    }

    fn try_call(&mut self, args: Args<'_>, protocol: u8) -> Result<Item> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let command = match Registry::get().lookup(&args) {
            Lookup::Found(command) => command,
            Lookup::Unknown | Lookup::UnknownSubcommand(_) => {
                return Err(Error::text("ERR Unknown Redis command called from script"));
            }
        };
        if let Err(error) = self.admit(command, args) {
            self.session.shard().rejected(command.index);
            return Err(error);
        }
        if command.has(Flag::Write) {
            self.running.note_write();
        }
        let mut reply = Collector::new(protocol);
        let result = match command.handler {
            Handler::Keyspace(row) => {
                let call = self.session.call_for(command, args, &self.clock);
                self.transaction.execute(row, &call, args, &mut reply)
            }
            Handler::Engine(run) => {
                let request = Request { command, args, clock: &self.clock };
                run(self.session, &request, &mut reply)
            }
            Handler::Container => Ok(()),
        };
        self.session.show_called(command, args, &self.clock);
        let hold = std::mem::replace(&mut self.session.held, Hold::None);
        self.held = self.held.longer(hold);
        let time = self.clock.lap();
        self.session.shard().executed(command.index, time, result.is_err());
        result.map(|()| reply.finish())
    }
}

impl Caller for Calls<'_, '_> {
    fn call(&mut self, args: Args<'_>, protocol: u8) -> Item {
        match self.try_call(args, protocol) {
            Ok(item) => item,
            Err(error) => {
                let text = error.to_string();
                self.session.engine.errors().count(&text);
                if let Error::Store(_) = error {
                    self.failure = Some(error);
                }
                Item::CountedError(text)
            }
        }
    }

    fn may_call(&mut self, args: Args<'_>) -> Result<bool, String> {
        match Registry::get().lookup(&args) {
            Lookup::Found(command) => Ok(self.session.permit_in_script(command, args, &self.clock).is_ok()),
            _ => Err("ERR Invalid command passed to redis.acl_check_cmd()".to_owned()),
        }
    }
}

/// Other commands that wait do not in a script; of these Redis refuses the option.
fn refuse_waiting_reads(name: &str, args: Args<'_>) -> Result<()> {
    let options = || args.iter_from(1).take_while(|word| !word.eq_ignore_ascii_case(b"streams"));
    if !matches!(name, "xread" | "xreadgroup") || !options().any(|word| word.eq_ignore_ascii_case(b"block")) {
        return Ok(());
    }
    let name = String::from_utf8_lossy(&args[0]);
    Err(Error::Text(format!("ERR {name} command is not allowed with BLOCK option from scripts").into()))
}
