//! FCALL, and FUNCTION.

use ennead_kv::{
    Effect, Error, Flag, FunctionsRefusal, KeySpec, Result, Spec, dump_functions, glob, restore_functions,
};
use ennead_store::Sequence;

use super::scripting::{READ_ONLY, SCRIPTING, busy, end_running, evaluate};
use super::{Row, error, is};
use crate::scripting::{Editor, Restoring};
use crate::session::{HELD_WAIT, Output, Request, Session};

const CALL: Spec = Spec {
    since: "7.0.0",
    complexity: "Depends on the function that is executed.",
    syntax: "function numkeys [key [key ...]] [arg [arg ...]]",
    ..SCRIPTING
};
const FUNCTION: Spec =
    Spec { arity: 2, keys: KeySpec::None, flags: &[Flag::NoScript], since: "7.0.0", complexity: "O(1)", ..SCRIPTING };
const CHANGE: &[Flag] = &[Flag::Write, Flag::NoScript];
const LOAD: &[Flag] = &[Flag::Write, Flag::DenyOom, Flag::NoScript];
const WHILE_BUSY: &[Flag] = &[Flag::NoScript, Flag::AllowBusy];

pub(super) const ROWS: &[Row] = &[
    Row { spec: Spec { name: "fcall", summary: "Invokes a function.", ..CALL }, run: evaluate },
    Row {
        spec: Spec { name: "fcall_ro", flags: READ_ONLY, summary: "Invokes a read-only function.", ..CALL },
        run: evaluate,
    },
    Row {
        spec: Spec {
            name: "function|delete",
            arity: 3,
            flags: CHANGE,
            summary: "Deletes a library and its functions.",
            syntax: "library-name",
            ..FUNCTION
        },
        run: delete,
    },
    Row {
        spec: Spec {
            name: "function|dump",
            complexity: "O(N) where N is the number of functions",
            summary: "Dumps all libraries into a serialized binary payload.",
            ..FUNCTION
        },
        run: dump,
    },
    Row {
        spec: Spec {
            name: "function|flush",
            arity: -2,
            flags: CHANGE,
            complexity: "O(N) where N is the number of functions deleted",
            summary: "Deletes all libraries and functions.",
            syntax: "[ASYNC | SYNC]",
            ..FUNCTION
        },
        run: flush,
    },
    Row {
        spec: Spec {
            name: "function|help",
            flags: &[Flag::Loading, Flag::Stale],
            summary: "Returns helpful text about the different subcommands.",
            ..FUNCTION
        },
        run: super::help::help,
    },
    Row {
        spec: Spec {
            name: "function|kill",
            flags: WHILE_BUSY,
            summary: "Terminates a function during execution.",
            ..FUNCTION
        },
        run: |session, _, reply| end_running(session, true, reply),
    },
    Row {
        spec: Spec {
            name: "function|list",
            arity: -2,
            complexity: "O(N) where N is the number of functions",
            summary: "Returns information about all libraries.",
            syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
            ..FUNCTION
        },
        run: list,
    },
    Row {
        spec: Spec {
            name: "function|load",
            arity: -3,
            flags: LOAD,
            complexity: "O(1) (considering compilation time is redundant)",
            summary: "Creates a library.",
            syntax: "[REPLACE] function-code",
            ..FUNCTION
        },
        run: load,
    },
    Row {
        spec: Spec {
            name: "function|restore",
            arity: -3,
            flags: LOAD,
            complexity: "O(N) where N is the number of functions on the payload",
            summary: "Restores all libraries from a payload.",
            syntax: "serialized-value [FLUSH | APPEND | REPLACE]",
            ..FUNCTION
        },
        run: restore,
    },
    Row {
        spec: Spec {
            name: "function|stats",
            flags: WHILE_BUSY,
            summary: "Returns information about a function during execution.",
            ..FUNCTION
        },
        run: stats,
    },
];

