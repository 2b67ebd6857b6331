//! EVAL and its like, and SCRIPT.

use std::sync::Arc;
use std::time::Duration;

use ennead_kv::{Args, Error, Flag, Group, KeySpec, Result, Spec};

use super::{Row, is};
use crate::Engine;
use crate::registry::Command;
use crate::scripting::{Answer, Invocation, Item, Job, Kill, Program, Script, ScriptFlags};
use crate::session::{Hold, Output, Request, Session};

/// How often a waiting client looks for its reply, should it miss the call.
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) const SCRIPTING: Spec = Spec {
    name: "",
    arity: -3,
    keys: KeySpec::Counted { count: 2 },
    flags: &[Flag::NoScript, Flag::Stale, Flag::SkipMonitor, Flag::NoMandatoryKeys, Flag::MovableKeys],
    categories: &[],
    group: Group::Scripting,
    since: "2.6.0",
    complexity: "Depends on the script that is executed.",
    summary: "",
    syntax: "",
};
pub(super) const READ_ONLY: &[Flag] =
    &[Flag::ReadOnly, Flag::NoScript, Flag::Stale, Flag::SkipMonitor, Flag::NoMandatoryKeys, Flag::MovableKeys];
const SCRIPT: Spec = Spec { arity: 2, keys: KeySpec::None, flags: &[Flag::NoScript], ..SCRIPTING };

pub(super) const ROWS: &[Row] = &[
    Row {
        spec: Spec {
            name: "eval",
            summary: "Executes a server-side Lua script.",
            syntax: "script numkeys [key [key ...]] [arg [arg ...]]",
            ..SCRIPTING
        },
        run: evaluate,
    },
    Row {
        spec: Spec {
            name: "eval_ro",
            since: "7.0.0",
            flags: READ_ONLY,
            summary: "Executes a read-only server-side Lua script.",
            syntax: "script numkeys [key [key ...]] [arg [arg ...]]",
            ..SCRIPTING
        },
        run: evaluate,
    },
    Row {
        spec: Spec {
            name: "evalsha",
            summary: "Executes a server-side Lua script by SHA1 digest.",
            syntax: "sha1 numkeys [key [key ...]] [arg [arg ...]]",
            ..SCRIPTING
        },
        run: evaluate,
    },
    Row {
        spec: Spec {
            name: "evalsha_ro",
            since: "7.0.0",
            flags: READ_ONLY,
            summary: "Executes a read-only server-side Lua script by SHA1 digest.",
            syntax: "sha1 numkeys [key [key ...]] [arg [arg ...]]",
            ..SCRIPTING
        },
        run: evaluate,
    },
    Row {
        spec: Spec {
            name: "script|debug",
            arity: 3,
            since: "3.2.0",
            complexity: "O(1)",
            summary: "Sets the debug mode of server-side Lua scripts: there is only none.",
            syntax: "<YES | SYNC | NO>",
            ..SCRIPT
        },
        run: debug,
    },
    Row {
        spec: Spec {
            name: "script|exists",
            arity: -3,
            complexity: "O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).",
            summary: "Determines whether server-side Lua scripts exist in the script cache.",
            syntax: "sha1 [sha1 ...]",
            ..SCRIPT
        },
        run: exists,
    },
    Row {
        spec: Spec {
            name: "script|flush",
            arity: -2,
            complexity: "O(N) with N being the number of scripts in cache",
            summary: "Removes all server-side Lua scripts from the script cache.",
            syntax: "[ASYNC | SYNC]",
            ..SCRIPT
        },
        run: flush,
    },
    Row {
        spec: Spec {
            name: "script|help",
            since: "5.0.0",
            complexity: "O(1)",
            flags: &[Flag::Loading, Flag::Stale],
            summary: "Returns helpful text about the different subcommands.",
            ..SCRIPT
        },
        run: super::help::help,
    },
    Row {
        spec: Spec {
            name: "script|kill",
            complexity: "O(1)",
            flags: &[Flag::NoScript, Flag::AllowBusy],
            summary: "Terminates a server-side Lua script during execution.",
            ..SCRIPT
        },
        run: kill,
    },
    Row {
        spec: Spec {
            name: "script|load",
            arity: 3,
            flags: &[Flag::NoScript, Flag::Stale],
            complexity: "O(N) with N being the length in bytes of the script body.",
            summary: "Loads a server-side Lua script to the script cache.",
            syntax: "script",
            ..SCRIPT
        },
        run: load,
    },
];

/// Whether the request runs a script or a function that says of itself that it does not write.
pub(crate) fn declares_no_writes(engine: &Engine, command: &Command, args: Args<'_>) -> bool {
    let flags = match command.spec.name {
        "eval" => crate::scripting::flags(&args[1]),
        "evalsha" => engine.scripts().get(&args[1]).map(|script| script.flags),
        "fcall" => engine.functions().get(&args[1]).map(|function| function.flags),
        _ => None,
    };
    flags.is_some_and(ScriptFlags::no_writes)
}

