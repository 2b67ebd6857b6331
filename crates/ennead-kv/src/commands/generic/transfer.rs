//! Values that go from key to key: RENAME, COPY, MOVE.

use crate::args::Args;
use crate::command::{Access, Command, FIRST_TWO, GROW, Text, WRITE, WRITE_FAST};
use crate::context::{Context, Lookup};
use crate::error::{Error, Result};
use crate::notice::EventClass;
use crate::number::parse_integer;
use crate::reply::Reply;

pub(super) const COMMANDS: &[Command] = &[
    Command::generic(
        "copy",
        -3,
        GROW,
        Text {
            since: "6.2.0",
            complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) for string values.",
            syntax: "source destination [DB destination-db] [REPLACE]",
            summary: "Copies the value of a key to a new key.",
        },
        copy,
    )
    .keys(FIRST_TWO)
    .access(Access::All),
    Command::generic(
        "move",
        3,
        WRITE_FAST,
        Text { since: "1.0.0", complexity: "O(1)", syntax: "key db", summary: "Moves a key to another database." },
        move_key,
    )
    .access(Access::All),
    Command::generic(
        "rename",
        3,
        WRITE,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key newkey",
            summary: "Renames a key and overwrites the destination.",
        },
        rename,
    )
    .keys(FIRST_TWO),
    Command::generic(
        "renamenx",
        3,
        WRITE_FAST,
        Text {
            since: "1.0.0",
            complexity: "O(1)",
            syntax: "key newkey",
            summary: "Renames a key only when the target key name doesn't exist.",
        },
        renamenx,
    )
    .keys(FIRST_TWO),
];

const SAME: Error = Error::text("ERR source and destination objects are the same");

pub(super) fn rename(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    rename_key(context, args, true)?;
    reply.ok();
    Ok(())
}

pub(super) fn renamenx(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let renamed = rename_key(context, args, false)?;
    reply.integer(i64::from(renamed));
    Ok(())
}

fn rename_key(context: &mut Context<'_>, args: Args<'_>, overwrite: bool) -> Result<bool> {
    let (key, new_key) = (&args[1], &args[2]);
    let source = context.find(key, Lookup::Write)?;
    if !source.exists() {
        return Err(Error::NoSuchKey);
    }
    if key == new_key {
        return Ok(overwrite);
    }
    let target = context.find_key(new_key, Lookup::Write)?;
    if target.exists() && !overwrite {
        return Ok(false);
    }
    let source = context.again(source, key);
    let taken = context.take_copy(source)?;
    context.delete(source, key);
    let target = context.again(target, new_key);
    context.put_copy_anew(target, new_key, &taken)?;
    context.notify(EventClass::Generic, "rename_from", key);
    context.notify(EventClass::Generic, "rename_to", new_key);
    Ok(true)
}

/// The number of another database, as the context counts them.
fn parse_database(context: &Context<'_>, word: &[u8]) -> Result<usize> {
    const RANGE: Error = Error::text("ERR value is out of range, value must between -2147483648 and 2147483647");
    let number = i32::try_from(parse_integer(word).ok_or(Error::NotInteger)?).map_err(|_| RANGE)?;
    match usize::try_from(number) {
        Ok(db) if context.has_database(db) => Ok(context.outer(db)),
        _ => Err(Error::text("ERR DB index is out of range")),
    }
}

pub(super) fn copy(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let (key, new_key) = (&args[1], &args[2]);
    let (mut db, mut replace) = (context.db(), false);
    let mut words = args.iter_from(3);
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"replace") {
            replace = true;
        } else if word.eq_ignore_ascii_case(b"db") {
            db = parse_database(context, words.next().ok_or(Error::Syntax)?)?;
        } else {
            return Err(Error::Syntax);
        }
    }
    if db == context.db() && key == new_key {
        return Err(SAME);
    }
    let source = context.find(key, Lookup::Read)?;
    if !source.exists() {
        reply.integer(0);
        return Ok(());
    }
    let taken = context.take_copy(source)?;
    let target = context.find_in(db, new_key, Lookup::Write)?;
    let copied = replace || !target.exists();
    if copied {
        context.put_copy_anew(target, new_key, &taken)?;
        context.notify_in(db, EventClass::Generic, "copy_to", new_key);
    }
    reply.integer(i64::from(copied));
    Ok(())
}

pub(super) fn move_key(context: &mut Context<'_>, args: Args<'_>, reply: &mut dyn Reply) -> Result {
    let key = &args[1];
    let db = parse_database(context, &args[2])?;
    if db == context.db() {
        return Err(SAME);
    }
    let source = context.find(key, Lookup::Write)?;
    let target = context.find_in(db, key, Lookup::Write)?;
    let moved = source.exists() && !target.exists();
    if moved {
        let source = context.find(key, Lookup::Write)?;
        let taken = context.take_copy(source)?;
        context.delete(source, key);
        let target = context.find_in(db, key, Lookup::Write)?;
        context.put_copy(target, key, &taken)?;
        context.notify(EventClass::Generic, "move_from", key);
        context.notify_in(db, EventClass::Generic, "move_to", key);
    }
    reply.integer(i64::from(moved));
    Ok(())
}