/// Changes libraries; while a function runs the request is put off. In EXEC none runs.
fn edit<T>(session: &mut Session, change: impl FnOnce(&mut Editor<'_>) -> Result<T>) -> Result<Option<T>> {
    let engine = session.engine().clone();
    let functions = engine.functions();
    let editor = if session.executing { Some(functions.edit()?) } else { functions.try_edit()? };
    let Some(mut editor) = editor else {
        session.later = Some(HELD_WAIT);
        return Ok(None);
    };
    change(&mut editor).map(Some)
}

/// # Errors
/// Memory is full. In EXEC that was looked at before.
fn need_room(session: &mut Session, request: &Request<'_>) -> Result {
    let call = session.call(request.clock);
    if session.executing || session.engine().keyspace().has_room(&call)? { Ok(()) } else { Err(Error::OutOfMemory) }
}

/// Has the reply wait for a change as for one of keys.
fn hold(session: &mut Session, sequence: Sequence) {
    session.held = session.hold(Effect { wrote: Some(sequence), ..Effect::default() });
}

fn load(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    need_room(session, request)?;
    let args = request.args;
    let (mut replace, code) = (false, args.len() - 1);
    for word in args.iter_from(2).take(code - 2) {
        if !is(word, "replace") {
            return Err(error(format!("ERR Unknown option given: {}", String::from_utf8_lossy(word))));
        }
        replace = true;
    }
    let Some((name, sequence)) = edit(session, |editor| editor.load(&args[code], replace))? else { return Ok(()) };
    hold(session, sequence);
    reply.bulk(name.as_bytes());
    Ok(())
}

fn delete(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let Some(sequence) = edit(session, |editor| editor.delete(&request.args[2]))? else { return Ok(()) };
    hold(session, sequence);
    reply.ok();
    Ok(())
}

/// Words too many, as Redis words it for these commands.
fn surplus(word: &[u8]) -> Error {
    let word = String::from_utf8_lossy(word);
    error(format!("ERR unknown subcommand or wrong number of arguments for '{word}'. Try FUNCTION HELP."))
}

fn flush(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let args = request.args;
    if args.len() > 3 {
        return Err(surplus(&args[1]));
    }
    if !args.get(2).is_none_or(|mode| is(mode, "async") || is(mode, "sync")) {
        return Err(Error::text("ERR FUNCTION FLUSH only supports SYNC|ASYNC option"));
    }
    finish(session, |editor| editor.flush(), reply)
}

fn finish(
    session: &mut Session,
    change: impl FnOnce(&mut Editor<'_>) -> Result<Option<Sequence>>,
    reply: &mut dyn Output,
) -> Result {
    let Some(changed) = edit(session, change)? else { return Ok(()) };
    if let Some(sequence) = changed {
        hold(session, sequence);
    }
    reply.ok();
    Ok(())
}

fn dump(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let catalogue = session.engine().functions().catalogue();
    let texts = catalogue.libraries.values().map(|library| library.text.as_slice());
    reply.bulk(&dump_functions(texts));
    Ok(())
}

fn restore(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    need_room(session, request)?;
    let args = request.args;
    if args.len() > 4 {
        return Err(surplus(&args[1]));
    }
    let restoring = match args.get(3) {
        None => Restoring::Append,
        Some(word) if is(word, "append") => Restoring::Append,
        Some(word) if is(word, "replace") => Restoring::Replace,
        Some(word) if is(word, "flush") => Restoring::Flush,
        Some(_) => {
            return Err(Error::text(
                "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.",
            ));
        }
    };
    let texts = restore_functions(&args[2]).map_err(|refusal| {
        Error::text(match refusal {
            FunctionsRefusal::VersionOrChecksum => "ERR DUMP payload version or checksum are wrong",
            FunctionsRefusal::Kind => "ERR given type is not a function",
            FunctionsRefusal::Text => "ERR Failed loading library payload",
        })
    })?;
    finish(session, |editor| editor.restore(&texts, restoring), reply)
}

fn list(session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let (mut with_code, mut pattern) = (false, None);
    let mut words = request.args.iter_from(2);
    while let Some(word) = words.next() {
        if !with_code && is(word, "withcode") {
            with_code = true;
        } else if pattern.is_none() && is(word, "libraryname") {
            pattern = Some(words.next().ok_or(Error::text("ERR library name argument was not given"))?);
        } else {
            return Err(error(format!("ERR Unknown argument {}", String::from_utf8_lossy(word))));
        }
    }
    let catalogue = session.engine().functions().catalogue();
    let is_meant = |name: &str| {
        // Of libraries the case of letters does not matter here.
        let folded = pattern.map(<[u8]>::to_ascii_lowercase);
        folded.is_none_or(|pattern| glob::matches(&pattern, name.to_ascii_lowercase().as_bytes()))
    };
    let libraries: Vec<_> = catalogue.libraries.values().filter(|library| is_meant(&library.name)).collect();
    reply.array(libraries.len());
    for library in libraries {
        reply.map(if with_code { 4 } else { 3 });
        reply.bulk(b"library_name");
        reply.bulk(library.name.as_bytes());
        reply.bulk(b"engine");
        reply.bulk(b"LUA");
        reply.bulk(b"functions");
        reply.array(library.functions.len());
        for function in &library.functions {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(function.name.as_bytes());
            reply.bulk(b"description");
            match &function.description {
                Some(description) => reply.bulk(description),
                None => reply.null(),
            }
            reply.bulk(b"flags");
            let flags = function.flags.names();
            reply.set(flags.clone().count());
            flags.for_each(|flag| reply.simple(flag));
        }
        if with_code {
            reply.bulk(b"library_code");
            reply.bulk(&library.text);
        }
    }
    Ok(())
}

fn stats(session: &mut Session, _request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let engine = session.engine();
    let running = engine.scripts().stage.running();
    if running.as_ref().is_some_and(|running| running.function.is_none()) {
        return Err(busy(false));
    }
    reply.map(2);
    reply.bulk(b"running_script");
    match running.as_ref().and_then(|running| running.function.as_ref().map(|call| (call, running.time()))) {
        None => reply.null(),
        Some((call, time)) => {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(call.name.as_bytes());
            reply.bulk(b"command");
            reply.array(call.words.len());
            call.words.iter().for_each(|word| reply.bulk(word));
            reply.bulk(b"duration_ms");
            reply.integer(time.as_millis() as i64);
        }
    }
    let catalogue = engine.functions().catalogue();
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.integer(catalogue.libraries.len() as i64);
    reply.bulk(b"functions_count");
    reply.integer(catalogue.functions_len() as i64);
    Ok(())
}