/// The script or function that a request of EVAL, FCALL and their like means.
pub(crate) fn invocation(session: &Session, request: &Request<'_>) -> Result<Invocation> {
    let args = request.args;
    let name = request.command.spec.name;
    let read_only = name.ends_with("_ro");
    if name.starts_with("fcall") {
        let function = session.engine().functions().get(&args[1]).ok_or(Error::text("ERR Function not found"))?;
        let not_a_number = Error::text("ERR Bad number of keys provided");
        return Invocation::parse(Program::Function(function), args, read_only, not_a_number);
    }
    // The number of keys is looked at first.
    crate::scripting::check_keys(args, Error::NotInteger)?;
    let scripts = session.engine().scripts();
    let script: Arc<Script> = if name.starts_with("evalsha") {
        scripts.get(&args[1]).ok_or(Error::text("NOSCRIPT No matching script. Please use EVAL."))?
    } else {
        scripts.add(&args[1]).map_err(super::error)?
    };
    Invocation::parse(Program::Script(script), args, read_only, Error::NotInteger)
}

/// What is answered while a script or a function runs that does not end.
pub(crate) fn busy(is_function: bool) -> Error {
    Error::text(if is_function {
        "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
    } else {
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
    })
}

/// EVAL, FCALL and their like.
pub(super) fn evaluate(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    if let Some(answer) = session.scripted.take() {
        let answered = answer.lock().take();
        match answered {
            Some((item, hold)) => write(session, &item, hold, reply),
            None => {
                session.scripted = Some(answer);
                session.later = Some(INTERVAL);
            }
        }
        return Ok(());
    }
    session.show_script(request.command, request.args, request.clock);
    let invocation = invocation(session, request)?;
    if invocation.program.pace().is_quick() {
        let mut inner = session.for_script(Arc::clone(session.shard()));
        let (item, hold) = crate::scripting::run(&mut inner, &invocation, request.clock);
        write(session, &item, hold, reply);
        return Ok(());
    }
    let answer = Answer::default();
    let shard = session.engine().scripts().shard(session.engine());
    let job = Job {
        invocation,
        session: Box::new(session.for_script(shard)),
        answer: Arc::clone(&answer),
        client: Arc::clone(session.client()),
    };
    let submitted = session.engine().scripts().submit(job);
    submitted.map_err(|problem| super::error(format!("ERR cannot start a thread for scripts: {problem}")))?;
    session.scripted = Some(answer);
    session.later = Some(INTERVAL);
    Ok(())
}

/// Answers with what a script gave. Its error may have been counted as that of a command in it.
pub(crate) fn write(session: &mut Session, item: &Item, hold: Hold, reply: &mut dyn Output) {
    if let Item::Error(text) = item {
        session.engine().errors().count(text);
    }
    session.failed = matches!(item, Item::Error(_) | Item::CountedError(_));
    item.write(reply);
    session.held = hold;
}

fn debug(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let mode = &request.args[2];
    if is(mode, "yes") || is(mode, "sync") {
        return Err(Error::text("ERR there is no debugger for scripts here"));
    }
    if !is(mode, "no") {
        return Err(Error::text("ERR Use SCRIPT DEBUG YES/SYNC/NO"));
    }
    reply.ok();
    Ok(())
}

fn load(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let scripts = session.engine().scripts();
    let script = scripts.add(&request.args[2]).map_err(super::error)?;
    if let Err(text) = crate::scripting::check(&script) {
        scripts.forget(&script.sha);
        return Err(super::error(text));
    }
    reply.bulk(script.sha.as_bytes());
    Ok(())
}

fn exists(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    reply.array(request.args.len() - 2);
    for sha in request.args.iter_from(2) {
        reply.integer(i64::from(session.engine().scripts().get(sha).is_some()));
    }
    Ok(())
}

fn flush(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let known = request.args.get(2).is_none_or(|mode| is(mode, "async") || is(mode, "sync"));
    if !known || request.args.len() > 3 {
        return Err(Error::text("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    session.engine().scripts().flush();
    reply.ok();
    Ok(())
}

fn kill(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    end_running(session, false, reply)
}

/// SCRIPT KILL and FUNCTION KILL.
pub(super) fn end_running(session: &Session, function: bool, reply: &mut dyn Output) -> Result {
    match session.engine().scripts().stage.kill(function) {
        Kill::Done => reply.ok(),
        Kill::Idle => return Err(Error::text("NOTBUSY No scripts in execution right now.")),
        Kill::Other => return Err(busy(!function)),
        Kill::Wrote => {
            return Err(Error::text(
                "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the \
                 script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
            ));
        }
    }
    Ok(())
}
